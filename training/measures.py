"""All numbers of an evaluation from its vectors: what `evaluate --json` writes, and its curves."""

import itertools
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from training.ml import binned, bootstrap, ranking, verification
from training.ml.pairs import ALL_PAIRS, SEQUENTIAL, UNORDERED, Pairs

HISTOGRAM_BINS = 64
# Pixels of a crop's height; the last bound is open.
HEIGHTS = (64, 128, 256)
NEAR = 20


def measure(
    *,
    boxes: Sequence[int],
    people: Sequence[str],
    pictures: np.ndarray,
    captions: Sequence[tuple[str, ...]] | None,
    words: Mapping[str, np.ndarray],
    heights: Sequence[int],
    cameras: Sequence[str],
    protocol: str = ALL_PAIRS,
    tell: Callable[[str], None] = lambda note: None,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The metrics, and the details that pages draw.

    Args:
        boxes, people, heights, cameras: (N,) of each picture; camera "" if it has none.
        pictures: (N, D) unit vectors.
        captions: of each picture; None for a version without words, which is measured picture
            against picture.
        words: caption -> unit vector (D,).
        tell: called between the parts with what comes next.

    Raises: ValueError, there is nothing to measure.
    """
    names = sorted(set(people))
    number = {name: place for place, name in enumerate(names)}
    who = np.array([number[name] for name in people], dtype=np.int64)
    drawn = bootstrap.weights(len(names))
    slices = _slices(cameras, heights)
    metrics: dict[str, Any] = {"boxes": len(boxes), "people": len(names)}
    tell("ranking")
    if captions is None:
        ranked = {"i2i": ranking.rank(pictures, pictures, who, who, leave_out_self=True)}
        rows = dict.fromkeys(ranked, np.arange(len(boxes)))
        pairs = Pairs(
            rows=pictures, columns=pictures, row_people=who, column_people=who, protocol=UNORDERED
        )
        owner, texts = np.arange(len(boxes)), [""] * len(boxes)
        shown = list(boxes)
        metrics["map_at_20"] = {
            "found": ranking.map_at(pictures, who, NEAR),
            "class_size": ranking.map_at(pictures, who, NEAR, by_class_size=True),
        }
    else:
        owner, texts = _asked(captions)
        asking = np.stack([words[text] for text in texts])
        ranked = {
            "t2i": ranking.rank(asking, pictures, who[owner], who),
            "i2t": ranking.rank(pictures, asking, who, who[owner]),
        }
        rows = {"t2i": owner, "i2t": np.arange(len(boxes))}
        metrics["captions"] = len(texts)
        pairs = _pairs(pictures, asking, who, owner, texts, protocol)
        shown = list(boxes)
        if protocol == SEQUENTIAL:
            owner, texts = _firsts(owner, texts)
            shown = [boxes[place] for place in owner]
    metrics |= {name: of.summary(drawn) for name, of in ranked.items()}
    metrics["slices"] = _sliced(ranked, rows, slices)
    tell("verification")
    report = verification.measure(pairs)
    metrics["verification"] = _verification(report)
    if pairs.protocol == SEQUENTIAL:
        walked = binned.measure(pairs)
        metrics["verification"] |= {"binned": vars(walked), "layout": walked.lines()}
    of = [boxes[place] for place in owner]
    return metrics, _details(report, shown, of, texts)


def _asked(captions: Sequence[tuple[str, ...]]) -> tuple[np.ndarray, list[str]]:
    """The picture of each text, and the texts."""
    flat = [(place, text) for place, of in enumerate(captions) for text in of]
    return np.array([place for place, _ in flat], dtype=np.int64), [text for _, text in flat]


def _firsts(owner: np.ndarray, texts: list[str]) -> tuple[np.ndarray, list[str]]:
    found, first = np.unique(owner, return_index=True)
    return found, [texts[place] for place in first]


def _pairs(
    pictures: np.ndarray,
    asking: np.ndarray,
    who: np.ndarray,
    owner: np.ndarray,
    texts: list[str],
    protocol: str,
) -> Pairs:
    if protocol == SEQUENTIAL:
        kept, first = np.unique(owner, return_index=True)
        return Pairs(
            rows=pictures[kept],
            columns=asking[first],
            row_people=who[kept],
            column_people=who[kept],
            protocol=protocol,
        )
    return Pairs(
        rows=pictures,
        columns=asking,
        row_people=who,
        column_people=who[owner],
        protocol=protocol,
        same_words=_same_words(owner, texts),
    )


def _same_words(owner: np.ndarray, texts: list[str]) -> dict[int, np.ndarray]:
    """Picture -> texts that one of its own captions equals, where others say the same."""
    places: dict[str, list[int]] = defaultdict(list)
    for place, text in enumerate(texts):
        places[" ".join(text.split()).casefold()].append(place)
    found: dict[int, set[int]] = defaultdict(set)
    for alike in places.values():
        if len(alike) > 1:
            for place in alike:
                found[int(owner[place])].update(alike)
    return {row: np.array(sorted(of), dtype=np.int64) for row, of in found.items()}


def _slices(cameras: Sequence[str], heights: Sequence[int]) -> dict[str, dict[str, np.ndarray]]:
    """Group -> name -> which pictures belong to it."""
    by_camera = {
        name: np.array([camera == name for camera in cameras])
        for name in sorted({camera for camera in cameras if camera})
    }
    high = np.digitize(np.array(heights), HEIGHTS)
    labels = [f"< {HEIGHTS[0]} px"]
    labels += [f"{low}-{top - 1} px" for low, top in itertools.pairwise(HEIGHTS)]
    labels += [f">= {HEIGHTS[-1]} px"]
    by_height = {label: high == place for place, label in enumerate(labels)}
    return {
        "camera": by_camera,
        "height": {label: rows for label, rows in by_height.items() if rows.any()},
    }


def _sliced(
    ranked: Mapping[str, ranking.Ranked],
    rows: Mapping[str, np.ndarray],
    slices: Mapping[str, Mapping[str, np.ndarray]],
) -> list[dict[str, Any]]:
    """One entry a slice: its queries against the whole gallery."""
    found = []
    for group, named in slices.items():
        for name, belongs in named.items():
            entry: dict[str, Any] = {"by": group, "name": name, "boxes": int(belongs.sum())}
            for direction, of in ranked.items():
                part = of.only(belongs[rows[direction]])
                if len(part.queries):
                    people = 1 + int(of.people.max())
                    drawn = bootstrap.weights(people)
                    entry[direction] = part.summary(drawn)
            found.append(entry)
    return found


def _verification(report: verification.Report) -> dict[str, Any]:
    return {
        "pairs": {
            "genuine": report.genuine,
            "impostor": report.impostor,
            "ignored": report.ignored,
        },
        "eer": {
            "value": report.eer_rate,
            "threshold": report.eer.threshold,
            "interval": report.eer.interval,
        },
        "frr_at_far": {
            f"{level:.0e}" if level else "0": {
                "value": found.frr,
                "far": found.far,
                "threshold": found.threshold,
                "interval": found.interval,
            }
            for level, found in report.at_far.items()
        },
    }


def _details(
    report: verification.Report, shown: Sequence[int], of: Sequence[int], texts: Sequence[str]
) -> dict[str, Any]:
    """Curve, histograms and worst pairs: `picture` is the row's box, `of` the column's."""

    def worst(found: list[tuple[int, int, float]]) -> list[dict[str, Any]]:
        return [
            {
                "picture": shown[row],
                "of": of[column],
                "text": texts[column],
                "score": round(score, 6),
            }
            for row, column, score in found
        ]

    width = verification.BINS // HISTOGRAM_BINS
    return {
        "curve": [
            [float(f"{value:.6g}") for value in point] for point in verification.curve(report)
        ],
        "genuine": report.genuine_bins.reshape(-1, width).sum(axis=1).tolist(),
        "impostor": report.impostor_bins.reshape(-1, width).sum(axis=1).tolist(),
        "false_rejects": worst(report.false_rejects),
        "false_accepts": worst(report.false_accepts),
    }
