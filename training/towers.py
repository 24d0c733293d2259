"""Towers as they come from files and from storage: what they read, and whether they can serve."""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from training import artifacts
from training.errors import BadTower, CorruptArtifact
from training.ml import runtime
from training.ml.runtime import ImageTower, TextTower
from training.models import Encoder

# Mean and deviation of ImageNet's channels, which most published image networks were fed with.
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)

PROBE_TEXTS = (
    "red",
    "a woman in a red coat with a black backpack",
    "a man with short hair, wearing blue jeans and a white shirt, carrying an umbrella",
    "穿红色外套、背黑色双肩包的女人",
    "戴眼镜的男人",
    "A tall person in a long grey dress, a yellow hat and green shoes, walking away from the "
    "camera through the rain, seen from behind. 他穿着一件蓝色的夹克。",
)
# How a tokenizer's tower is fed, see `tokens.Tokens`.
TOKEN_RULES = ("input", "max_length", "pad", "pad_id", "pad_side")
# The largest cosine distance between a vector computed alone and the one in a batch.
_ALONE_TOLERANCE = 1e-3
_PROBE_SEED = 20


@dataclass(frozen=True, kw_only=True)
class Examined:
    """A tower that passed: its dim, how it is fed, and the golden inputs for later self-tests."""

    dim: int
    preprocessing: dict[str, Any]
    golden: bytes


def image_tower(encoder: Encoder, threads: int = 1) -> ImageTower:
    """The stored image tower, ready to encode.

    Raises: CorruptArtifact, a file is not the one registered, or the self-test fails.
    """
    tower = _load(encoder, threads)[0]
    assert isinstance(tower, ImageTower)
    return tower


def text_tower(encoder: Encoder, threads: int = 1) -> TextTower:
    """The stored text tower, ready to encode. Raises as `image_tower`."""
    tower = _load(encoder, threads)[0]
    assert isinstance(tower, TextTower)
    return tower


def self_test(encoder: Encoder) -> runtime.Checked:
    """Load a tower from its files and run it on its golden inputs. Raises as `image_tower`."""
    return _load(encoder, threads=1)[1]


def _load(encoder: Encoder, threads: int) -> tuple[ImageTower | TextTower, runtime.Checked]:
    path = artifacts.fetch(encoder.file.name, encoder.sha256)
    golden = _golden(encoder)
    try:
        if encoder.modality == Encoder.Modality.IMAGE:
            image = ImageTower(path, encoder.preprocessing, threads)
            return image, *runtime.check_golden(image, None, golden)
        characters = artifacts.fetch(encoder.characters.name, encoder.characters_sha256)
        text = TextTower(path, characters, encoder.preprocessing, threads)
        return text, *runtime.check_golden(None, text, golden)
    except runtime.TowerError as exc:
        raise CorruptArtifact(f"{encoder.name} fails its self-test: {exc}") from exc


def _golden(encoder: Encoder) -> Path:
    return artifacts.fetch(encoder.golden.name, encoder.golden_sha256)


def golden_texts(encoder: Encoder) -> list[str]:
    """What a text tower tests itself with. Raises: CorruptArtifact."""
    with np.load(_golden(encoder), allow_pickle=False) as stored:
        return [str(caption) for caption in stored["captions"]]


def joint_golden(encoders: list[Encoder]) -> bytes:
    """The golden inputs of all these towers in one `.npz`. Raises: CorruptArtifact."""
    arrays: dict[str, np.ndarray] = {}
    for encoder in encoders:
        with np.load(_golden(encoder), allow_pickle=False) as stored:
            arrays |= {name: stored[name] for name in stored.files}
    return _packed(**arrays)


def examine_image(
    path: Path, wanted: Mapping[str, Any] | None = None, golden: Path | None = None
) -> Examined:
    """Load an image tower, run it, and keep golden inputs.

    Args:
        wanted: any of `height`, `width`, `mean`, `std`, `resize` (see `framing.Framing`); what is
            left out comes from the graph's input, ImageNet's mean and std for a float one.
        golden: an export's golden inputs to check against and keep; without, probe pictures
            and the vectors that they get now.

    Raises: BadTower, it does not load or run, its vectors are not finite, tell nothing apart, or
        depend on what else is in the batch.
    """
    preprocessing = picture_input(path, wanted or {})
    try:
        tower = ImageTower(path, preprocessing)
        probes = probe_pictures(*tower.framing.usual)
        pictures = np.stack([tower.prepare(picture) for picture in probes])
        vectors = tower.encode(pictures)
        runtime.check_spread(vectors, "pictures")
        alone = np.concatenate([tower.encode(picture[None]) for picture in pictures])
        if golden is not None:
            runtime.check_golden(tower, None, golden)
    except Exception as exc:  # onnxruntime raises a class of its own for each failure
        raise BadTower(f"{path.name} cannot serve as an image tower: {exc}") from exc
    _refuse_company(path, vectors, alone)
    if golden is not None:
        pictures, vectors = _stored(golden, "crops", "crop_vectors")
    return Examined(
        dim=tower.dim,
        preprocessing=preprocessing,
        golden=_packed(crops=pictures, crop_vectors=vectors),
    )


def examine_text(
    path: Path,
    characters: Path,
    preprocessing: Mapping[str, Any] | None = None,
    golden: Path | None = None,
) -> Examined:
    """Load a text tower, run it, and keep golden inputs. Raises as `examine_image`.

    Args:
        characters: the table of a character tower, or the tokenizer of another, which cannot be
            fed without its preprocessing.
    """
    given = preprocessing or {}
    if characters.suffix == ".json":
        settings = {key: given[key] for key in TOKEN_RULES if key in given}
    else:
        settings = {"lower": bool(given.get("lower", False))}
    try:
        tower = TextTower(path, characters, settings)
        vectors = tower.encode(PROBE_TEXTS)
        runtime.check_spread(vectors, "texts")
        alone = np.concatenate([tower.encode([text]) for text in PROBE_TEXTS])
        if golden is not None:
            runtime.check_golden(None, tower, golden)
    except Exception as exc:  # as above
        raise BadTower(f"{path.name} cannot serve as a text tower: {exc}") from exc
    _refuse_company(path, vectors, alone)
    texts = np.array(PROBE_TEXTS)
    if golden is not None:
        texts, vectors = _stored(golden, "captions", "caption_vectors")
    return Examined(
        dim=tower.dim,
        preprocessing=settings,
        golden=_packed(captions=texts, caption_vectors=vectors),
    )


def picture_input(path: Path, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """How pictures reach an ONNX graph: preprocessing for `ImageTower`, from its only input.

    A uint8 input (batch, height, width, 3) normalizes in the graph; a float one is
    (batch, 3, height, width) and gets `mean` and `std` of channels scaled to 0-1.

    Raises: BadTower, the input is neither, its size is open and not given, or contradicts `wanted`.
    """
    # Lazy: it starts threads when imported, and web and worker processes fork after the imports.
    import onnxruntime as ort

    try:
        inputs = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"]).get_inputs()
    except Exception as exc:  # onnxruntime raises a class of its own for each kind of bad file
        raise BadTower(
            f"{path.name} is not an ONNX model that runs here: {runtime.reason(exc)}"
        ) from exc
    if len(inputs) != 1 or len(inputs[0].shape) != 4:
        found = ", ".join(f"{entry.name} {entry.shape}" for entry in inputs)
        raise BadTower(f"{path.name} reads {found}; an image tower reads one batch of pictures.")
    kind, shape = inputs[0].type, inputs[0].shape
    resize = {"resize": dict(wanted["resize"])} if wanted.get("resize") else {}
    if kind == "tensor(uint8)" and shape[3] == 3:
        size = _size(path, shape[1:3], wanted) | resize
        if wanted.get("mean") or wanted.get("std"):
            raise BadTower(f"{path.name} reads bytes: its graph normalizes, mean and std cannot.")
        return size | {"input": "uint8", "layout": "nhwc"}
    if kind == "tensor(float)" and shape[1] == 3:
        return _size(path, shape[2:4], wanted) | {
            **resize,
            "input": "float32",
            "layout": "nchw",
            "mean": _channels(wanted.get("mean") or IMAGENET_MEAN, "mean"),
            "std": _channels(wanted.get("std") or IMAGENET_STD, "std"),
        }
    raise BadTower(
        f"{path.name} reads {kind} {shape}; an image tower reads uint8 (batch, height, width, 3) "
        "or float (batch, 3, height, width)."
    )


def _size(path: Path, shape: list[int | str | None], wanted: Mapping[str, Any]) -> dict[str, int]:
    size = {}
    for name, fixed in zip(("height", "width"), shape, strict=True):
        asked = wanted.get(name)
        if isinstance(fixed, int) and asked and asked != fixed:
            raise BadTower(f"{path.name} reads pictures of {name} {fixed}, not {asked}.")
        if not isinstance(fixed, int) and not asked:
            raise BadTower(f"{path.name} reads pictures of any {name}: give the {name} to use.")
        size[name] = fixed if isinstance(fixed, int) else int(asked or 0)
    return size


def _channels(values: Any, what: str) -> list[float]:
    numbers = [float(value) for value in values]
    if len(numbers) != 3 or (what == "std" and min(numbers) <= 0):
        raise BadTower(f"{what} needs three numbers, red, green and blue, not {numbers}.")
    return numbers


def probe_pictures(height: int, width: int) -> np.ndarray:
    """uint8 (12, height, width, 3): plain colours, gradients, stripes, noise; always the same."""
    rng = np.random.default_rng(_PROBE_SEED)
    y, x = np.mgrid[0:height, 0:width]
    ramps = [255 * y / max(1, height - 1), 255 * x / max(1, width - 1)]
    stripes = [255 * (y * 8 // height % 2), 255 * (x * 4 // width % 2)]
    tints = np.array([[1, 0.2, 0.2], [0.2, 0.4, 1], [0.3, 1, 0.4], [1, 1, 0.2]])
    patterned = [
        plane[..., None] * tint for plane, tint in zip(ramps + stripes, tints, strict=True)
    ]
    plain = [np.full((height, width, 3), 230.0) * tint for tint in tints]
    noise = list(rng.integers(0, 256, (2, height, width, 3)))
    # Coarse noise has the structure of clothes; pixel noise averages out in most networks.
    coarse = rng.integers(0, 256, (2, 8, 4, 3))
    blocks = [np.kron(block, np.ones((-(-height // 8), -(-width // 4), 1))) for block in coarse]
    cut = [block[:height, :width] for block in blocks]
    return np.stack([*patterned, *plain, *noise, *cut]).astype(np.uint8)


def _refuse_company(path: Path, together: np.ndarray, alone: np.ndarray) -> None:
    """A vector that depends on its batch would differ between enrollment and search."""
    worst = float((1 - (together * alone).sum(axis=1)).max())
    if worst > _ALONE_TOLERANCE:
        raise BadTower(
            f"{path.name} gives an input another vector in a batch than alone "
            f"(cosine distance {worst:.4f})."
        )


def _stored(golden: Path, *names: str) -> tuple[np.ndarray, ...]:
    with np.load(golden, allow_pickle=False) as stored:
        return tuple(stored[name] for name in names)


def _packed(**arrays: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()
