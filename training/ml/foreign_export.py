"""A foreign model as towers that serve: ONNX and a `tokenizer.json`, equal to torch or refused."""

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from torch import Tensor, nn
from torch.export import Dim

from training.ml import framing, graphs
from training.ml.export import OPSET, PARITY, ParityError, sha256
from training.ml.foreign import Foreign, ForeignError, picture_features, text_features
from training.ml.foreign_tokens import TEXTS, write_tokenizer
from training.ml.framing import Pixels
from training.ml.runtime import Bundle, ImageTower, TextTower, Vectors
from training.ml.tokens import SHORTEST

IMAGE_FILE, TEXT_FILE, TOKENIZER_FILE = "model_image.onnx", "model_text.onnx", "tokenizer.json"
# Bytes of weights from which they are stored as fp16: one file cannot hold more than 2 GiB.
LARGE = 1_900_000_000
SIZES = ((160, 64), (64, 160), (97, 41), (224, 224), (30, 50), (300, 50))


def export(
    foreign: Foreign, folder: Path, *, about: Mapping[str, Any], largest: int = LARGE
) -> Bundle:
    """Write a bundle: both towers, the tokenizer and `model.json`.

    Args:
        about: what `model.json` says besides: name, space, licence.
        largest: bytes of weights from which a tower's are stored as fp16.

    Raises: ForeignError, its pictures or texts are fed in a way that cannot be served here;
        ParityError, a tower's vectors differ from torch's by more than PARITY.
    """
    folder.mkdir(parents=True, exist_ok=True)
    preprocessing = picture_input(foreign)
    write_tokenizer(foreign, folder / TOKENIZER_FILE)
    with torch.inference_mode():
        _export_pictures(foreign, preprocessing, folder / IMAGE_FILE, largest)
    image = ImageTower(folder / IMAGE_FILE, preprocessing)
    _compare_pictures(foreign, image)
    with torch.inference_mode():
        _export_texts(foreign, folder / TEXT_FILE, largest)
    text = TextTower(folder / TEXT_FILE, folder / TOKENIZER_FILE, foreign.rules)
    _compare_texts(foreign, text)
    described = {
        **about,
        "dim": image.dim,
        "source": {"model": foreign.source, "revision": foreign.revision},
        "image": {
            "file": IMAGE_FILE,
            "sha256": sha256(folder / IMAGE_FILE),
            "preprocessing": preprocessing,
        },
        "text": {
            "file": TEXT_FILE,
            "sha256": sha256(folder / TEXT_FILE),
            "tokenizer": TOKENIZER_FILE,
            "tokenizer_sha256": sha256(folder / TOKENIZER_FILE),
            "preprocessing": foreign.rules,
        },
    }
    (folder / "model.json").write_text(json.dumps(described, indent=2, ensure_ascii=False), "utf-8")
    return Bundle.read(folder)


def picture_input(foreign: Foreign) -> dict[str, Any]:
    """Preprocessing for `runtime.ImageTower`, from the model's image processor.

    Raises: ForeignError, the processor does what cannot be done here.
    """
    said = foreign.preprocessing["image"]
    code = int(said.get("resample", 2))
    names = {int(value): name for name, value in framing.FILTERS.items()}
    resize: dict[str, Any] = {"filter": names[code]}
    if "max_num_patches" in said:
        patch, patches = int(said["patch_size"]), int(said["max_num_patches"])
        height, width = framing.container(patch, patches)
        resize |= {"mode": "patches", "patch": patch, "patches": patches}
        size = {"height": height, "width": width, "resize": resize}
        return size | {"input": "uint8", "layout": "nhwc"}
    size = _framed(foreign, said, resize)
    factor = 255 * float(said.get("rescale_factor") or 1 / 255) if said.get("do_rescale") else 255
    mean, std = np.zeros(3), np.ones(3)
    if said.get("do_normalize"):
        mean, std = np.array(said["image_mean"]), np.array(said["image_std"])
    # Channels arrive scaled to 0-1, whatever the processor scales them to.
    scaled = {"mean": (mean / factor).tolist(), "std": (std / factor).tolist()}
    return {**size, "input": "float32", "layout": "nchw", **scaled}


def _framed(foreign: Foreign, said: dict[str, Any], resize: dict[str, Any]) -> dict[str, Any]:
    size, crop = said.get("size") or {}, said.get("crop_size") or {}
    cropped = (crop.get("height"), crop.get("width")) if said.get("do_center_crop") else None
    if said.get("do_resize") and not said.get("do_pad"):
        whole = size.get("height"), size.get("width")
        if all(whole) and cropped in (None, whole):
            return {"height": whole[0], "width": whole[1], "resize": {**resize, "mode": "stretch"}}
        edge = size.get("shortest_edge")
        if edge and not size.get("longest_edge") and cropped and all(cropped):
            resize |= {"mode": "edge", "edge": edge}
            return {"height": cropped[0], "width": cropped[1], "resize": resize}
    raise ForeignError(
        f"{foreign.source} frames pictures in a way that cannot be served here: "
        f"size {size}, crop {crop if cropped else 'none'}, padding {bool(said.get('do_pad'))}"
    )


class _Pictures(nn.Module):
    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, pixels: Tensor) -> Tensor:
        return picture_features(self.model, {"pixel_values": pixels})


class _Texts(nn.Module):
    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        fed = {"input_ids": input_ids}
        if attention_mask is not None:
            fed["attention_mask"] = attention_mask
        return text_features(self.model, fed)


class _Squares(nn.Module):
    """A NaFlex tower that reads what `framing.cut` gives, uint8 (B, patches + 1, S, 3)."""

    scale: Tensor
    shift: Tensor

    def __init__(self, model: nn.Module, said: Mapping[str, Any]) -> None:
        super().__init__()
        self.model = model
        factor = float(said.get("rescale_factor") or 1 / 255) if said.get("do_rescale") else 1.0
        normal = bool(said.get("do_normalize"))
        mean, std = (said["image_mean"], said["image_std"]) if normal else ((0,) * 3, (1,) * 3)
        self.register_buffer("scale", factor / torch.tensor(std, dtype=torch.float32))
        self.register_buffer("shift", torch.tensor(mean) / torch.tensor(std))

    def forward(self, pixels: Tensor) -> Tensor:
        counts = pixels[:, -1, :2, :2].to(torch.int64)
        shapes = counts[..., 0] + 256 * counts[..., 1]  # (B, 2), rows and columns
        squares = pixels[:, :-1].float() * self.scale - self.shift
        places = torch.arange(squares.shape[1], device=pixels.device)
        mask = (places[None] < shapes.prod(dim=1, keepdim=True)).to(torch.int64)
        fed = {
            "pixel_values": squares.flatten(2),
            "pixel_attention_mask": mask,
            "spatial_shapes": shapes,
        }
        return picture_features(self.model, fed)


class _SquarePlaces(nn.Module):
    """The embeddings of a NaFlex tower with the resizing of its positions as a product.

    Interpolation is linear in what is interpolated and goes along one axis after the other, so a
    table of the weights for every number of rows serves every shape; torch's own way asks for
    each picture's shape as a number, which no graph can.
    """

    table: Tensor

    def __init__(self, embeddings: Any, patches: int) -> None:
        super().__init__()
        self.patch_embedding = embeddings.patch_embedding
        self.position_embedding = embeddings.position_embedding
        side = int(embeddings.position_embedding_size)
        # (count, place, original place): how much of each original place a place is.
        table = torch.zeros(patches + 1, patches, side)
        for count in range(1, patches + 1):
            table[count, :count] = _shares(count, side)
        self.register_buffer("table", table)

    def forward(self, pixel_values: Tensor, spatial_shapes: Tensor) -> Tensor:
        places = torch.arange(pixel_values.shape[1], device=pixel_values.device)[None]
        rows, columns = spatial_shapes[:, :1], spatial_shapes[:, 1:]
        along = self.table[rows, (places // columns).clamp(max=self.table.shape[1] - 1)]
        across = self.table[columns, places % columns]
        weights = (along[..., :, None] * across[..., None, :]).flatten(2)
        embedded: Tensor = self.patch_embedding(pixel_values)
        placed: Tensor = weights @ self.position_embedding.weight
        return embedded + placed


def _shares(count: int, side: int) -> Tensor:
    """(count, side) how `side` values in a row become `count`: rows of sum 1.

    Bilinear with antialiasing, as `torch.nn.functional.interpolate` does it. (On CPUs torch 2.13
    errs where the result is one wide and higher: it takes the first row's shares for all.)
    """
    reach = max(side / count, 1.0)
    centre = (torch.arange(count, dtype=torch.float64) + 0.5) * (side / count)
    away = (torch.arange(side, dtype=torch.float64) + 0.5 - centre[:, None]).abs()
    share = (1 - away / reach).clamp(min=0)
    return (share / share.sum(dim=1, keepdim=True)).float()


@contextmanager
def _square_places(model: Any, patches: int) -> Iterator[None]:
    vision = model.vision_model
    own = vision.embeddings
    vision.embeddings = _SquarePlaces(own, patches).to(own.position_embedding.weight.device)
    try:
        yield
    finally:
        vision.embeddings = own


def _export_pictures(
    foreign: Foreign, preprocessing: Mapping[str, Any], path: Path, largest: int
) -> None:
    height, width = preprocessing["height"], preprocessing["width"]
    if preprocessing["resize"]["mode"] == "patches":
        if not hasattr(getattr(foreign.model, "vision_model", None), "embeddings"):
            raise ForeignError(
                f"{foreign.source} reads patches and is of type {foreign.family}: the way it "
                "places them is not known here; extract its vectors instead"
            )
        side = framing.Framing(preprocessing)
        probe = np.zeros((*side.usual, 3), np.uint8)
        example = torch.from_numpy(np.stack([side(probe)] * 2))
        with _square_places(foreign.model, preprocessing["resize"]["patches"]):
            module: nn.Module = _Squares(foreign.model, foreign.preprocessing["image"])
            _to_onnx(module, (example,), path, {"pixels": {0: Dim("batch")}}, largest)
        return
    zeros = torch.zeros(2, 3, height, width)
    _to_onnx(_Pictures(foreign.model), (zeros,), path, {"pixels": {0: Dim("batch")}}, largest)


def _export_texts(foreign: Foreign, path: Path, largest: int) -> None:
    longest = foreign.rules["max_length"]
    open_length = foreign.rules["pad"] != "max_length" and longest > SHORTEST
    example = foreign.tokens(["red", "a red coat"])
    axes: dict[int, Any] = {0: Dim("batch")}
    if open_length:
        axes[1] = Dim("length", min=SHORTEST, max=longest)
    shapes = dict.fromkeys(example, axes)
    _to_onnx(_Texts(foreign.model), tuple(example.values()), path, shapes, largest)


def _to_onnx(
    module: nn.Module,
    example: tuple[Tensor, ...],
    path: Path,
    shapes: Mapping[str, Mapping[int, Any]],
    largest: int,
) -> None:
    with tempfile.TemporaryDirectory(dir=path.parent) as work, graphs.without_advice():
        draft = Path(work) / path.name
        torch.onnx.export(
            module.cpu().eval(),
            example,
            str(draft),
            input_names=list(shapes),
            output_names=["output"],
            dynamic_shapes=dict(shapes),
            opset_version=OPSET,
            dynamo=True,
            external_data=True,
            verbose=False,
        )
        graph = onnx.load(draft)
    if graphs.weight_bytes(graph) > largest:
        graphs.halve_weights(graph)
    onnx.save(graph, path)


def _probes() -> list[Pixels]:
    rng = np.random.default_rng(7)
    found = []
    for height, width in SIZES:
        blocks = rng.integers(0, 256, (-(-height // 16), -(-width // 16), 3))
        found.append(np.kron(blocks, np.ones((16, 16, 1)))[:height, :width].astype(np.uint8))
    return found


def _compare_pictures(foreign: Foreign, tower: ImageTower) -> None:
    for crop in _probes():
        theirs = foreign.encode_pictures([foreign.prepare(crop)])
        ours = tower.encode(tower.prepare(crop)[None])
        _compare(f"the image tower, of a picture {crop.shape[0]}x{crop.shape[1]},", ours, theirs)


def _compare_texts(foreign: Foreign, tower: TextTower) -> None:
    together = tower.encode(TEXTS)
    for row, text in enumerate(TEXTS):
        theirs = foreign.encode_texts([text])
        _compare(f"the text tower, of “{text[:40]}”,", tower.encode([text]), theirs)
        _compare(f"the text tower, of “{text[:40]}” in a batch,", together[row : row + 1], theirs)


def _compare(what: str, got: Vectors, expected: Sequence[Any] | Vectors) -> None:
    worst = float((1 - (got * expected).sum(axis=1)).max())
    if not worst <= PARITY:
        raise ParityError(f"{what} differs from torch by {worst:.6f} (cosine)")
