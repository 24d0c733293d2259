"""The ten best of each query, and the recall report that Chinese-CLIP's tools make of them.

A prediction file has a line `{"text_id", "image_ids": [...]}` for each text, or `{"image_id",
"text_ids": [...]}` for each picture; a file of answers has the same keys with what is right.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

TOP = 10


@dataclass(frozen=True, kw_only=True)
class Direction:
    """One direction of retrieval as lines of its two files.

    asks, finds: keys of a line, `text_id` and `image_ids` or `image_id` and `text_ids`.
    """

    asks: str
    finds: str
    answers: dict[int, list[int]]
    found: dict[int, list[int]]

    def predictions(self) -> list[dict[str, Any]]:
        return [{self.asks: query, self.finds: best} for query, best in self.found.items()]

    def right(self) -> list[dict[str, Any]]:
        return [{self.asks: query, self.finds: best} for query, best in self.answers.items()]

    def report(self) -> dict[str, Any]:
        return recall_report(self.answers, self.found.items())


def directions(stored: Mapping[str, Any]) -> dict[str, Direction]:
    """`t2i` and `i2t` of what an evaluation stores: pictures are numbered by their boxes, texts
    by their places in it."""
    texts, boxes = stored["texts"], stored["boxes"]
    said: dict[int, list[int]] = {box: [] for box in boxes}
    for number, (_text, owners) in enumerate(texts):
        for box in owners:
            said[box].append(number)
    return {
        "t2i": Direction(
            asks="text_id",
            finds="image_ids",
            answers={number: owners for number, (_text, owners) in enumerate(texts)},
            found=dict(enumerate(stored["t2i"])),
        ),
        "i2t": Direction(
            asks="image_id",
            finds="text_ids",
            answers={box: of for box, of in said.items() if of},
            found={box: best for box, best in zip(boxes, stored["i2t"], strict=True) if said[box]},
        ),
    }


def recall_report(
    answers: Mapping[int, Sequence[int]], predicted: Iterable[tuple[int, Sequence[object]]]
) -> dict[str, Any]:
    """R@1, R@5, R@10 and their mean, in percent; any right answer among the k best counts.

    Args:
        answers: query -> what is right.
        predicted: (query, its ten best); each ten different whole numbers.

    Returns: `success` with `score` and `scoreJson`, or why there is none in `errorDetail`.
    """
    hits = {1: 0, 5: 0, TOP: 0}
    seen: set[int] = set()
    for query, found in predicted:
        reason = _wrong(query, found, seen, answers)
        if reason:
            return _failed(reason)
        seen.add(query)
        for k in hits:
            hits[k] += not set(answers[query]).isdisjoint(found[:k])
    missing = [query for query in answers if query not in seen]
    if missing or not seen:
        return _failed(f"{len(missing)} queries have no prediction, such as {missing[:1]}")
    r1, r5, r10 = (count / len(seen) * 100 for count in hits.values())
    mean = (r1 + r5 + r10) / 3
    scores = {"score": mean, "mean_recall": mean, "r1": r1, "r5": r5, "r10": r10}
    return {"success": True, "score": mean, "scoreJson": scores}


def _wrong(
    query: int, found: Sequence[object], seen: set[int], answers: Mapping[int, Sequence[int]]
) -> str:
    if query in seen:
        return f"query {query} was predicted twice"
    if query not in answers:
        return f"query {query} is not among the answers"
    if any(isinstance(one, bool) or not isinstance(one, int) for one in found):
        return f"the predictions of query {query} are not all whole numbers"
    if len(found) != TOP or len(set(found)) != TOP:
        return f"query {query} has {len(set(found))} different predictions, not {TOP}"
    return ""


def _failed(reason: str) -> dict[str, Any]:
    return {
        "success": False,
        "errorDetail": reason,
        "errorMsg": reason,
        "score": 0,
        "scoreJson": {},
    }
