"""Rows 5, 6 and 14: what the index finds of the nearest, under filters, and as a gallery grows."""

from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import mean, median
from typing import Any

import numpy as np

from tests.bench import gallery
from tests.bench.gallery import Gallery
from tests.bench.rounds import Line, in_turn, spread

TOP = 20
# Questions timed together: one alone is over too soon.
TOGETHER = 5


def recall(work: Path) -> Iterator[Line]:
    """Row 5: each mode against the exact scan, and that no answer is short."""
    whole = gallery.whole(work)
    asked = list(gallery.vectors(whole, gallery.questions(whole)))
    scope = _scope()
    expected = [_nearest(whole, scope, query, "exact") for query in asked]
    for mode, target in (("fast", 0.97), ("thorough", 0.99), ("exact", 1.0)):
        found = [_nearest(whole, scope, query, mode) for query in asked]
        yield Line(
            row=5,
            what=f"recall@{TOP} of texts, {mode}",
            value=mean(map(_recall, found, expected)),
            sense=">=",
            target=target,
            note=f"{len(asked)} texts among {whole.rows} vectors; {_width(whole, mode)}",
        )
    short = 0
    for share in [None, *gallery.SHARES]:
        inside = _scope(share)
        left = inside.embeddings(whole.encoder).count()
        for wanted in (TOP, 200, 1000):
            for mode in ("fast", "thorough"):
                found = _nearest(whole, inside, asked[0], mode, wanted)
                short += len(found) < min(wanted, left)
    yield Line(
        row=5,
        what="answers with fewer rows than there are",
        value=short,
        sense="<=",
        target=0,
        note=f"of 30: five filters, {TOP} to 1000 wanted, fast and thorough",
    )


def filters(work: Path) -> Iterator[Line]:
    """Row 6: recall and time under filters that few to many boxes pass."""
    whole = gallery.whole(work)
    asked = list(gallery.vectors(whole, gallery.questions(whole, seed=2)))
    everywhere = _scope()
    for share in gallery.SHARES:
        inside = _scope(share)
        found = [_nearest(whole, inside, query, "fast") for query in asked]
        expected = [_nearest(whole, inside, query, "exact") for query in asked]
        left = inside.embeddings(whole.encoder).count()
        yield Line(
            row=6,
            what=f"recall@{TOP} where {share} passes",
            value=mean(map(_recall, found, expected)),
            sense=">=",
            target=0.98,
            note=f"{left} of {whole.rows} boxes",
        )
        some = asked[:TOGETHER]
        mine = _timer(whole, inside, some, "fast")
        against_exact = in_turn(mine, _timer(whole, inside, some, "exact"))
        against_walk = in_turn(mine, _timer(whole, everywhere, some, "fast"))
        rounds = [
            ours / min(exact, walk)
            for (ours, exact), (_again, walk) in zip(against_exact, against_walk, strict=True)
        ]
        value, ends = spread(rounds)
        took = median(ours for ours, _exact in against_exact) / TOGETHER
        yield Line(
            row=6,
            what=f"p50 where {share} passes / the quicker of exact and unfiltered walk",
            value=value,
            sense="<=",
            target=1.5,
            spread=ends,
            note=f"{took * 1e3:.1f} ms",
        )


def growth(work: Path) -> Iterator[Line]:
    """Row 14: the same questions among ten times the boxes."""
    whole, tenth = gallery.whole(work), gallery.tenth(work)
    texts = gallery.questions(whole, seed=3)
    scope = _scope()
    asked = {each.rows: list(gallery.vectors(each, texts)) for each in (whole, tenth)}
    rounds = in_turn(
        _timer(whole, scope, asked[whole.rows][:TOGETHER], "fast"),
        _timer(tenth, scope, asked[tenth.rows][:TOGETHER], "fast"),
    )
    value, ends = spread(large / small for large, small in rounds)
    large, small = (median(column) / TOGETHER * 1e3 for column in zip(*rounds, strict=True))
    yield Line(
        row=14,
        what=f"p50 among {whole.rows} / among {tenth.rows}",
        value=value,
        sense="<=",
        target=3.0,
        spread=ends,
        note=f"{large:.1f} ms, {small:.1f} ms; {_width(whole, 'fast')}",
    )
    found = [_nearest(whole, scope, query, "fast") for query in asked[whole.rows]]
    expected = [_nearest(whole, scope, query, "exact") for query in asked[whole.rows]]
    yield Line(
        row=14,
        what=f"recall@{TOP} among {whole.rows}, width as measured",
        value=mean(map(_recall, found, expected)),
        sense=">=",
        target=0.95,
    )


def _scope(camera: str | None = None) -> Any:
    from search.scope import Filters, resolve

    return resolve(Filters(datasets=[gallery.DATASET], cameras=[camera] if camera else []), None)


def _nearest(
    among: Gallery, scope: Any, query: np.ndarray, mode: str, wanted: int = TOP
) -> list[tuple[float, int]]:
    from search import nearest

    return nearest.rank(scope, among.encoder, query, wanted, mode=mode).rows


def _timer(
    among: Gallery, scope: Any, asked: list[np.ndarray], mode: str
) -> Callable[[], list[Any]]:
    return lambda: [_nearest(among, scope, query, mode) for query in asked]


def _recall(found: list[tuple[float, int]], expected: list[tuple[float, int]]) -> float:
    """Of the nearest, how many were found; another at the same distance is as good."""
    if not expected:
        return 1.0
    farthest = expected[-1][0] + 1e-6
    return sum(distance <= farthest for distance, _box in found) / len(expected)


def _width(among: Gallery, mode: str) -> str:
    from search import index, tuning

    built = index.look(among.encoder)
    if mode == "exact" or built is None:
        return "every vector compared"
    return f"ef {tuning.ef(among.encoder, mode, built.rows)}"
