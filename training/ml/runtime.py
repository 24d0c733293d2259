"""The towers as they serve: onnxruntime and numpy. Web and enrollment load only this."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from training.ml import chars
from training.ml.framing import Framing
from training.ml.tokens import Tokens

if TYPE_CHECKING:
    import onnxruntime as ort

Pixels = npt.NDArray[np.uint8]
Vectors = npt.NDArray[np.float32]

TEXT_BATCH = 32
# Nothing is gained past it.
IMAGE_BATCH = 16
# Vectors of golden inputs may differ by this much between machines (cosine distance).
GOLDEN_TOLERANCE = 2e-3
# The mean cosine between golden crops above which a tower tells nothing apart.
COLLAPSED = 0.999


class TowerError(ValueError):
    """A file is not a tower that this runtime can run."""


class SelfTestFailed(TowerError):
    """A tower runs, and gives other vectors than it should."""


def unit(vectors: npt.NDArray[np.floating[Any]]) -> Vectors:
    """Rows scaled to length 1. Raises: SelfTestFailed, a row is zero or not finite."""
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    if not np.isfinite(norms).all() or (norms == 0).any():
        raise SelfTestFailed("a vector is zero or not finite")
    scaled: Vectors = (vectors / norms).astype(np.float32)
    return scaled


def _session(path: Path, threads: int) -> "ort.InferenceSession":
    # Lazy: it starts threads when imported, and web and worker processes fork after the imports.
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Spinning threads would take the cores that Postgres and decoding need.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    try:
        return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as exc:  # onnxruntime raises a class of its own for each kind of bad file
        raise TowerError(f"{path.name} is not an ONNX model that runs here: {reason(exc)}") from exc


def reason(exc: Exception) -> str:
    """What onnxruntime says is wrong, without the path that it repeats before it."""
    return re.sub(r"^.*?Load model from .*? failed:\s*", "", str(exc), flags=re.DOTALL)


def _output_dim(session: "ort.InferenceSession", name: str) -> int:
    shape = session.get_outputs()[0].shape
    if len(shape) != 2 or not isinstance(shape[1], int):
        raise TowerError(f"{name} gives {shape}; a tower gives (batch, dim) with a fixed dim")
    return shape[1]


class ImageTower:
    """An image encoder.

    Preprocessing keys: those of `Framing`, and either `input: "uint8"` with `layout: "nhwc"`
    (normalization is part of the graph), or `input: "float32"` with `layout: "nchw"`, `mean` and
    `std` for channels scaled to 0-1 (default 0 and 1).

    Raises: TowerError, the file or the preprocessing is unusable.
    """

    def __init__(self, path: Path, preprocessing: Mapping[str, Any], threads: int = 1) -> None:
        try:
            self.framing = Framing(preprocessing)
        except (KeyError, ValueError) as exc:
            raise TowerError(f"{path.name} cannot be fed: {exc}") from exc
        self.height, self.width = self.framing.height, self.framing.width
        self._folded = preprocessing.get("input", "uint8") == "uint8"
        self._mean = np.asarray(preprocessing.get("mean", (0, 0, 0)), np.float32)
        self._std = np.asarray(preprocessing.get("std", (1, 1, 1)), np.float32)
        self._session = _session(path, threads)
        inputs = self._session.get_inputs()
        if len(inputs) != 1:
            raise TowerError(f"{path.name} has {len(inputs)} inputs; an image tower has one")
        self._input = inputs[0].name
        # A graph exported for one picture at a time is run so.
        self._fixed_batch = inputs[0].shape[0] if isinstance(inputs[0].shape[0], int) else None
        self.dim = _output_dim(self._session, path.name)

    def prepare(self, crop: Pixels) -> Pixels:
        """A crop (h, w, 3) in RGB, framed as (height, width, 3).

        By default with Pillow's bilinear filter, which averages when it shrinks: training resizes
        the same way.
        """
        return self.framing(crop)

    def prepare_all(self, crops: Pixels) -> Pixels:
        """Crops of one size (N, h, w, 3), framed; the same array if they are as it reads them."""
        if self.framing.mode == "stretch" and crops.shape[1:3] == (self.height, self.width):
            return crops
        return np.stack([self.prepare(crop) for crop in crops])

    def encode(self, batch: Pixels) -> Vectors:
        """Unit vectors (B, dim) of prepared crops (B, height, width, 3)."""
        if batch.shape[1:] != (self.height, self.width, 3):
            raise ValueError(f"crops are {batch.shape[1:]}, not {(self.height, self.width, 3)}")
        step = self._fixed_batch or len(batch)
        parts = [self._run(batch[start : start + step]) for start in range(0, len(batch), step)]
        return unit(np.concatenate(parts))

    def feed(self, batch: Pixels) -> dict[str, npt.NDArray[Any]]:
        """What the graph reads, by input name, for prepared crops (B, height, width, 3)."""
        if self._folded:
            return {self._input: batch}
        scaled = (batch.astype(np.float32) / 255 - self._mean) / self._std
        return {self._input: np.ascontiguousarray(scaled.transpose(0, 3, 1, 2))}

    def _run(self, batch: Pixels) -> npt.NDArray[np.float32]:
        filled = _filled(batch, self._fixed_batch)
        output: npt.NDArray[np.float32] = self._session.run(None, self.feed(filled))[0]
        return output[: len(batch)]


def encode_crops(tower: ImageTower, crops: Sequence[Pixels] | Pixels) -> Vectors:
    """Unit vectors (N, dim) of any number of prepared crops, some at a time."""
    starts = range(0, len(crops), IMAGE_BATCH)
    parts = [tower.encode(np.asarray(crops[start : start + IMAGE_BATCH])) for start in starts]
    return np.concatenate(parts) if parts else np.zeros((0, tower.dim), np.float32)


def _filled(rows: npt.NDArray[Any], batch: int | None) -> npt.NDArray[Any]:
    """Rows for a graph that reads `batch` at a time: the last one repeated."""
    short = (batch or len(rows)) - len(rows)
    return np.concatenate([rows, np.repeat(rows[-1:], short, axis=0)]) if short else rows


class _Characters:
    """Byte tables (4, 256, W) in a `.npy`; the network reads `data` and `mask`."""

    inputs = ("data", "mask")
    required = 2
    kind = "tensor(float)"

    def __init__(self, path: Path, preprocessing: Mapping[str, Any]) -> None:
        self._lower = bool(preprocessing.get("lower", False))
        try:
            tables = np.load(path, allow_pickle=False)
        except (OSError, ValueError) as exc:
            raise TowerError(f"{path.name} is not a character table: {exc}") from exc
        if tables.ndim != 3 or tables.shape[:2] != (chars.BYTES, 256):
            raise TowerError(f"the character table is {tables.shape}, not (4, 256, width)")
        self._tables = tables.astype(np.float32)
        self.width = chars.BYTES * tables.shape[2]

    def feed(self, texts: Sequence[str], length: int | None) -> dict[str, npt.NDArray[Any]]:
        wanted = [text.lower() for text in texts] if self._lower else list(texts)
        ids, mask = chars.pad(wanted, length)
        return {"data": chars.embed(ids, mask, self._tables), "mask": mask}


class _Tokens:
    """A `tokenizer.json`; the network reads `input_ids` and may read `attention_mask`."""

    inputs = ("input_ids", "attention_mask")
    required = 1
    kind = "tensor(int64)"
    width = None

    def __init__(self, path: Path, preprocessing: Mapping[str, Any]) -> None:
        try:
            self._tokens = Tokens(path, preprocessing)
        except ValueError as exc:
            raise TowerError(str(exc)) from exc

    def feed(self, texts: Sequence[str], length: int | None) -> dict[str, npt.NDArray[Any]]:
        return {**self._tokens.feed(texts, length)}


class TextTower:
    """A text encoder: a vocabulary that turns texts into arrays, and a network for the rest.

    A vocabulary that ends in `.npy` is a character table: the inputs are `data` (B, L, 4 * W) and
    `mask` (B, L), the preprocessing key is `lower`. One that ends in `.json` is a tokenizer: the
    inputs are int64 `input_ids` (B, L) and, if the network reads it, `attention_mask`, the keys
    are those of `Tokens`. The output is (B, dim). Where B or L is fixed, texts are run so many at
    a time, and cut or padded to that length.

    Raises: TowerError, a file is unusable.
    """

    def __init__(
        self,
        path: Path,
        vocabulary: Path,
        preprocessing: Mapping[str, Any] | None = None,
        threads: int = 1,
    ) -> None:
        kind = _Tokens if vocabulary.suffix == ".json" else _Characters
        self._reader: _Tokens | _Characters = kind(vocabulary, preprocessing or {})
        self._session = _session(path, threads)
        inputs = self._session.get_inputs()
        names = tuple(entry.name for entry in inputs)
        reads = self._reader.inputs
        if names not in (reads, reads[: self._reader.required]):
            raise TowerError(
                f"{path.name} reads {', '.join(names)}; a text tower reads {' and '.join(reads)}"
            )
        if wrong := [entry.type for entry in inputs if entry.type != self._reader.kind]:
            raise TowerError(f"{path.name} reads {wrong[0]}, the texts are {self._reader.kind}")
        self._names = names
        batch, length = inputs[0].shape[:2]
        self._fixed_batch = batch if isinstance(batch, int) else None
        # The characters or tokens that a graph of fixed length reads; None where it reads any.
        self.length = length if isinstance(length, int) else None
        if self._reader.width is not None and inputs[0].shape[2] != self._reader.width:
            raise TowerError(
                f"{path.name} reads width {inputs[0].shape[2]}, the table gives "
                f"{self._reader.width}"
            )
        self.dim = _output_dim(self._session, path.name)

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors (N, dim). Short texts are run together, so that little is padded."""
        order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
        vectors = np.empty((len(texts), self.dim), dtype=np.float32)
        step = self._fixed_batch or TEXT_BATCH
        for start in range(0, len(order), step):
            rows = order[start : start + step]
            fed = self._reader.feed([texts[row] for row in rows], self.length)
            filled = {name: _filled(fed[name], self._fixed_batch) for name in self._names}
            vectors[rows] = self._session.run(None, filled)[0][: len(rows)]
        return unit(vectors)


@dataclass(frozen=True, kw_only=True)
class Checked:
    """A self-test that passed.

    inputs: golden crops or captions. worst: the largest cosine distance of a vector from the one
    stored. alike: the mean cosine between vectors of different inputs, 1 where nothing is told
    apart.
    """

    what: str
    inputs: int
    worst: float
    alike: float


def check_golden(image: ImageTower | None, text: TextTower | None, golden: Path) -> list[Checked]:
    """Run the towers on the stored inputs and compare with the vectors they gave when exported.

    `golden` is an `.npz` with `crops` (N, H, W, 3) and `crop_vectors` (N, dim) for an image
    tower, `captions` (M,) and `caption_vectors` (M, dim) for a text tower; the half of a tower
    that is None is not read.

    Returns: what was found of each tower.
    Raises: SelfTestFailed, naming what differs and by how much.
    """
    found = []
    with np.load(golden, allow_pickle=False) as stored:
        if image is not None:
            found.append(_check("crops", image.encode(stored["crops"]), stored["crop_vectors"]))
        if text is not None:
            vectors = text.encode([str(caption) for caption in stored["captions"]])
            found.append(_check("captions", vectors, stored["caption_vectors"]))
    return found


def _check(what: str, vectors: Vectors, expected: Vectors) -> Checked:
    alike = check_spread(vectors, what)
    return Checked(
        what=what, inputs=len(vectors), worst=_compare(what, vectors, expected), alike=alike
    )


def check_spread(vectors: Vectors, what: str) -> float:
    """The mean cosine between vectors of different inputs.

    Raises: SelfTestFailed, they got nearly one vector: every search is a tie.
    """
    cosine = vectors @ vectors.T
    alike = float(cosine[~np.eye(len(vectors), dtype=bool)].mean())
    if alike > COLLAPSED:
        raise SelfTestFailed(f"different {what} get one vector (mean cosine {alike:.4f})")
    return alike


def _compare(what: str, vectors: Vectors, expected: Vectors) -> float:
    worst = float((1 - (vectors * expected).sum(axis=1)).max())
    if not worst <= GOLDEN_TOLERANCE:
        raise SelfTestFailed(f"golden {what} differ from their stored vectors by {worst:.4f}")
    return worst


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """A folder with a version's files: towers, vocabulary, golden inputs and `model.json`."""

    folder: Path
    about: dict[str, Any]

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Raises: TowerError, the folder has no readable model.json."""
        try:
            about = json.loads((folder / "model.json").read_text("utf-8"))
        except (OSError, ValueError) as exc:
            raise TowerError(f"{folder} holds no readable model.json: {exc}") from exc
        return cls(folder=folder, about=about)

    def image_tower(self, threads: int = 1) -> ImageTower:
        entry = self.about["image"]
        return ImageTower(self.folder / entry["file"], entry["preprocessing"], threads)

    def text_tower(self, threads: int = 1) -> TextTower | None:
        entry = self.about.get("text")
        if entry is None:
            return None
        vocabulary = self.folder / vocabulary_of(entry)[0]
        return TextTower(self.folder / entry["file"], vocabulary, entry["preprocessing"], threads)


def vocabulary_of(text: Mapping[str, Any]) -> tuple[str, str]:
    """The file name and SHA-256 of the vocabulary that a bundle's text entry lists."""
    kind = "tokenizer" if "tokenizer" in text else "characters"
    return text[kind], text[f"{kind}_sha256"]
