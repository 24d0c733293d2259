"""The shipped version, and drawn people to try it on whom no training saw."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx

from training.drawn import DrawnCrops, fits, load_or_draw, stated_facts
from training.ml import quantize
from training.ml.graphs import simplify
from training.ml.runtime import Bundle, ImageTower, TextTower

FOLDER = Path(__file__).parents[2] / "training" / "shipped"
SEED, CROPS, CALIBRATION = 90_003, 600, 120
# Texts that ask; each states 2 to 5 facts.
QUERIES = 600


@dataclass(frozen=True, kw_only=True)
class Shipped:
    bundle: Bundle
    drawn: DrawnCrops
    texts: list[str]
    agree: np.ndarray


def load(work: Path) -> Shipped:
    """The bundle, and crops with texts, (texts, crops) which agree."""
    bundle = Bundle.read(FOLDER)
    size = bundle.about["image"]["preprocessing"]
    drawn = load_or_draw(SEED, CROPS, work, size["height"], size["width"])
    rng = np.random.default_rng(SEED)
    rows = rng.permutation(len(drawn))[:QUERIES]
    texts, facts = drawn.describe(rows, rng, between=(2, 5))
    return Shipped(
        bundle=bundle, drawn=drawn, texts=texts, agree=fits(stated_facts(facts), drawn.has)
    )


def registered(purpose: str) -> object:
    """The shipped version once more, as a ModelVersion in a space of its own."""
    from training import versions

    # A folder that is kept may have that of an older one.
    name = f"bench-{purpose}-{Bundle.read(FOLDER).about['name']}"
    return versions.register_bundle(FOLDER, name=name, space=name)


def first_hits(shipped: Shipped, texts: np.ndarray, pictures: np.ndarray) -> float:
    """The share of texts whose first hit agrees with them."""
    best = (texts @ pictures.T).argmax(axis=1)
    return float(shipped.agree[np.arange(len(best)), best].mean())


def text_int8(shipped: Shipped, work: Path) -> Path:
    """The text tower in int8."""
    target = work / "text_int8.onnx"
    graph = onnx.load(shipped.bundle.folder / shipped.bundle.about["text"]["file"])
    quantize.text_to_int8(simplify(graph), target)
    return target


def image_int8(shipped: Shipped, work: Path) -> Path:
    """The image tower in int8, its ranges found on crops that nothing is measured on."""
    target = work / "image_int8.onnx"
    about = shipped.bundle.about["image"]
    tower = shipped.bundle.image_tower()
    crops = quantize.batches(np.asarray(shipped.drawn.pixels[:CALIBRATION]), 16)
    graph = simplify(onnx.load(shipped.bundle.folder / about["file"]))
    quantize.image_to_int8(graph, target, (tower.feed(batch) for batch in crops))
    return target


def text_tower(shipped: Shipped, path: Path | None = None, threads: int = 1) -> TextTower:
    about = shipped.bundle.about["text"]
    folder = shipped.bundle.folder
    files = path or folder / about["file"], folder / about["characters"]
    return TextTower(*files, about["preprocessing"], threads)


def image_tower(shipped: Shipped, path: Path | None = None, threads: int = 2) -> ImageTower:
    about = shipped.bundle.about["image"]
    return ImageTower(
        path or shipped.bundle.folder / about["file"], about["preprocessing"], threads
    )
