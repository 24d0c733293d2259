import json

import pytest

from gallery.formats import json_stream
from gallery.formats.json_stream import Place
from gallery.formats.records import Unreadable
from tests.gallery.files import annotations

RECORDS = [{"n": n, "text": "穿红色外套的女人" * (n % 5)} for n in range(500)]


def values(path, start=None):
    return [item.value for item in json_stream.read(path, start)]


@pytest.fixture(params=[7, 64, 1 << 20], ids=["tiny pieces", "small pieces", "one piece"])
def piece(request, monkeypatch):
    monkeypatch.setattr(json_stream, "PIECE", request.param)
    return request.param


@pytest.mark.parametrize("lines", [False, True], ids=["list", "lines"])
def test_every_object_comes_whole_whatever_the_size_of_the_pieces(tmp_path, piece, lines):
    path = annotations(tmp_path / "a.json", RECORDS[:60], lines=lines)
    assert values(path) == RECORDS[:60]


def test_a_list_on_one_line_and_an_indented_one_read_alike(tmp_path, piece):
    (tmp_path / "one.json").write_text(json.dumps(RECORDS[:50]), "utf-8")
    (tmp_path / "wide.json").write_text("\ufeff" + json.dumps(RECORDS[:50], indent=4), "utf-8")
    assert values(tmp_path / "one.json") == values(tmp_path / "wide.json") == RECORDS[:50]


def test_reading_goes_on_exactly_behind_every_object(tmp_path, piece):
    path = annotations(tmp_path / "a.json", RECORDS[:30])
    for number, item in enumerate(json_stream.read(path), 1):
        assert values(path, item.after) == RECORDS[number:30]
        assert item.line == number + 1
        assert item.after.index == number


def test_a_broken_object_is_named_by_its_line_and_the_rest_is_read(tmp_path, piece):
    rows = [RECORDS[1], '{"n": 2, "text": oops}', RECORDS[3], '{"n": 4', RECORDS[5]]
    items = list(json_stream.read(annotations(tmp_path / "a.json", rows)))
    assert [item.value for item in items if not item.error] == [RECORDS[n] for n in (1, 3, 5)]
    assert [item.after.index for item in items] == [1, 2, 3, 4, 5]
    assert next(item.line for item in items if item.error) == 3


def test_a_broken_line_of_json_lines_is_named_and_the_rest_is_read(tmp_path, piece):
    rows = [RECORDS[1], '{"n": 2, "text": "no end', RECORDS[3]]
    items = list(json_stream.read(annotations(tmp_path / "a.jsonl", rows, lines=True)))
    assert [item.value for item in items] == [RECORDS[1], None, RECORDS[3]]
    assert items[1].line == 2


def test_a_file_cut_in_the_middle_gives_what_is_whole_and_one_error(tmp_path, piece):
    whole = json.dumps(RECORDS[:20]).encode()
    (tmp_path / "cut.json").write_bytes(whole[: len(whole) // 2])
    items = list(json_stream.read(tmp_path / "cut.json"))
    assert items[-1].error
    assert len(items) > 5
    assert [item.value for item in items[:-1]] == RECORDS[: len(items) - 1]


def test_a_number_of_5000_digits_and_a_deep_nest_are_errors_of_their_record(tmp_path):
    rows = ['{"n": ' + "9" * 5000 + "}", '{"n": ' + "[" * 100_000 + "}", RECORDS[1]]
    items = list(json_stream.read(annotations(tmp_path / "a.jsonl", rows, lines=True)))
    assert [bool(item.error) for item in items] == [True, True, False]


def test_a_file_that_is_no_list_of_objects_is_unreadable(tmp_path):
    (tmp_path / "a.json").write_text("hello", "utf-8")
    with pytest.raises(Unreadable, match="neither a JSON list"):
        list(json_stream.read(tmp_path / "a.json"))
    with pytest.raises(Unreadable, match="cannot be read"):
        list(json_stream.read(tmp_path / "missing.json"))


def test_an_empty_file_and_an_empty_list_hold_nothing(tmp_path):
    for name, text in (("a", ""), ("b", "[]"), ("c", " [ \n ] ")):
        (tmp_path / name).write_text(text, "utf-8")
        assert values(tmp_path / name) == []


def test_keys_are_counted_across_the_pieces(tmp_path, monkeypatch):
    path = annotations(tmp_path / "a.json", RECORDS)
    for piece in (1, 3, 1000):
        monkeypatch.setattr(json_stream, "PIECE", piece)
        assert json_stream.count(path, b'"text"') == 500


def test_bytes_that_are_no_utf8_do_not_shift_the_place(tmp_path, piece):
    path = tmp_path / "a.json"
    path.write_bytes(b'[{"text": "a\xff\xfe\xe7\xba"},\n{"n": 2},\n{"n": 3}]')
    items = list(json_stream.read(path))
    assert items[1].value == {"n": 2}
    assert values(path, items[1].after) == [{"n": 3}]
    assert items[0].after != Place()
