"""Rankings against loops that cannot be misread."""

import numpy as np
import pytest

from training.ml import bootstrap, pairs
from training.ml.ranking import (
    average_precision_at,
    held_out,
    map_at,
    masked_map_at,
    rank,
    top_k,
)


@pytest.fixture
def sides():
    rng = np.random.default_rng(0)
    queries = rng.normal(size=(50, 6)).astype(np.float32)
    gallery = rng.normal(size=(80, 6)).astype(np.float32)
    return queries, gallery, rng.integers(0, 25, 50), rng.integers(0, 20, 80)


def ranked_by_hand(scores, relevant):
    order = sorted(range(len(scores)), key=lambda place: (-scores[place], place))
    places = [place for place, item in enumerate(order, 1) if relevant[item]]
    precisions = [number / place for number, place in enumerate(places, 1)]
    return {
        **{f"r{k}": float(places[0] <= k) for k in (1, 5, 10)},
        "map": sum(precisions) / len(places),
        "minp": len(places) / places[-1],
    }


def test_each_query_gets_what_a_loop_over_its_ranking_gives(sides, monkeypatch):
    monkeypatch.setattr(pairs, "BLOCK", 400)
    queries, gallery, asked, shown = sides
    found = rank(*sides)
    expected = [row for row in range(50) if asked[row] in shown]
    assert found.queries.tolist() == expected
    assert len(expected) < 50
    for place, row in enumerate(expected):
        by_hand = ranked_by_hand(gallery @ queries[row], shown == asked[row])
        assert {name: of[place] for name, of in found.values.items()} == pytest.approx(by_hand)


def test_ties_go_to_the_lower_row():
    alike = np.ones((3, 2), np.float32)
    found = rank(alike[:1], alike, np.array([2]), np.array([0, 1, 2]))
    assert found.values["r1"].tolist() == [0]
    assert found.values["minp"][0] == pytest.approx(1 / 3)


def test_a_picture_is_not_found_by_itself():
    vectors = np.eye(4, dtype=np.float32)
    people = np.array([0, 0, 1, 2])
    found = rank(vectors, vectors, people, people, leave_out_self=True)
    assert found.queries.tolist() == [0, 1]  # nobody else shows people 1 and 2
    assert found.values["r1"].tolist() == [1, 1]  # all tie at 0, and the lower row is the person


def test_a_query_nobody_answers_is_refused_when_there_is_no_other():
    one = np.ones((1, 2), np.float32)
    with pytest.raises(ValueError, match="relevant"):
        rank(one, one, np.array([0]), np.array([1]))
    with pytest.raises(ValueError, match="NaN"):
        rank(one * np.nan, one, np.array([0]), np.array([0]))


def test_precision_inside_the_best_divides_by_hits_found_or_by_what_there_was():
    hit = np.array([[1, 0, 1, 0, 1], [0, 0, 0, 0, 1]], dtype=bool)
    assert average_precision_at(hit, 3).tolist() == pytest.approx([(1 + 2 / 3) / 2, 0])
    by_size = average_precision_at(hit, 3, np.array([10, 1]))
    assert by_size.tolist() == pytest.approx([(1 + 2 / 3) / 3, 0])


def test_map_at_k_of_pictures_counts_those_with_another_of_their_class():
    vectors = np.eye(4, dtype=np.float32)
    people = np.array([0, 0, 1, 2])
    assert map_at(vectors, people, 2) == 1
    assert map_at(vectors, people, 2, by_class_size=True) == 1
    three = np.array([0, 1, 0, 0])  # row 0 finds the tie 1 first, then 2: precision 1/2
    assert map_at(vectors, three, 2) == pytest.approx(np.mean([1 / 2, 1, 1]))


def test_slices_rank_against_the_whole_gallery(sides):
    found = rank(*sides)
    rows = np.arange(50) < 20
    part = found.only(rows)
    assert part.queries.tolist() == [row for row in found.queries if row < 20]
    assert part.values["map"].tolist() == found.values["map"][: len(part.queries)].tolist()


def test_an_interval_draws_people_not_queries():
    """Ten queries of one person are one person: the interval is as wide as of one query each."""
    rng = np.random.default_rng(1)
    values = rng.integers(0, 2, 40).astype(float)
    drawn = bootstrap.weights(40, 400)
    once = bootstrap.mean_interval(values, np.arange(40), drawn)
    many = bootstrap.mean_interval(np.repeat(values, 10), np.repeat(np.arange(40), 10), drawn)
    assert many == pytest.approx(once)
    assert once[0] < values.mean() < once[1]
    spread = values.std() / np.sqrt(40)
    assert once[1] - once[0] == pytest.approx(2 * 1.96 * spread, rel=0.25)


def test_no_interval_is_given_where_resamples_have_no_number():
    assert bootstrap.interval(np.full(10, np.nan)) is None


def naive_masked(queries, gallery, asked, shown, masked, k, *, by_class_size, as_zero):
    """Query by query, as the GeM retrieval system goes about it."""
    found = []
    for query, person in zip(queries, asked, strict=True):
        scores = gallery @ query
        scores[masked] = 0 if as_zero else -9
        left = sum(1 for n in range(len(gallery)) if shown[n] == person and not masked[n])
        if not left:
            continue
        hits, precision = 0, 0.0
        for place, n in enumerate(sorted(range(len(gallery)), key=lambda n: -scores[n])[:k], 1):
            if shown[n] == person and (as_zero or not masked[n]):
                hits += 1
                precision += hits / place
        found.append(precision / max(1, min(k, left) if by_class_size else hits))
    return np.mean(found)


@pytest.mark.parametrize("as_zero", [False, True])
@pytest.mark.parametrize("by_class_size", [False, True])
def test_masked_map_is_what_a_loop_over_queries_gives(by_class_size, as_zero):
    rng = np.random.default_rng(4)
    gallery = rng.normal(size=(60, 6)).astype(np.float32)
    gallery /= np.linalg.norm(gallery, axis=1, keepdims=True)
    shown = rng.integers(0, 5, 60)
    asking, masked = held_out(shown, 4, 3)
    sides = gallery[asking], gallery, shown[asking], shown, masked, 7
    score = 0.0 if as_zero else -np.inf
    found = masked_map_at(*sides, by_class_size=by_class_size, masked_score=score)
    expected = naive_masked(*sides, by_class_size=by_class_size, as_zero=as_zero)
    assert found == pytest.approx(expected)


def test_the_first_of_each_class_ask_and_minor_classes_are_masked_whole():
    people = np.array([0] * 8 + [1] * 3 + [2] * 4)
    asking, masked = held_out(people, 4, 4)
    assert np.flatnonzero(asking).tolist() == [0, 1, 11]
    assert np.flatnonzero(masked).tolist() == [0, 1, 8, 9, 10, 11]


def test_what_is_masked_is_not_found_and_as_zero_it_may_be():
    gallery = np.array([[1, 0], [1, 0], [-1, 0]], dtype=np.float32)
    people, masked = np.array([0, 0, 1]), np.array([False, True, False])
    sides = gallery[:1], gallery, people[:1], people, masked, 2
    assert masked_map_at(*sides, by_class_size=True) == 1
    # The masked one, at 0, comes before the other class, at -1, and counts.
    assert masked_map_at(*sides, masked_score=0.0) == 1
    with pytest.raises(ValueError, match="relevant"):
        masked_map_at(*sides[:4], np.array([True, True, False]), 2)


def test_the_ten_best_are_the_ten_best():
    rng = np.random.default_rng(5)
    queries, gallery = rng.normal(size=(5, 4)), rng.normal(size=(30, 4))
    best = top_k(queries, gallery, 10)
    scores = queries @ gallery.T
    for row, found in enumerate(best):
        assert found.tolist() == sorted(range(30), key=lambda n: -scores[row, n])[:10]
    assert top_k(queries, gallery[:3], 10).shape == (5, 3)
