"""Whole frames of a street camera with several people in them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from gallery.synthetic import figure, overlay, street, visibility
from gallery.synthetic.attributes import Person
from gallery.synthetic.camera import Light, light_at
from gallery.synthetic.canvas import Bytes, Floats
from gallery.synthetic.figure import Figure
from gallery.synthetic.street import Street

_HIDDEN = 0.6  # a person of whom more than this share cannot be seen has no box
_LEAST = 16  # pixels; smaller remains are no box either


@dataclass(frozen=True)
class CameraView:
    """A fixed camera: the same view always shows the same street. kind: one of street.KINDS."""

    name: str
    kind: str
    seed: int


CAMERAS = (
    CameraView("Market street", "shops", 12),
    CameraView("City park", "park", 5),
    CameraView("Station hall", "hall", 7),
    CameraView("Bridge crossing", "crossing", 3),
)


@dataclass(frozen=True)
class Placement:
    """Where one person is: box (left, top, right, bottom), right and bottom exclusive."""

    person_index: int
    box: tuple[int, int, int, int]
    visible: frozenset[str]


@dataclass(frozen=True)
class Frame:
    """pixels: uint8 [H, W, 3] RGB. placements: far people first."""

    pixels: Bytes
    placements: tuple[Placement, ...]


@dataclass(frozen=True)
class _Standing:
    """A figure scaled to its place in the frame; (left, top) may lie outside of it."""

    index: int
    figure: Figure
    rgba: Bytes
    labels: Bytes
    left: int
    top: int
    foot: tuple[float, float]
    tall: float


def draw_frame(
    people: Sequence[Person],
    camera: CameraView,
    moment: float,
    rng: np.random.Generator,
    height: int = 540,
    width: int = 960,
) -> Frame:
    """Draw people before a camera at an hour of the day (0 to 24).

    The same arguments and generator state give the same bytes.

    Raises: ValueError, the hour is outside the day or the street's kind is unknown.
    """
    view = _view(camera.kind, camera.seed, height, width)
    grey = rng.random() < 0.25
    side = 0.8 if camera.seed % 2 else -0.8
    light = light_at(moment, side, overcast=grey)
    if camera.kind == "hall":  # lamps burn there all day
        light = light_at(12.0, side * 0.5, overcast=True)
    pixels = _backdrop(view, light)
    standing = [
        _stand(index, person, place, view, light, rng)
        for index, (person, place) in enumerate(
            zip(people, _places(len(people), view, rng), strict=True)
        )
    ]
    standing.sort(key=lambda one: one.foot[1])
    owner = np.zeros((height, width), dtype=np.uint8)
    for number, one in enumerate(standing, start=1):
        _cast(pixels, one, light)
        overlay.press(pixels, one.rgba, one.left, one.top)
        _own(owner, one, number)
    found = [_placement(owner, one, number) for number, one in enumerate(standing, start=1)]
    pixels = cv2.LUT(pixels, light.table(_balance(camera)))
    return Frame(_grain(pixels, rng), tuple(one for one in found if one is not None))


@lru_cache(maxsize=16)
def _view(kind: str, seed: int, height: int, width: int) -> Street:
    return street.paint(kind, seed, height, width)


def _backdrop(view: Street, light: Light) -> Bytes:
    if light.night <= 0.05:
        return view.pixels.copy()
    return cv2.addWeighted(view.pixels, 1 - 0.42 * light.night, view.glow, light.night, 0)


def _balance(camera: CameraView) -> Floats:
    """Each camera has its own white balance and exposure."""
    own = np.random.default_rng(camera.seed)
    return (1 + own.uniform(-0.03, 0.03, 3)) * own.uniform(0.94, 1.06)


def _places(count: int, view: Street, rng: np.random.Generator) -> list[tuple[float, float]]:
    """Feet on the ground, far enough apart that most people can be seen."""
    height = view.pixels.shape[0]
    near = view.near
    # Nobody is smaller than a fifth of the frame.
    far = min(max(view.far, view.horizon + 0.2 * height * view.eye), near - 0.1 * height)
    order = rng.permutation(count)
    places = []
    for i in range(count):
        share = (order[i] + float(rng.uniform(0.15, 0.85))) / count
        y = far + (near - far) * float(rng.random()) ** 0.9
        left, right = view.walk(y)
        places.append((left + (right - left) * share, y))
    return places


def _stand(
    index: int,
    person: Person,
    place: tuple[float, float],
    view: Street,
    light: Light,
    rng: np.random.Generator,
) -> _Standing:
    x, y = place
    # People differ in height, women and men a little in the mean.
    tall = view.tall(y) * float(rng.normal(1.0 if person.gender == "man" else 0.945, 0.03))
    scale = float(np.clip(1.55 * tall, 150, max(300.0, 1.15 * tall)))
    drawn = figure.draw(person, rng, scale=scale, light=light.side)
    ratio = tall / scale
    left, top, right, bottom = drawn.box
    left, top = max(0, left - 2), max(0, top - 2)
    right, bottom = right + 2, bottom + 2
    size = (max(2, round((right - left) * ratio)), max(2, round((bottom - top) * ratio)))
    how = cv2.INTER_AREA if ratio < 1 else cv2.INTER_LINEAR
    rgba = cv2.resize(drawn.rgba[top:bottom, left:right], size, interpolation=how)
    labels = cv2.resize(drawn.labels[top:bottom, left:right], size, interpolation=cv2.INTER_NEAREST)
    return _Standing(
        index=index,
        figure=drawn,
        rgba=rgba,
        labels=labels,
        left=round(x - (drawn.foot[0] - left) * ratio),
        top=round(y - (drawn.foot[1] - top) * ratio),
        foot=place,
        tall=tall,
    )


def _cast(pixels: Bytes, one: _Standing, light: Light) -> None:
    """The shadow of one person, on the part of the ground that it can reach."""
    height, width = pixels.shape[:2]
    x, y = one.foot
    x0, x1 = max(0, int(x - 0.75 * one.tall)), min(width, int(x + 0.75 * one.tall))
    y0, y1 = max(0, int(y - 0.14 * one.tall)), min(height, int(y + 0.12 * one.tall))
    if x0 < x1 and y0 < y1:
        ground = np.ascontiguousarray(pixels[y0:y1, x0:x1])
        pixels[y0:y1, x0:x1] = overlay.shadow(ground, x - x0, y - y0, (one.tall, one.tall), light)


def _window(owner: Bytes, one: _Standing) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Slices of the frame and of the figure where the two overlap."""
    height, width = owner.shape
    h, w = one.labels.shape
    x0, y0 = max(0, one.left), max(0, one.top)
    x1, y1 = max(x0, min(width, one.left + w)), max(y0, min(height, one.top + h))
    return (
        (slice(y0, y1), slice(x0, x1)),
        (slice(y0 - one.top, y1 - one.top), slice(x0 - one.left, x1 - one.left)),
    )


def _own(owner: Bytes, one: _Standing, number: int) -> None:
    there, here = _window(owner, one)
    np.copyto(owner[there], np.uint8(number), where=one.rgba[here][..., 3] > 100)


def _placement(owner: Bytes, one: _Standing, number: int) -> Placement | None:
    """The box around what is left of a person, or None if that is too little."""
    there, here = _window(owner, one)
    mine = owner[there] == number
    seen, whole = int(mine.sum()), int((one.rgba[..., 3] > 100).sum())
    if whole == 0 or seen < (1 - _HIDDEN) * whole:
        return None
    x, y, w, h = cv2.boundingRect(mine.astype(np.uint8))
    if w < _LEAST // 2 or h < _LEAST:
        return None
    labels = np.ascontiguousarray(np.where(mine, one.labels[here], 0).astype(np.uint8))
    area = (one.figure.scale / one.tall) ** 2
    left = (figure.count(labels) * area).astype(np.int64)
    x, y = x + there[1].start, y + there[0].start
    return Placement(
        person_index=one.index,
        box=(x, y, x + w, y + h),
        visible=visibility.fields(one.figure, left, min(1.0, one.tall / 130)),
    )


@lru_cache(maxsize=4)
def _noise(height: int, width: int) -> NDArray[np.int16]:
    rng = np.random.default_rng(1)
    return rng.normal(0, 2.4, (height + 64, width + 64, 3)).round().astype(np.int16)


def _grain(pixels: Bytes, rng: np.random.Generator) -> Bytes:
    height, width = pixels.shape[:2]
    a, b = (int(v) for v in rng.integers(0, 64, 2))
    noise = _noise(height, width)[a : a + height, b : b + width]
    return cv2.add(pixels, noise, dtype=cv2.CV_8U)
