"""What the bench says of what it measured."""

import json

from tests.bench.rounds import Line, in_turn, save, spread, table

FAST = Line(row=9, what="fast", value=2.5, sense=">=", target=2, spread=(2.1, 2.9), note="why")
LARGE = Line(row=11, what="large", value=301, sense="<=", target=300)


def test_both_ways_are_called_in_turn_and_the_first_calls_do_not_count():
    called = []
    found = in_turn(lambda: called.append("a"), lambda: called.append("b"), rounds=3)
    assert called == ["a", "b"] * 4
    assert len(found) == 3
    assert all(first >= 0 and second >= 0 for first, second in found)


def test_a_target_holds_or_is_missed_by_its_sense():
    assert FAST.holds
    assert not LARGE.holds


def test_the_table_tells_the_target_and_the_verdict():
    head, fast, large = table([FAST, LARGE]).splitlines()
    assert head.split() == ["row", "what", "measured", "spread", "target", "note"]
    assert fast.split() == ["9", "fast", "2.5", "2.1", "to", "2.9", ">=", "2", "holds", "why"]
    assert large.split() == ["11", "large", "301", "<=", "300", "MISSED"]


def test_the_json_holds_the_same(tmp_path):
    save([FAST, LARGE], {"cores": 2}, tmp_path / "bench.json")
    found = json.loads((tmp_path / "bench.json").read_text())
    assert found["machine"] == {"cores": 2}
    assert [line["holds"] for line in found["lines"]] == [True, False]
    assert found["lines"][0]["spread"] == [2.1, 2.9]


def test_the_median_stands_for_the_rounds():
    assert spread([3, 1, 2]) == (2, (1, 3))
