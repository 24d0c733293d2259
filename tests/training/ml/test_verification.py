"""Verification in blocks against scores that were all sorted."""

import tracemalloc

import numpy as np
import pytest

from training.ml import binned, pairs, resampling, tally, verification
from training.ml.pairs import ALL_PAIRS, SEQUENTIAL, UNORDERED, Pairs
from training.ml.verification import FAR_LEVELS, equal_error_rate, measure


def units(rng, count, dim=8):
    vectors = rng.normal(size=(count, dim)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def people_with_noise(rng, people=40, each=5, noise=0.35, **fields):
    centres = units(rng, people)
    who = np.repeat(np.arange(people), each)
    rows = centres[who] + noise * rng.normal(size=(len(who), 8))
    columns = centres[who] + noise * rng.normal(size=(len(who), 8))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    columns /= np.linalg.norm(columns, axis=1, keepdims=True)
    sides = {"rows": rows.astype(np.float32), "columns": columns.astype(np.float32)}
    return Pairs(**sides, row_people=who, column_people=who, **fields)


def naive(of):
    """All scores of each kind, pair by pair."""
    genuine, impostor = [], []
    scores = of.rows @ of.columns.T
    for row in range(len(of.rows)):
        for column in range(len(of.columns)):
            same = of.row_people[row] == of.column_people[column]
            if of.protocol == SEQUENTIAL and (column > row or (same and column != row)):
                continue
            if of.protocol == UNORDERED and column <= row:
                continue
            if not same and column in of.same_words.get(row, ()):
                continue
            (genuine if same else impostor).append(scores[row, column])
    return np.sort(np.array(genuine, np.float64)), np.sort(np.array(impostor, np.float64))


@pytest.mark.parametrize("protocol", [ALL_PAIRS, SEQUENTIAL, UNORDERED])
def test_counting_in_blocks_gives_what_sorting_all_scores_gives(protocol, monkeypatch):
    monkeypatch.setattr(pairs, "BLOCK", 1000)  # blocks of five rows
    of = people_with_noise(np.random.default_rng(3), protocol=protocol)
    genuine, impostor = naive(of)
    report = measure(of, resamples=0)
    assert (report.genuine, report.impostor) == (len(genuine), len(impostor))
    rate, _threshold = equal_error_rate(genuine, impostor)
    assert report.eer_rate == pytest.approx(rate, abs=1e-9)
    # Between two scores every threshold does the same; any of them may be named.
    assert report.eer.frr == pytest.approx((genuine < report.eer.threshold - 1e-9).mean())
    assert report.eer.far == pytest.approx((impostor >= report.eer.threshold - 1e-9).mean())
    for level in FAR_LEVELS:
        allowed = int(level * len(impostor) + 1e-9)
        last = impostor[-1 - allowed]
        found = report.at_far[level]
        assert found.frr == pytest.approx((genuine <= last).mean(), abs=1e-9)
        assert found.threshold == pytest.approx(last, abs=1e-8)
        assert found.threshold > last - 1e-12
        assert found.far == pytest.approx((impostor > last).mean(), abs=1e-9)
        assert found.far <= level


def test_ties_at_the_threshold_are_not_let_through():
    who = np.arange(40)
    same = np.ones((40, 1), np.float32)
    report = measure(Pairs(rows=same, columns=same, row_people=who, column_people=who))
    assert report.eer_rate == pytest.approx(0.5)
    assert report.at_far[1e-3].far == 0
    assert report.at_far[1e-3].frr == 1


def test_people_who_part_cleanly_have_no_error():
    who = np.arange(6)
    of = Pairs(
        rows=np.eye(6, dtype=np.float32),
        columns=np.eye(6, dtype=np.float32),
        row_people=who,
        column_people=who,
    )
    report = measure(of)
    assert report.eer_rate == 0
    assert all(found.frr == 0 and found.far == 0 for found in report.at_far.values())
    assert report.eer.interval == [0, 0]


def test_another_person_with_the_same_words_is_no_impostor():
    words = {0: np.array([0, 5, 1]), 7: np.array([2])}
    of = people_with_noise(np.random.default_rng(1), people=4, each=3, same_words=words)
    genuine, impostor = naive(of)
    report = measure(of, resamples=0)
    assert (report.genuine, report.impostor) == (len(genuine), len(impostor))
    # Column 1 is of row 0's own person: that pair still counts.
    assert report.ignored == 2
    assert report.genuine == 4 * 9


def test_the_worst_pairs_are_the_lowest_genuine_and_the_highest_impostors(monkeypatch):
    monkeypatch.setattr(pairs, "BLOCK", 600)
    of = people_with_noise(np.random.default_rng(5))
    genuine, impostor = naive(of)
    report = measure(of, resamples=0)
    scores = of.rows @ of.columns.T
    assert [score for *_, score in report.false_rejects] == pytest.approx(list(genuine[:15]))
    assert [score for *_, score in report.false_accepts] == pytest.approx(list(impostor[:-16:-1]))
    for row, column, score in report.false_accepts + report.false_rejects:
        assert scores[row, column] == pytest.approx(score)
    assert all(of.row_people[r] == of.column_people[c] for r, c, _ in report.false_rejects)
    assert all(of.row_people[r] != of.column_people[c] for r, c, _ in report.false_accepts)


def test_memory_does_not_grow_with_the_pairs(monkeypatch):
    monkeypatch.setattr(pairs, "BLOCK", 1 << 18)
    peaks = []
    for count in (1600, 4000):
        rng = np.random.default_rng(0)
        vectors, who = units(rng, count), np.arange(count)
        of = Pairs(rows=vectors, columns=vectors, row_people=who, column_people=who)
        tracemalloc.start()
        measure(of, resamples=0)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    # Six times the pairs. How many of the few blocks are there at once is a matter of threads.
    assert peaks[1] < 2 * peaks[0]


def test_intervals_hold_the_rates_and_narrow_with_more_people():
    widths = []
    for people in (12, 120):
        of = people_with_noise(np.random.default_rng(2), people=people, each=3)
        report = measure(of, resamples=100)
        low, high = report.eer.interval
        assert low <= report.eer_rate <= high
        widths.append(high - low)
        low, high = report.at_far[1e-3].interval
        assert low <= report.at_far[1e-3].frr <= high
    assert widths[1] < 0.7 * widths[0]


def test_a_resampled_rate_is_what_counting_each_pair_so_often_gives():
    of = people_with_noise(np.random.default_rng(4), people=10, each=2)
    drawn = np.random.default_rng(0).integers(0, 3, (10, 4)).astype(np.float32)
    accepted = resampling.resampled(of, np.array([-1.01, 0.1, 0.4], np.float32), drawn)
    scores = of.rows @ of.columns.T
    for place in range(4):
        sums = np.zeros(3)
        for row in range(20):
            for column in range(20):
                if row // 2 != column // 2:
                    weight = drawn[row // 2, place] * drawn[column // 2, place]
                    sums += weight * (scores[row, column] >= np.array([-2, 0.1, 0.4]))
        assert accepted[:, place] == pytest.approx(sums)


def test_pairs_of_one_kind_only_and_scores_that_are_no_numbers_are_refused():
    one = np.ones((3, 1), np.float32)
    same, other = np.zeros(3, np.int64), np.arange(3) + 7
    with pytest.raises(ValueError, match="pairs that fit"):
        measure(Pairs(rows=one, columns=one, row_people=same, column_people=same))
    with pytest.raises(ValueError, match="pairs that fit"):
        measure(Pairs(rows=one, columns=one, row_people=same, column_people=other))
    with pytest.raises(ValueError, match="NaN"):
        measure(Pairs(rows=one * np.nan, columns=one, row_people=other, column_people=other))
    with pytest.raises(ValueError, match="no protocol"):
        Pairs(rows=one, columns=one, row_people=same, column_people=same, protocol="all")


def test_the_curve_runs_from_accepting_all_to_accepting_none():
    report = measure(people_with_noise(np.random.default_rng(6)), resamples=0)
    points = verification.curve(report)
    assert points[0, 1:].tolist() == [1, 0]
    assert points[-1, 1:].tolist() == [0, 1]
    assert (np.diff(points[:, 1]) <= 0).all()
    assert (np.diff(points[:, 2]) >= 0).all()


def test_the_walk_in_order_compares_with_earlier_samples_of_other_people_only():
    of = people_with_noise(np.random.default_rng(7), people=4, each=2, protocol=SEQUENTIAL)
    found = [block.taken_apart() for block in of.blocks()]
    assert sum(len(genuine) for genuine, _ in found) == 8
    assert sum((impostor != pairs.OUT).sum() for _, impostor in found) == 8 * 7 // 2 - 4


def test_the_binned_report_is_what_a_loop_over_its_rules_gives():
    of = people_with_noise(np.random.default_rng(8), people=30, each=3, protocol=SEQUENTIAL)
    genuine, impostor = naive(of)
    scale = 800 / (genuine.mean() - impostor.mean() + 1)

    def place(scores):
        return np.floor((scores - impostor.mean()) * scale + 200)

    good, bad = place(genuine), place(impostor)
    places = range(int(min(good.min(), bad.min())), int(max(good.max(), bad.max())) + 2)
    frr = {at: (good <= at).mean() * 100 for at in places}
    far = {at: (bad >= at).mean() * 100 for at in places}
    cross = next(at for at in places if frr[at] > far[at])
    report = binned.measure(of)
    expected = (frr[cross] + far[cross] + frr[cross - 1] + far[cross - 1]) / 4
    assert report.eer == pytest.approx(expected, abs=0.2)
    assert report.impostor == len(impostor)
    for level, rate in zip((*binned.FAR_LEVELS, 0), report.frr, strict=True):
        first = next(at for at in places if at > cross and far[at] <= level * 100)
        assert rate == pytest.approx(frr[first], abs=2.5)  # one genuine pair at a bin's edge
    with pytest.raises(ValueError, match="sequential"):
        binned.measure(people_with_noise(np.random.default_rng(8)))


# Of the README of system 2: rates, scores, and what is printed for them, spaces included.
PRINTED = """\
        EER      FAR=1e-3  FAR=1e-4  FAR=1e-5  FAR=1e-6  FAR=0
----------------------------------------------------------------
FRR    12.2132%  90.5400%  98.5000%  99.9200%  100.0000%  100.0000%
SCORE   0.0641772 0.153719  0.180852  0.201203  0.213413  0.217483
Verify Count=12466498. Score in [ 0 - 0 ]
Top-1 False Rejected:
\t 25/Part1/25_3.jpg 25/Part1/25_3.jpg_caption -0.070696622133255
Top-1 False Accepted:
\t 354/Part1/354_5.jpg 339/Part1/339_7.jpg_caption 0.21786625683307648"""


def test_the_layout_is_system_2s_character_for_character():
    printed = binned.layout(
        (12.2132, 90.54, 98.5, 99.92, 100, 100),
        (0.0641772, 0.153719, 0.180852, 0.201203, 0.213413, 0.217483),
        12466498,
        -0.0707,
        0.2179,
        [("25/Part1/25_3.jpg", "25/Part1/25_3.jpg_caption", -0.070696622133255)],
        [("354/Part1/354_5.jpg", "339/Part1/339_7.jpg_caption", 0.21786625683307648)],
    )
    assert printed == PRINTED


def test_a_far_that_is_never_reached_reads_as_all_rejected():
    """The best impostor beats every genuine pair: no bin is free of impostors."""
    rows = np.eye(3, dtype=np.float32)
    columns = np.array([[0.5, 0.9, 0], [0.9, 0.4, 0], [0, 0.1, 0.3]], dtype=np.float32)
    who = np.arange(3)
    of = Pairs(rows=rows, columns=columns, row_people=who, column_people=who, protocol=SEQUENTIAL)
    report = binned.measure(of)
    assert report.frr[-1] == 100


def test_a_wrong_guess_is_mended_by_a_second_walk(monkeypatch):
    of = people_with_noise(np.random.default_rng(9))
    right = measure(of)
    for wrong in (tally.Limits(0, 0, 60_000), tally.Limits(50_000, 60_000, 65_000)):
        monkeypatch.setattr(tally, "_guess", lambda pairs, wrong=wrong: wrong)
        assert measure(of).eer == right.eer
        assert measure(of).at_far == right.at_far


def test_many_genuine_pairs_are_counted_by_bins(monkeypatch):
    of = people_with_noise(np.random.default_rng(10))
    exact = measure(of, resamples=0)
    monkeypatch.setattr(tally, "GENUINE_MOST", 10)
    report = measure(of)
    assert report.eer.interval is None
    assert report.eer_rate == pytest.approx(exact.eer_rate, abs=2e-3)
    assert report.at_far[1e-3].frr == pytest.approx(exact.at_far[1e-3].frr, abs=2e-3)


def test_ties_take_no_memory(monkeypatch):
    monkeypatch.setattr(tally, "WINDOW_MOST", 500)
    who = np.arange(100)
    same = np.ones((100, 1), np.float32)
    report = measure(Pairs(rows=same, columns=same, row_people=who, column_people=who))
    assert (report.eer.far, report.eer.frr) in {(0, 1), (1, 0)}


def test_vectors_that_are_not_of_length_one_are_refused():
    long = np.full((3, 2), 2, np.float32)
    who = np.arange(3)
    with pytest.raises(ValueError, match="length"):
        measure(Pairs(rows=long, columns=long, row_people=who, column_people=who))
