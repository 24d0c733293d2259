"""Codes and graphs in memory, held to the inner products of all vectors."""

import numpy as np
import pytest

from search import neighbours
from search.neighbours import LOPQ, OPQ, PQ

DIM, BYTES = 32, 8


def slanted(count: int, seed: int = 0, clusters: int = 4, dim: int = DIM) -> np.ndarray:
    """Unit rows of clusters of which each spreads along axes of its own."""
    rng = np.random.default_rng(seed)
    fixed = np.random.default_rng(99)
    centres = 3 * fixed.normal(size=(clusters, dim))
    axes = [np.linalg.qr(fixed.normal(size=(dim, dim)))[0] for _cluster in range(clusters)]
    lengths = 4 * 0.8 ** np.arange(dim)
    belongs = rng.integers(clusters, size=count)
    spread = rng.normal(size=(count, dim)) * lengths
    rows = centres[belongs] + np.stack([axes[c] @ r for c, r in zip(belongs, spread, strict=True)])
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def scan(vectors: np.ndarray, method: str, code_bytes: int = BYTES, **options) -> neighbours.Scan:
    learned = neighbours.fit(vectors, method, code_bytes, **options)
    return neighbours.Scan(learned, neighbours.encode(learned, vectors))


def best(vectors: np.ndarray, query: np.ndarray, count: int) -> list[int]:
    return np.argsort(-(vectors @ query), kind="stable")[:count].tolist()


@pytest.fixture(scope="module")
def vectors():
    return slanted(3000)


@pytest.fixture(scope="module")
def asked():
    return slanted(300, seed=1)


@pytest.fixture(scope="module")
def scans(vectors):
    return {
        PQ: scan(vectors, PQ),
        OPQ: scan(vectors, OPQ),
        LOPQ: scan(vectors, LOPQ, cells=4),
    }


def test_on_clusters_lopq_finds_more_than_opq_and_opq_more_than_pq(vectors, asked, scans):
    first = {
        method: np.mean([one.nearest(q, 1)[0][0] == best(vectors, q, 1)[0] for q in asked])
        for method, one in scans.items()
    }
    assert first[LOPQ] > first[OPQ] > first[PQ]


def test_among_the_candidates_of_codes_is_nearly_all_that_is_nearest(vectors, asked, scans):
    for method, one in scans.items():
        found = [
            len(set(one.nearest(q, 200)[0].tolist()) & set(best(vectors, q, 10))) for q in asked
        ]
        assert np.mean(found) / 10 > (0.97 if method == LOPQ else 0.9), method


def test_a_score_is_the_inner_product_with_what_the_code_stands_for(vectors, asked, scans):
    """Decoded one vector at a time: its centre, and its pieces turned back."""
    one = scans[LOPQ]
    learned, codes = one.quantizer, one.codes
    decoded = {}
    for cell in range(len(learned.centres)):
        for place in range(codes.starts[cell], codes.starts[cell + 1]):
            pieces = [learned.pieces[at, byte] for at, byte in enumerate(codes.codes[place])]
            rest = learned.rotations[cell].T @ np.concatenate(pieces)
            decoded[int(codes.rows[place])] = learned.centres[cell] + rest
    assert sorted(decoded) == list(range(len(vectors)))
    rows, scores = one.nearest(asked[0], 50)
    expected = [float(decoded[row] @ asked[0]) for row in rows.tolist()]
    assert scores.tolist() == pytest.approx(expected, abs=1e-4)
    assert (
        min(expected)
        >= max(float(v @ asked[0]) for r, v in decoded.items() if r not in rows) - 1e-4
    )
    errors = [np.sum((decoded[row] - vectors[row]) ** 2) for row in range(len(vectors))]
    assert np.mean(errors) < 0.05


def test_rotations_turn_and_do_not_stretch(scans):
    for rotation in scans[LOPQ].quantizer.rotations:
        np.testing.assert_allclose(rotation @ rotation.T, np.eye(DIM), atol=2e-3)


def test_axes_are_dealt_out_so_that_every_piece_has_as_much_to_tell():
    values = np.array([2.0**-n for n in range(12)])
    dealt = neighbours._dealt(values, 3)
    assert sorted(dealt.tolist()) == list(range(12))
    products = np.log2(values[dealt].reshape(3, 4)).sum(axis=1)
    assert products.max() - products.min() <= 2


def test_more_vectors_are_worth_more_cells():
    assert [neighbours.cells_for(n) for n in (300, 60_000, 10**7)] == [2, 10, 16]
    assert len(neighbours.fit(slanted(400), LOPQ, 4).centres) == 2


def test_the_same_seed_learns_the_same(vectors):
    first, again = (neighbours.fit(vectors[:1500], LOPQ, 4, seed=3) for _time in range(2))
    other = neighbours.fit(vectors[:1500], LOPQ, 4, seed=4)
    for name in ("centres", "rotations", "pieces"):
        assert np.array_equal(getattr(first, name), getattr(again, name)), name
    assert not np.array_equal(first.pieces, other.pieces)


def test_of_vectors_that_are_not_unit_the_largest_inner_product_wins():
    rng = np.random.default_rng(0)
    vectors = slanted(2000) * rng.uniform(0.2, 3, size=(2000, 1)).astype(np.float32)
    asked = slanted(60, seed=1)
    # Another order than that of the cosine.
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    assert np.mean([best(vectors, q, 1) == best(unit, q, 1) for q in asked]) < 0.5
    graph = neighbours.Graph(vectors, 32, 128, 200)
    codes = scan(vectors, LOPQ)
    for number, query in enumerate(asked):
        nearest = set(best(vectors, query, 10))
        assert len(nearest & set(graph.nearest(query, 10)[0].tolist())) >= 9, number
        assert len(nearest & set(codes.nearest(query, 200)[0].tolist())) >= 8, number


def test_only_what_is_allowed_is_found_and_all_of_it(vectors, asked, scans):
    one = scans[LOPQ]
    few = np.isin(one.codes.rows, [5, 17, 2900])
    rows, scores = one.nearest(asked[0], 10, few)
    assert sorted(rows.tolist()) == [5, 17, 2900]
    assert list(scores) == sorted(scores, reverse=True)
    assert len(one.nearest(asked[0], 10, np.zeros_like(few))[0]) == 0
    # With everything allowed, as without saying so.
    everything = one.nearest(asked[0], 30, np.ones_like(few))
    assert np.array_equal(everything[0], one.nearest(asked[0], 30)[0])


def test_a_width_that_the_bytes_do_not_divide_is_filled_up():
    vectors = slanted(1200, dim=30)
    one = scan(vectors, LOPQ, 8)
    assert one.quantizer.width == 32
    assert one.codes.codes.shape == (1200, 8)
    assert 7 in one.nearest(vectors[7], 20)[0]


def test_a_code_takes_as_many_bytes_as_asked_for_and_the_rest_is_told(scans):
    learned = scans[LOPQ].quantizer
    cells = len(learned.centres)
    assert learned.code_bytes == BYTES
    assert learned.byte_size == cells * DIM * 4 + cells * DIM * DIM * 2 + 256 * DIM * 4
    assert scans[PQ].codes.codes.nbytes == 3000 * BYTES


@pytest.mark.parametrize(
    ("count", "method", "code_bytes"), [(255, PQ, 8), (400, "vq", 8), (400, PQ, 0), (400, PQ, 33)]
)
def test_what_cannot_be_learned_is_refused(count, method, code_bytes):
    with pytest.raises(ValueError, match=r"fewer than|no "):
        neighbours.fit(slanted(count), method, code_bytes)
