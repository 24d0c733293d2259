"""All numbers of an evaluation from its vectors: what `evaluate --json` writes, and its curves."""

import itertools
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from training.ml import binned, bootstrap, predictions, ranking, verification
from training.ml.clauses import reordered
from training.ml.pairs import ALL_PAIRS, SEQUENTIAL, UNORDERED, Pairs

HISTOGRAM_BINS = 64
# Pixels of a crop's height; the last bound is open.
HEIGHTS = (64, 128, 256)
NEAR = 20
# One picture in so many asks, when some of a class are held out: as the GeM system validates.
RATIO = 7
# What a text is called behind the name of its picture, as system 2 prints it.
SUFFIXES = {"caption": "_caption", "prompt": "_prompt_caption", "attributes": "_attr"}


@dataclass(frozen=True, kw_only=True)
class Sample:
    """The pictures of a split, (N,) of each, in the order of their boxes.

    pictures: (N, D) unit vectors. cameras: "" where there is none. names: what the source called
    the picture. captions: (text, kind) of each; None for a version without words, which is
    measured picture against picture.
    """

    boxes: Sequence[int]
    people: Sequence[str]
    names: Sequence[str]
    heights: Sequence[int]
    cameras: Sequence[str]
    pictures: np.ndarray
    captions: Sequence[tuple[tuple[str, str], ...]] | None


@dataclass(frozen=True, kw_only=True)
class Measured:
    """The numbers, what pages draw of them, and the ten best of each query."""

    metrics: dict[str, Any]
    details: dict[str, Any]
    predictions: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class _Sides:
    """What asks and what answers: pictures, and texts or the same pictures.

    who: (N,) person of each picture. owner: (T,) picture of each text. names: of the texts.
    """

    sample: Sample
    who: np.ndarray
    owner: np.ndarray
    texts: list[str]
    names: list[str]
    asking: np.ndarray

    @property
    def is_of_pictures(self) -> bool:
        return self.sample.captions is None


def measure(
    sample: Sample,
    words: Mapping[str, np.ndarray],
    *,
    protocol: str = ALL_PAIRS,
    smallest_class: int = RATIO,
    tell: Callable[[str], None] = lambda note: None,
) -> Measured:
    """The metrics, the details that pages draw, and the predictions.

    Args:
        words: caption -> unit vector (D,); with the vectors of its clauses in another order, the
            drop that this makes is measured too.
        smallest_class: pictures of a smaller one neither ask nor are found in the held-out mAP of
            pictures.
        tell: called between the parts with what comes next.

    Raises: ValueError, there is nothing to measure.
    """
    sides = _sides(sample, words)
    drawn = bootstrap.weights(1 + int(sides.who.max()))
    metrics: dict[str, Any] = {"boxes": len(sample.boxes), "people": len(drawn)}
    tell("ranking")
    ranked = _ranked(sides)
    if sides.is_of_pictures:
        metrics["map_at_20"] = _precision(sides, smallest_class)
    else:
        metrics["captions"] = len(sides.texts)
        metrics |= _order(sides, words, ranked["t2i"], drawn)
    metrics |= {name: of.summary(drawn) for name, of in ranked.items()}
    tell("verification")
    pairs, rows, columns = _pairs(sides, protocol)
    report = verification.measure(pairs)
    metrics["verification"] = _verification(report) | _layout(pairs, report, sides, rows, columns)
    tell("slices")
    metrics["slices"] = _slices(sides, ranked, drawn)
    return Measured(
        metrics=metrics,
        details=_details(report, sides, rows, columns),
        predictions=_predictions(sides),
    )


def _sides(sample: Sample, words: Mapping[str, np.ndarray]) -> _Sides:
    numbers = {name: place for place, name in enumerate(sorted(set(sample.people)))}
    who = np.array([numbers[name] for name in sample.people], dtype=np.int64)
    pictures = [
        _name(person, name) for person, name in zip(sample.people, sample.names, strict=True)
    ]
    if sample.captions is None:
        owner = np.arange(len(sample.boxes))
        texts, names, asking = [""] * len(owner), pictures, sample.pictures
    else:
        said = [
            (place, text, kind) for place, of in enumerate(sample.captions) for text, kind in of
        ]
        owner = np.array([place for place, _, _ in said], dtype=np.int64)
        texts = [text for _, text, _ in said]
        names = [pictures[place] + SUFFIXES.get(kind, "_caption") for place, _, kind in said]
        asking = np.stack([words[text] for text in texts])
    return _Sides(sample=sample, who=who, owner=owner, texts=texts, names=names, asking=asking)


def _name(person: str, name: str) -> str:
    """How system 2 calls a picture: its person, its folder, its file."""
    folder, _, file = name.replace("\\", "/").rpartition("/")
    return f"{person}/{folder}_{file}" if folder else f"{person}/{file}"


def _ranked(sides: _Sides) -> dict[str, ranking.Ranked]:
    pictures, who = sides.sample.pictures, sides.who
    if sides.is_of_pictures:
        return {"i2i": ranking.rank(pictures, pictures, who, who, leave_out_self=True)}
    asked = who[sides.owner]
    return {
        "t2i": ranking.rank(sides.asking, pictures, asked, who),
        "i2t": ranking.rank(pictures, sides.asking, who, asked),
    }


def _precision(sides: _Sides, smallest_class: int) -> dict[str, Any]:
    """mAP@20 of pictures: each against all others, and of some of each class against the rest."""
    pictures, who = sides.sample.pictures, sides.who
    found: dict[str, Any] = {
        "found": ranking.map_at(pictures, who, NEAR),
        "class_size": ranking.map_at(pictures, who, NEAR, by_class_size=True),
    }
    asking, masked = ranking.held_out(who, RATIO, smallest_class)
    if asking.any():
        queries = pictures[asking], pictures, who[asking], who, masked, NEAR
        found["held_out"] = {
            "found": ranking.masked_map_at(*queries),
            "class_size": ranking.masked_map_at(*queries, by_class_size=True),
            "masked_as_zero": ranking.masked_map_at(*queries, masked_score=0.0),
            "queries": int(asking.sum()),
            "database": int((~masked).sum()),
            "smallest_class": smallest_class,
        }
    return found


def _order(
    sides: _Sides, words: Mapping[str, np.ndarray], ranked: ranking.Ranked, drawn: bootstrap.Weights
) -> dict[str, Any]:
    """How much is lost when the clauses of a caption come in another order."""
    turned = [reordered(text) for text in sides.texts]
    some = np.array([text is not None and text in words for text in turned], dtype=bool)
    if not some.any():
        return {}
    asking = np.stack([words[text] for text in turned if text is not None and text in words])
    owner, pictures = sides.owner[some], sides.sample.pictures
    before = ranked.only(some)
    after = ranking.rank(asking, pictures, sides.who[owner], sides.who)
    found: dict[str, Any] = {"captions": int(some.sum())}
    for name, values in before.values.items():
        lost = values - after.values[name]
        found[name] = {
            "before": float(values.mean()),
            "after": float(after.values[name].mean()),
            "drop": float(lost.mean()),
            "interval": bootstrap.mean_interval(lost, before.people, drawn),
        }
    first = (ranking.top_k(of, pictures, 1)[:, 0] for of in (sides.asking[some], asking))
    found["first_hit_the_same"] = float(np.equal(*first).mean())
    return {"order": found}


def _pairs(sides: _Sides, protocol: str) -> tuple[Pairs, np.ndarray, np.ndarray]:
    """The pairs, and which picture each row and which text each column is."""
    owner, who, pictures = sides.owner, sides.who, sides.sample.pictures
    rows, columns = np.arange(len(who)), np.arange(len(owner))
    if sides.is_of_pictures:
        protocol = UNORDERED
    elif protocol == SEQUENTIAL:
        # The first text of each picture that has one.
        rows, columns = np.unique(owner, return_index=True)
    pairs = Pairs(
        rows=pictures[rows],
        columns=sides.asking[columns],
        row_people=who[rows],
        column_people=who[owner[columns]],
        protocol=protocol,
        same_words=_same_words(owner, sides.texts) if protocol == ALL_PAIRS else {},
    )
    return pairs, rows, columns


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


def _slices(
    sides: _Sides, ranked: Mapping[str, ranking.Ranked], drawn: bootstrap.Weights
) -> list[dict[str, Any]]:
    """One entry a slice: its queries against the whole gallery, and its own EER."""
    rows = {"t2i": sides.owner}
    found = []
    for by, name, belongs in _groups(sides.sample):
        entry: dict[str, Any] = {"by": by, "name": name, "boxes": int(belongs.sum())}
        for direction, of in ranked.items():
            part = of.only(belongs[rows[direction]] if direction in rows else belongs)
            if len(part.queries):
                entry[direction] = part.summary(drawn)
        rates = _rates(sides, belongs)
        if rates is not None:
            entry["eer"] = rates
        found.append(entry)
    return found


def _groups(sample: Sample) -> list[tuple[str, str, np.ndarray]]:
    """Kind of slice, its name, and which pictures belong to it."""
    cameras = np.array(sample.cameras, dtype=object)
    found = [
        ("camera", name, cameras == name) for name in sorted({of for of in sample.cameras if of})
    ]
    high = np.digitize(np.array(sample.heights), HEIGHTS)
    labels = [f"< {HEIGHTS[0]} px"]
    labels += [f"{low}-{top - 1} px" for low, top in itertools.pairwise(HEIGHTS)]
    labels += [f">= {HEIGHTS[-1]} px"]
    by_height = [("height", label, high == place) for place, label in enumerate(labels)]
    return found + [group for group in by_height if group[2].any()]


def _rates(sides: _Sides, belongs: np.ndarray) -> dict[str, Any] | None:
    """The EER of a slice's pictures against all texts, or against each other."""
    pictures, who = sides.sample.pictures[belongs], sides.who[belongs]
    if sides.is_of_pictures:
        columns, people, protocol, same = pictures, who, UNORDERED, {}
    else:
        columns, people, protocol = sides.asking, sides.who[sides.owner], ALL_PAIRS
        alike, chosen = _same_words(sides.owner, sides.texts), np.flatnonzero(belongs)
        same = {n: alike[int(row)] for n, row in enumerate(chosen) if int(row) in alike}
    try:
        report = verification.measure(
            Pairs(
                rows=pictures,
                columns=columns,
                row_people=who,
                column_people=people,
                protocol=protocol,
                same_words=same,
            ),
            resamples=0,
        )
    except ValueError:
        return None  # one kind of pair is missing
    return {"value": report.eer_rate, "threshold": report.eer.threshold}


def _verification(report: verification.Report) -> dict[str, Any]:
    return {
        "pairs": {
            "genuine": report.genuine,
            "impostor": report.impostor,
            "ignored": report.ignored,
        },
        "auc": verification.auc(report),
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


def _layout(
    pairs: Pairs,
    report: verification.Report,
    sides: _Sides,
    rows: np.ndarray,
    columns: np.ndarray,
) -> dict[str, Any]:
    """What system 2 prints; in its own protocol with its own binned numbers."""

    def named(found: list[tuple[int, int, float]]) -> list[tuple[str, str, float]]:
        pictures = sides.sample
        return [
            (
                _name(pictures.people[rows[row]], pictures.names[rows[row]]),
                sides.names[columns[column]],
                score,
            )
            for row, column, score in found
        ]

    count, worst = report.genuine + report.impostor, (report.false_rejects, report.false_accepts)
    if pairs.protocol == SEQUENTIAL:
        walked = binned.measure(pairs)
        rates, scores = (walked.eer, *walked.frr), (walked.eer_score, *walked.scores)
        ends = walked.lowest, walked.highest
    else:
        found = [report.eer, *report.at_far.values()]
        rates = (report.eer_rate * 100, *(one.frr * 100 for one in found[1:]))
        scores = tuple(one.threshold for one in found)
        ends = report.lowest, report.highest
    text = binned.layout(rates, scores, count, *ends, *(named(of) for of in worst))
    walk = {"binned": vars(walked)} if pairs.protocol == SEQUENTIAL else {}
    return walk | {"layout": text}


def _details(
    report: verification.Report, sides: _Sides, rows: np.ndarray, columns: np.ndarray
) -> dict[str, Any]:
    """Curve, histograms and worst pairs: `picture` is the row's box, `of` the column's."""
    boxes = sides.sample.boxes

    def worst(found: list[tuple[int, int, float]]) -> list[dict[str, Any]]:
        return [
            {
                "picture": boxes[rows[row]],
                "of": boxes[sides.owner[columns[column]]],
                "text": sides.texts[columns[column]],
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


def _predictions(sides: _Sides) -> dict[str, Any]:
    """The ten best: `t2i` boxes of each text, `i2t` texts of each box, and who said what.

    A text that several pictures have stands once, with all of them.
    """
    boxes = sides.sample.boxes
    if sides.is_of_pictures:
        return {}
    said: dict[str, list[int]] = defaultdict(list)
    first: dict[str, int] = {}
    for place, (text, owner) in enumerate(zip(sides.texts, sides.owner, strict=True)):
        first.setdefault(text, place)
        said[text].append(boxes[owner])
    asking, pictures = sides.asking[list(first.values())], sides.sample.pictures
    best = ranking.top_k(asking, pictures, predictions.TOP)
    return {
        "texts": [[text, sorted(set(of))] for text, of in said.items()],
        "boxes": list(boxes),
        "t2i": [[boxes[place] for place in row] for row in best.tolist()],
        "i2t": ranking.top_k(pictures, asking, predictions.TOP).tolist(),
    }
