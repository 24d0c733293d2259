"""Ways of searching, held to plain loops and to the measures that evaluations use."""

import numpy as np
import pytest

from search import methods
from search.methods import Trial
from tests.search.rows import unit_vectors
from training.ml import ranking

N, DIM = 900, 16


def trial(**changes) -> Trial:
    """Each of 40 people, seen by three cameras; 60 of the pictures ask."""
    vectors = unit_vectors(N, DIM, clusters=40)
    rng = np.random.default_rng(1)
    people, cameras = rng.integers(40, size=N), rng.integers(3, size=N)
    people[::50] = -1
    own = np.flatnonzero(people >= 0)[:60]
    values = {
        "vectors": vectors,
        "people": people,
        "cameras": cameras,
        "queries": vectors[own],
        "query_people": people[own],
        "query_cameras": cameras[own],
        "own": own,
        "other_cameras": False,
        "top": 20,
        "reranked": 100,
    }
    return Trial(**values | changes)


def outcomes(of: Trial, lengths=(4,)) -> dict[tuple[str, bool], methods.Outcome]:
    return {(one.name, one.is_reranked): one for one in methods.compare(of, lengths)}


def test_every_way_is_measured_and_re_ranking_brings_codes_near_the_exact_order():
    of = trial()
    found = outcomes(of)
    assert list(found) == [
        ("exact", False), ("hnsw", False), ("pq", False), ("pq", True),
        ("opq", False), ("opq", True), ("lopq", False), ("lopq", True),
    ]  # fmt: skip
    exact = found["exact", False].found
    rows = {key: methods.summary(of, one, exact) for key, one in found.items()}
    assert rows["exact", False]["recall"] == {"1": 1, "10": 1, "20": 1}
    assert rows["hnsw", False]["recall"]["20"] > 0.99
    for way in ("pq", "opq", "lopq"):
        assert rows[way, True]["recall"]["10"] > 0.95 > rows[way, False]["recall"]["10"]
        assert rows[way, True]["ms"]["p95"] >= rows[way, True]["ms"]["p50"] > 0
    assert rows["exact", False]["bytes"] == 4 * DIM
    codes = rows["pq", False]
    assert codes["bytes"] * N == 4 * N + 4 * N + codes["model_bytes"]
    assert rows["hnsw", False]["bytes"] > 4 * DIM


def test_recall_is_of_the_nearest_and_one_as_near_is_as_good():
    of = trial(vectors=np.repeat(unit_vectors(N // 2, DIM), 2, axis=0))
    exact = outcomes(of)["exact", False]
    swapped = [(np.where(rows % 2, rows - 1, rows + 1), scores) for rows, scores in exact.found]
    twins = methods.Outcome(name="twins", found=swapped, ms=exact.ms, byte_size=0)
    assert methods.summary(of, twins, exact.found)["recall"]["20"] == 1
    half = [(np.concatenate([rows[:10], np.arange(10)]), scores) for rows, scores in exact.found]
    worse = methods.Outcome(name="half", found=half, ms=exact.ms, byte_size=0)
    recall = methods.summary(of, worse, exact.found)["recall"]
    assert recall["10"] == 1
    assert 0.5 <= recall["20"] < 0.75


def test_precision_is_that_of_the_evaluations():
    people = trial().people.copy()
    people[people < 0] = 40
    everyone = np.arange(N)
    vectors = trial().vectors
    of = trial(
        people=people,
        queries=vectors,
        query_people=people,
        query_cameras=trial().cameras,
        own=everyone,
    )
    exact = methods._asked(of, methods._Exact(vectors), name="exact", byte_size=0)
    told = methods.summary(of, exact, exact.found)["map"]
    expected = ranking.map_at(vectors, people, 20)
    assert told["found"] == pytest.approx(expected, abs=1e-6)
    expected = ranking.map_at(vectors, people, 20, by_class_size=True)
    assert told["class_size"] == pytest.approx(expected, abs=1e-6)
    each = methods.precisions(of, exact)
    assert each.mean() == pytest.approx(expected, abs=1e-6)


def test_a_query_finds_neither_itself_nor_its_person_by_its_own_camera():
    for apart in (False, True):
        of = trial(other_cameras=apart)
        for one in outcomes(of).values():
            for number, (rows, _scores) in enumerate(one.found):
                assert len(rows) == of.top
                assert of.own[number] not in rows
                same = of.people[rows] == of.query_people[number]
                here = of.cameras[rows] == of.query_cameras[number]
                assert not (apart and (same & here).any())
        expected = [
            sum(
                of.people[row] == of.query_people[number]
                and row != of.own[number]
                and not (apart and of.cameras[row] == of.query_cameras[number])
                for row in range(N)
            )
            for number in range(len(of.queries))
        ]
        assert of.wanted().tolist() == expected


def test_who_is_nobody_is_never_right():
    nobody = np.full(60, -1)
    of = trial(query_people=nobody)
    exact = outcomes(of)["exact", False]
    assert not methods.hits(of, exact).any()
    assert "map" not in methods.summary(of, exact, exact.found)
    assert np.isnan(methods.precisions(of, exact)).all()


def test_codes_are_learned_from_what_does_not_ask(monkeypatch):
    seen = []
    real = methods.neighbours.fit

    def fit(vectors, *args, **options):
        seen.append(vectors)
        return real(vectors, *args, **options)

    monkeypatch.setattr(methods.neighbours, "fit", fit)
    of = trial()
    outcomes(of)
    assert {len(vectors) for vectors in seen} == {N - 60}
    asked = {row.tobytes() for row in of.queries}
    assert not any(row.tobytes() in asked for vectors in seen for row in vectors)
