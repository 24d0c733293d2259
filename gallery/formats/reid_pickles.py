"""What the CMPM system makes of CUHK-PEDES: samples of word numbers, and the words.

`{split}.pkl` has `caption_id`, `labels` and `images_path`, one entry a caption; `{split}_sort.pkl`
has them by label, with `label_range`: label -> [first sample, the one behind its last]. A caption
is its words without punctuation between `<START>` and `<END>`, numbered by `word_to_index.pkl`:
the words of the split train that are met often enough, commonest first. A word that is not there
has the number behind the last. A label is a person's number less one.
"""

import json
import random
import string
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gallery.formats import annotations, paths, pickles
from gallery.formats.records import (
    BoxRecord,
    CaptionRecord,
    Entry,
    Format,
    Mark,
    Record,
    Refusal,
    Unreadable,
    Written,
    caption,
    shown,
)
from gallery.formats.target import Target

SPLITS = {"train": "train", "val": "validation", "test": "test"}
START, END = "<START>", "<END>"
WORDS = "word_to_index.pkl"
LEAST = 3
# That system shuffles what it trains on, always alike.
_SHUFFLED = ("train", "val")
_SEED = 118
_DROPPED = str.maketrans("", "", string.punctuation)


@dataclass(frozen=True, slots=True)
class _Sample:
    label: int
    file: str
    text: str


def read(path: str, images: str | None = None, *, after: Mark | None = None) -> Iterator[Entry]:
    """The pictures of each split with their captions; bad samples first, by their numbers.

    A mark is [number of the file, 0, refusals given] or [number of the file, 1, pictures given].

    Raises:
        Unreadable: there is no such pickle, one asks for more than plain data, or the words are
            not beside them.
    """
    files = _files(path)
    words = _words(files[0].parent / WORDS)
    root = (Path(images) if images else files[0].parent).resolve()
    start = after if isinstance(after, list) else [-1, 0, 0]
    for number, file in enumerate(files):
        if number < start[0]:
            continue
        here = start if number == start[0] else [number, 0, 0]
        pictures, refusals = _pictures(file, words)
        for count, (sample, reason) in enumerate(refusals, 1):
            if here[1] == 0 and count > here[2]:
                yield Refusal(item=f"{file.name} {sample}", reason=reason, mark=[number, 0, count])
        done = here[2] if here[1] else 0
        for count, (named, known) in enumerate(pictures.items(), 1):
            if count > done:
                yield _record(file, named, known, root, [number, 1, count])


def total(path: str, images: str | None = None) -> int:
    """How many pictures the files name.

    Raises:
        Unreadable: as `read`.
    """
    count = 0
    for file in _files(path):
        named = _load(file).get("images_path")
        count += len(set(map(str, named))) if isinstance(named, list | tuple) else 0
    return count


def write(
    target: Target, records: Iterator[Record], first_free: int, *, min_word_count: int = LEAST
) -> Iterator[Written]:
    """All files of the three splits, and the pictures in `images`."""
    numbers = annotations.Numbers(first_free)
    theirs = {mine: name for name, mine in SPLITS.items()}
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in SPLITS}
    for record in records:
        box = record.boxes[0]
        if box.identity is None or box.split not in theirs:
            missing = "nobody is named" if box.identity is None else "no split is named"
            yield Written(item=record.item, reason=f"{missing} for this box")
            continue
        name = target.picture(annotations.IMAGES, record.name, annotations.content(record))
        texts = annotations.texts(box)
        row = {"id": numbers.of(box.identity), "file_path": f"{annotations.IMAGES}/{name}"}
        split = theirs[box.split]
        rows[split].append(row | {"captions": texts, "split": split})
        yield Written(item=record.item, note="" if texts else "it has no caption, so no sample")
    words = _vocabulary(target, rows["train"], min_word_count)
    lines = []
    for split, of in rows.items():
        _save_split(target, split, of, words)
        count = sum(len(row["captions"]) for row in of)
        people = len({row["id"] for row in of})
        lines.append(f"Total {count} captions {len(of)} images {people} identities in {split}\n")
    target.place("metadata_info.txt").write_text("".join(lines), "utf-8")


def tokens(text: str) -> list[str]:
    """The words of a caption as that system cuts it; upper and lower case stay."""
    return [START, *text.translate(_DROPPED).split(), END]


def _vocabulary(target: Target, rows: list[dict[str, Any]], least: int) -> dict[str, int]:
    counts = Counter(word for row in rows for text in row["captions"] for word in tokens(text))
    kept = [(word, count) for word, count in counts.most_common() if count >= least]
    words = {word: index for index, (word, _) in enumerate(kept)}
    target.place(WORDS).write_bytes(pickles.dump(words))
    about = f"Total words: {len(counts)} \nWords in vocabulary: {len(kept)} \n{kept}"
    target.place("word_counts.txt").write_text(about, "utf-8")
    return words


def _save_split(
    target: Target, split: str, rows: list[dict[str, Any]], words: dict[str, int]
) -> None:
    samples = [
        _Sample(row["id"] - 1, row["file_path"], text) for row in rows for text in row["captions"]
    ]
    by_label = sorted(samples, key=lambda sample: sample.label)
    ranges: dict[int, list[int]] = {}
    for place, sample in enumerate(by_label):
        ranges.setdefault(sample.label, [place, place])[1] = place + 1
    if split in _SHUFFLED:
        random.Random(_SEED).shuffle(samples)

    def columns(of: list[_Sample]) -> dict[str, Any]:
        unknown = len(words)
        coded = [[words.get(word, unknown) for word in tokens(one.text)] for one in of]
        labels, files = [one.label for one in of], [one.file for one in of]
        return {"caption_id": coded, "labels": labels, "images_path": files}

    target.place(f"{split}.pkl").write_bytes(pickles.dump(columns(samples)))
    ordered = columns(by_label) | {"label_range": ranges}
    target.place(f"{split}_sort.pkl").write_bytes(pickles.dump(ordered))
    tokenized = [row | {"processed_tokens": [tokens(t) for t in row["captions"]]} for row in rows]
    text = json.dumps(tokenized, ensure_ascii=False)
    target.place(f"{split}_reid.json").write_text(text, "utf-8")


def _files(path: str) -> list[Path]:
    root = Path(path)
    if root.is_file():
        return [root]
    found = []
    for split in SPLITS:
        # The sorted one says the same in another order.
        either = (root / f"{split}.pkl", root / f"{split}_sort.pkl")
        found += [file for file in either if file.is_file()][:1]
    if not found:
        raise Unreadable(f"{path} is no pickle, and has no train.pkl, val.pkl or test.pkl.")
    return found


def _load(path: Path) -> dict[str, Any]:
    try:
        value = pickles.load(path.read_bytes())
    except OSError as exc:
        raise Unreadable(f"{path} cannot be read: {exc.strerror}.") from exc
    except pickles.Forbidden as exc:
        raise Unreadable(f"{path}: {exc}.") from exc
    if not isinstance(value, dict):
        raise Unreadable(f"{path} holds no dict.")
    return value


def _words(path: Path) -> dict[int, str]:
    if not path.is_file():
        raise Unreadable(f"{path} is missing: without it the captions are only numbers.")
    return {
        index: word
        for word, index in _load(path).items()
        if isinstance(word, str) and isinstance(index, int)
    }


@dataclass(slots=True)
class _Known:
    """What the samples of one picture say."""

    label: int
    captions: dict[str, CaptionRecord]
    unknown: int = 0


def _pictures(file: Path, words: dict[int, str]) -> tuple[dict[str, _Known], list[tuple[str, str]]]:
    """Pictures by the path that they are named with, and (sample, reason) of what was refused."""
    value = _load(file)
    columns = [value.get(name) or () for name in ("caption_id", "labels", "images_path")]
    if not all(_is_list(one) for one in columns) or len({len(one) for one in columns}) != 1:
        raise Unreadable(f"{file} has no caption_id, labels and images_path of one length.")
    found: dict[str, _Known] = {}
    refusals = []
    for number, (coded, label, named) in enumerate(zip(*columns, strict=True), 1):
        reason = _take(found, words, coded, label, named)
        if reason:
            refusals.append((f"sample {number}", reason))
    return found, refusals


def _take(
    found: dict[str, _Known], words: dict[int, str], coded: Any, label: Any, named: Any
) -> str:
    """Add a sample to its picture, or give the reason why not."""
    if not isinstance(named, str) or isinstance(label, bool) or not _is_number(label):
        return "the path is not text, or the label is no whole number from 0"
    if not _is_list(coded) or not all(_is_number(one) for one in coded):
        return "the caption is not a list of word numbers"
    known = found.setdefault(named, _Known(int(label), {}))
    if known.label != int(label):
        return f"the picture is person {known.label + 1} already, not {int(label) + 1}"
    inner = [int(one) for one in coded[1:-1]]
    known.unknown += sum(one not in words for one in inner)
    good = caption(" ".join(words[one] for one in inner if one in words), "the caption")
    if isinstance(good, str):
        return good
    known.captions[good.text] = good
    return ""


def _record(file: Path, named: str, known: _Known, root: Path, mark: Mark) -> Record | Refusal:
    label = f"{file.name}: {shown(named)}"
    found = paths.inside(root, named)
    if isinstance(found, str):
        return Refusal(item=label, reason=found, mark=mark)
    split = SPLITS.get(file.stem.removesuffix("_sort"), "")
    identity = str(known.label + 1)
    box = BoxRecord(identity=identity, split=split, captions=tuple(known.captions.values()))
    unknown = f"{known.unknown} words that have no number are missing in the captions"
    return Record(
        item=label,
        name=shown(named.replace("\\", "/").removeprefix(f"{annotations.IMAGES}/")),
        content=found,
        mark=mark,
        boxes=(box,),
        problems=(unknown,) if known.unknown else (),
    )


def _is_list(value: Any) -> bool:
    return isinstance(value, list | tuple)


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


FORMAT = Format(read=read, total=total, write=write, write_options=frozenset({"min_word_count"}))
