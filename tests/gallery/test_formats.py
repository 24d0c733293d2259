"""Every format alone: out and in again, broken lines, hostile pickles. No database."""

import base64
import json
import os
import pickle

import lmdb
import numpy as np
import pytest

from gallery.formats import FORMATS, chinese_clip, pickles
from gallery.formats.records import BoxRecord, CaptionRecord, Record, Refusal, Tick
from gallery.formats.target import Occupied, Target, safe
from tests.gallery.files import coded, pixels

TEXTS = ('a man, "quoted"\nin two lines', "一个穿红衣服的男人", "\ta\\b")


def records():
    for number, split in enumerate(["train", "train", "validation", "test", ""]):
        texts = [CaptionRecord(text=text) for text in TEXTS[: number % 3 + 1]]
        yield Record(
            item=f"box {number}",
            name=f"deep{number}.jpg",
            content=coded(pixels(seed=number)),
            mark=number,
            boxes=(BoxRecord(identity=str(number + 7), split=split, captions=tuple(texts)),),
            size=(40, 80),
        )


def written(format, path, given=None):
    target = Target(path, "t")
    target.begin()
    outcomes = list(FORMATS[format].write(target, iter(given or records()), 1))
    target.commit()
    return outcomes


def told(entries, people, kinds=("caption",)):
    """What records say, without marks and labels."""
    rows = []
    for one in entries:
        assert not isinstance(one, Tick)
        assert not isinstance(one, Refusal), one
        assert not one.problems or one.problems == (
            "split is not train, val or test; the person is in none",
        )
        data = one.content if isinstance(one.content, bytes) else one.content.read_bytes()
        box = one.boxes[0]
        texts = sorted(text.text.strip() for text in box.captions if text.kind in kinds)
        rows.append((data, box.identity if people else "", box.split, texts))
    return sorted(rows)


# Format, what is read in the folder, where for pictures, whether people come back, their texts.
ROUNDS = [
    ("cuhk_pedes", "reid_raw.json", "images", True, ("caption",)),
    ("chinese_clip", "", "", False, ("caption",)),
    ("chinese_clip_lmdb", "", "", False, ("caption",)),
    ("flickr8k_cn", "", "", False, ("caption",)),
    ("folder_per_class", "", "", True, ()),
]


@pytest.mark.parametrize(("format", "file", "images", "people", "kinds"), ROUNDS)
def test_what_is_written_reads_as_the_same(format, file, images, people, kinds, tmp_path):
    outcomes = written(format, tmp_path / "out")
    assert [one.reason for one in outcomes] == [""] * 5
    kind = FORMATS[format]
    path = str(tmp_path / "out" / file)
    where = str(tmp_path / "out" / images) if images else None
    assert kind.total(path, where) == 5
    assert told(kind.read(path, where), people, kinds) == told(records(), people, kinds)


@pytest.mark.parametrize(("format", "file", "images", "people", "kinds"), ROUNDS)
def test_reading_goes_on_behind_any_mark(format, file, images, people, kinds, tmp_path):
    written(format, tmp_path / "out")
    path = str(tmp_path / "out" / file)
    where = str(tmp_path / "out" / images) if images else None
    # Read to its end: one process opens an LMDB once at a time.
    entries = list(FORMATS[format].read(path, where))
    whole = [one.item for one in entries]
    for at, entry in enumerate(entries):
        mark = json.loads(json.dumps(entry.mark))
        rest = [one.item for one in FORMATS[format].read(path, where, after=mark)]
        assert rest == whole[at + 1 :]


def test_bad_lines_of_chinese_clip_are_named_and_never_stop_the_rest(tmp_path):
    good = base64.b64encode(coded()).decode()
    urlsafe = base64.urlsafe_b64encode(coded(pixels(seed=3))).decode()
    lines = [f"1\t{good}", "no tab", "x\tabc", "2\t!!!", f"3\t{urlsafe}"]
    (tmp_path / "valid_imgs.tsv").write_text("\n".join(lines))
    texts = [
        {"text_id": 0, "text": "狗", "image_ids": [1, 3]},
        "{broken",
        {"text_id": 2, "text": "x", "image_ids": [1, 99]},
        {"text_id": 3, "text": 5, "image_ids": [1]},
    ]
    rows = [row if isinstance(row, str) else json.dumps(row) for row in texts]
    (tmp_path / "valid_texts.jsonl").write_text("\n".join(rows))
    entries = list(FORMATS["chinese_clip"].read(str(tmp_path)))
    refused = {one.item: one.reason for one in entries if isinstance(one, Refusal)}
    assert refused == {
        "valid_texts.jsonl line 2": "broken JSON",
        "valid_texts.jsonl line 3": "there is no image 99",
        "valid_texts.jsonl line 4": "text is the number 5, not text",
        "valid_imgs.tsv line 2": "the line is not a number, a tab and a picture",
        "valid_imgs.tsv line 3": "the line is not a number, a tab and a picture",
        "valid_imgs.tsv line 4: 2.jpg": "the picture is no base64",
    }
    kept = [one for one in entries if isinstance(one, Record)]
    assert [one.content for one in kept] == [coded(), coded(pixels(seed=3))]
    assert [[text.text for text in one.boxes[0].captions] for one in kept] == [["狗", "x"], ["狗"]]
    assert kept[0].boxes[0].split == "validation"


def test_lmdb_has_the_layout_of_chinese_clips_own_tools(tmp_path):
    written("chinese_clip_lmdb", tmp_path / "out")
    folder = tmp_path / "out" / "lmdb" / "train"
    with (
        lmdb.open(str(folder / "pairs"), readonly=True, lock=False) as pairs,
        pairs.begin() as rows,
    ):
        assert int(rows.get(b"num_samples")) == 3
        # As their data set class does it.
        assert pickle.loads(rows.get(b"1"))[0::2] == (1, TEXTS[0])
    with lmdb.open(str(folder / "imgs"), readonly=True, lock=False) as store, store.begin() as rows:
        assert int(rows.get(b"num_images")) == 2
        assert base64.urlsafe_b64decode(rows.get(b"0")) == coded(pixels(seed=0))


class Attack:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch {self.path}",)


def test_a_malicious_pair_in_an_lmdb_is_refused_and_the_rest_is_read(tmp_path):
    written("chinese_clip_lmdb", tmp_path / "out")
    pairs = str(tmp_path / "out" / "lmdb" / "train" / "pairs")
    with lmdb.open(pairs, map_size=1 << 20, lock=False) as store, store.begin(write=True) as rows:
        rows.put(b"7", pickle.dumps((0, 7, Attack(tmp_path / "owned"))))
        rows.put(b"8", pickle.dumps((99, 8, "nobody")))
    entries = list(FORMATS["chinese_clip_lmdb"].read(str(tmp_path / "out")))
    refused = {one.item: one.reason for one in entries if isinstance(one, Refusal)}
    assert refused == {
        "train/pairs 7": "the pickle asks for posix.system",
        "train/pairs 8": "there is no such image",
    }
    assert sum(isinstance(one, Record) for one in entries) == 5
    assert not (tmp_path / "owned").exists()


MALICIOUS = [
    b"cos\nsystem\n(S'true'\ntR.",
    b"cbuiltins\neval\n(S'1'\ntR.",
    b"cbuiltins\ngetattr\n.",
    b"c__builtin__\n__import__\n(S'os'\ntR.",
    b"\x80\x04\x8c\x08builtins\x8c\x04exec\x93\x8c\x011\x85R.",
    b"cnumpy\nload\n(S'x'\ntR.",
    b"cnumpy.core.multiarray\nfromfile\n.",
    b"cnumpy\nndarray.tofile\n.",
    b"\x80\x04\x8c\x05numpy\x8c\x0endarray.tofile\x93.",
    b"Pthing\n.",
    b"\x80\x02\x82\x01.",
    b"not a pickle",
    b"",
    pickle.dumps(np.array([{}], dtype=object)),
    pickle.dumps(np.datetime64("2020")),
]


@pytest.mark.parametrize("data", MALICIOUS)
def test_a_pickle_that_asks_for_more_than_data_is_refused(data):
    with pytest.raises(pickles.Forbidden):
        pickles.load(data)


@pytest.mark.parametrize("protocol", range(6))
def test_plain_data_and_arrays_pass_in_every_protocol(protocol):
    value = {
        "caption_id": [[1, 2], [3]],
        "words": ("a", "狗", b"\x00\xff", None, True, 1.5, 2**70, {4}, frozenset({5})),
        "array": np.arange(6, dtype=np.float32).reshape(2, 3),
        "turned": np.asfortranarray(np.arange(6).reshape(2, 3)),
        "number": np.float64(0.25),
        "text": np.array(["x", "yy"]),
    }
    back = pickles.load(pickle.dumps(value, protocol=protocol))
    assert back["words"] == value["words"]
    assert (back["caption_id"], back["number"]) == (value["caption_id"], 0.25)
    for name in ("array", "turned", "text"):
        np.testing.assert_array_equal(back[name], value[name])


@pytest.mark.parametrize(
    ("wish", "name"),
    [
        ("../../etc/passwd", "etc/passwd"),
        ("/abs/x.jpg", "abs/x.jpg"),
        ("C:\\win\\x.jpg", "C_/win/x.jpg"),
        ("..", "picture"),
        (".hidden", "hidden"),
        ("a\x00b\n.jpg", "a_b_.jpg"),
        ("狗/图 1.jpg", "狗/图 1.jpg"),
    ],
)
def test_names_stay_where_they_are_put(wish, name):
    assert safe(wish) == name


def test_a_long_name_fits_a_file_system_and_keeps_its_ending(tmp_path):
    name = safe("狗" * 300 + ".jpg")
    (tmp_path / name).write_bytes(b"")
    assert name.endswith(".jpg")


def test_a_file_never_stands_where_a_folder_does(tmp_path):
    target = Target(tmp_path / "out", "t")
    target.begin()
    wishes = ["a.jpg", "a.jpg/b.jpg", "c.jpg/d.jpg", "c.jpg", "A.JPG"]
    names = [target.picture("images", wish, coded()) for wish in wishes]
    target.commit()
    assert len({name.lower() for name in names}) == len(wishes)
    assert all((tmp_path / "out" / "images" / name).is_file() for name in names)


def test_a_target_that_was_taken_meanwhile_is_not_overwritten(tmp_path):
    target = Target(tmp_path / "out", "t")
    target.begin()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").write_text("keep")
    with pytest.raises(Occupied):
        target.commit()
    assert (tmp_path / "out" / "mine").read_text() == "keep"


def test_names_come_from_id2image(tmp_path):
    written("chinese_clip", tmp_path / "out")
    assert chinese_clip.names(tmp_path / "out")[0] == "deep0.jpg"
