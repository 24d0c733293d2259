"""The towers as they serve: onnxruntime and numpy. Web and enrollment load only this."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt
from PIL import Image

from training.ml import chars

if TYPE_CHECKING:
    import onnxruntime as ort

Pixels = npt.NDArray[np.uint8]
Vectors = npt.NDArray[np.float32]

TEXT_BATCH = 32
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
        raise TowerError(f"{path.name} is not an ONNX model that runs here: {exc}") from exc


def _output_dim(session: "ort.InferenceSession", name: str) -> int:
    shape = session.get_outputs()[0].shape
    if len(shape) != 2 or not isinstance(shape[1], int):
        raise TowerError(f"{name} gives {shape}; a tower gives (batch, dim) with a fixed dim")
    return shape[1]


class ImageTower:
    """An image encoder.

    Preprocessing keys: `height`, `width`, and either `input: "uint8"` with `layout: "nhwc"`
    (normalization is part of the graph), or `input: "float32"` with `layout: "nchw"`, `mean` and
    `std` for channels scaled to 0-1 (default 0 and 1).

    Raises: TowerError, the file or the preprocessing is unusable.
    """

    def __init__(self, path: Path, preprocessing: Mapping[str, Any], threads: int = 1) -> None:
        self.height = int(preprocessing["height"])
        self.width = int(preprocessing["width"])
        if self.height < 1 or self.width < 1:
            raise TowerError(f"{self.height}x{self.width} is not a size of pictures")
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
        """A crop (h, w, 3) in RGB, resized to (height, width, 3).

        Pillow's bilinear filter, which averages when it shrinks: training resizes the same way.
        """
        if crop.shape[:2] == (self.height, self.width):
            return crop
        size = (self.width, self.height)
        return np.asarray(Image.fromarray(crop).resize(size, Image.Resampling.BILINEAR))

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


def _filled(rows: npt.NDArray[Any], batch: int | None) -> npt.NDArray[Any]:
    """Rows for a graph that reads `batch` at a time: the last one repeated."""
    short = (batch or len(rows)) - len(rows)
    return np.concatenate([rows, np.repeat(rows[-1:], short, axis=0)]) if short else rows


class TextTower:
    """A character text encoder: byte tables (4, 256, W) in a `.npy`, and a network for the rest.

    The network's inputs are `data` (B, L, 4 * W) and `mask` (B, L); its output is (B, dim). Where
    B or L is fixed, texts are run so many at a time, and cut or padded to that length.

    Raises: TowerError, a file is unusable.
    """

    def __init__(
        self,
        path: Path,
        characters: Path,
        preprocessing: Mapping[str, Any] | None = None,
        threads: int = 1,
    ) -> None:
        self._lower = bool((preprocessing or {}).get("lower", False))
        try:
            tables = np.load(characters, allow_pickle=False)
        except (OSError, ValueError) as exc:
            raise TowerError(f"{Path(characters).name} is not a character table: {exc}") from exc
        if tables.ndim != 3 or tables.shape[:2] != (chars.BYTES, 256):
            raise TowerError(f"the character table is {tables.shape}, not (4, 256, width)")
        self._tables = tables.astype(np.float32)
        self._session = _session(path, threads)
        names = [entry.name for entry in self._session.get_inputs()]
        if names != ["data", "mask"]:
            raise TowerError(f"{path.name} reads {names}; a text tower reads data and mask")
        batch, length, width = self._session.get_inputs()[0].shape
        self._fixed_batch = batch if isinstance(batch, int) else None
        # The characters that a graph of fixed length reads; None where it reads any.
        self.length = length if isinstance(length, int) else None
        if width != chars.BYTES * tables.shape[2]:
            given = chars.BYTES * tables.shape[2]
            raise TowerError(f"{path.name} reads width {width}, the table gives {given}")
        self.dim = _output_dim(self._session, path.name)

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors (N, dim). Short texts are run together, so that little is padded."""
        wanted = [text.lower() for text in texts] if self._lower else list(texts)
        order = sorted(range(len(wanted)), key=lambda index: len(wanted[index]))
        vectors = np.empty((len(wanted), self.dim), dtype=np.float32)
        step = self._fixed_batch or TEXT_BATCH
        for start in range(0, len(order), step):
            rows = order[start : start + step]
            ids, mask = chars.pad([wanted[row] for row in rows], self.length)
            data = _filled(chars.embed(ids, mask, self._tables), self._fixed_batch)
            mask = _filled(mask, self._fixed_batch)
            vectors[rows] = self._session.run(None, {"data": data, "mask": mask})[0][: len(rows)]
        return unit(vectors)


def check_golden(image: ImageTower | None, text: TextTower | None, golden: Path) -> None:
    """Run the towers on the stored inputs and compare with the vectors they gave when exported.

    `golden` is an `.npz` with `crops` (N, H, W, 3) and `crop_vectors` (N, dim) for an image
    tower, `captions` (M,) and `caption_vectors` (M, dim) for a text tower; the half of a tower
    that is None is not read.

    Raises: SelfTestFailed, naming what differs and by how much.
    """
    with np.load(golden, allow_pickle=False) as stored:
        if image is not None:
            vectors = image.encode(stored["crops"])
            check_spread(vectors, "crops")
            _compare("crops", vectors, stored["crop_vectors"])
        if text is not None:
            vectors = text.encode([str(caption) for caption in stored["captions"]])
            check_spread(vectors, "captions")
            _compare("captions", vectors, stored["caption_vectors"])


def check_spread(vectors: Vectors, what: str) -> None:
    """Raises: SelfTestFailed, different inputs got nearly one vector: every search is a tie."""
    cosine = vectors @ vectors.T
    alike = float(cosine[~np.eye(len(vectors), dtype=bool)].mean())
    if alike > COLLAPSED:
        raise SelfTestFailed(f"different {what} get one vector (mean cosine {alike:.4f})")


def _compare(what: str, vectors: Vectors, expected: Vectors) -> None:
    worst = float((1 - (vectors * expected).sum(axis=1)).max())
    if not worst <= GOLDEN_TOLERANCE:
        raise SelfTestFailed(f"golden {what} differ from their stored vectors by {worst:.4f}")


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """A folder with a version's files: towers, character table, golden inputs and `model.json`."""

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
        files = self.folder / entry["file"], self.folder / entry["characters"]
        return TextTower(*files, entry["preprocessing"], threads)
