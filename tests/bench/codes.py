"""Row 13: compact codes, on generated vectors and on clusters that each spread along their own."""

from collections.abc import Iterator
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np

from tests.bench import gallery
from tests.bench.rounds import Line

# Clustered vectors, on which the ways of coding are told apart.
CLUSTERS, CLUSTERED, DIM, BYTES = 12, 30_000, 128, 16
ASKED = 300


def compact(work: Path) -> Iterator[Line]:
    """How much smaller, what is found after re-ranking, and PQ < OPQ < LOPQ."""
    whole = gallery.whole(work)
    from search import compact, nearest
    from search.scope import Filters, resolve

    encoder: Any = whole.encoder
    codes = compact.newest(encoder)
    if codes is None or codes.rows != whole.rows:
        codes = compact.build(encoder, compact.code_bytes(encoder.dim))
    yield Line(
        row=13,
        what="vectors at full precision / compact codes, bytes",
        value=4 * encoder.dim / codes.bytes_each,
        sense=">=",
        target=8.0,
        note=f"{codes.code_bytes} bytes a code, {codes.bytes_each:.0f} a vector in all",
    )
    inside = resolve(Filters(datasets=[gallery.DATASET]), None)
    shares = []
    for query in gallery.vectors(whole, gallery.questions(whole)):
        found = nearest.rank(inside, encoder, query, 10, mode="compact").rows
        expected = nearest.rank(inside, encoder, query, 10, mode="exact").rows
        farthest = expected[-1][0] + 1e-6
        shares.append(sum(distance <= farthest for distance, _box in found) / len(expected))
    yield Line(
        row=13,
        what="recall@10 of texts, compact",
        value=mean(shares),
        sense=">=",
        target=0.90,
        note=f"{compact.CANDIDATES} candidates among {whole.rows} vectors",
    )
    yield from _ways()


def _ways() -> Iterator[Line]:
    from search import neighbours

    vectors = _clustered(CLUSTERED, seed=1)
    asked = _clustered(ASKED, seed=2)
    nearest = [int((vectors @ query).argmax()) for query in asked]
    first = {}
    for method in (neighbours.PQ, neighbours.OPQ, neighbours.LOPQ):
        learned = neighbours.fit(vectors, method, BYTES)
        scan = neighbours.Scan(learned, neighbours.encode(learned, vectors))
        hits = [scan.nearest(query, 1)[0][0] for query in asked]
        first[method] = float(np.mean(np.equal(hits, nearest)))
    for better, worse in ((neighbours.LOPQ, neighbours.OPQ), (neighbours.OPQ, neighbours.PQ)):
        yield Line(
            row=13,
            what=f"recall@1 of {better.upper()} / of {worse.upper()}, clustered",
            value=first[better] / first[worse],
            sense=">=",
            target=1.0,
            note=f"{first[better]:.3f}, {first[worse]:.3f} without re-ranking",
        )


def _clustered(count: int, seed: int) -> np.ndarray:
    """Unit rows float32 (count, DIM) of clusters with axes of their own."""
    fixed, rng = np.random.default_rng(0), np.random.default_rng(seed)
    centres = 2 * fixed.normal(size=(CLUSTERS, DIM))
    axes = [np.linalg.qr(fixed.normal(size=(DIM, DIM)))[0] for _cluster in range(CLUSTERS)]
    belongs = rng.integers(CLUSTERS, size=count)
    rows = rng.normal(size=(count, DIM)) * (4 * 0.95 ** np.arange(DIM))
    for cluster, turn in enumerate(axes):
        members = belongs == cluster
        rows[members] = centres[cluster] + rows[members] @ turn.T
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
