"""Plain builders of rows for tests: each makes one row with real content and sane defaults.

What a test does not care about has a default; what it does care about it passes in.
"""

import hashlib
import io
import tempfile
from itertools import count
from pathlib import Path

import numpy as np
from django.contrib.auth import get_user_model
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from PIL import Image as Picture

from gallery.models import Box, Camera, Caption, Dataset, DatasetGrant, Identity, Image
from tests.towers import COLOURS, plain_crop, tiny_bundle
from training import versions
from training.models import ModelVersion

__all__ = [
    "COLOURS",
    "make_box",
    "make_camera",
    "make_caption",
    "make_coloured_people",
    "make_dataset",
    "make_grant",
    "make_identity",
    "make_image",
    "make_user",
    "make_version",
    "plain_crop",
    "tiny_bundle",
]

_numbers = count(1)


def make_user(username: str = "", *, password: str = "a-long-password", **fields):
    """A user who may log in with `password`; role viewer unless `role` says otherwise."""
    return get_user_model().objects.create_user(
        username or f"user{next(_numbers)}", password=password, **fields
    )


def make_dataset(name: str = "", *, visible_to=None, **fields) -> Dataset:
    """A dataset, granted to `visible_to` when a user is given."""
    dataset = Dataset.objects.create(name=name or f"dataset{next(_numbers)}", **fields)
    if visible_to is not None:
        make_grant(dataset, visible_to)
    return dataset


def make_grant(dataset: Dataset, user) -> DatasetGrant:
    return DatasetGrant.objects.create(dataset=dataset, user=user)


def make_camera(dataset: Dataset, name: str = "") -> Camera:
    return Camera.objects.create(dataset=dataset, name=name or f"camera{next(_numbers)}")


def make_image(dataset: Dataset, pixels: np.ndarray | None = None, **fields) -> Image:
    """An image with a real PNG of `pixels` (uint8 RGB, default 64x64 of a colour of its own)."""
    number = next(_numbers)
    if pixels is None:
        pixels = np.full((64, 64, 3), (number * 7 % 256, number // 36 % 256, 90), dtype=np.uint8)
    buffer = io.BytesIO()
    Picture.fromarray(pixels).save(buffer, "PNG")
    data = buffer.getvalue()
    sha256 = hashlib.sha256(data).hexdigest()
    defaults = {"name": f"image{number}.png", "width": pixels.shape[1], "height": pixels.shape[0]}
    image = Image(dataset=dataset, sha256=sha256, **defaults | fields)
    image.file = default_storage.save(f"tests/{sha256}.png", ContentFile(data))
    image.save()
    return image


def make_identity(dataset: Dataset, key: str = "", *, split: str = "") -> Identity:
    return Identity.objects.create(
        dataset=dataset, key=key or f"person{next(_numbers)}", split=split
    )


def make_box(image: Image, bounds: tuple[int, int, int, int] | None = None, **fields) -> Box:
    """A box of `bounds` (left, top, right, bottom), default the whole image."""
    left, top, right, bottom = bounds or (0, 0, image.width, image.height)
    defaults = {"source": Box.Source.ANNOTATED if bounds else Box.Source.WHOLE}
    return Box.objects.create(
        image=image, left=left, top=top, right=right, bottom=bottom, **defaults | fields
    )


def make_caption(box: Box, text: str, **fields) -> Caption:
    defaults = {"language": Caption.Language.EN, "source": Caption.Source.TYPED}
    return Caption.objects.create(box=box, text=text, **defaults | fields)


def make_coloured_people(dataset: Dataset, colours: list[str] | None = None) -> dict[str, Box]:
    """One whole-image box a colour, which the words of `make_version` find first."""
    return {
        colour: make_box(make_image(dataset, plain_crop(colour), name=f"{colour}.png"))
        for colour in colours or ["red", "green", "blue", "yellow", "black", "white"]
    }


def make_version(
    name: str = "tiny", *, dim: int = 16, seed: int = 0, space: str = "", image_only: bool = False
) -> ModelVersion:
    """A registered version with real ONNX towers: the word "red" finds a red picture first.

    Another `seed` is another model; it needs a `space` of its own unless towers are shared.
    """
    with tempfile.TemporaryDirectory() as folder:
        bundle = tiny_bundle(Path(folder), dim=dim, seed=seed)
        image, text = bundle.about["image"], bundle.about["text"]
        towers = (
            {}
            if image_only
            else {
                "text_file": bundle.folder / text["file"],
                "characters": bundle.folder / text["characters"],
            }
        )
        return versions.register(
            name,
            image_file=bundle.folder / image["file"],
            space=space or f"tiny-{seed}-{dim}",
            preprocessing=image["preprocessing"],
            licence="CC0-1.0",
            **towers,
        )
