"""Crops of single people, as a person detector would cut them out of a street."""

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

from gallery.synthetic import camera, figure, obstacles, overlay, street, visibility
from gallery.synthetic.attributes import Person, draw_person
from gallery.synthetic.canvas import Bytes
from gallery.synthetic.figure import Figure

Window = tuple[float, float, float, float]  # left, top, right, bottom, may lie outside
_BYSTANDERS = 20


@dataclass(frozen=True)
class Crop:
    """pixels: uint8 [H, W, 3] RGB. visible: the fields of the person that can really be seen."""

    pixels: Bytes
    visible: frozenset[str]


def draw(person: Person, rng: np.random.Generator, height: int = 160, width: int = 64) -> Crop:
    """Draw one person as a detector would crop them.

    The same person and generator state give the same bytes.

    Raises: ValueError, the crop is smaller than 32 x 16.
    """
    if height < 32 or width < 16:
        raise ValueError(f"a crop of {height} x {width} pixels shows nobody")
    light = camera.any_light(rng)
    scale = float(np.clip(height * 1.55, 150, 620)) * float(rng.uniform(0.95, 1.05))
    drawn = figure.draw(person, rng, scale=scale, light=light.side)
    window = _framing(drawn, rng)
    pixels = _background(drawn, window, light, rng, height, width)
    if rng.random() < 0.14:
        pixels = _passer(pixels, rng, behind=True)
    rgba = _cut(drawn.rgba, window, height, width, cv2.INTER_AREA)
    labels = _cut(drawn.labels, window, height, width, cv2.INTER_NEAREST)
    pixels = overlay.over(pixels, rgba)
    chance = rng.random()
    if chance < 0.15:
        pixels, hidden = obstacles.put(pixels, rng)
        labels[hidden > 127] = 0
    elif chance < 0.2:
        before = pixels
        pixels = _passer(pixels, rng, behind=False)
        labels[(before != pixels).any(axis=2)] = 0
    pixels, sharp = _shot(pixels, light, rng)
    left = figure.count(labels)
    area = (window[2] - window[0]) * (window[3] - window[1]) / (height * width)
    return Crop(pixels, visibility.fields(drawn, (left * area).astype(np.int64), sharp))


def _framing(drawn: Figure, rng: np.random.Generator) -> Window:
    """The detector's box around a figure: never quite tight, now and then cut."""
    left, top, right, bottom = drawn.box
    w, h = right - left, bottom - top
    a, b, c, d = rng.uniform(-0.02, 0.12, 4)
    frame = [left - a * w, top - b * h * 0.5, right + c * w, bottom + d * h * 0.5]
    chance = rng.random()
    if chance < 0.07:
        frame[3] = bottom - rng.uniform(0.08, 0.3) * h
    elif chance < 0.10:
        frame[0] = left + rng.uniform(0.05, 0.2) * w
    elif chance < 0.13:
        frame[2] = right - rng.uniform(0.05, 0.2) * w
    elif chance < 0.15:
        frame[1] = top + rng.uniform(0.02, 0.07) * h
    elif chance < 0.23:  # a loose box
        more = rng.uniform(0.1, 0.25, 2)
        frame = [
            frame[0] - more[0] * w,
            frame[1] - 0.4 * more[1] * h,
            frame[2] + more[0] * w,
            frame[3] + 0.4 * more[1] * h,
        ]
    # Very narrow boxes are widened, as detectors do not give them.
    lack = 0.27 * (frame[3] - frame[1]) - (frame[2] - frame[0])
    if lack > 0:
        frame[0] -= lack / 2
        frame[2] += lack / 2
    return frame[0], frame[1], frame[2], frame[3]


def _cut(image: Bytes, window: Window, height: int, width: int, how: int) -> Bytes:
    """A window of a picture that is empty outside, scaled to height x width."""
    left, top, right, bottom = (round(v) for v in window)
    h, w = image.shape[:2]
    pad = max(0, -top), max(0, bottom - h), max(0, -left), max(0, right - w)
    part = image[max(0, top) : min(h, bottom), max(0, left) : min(w, right)]
    if any(pad):
        part = cv2.copyMakeBorder(part, *pad, cv2.BORDER_CONSTANT, value=(0, 0, 0, 0))
    return cv2.resize(part, (width, height), interpolation=how)


def _background(
    drawn: Figure,
    window: Window,
    light: camera.Light,
    rng: np.random.Generator,
    height: int,
    width: int,
) -> Bytes:
    """The stretch of a street behind the figure, with the figure's shadow on the ground."""
    view = street.pooled(int(rng.integers(street.POOL)))
    foot_y = float(rng.uniform(view.far, view.near))
    foot_x = float(rng.uniform(0.12, 0.88)) * view.pixels.shape[1]
    ratio = view.tall(foot_y) / drawn.scale
    left, top, right, bottom = window
    x0 = foot_x + (left - drawn.foot[0]) * ratio
    y0 = foot_y + (top - drawn.foot[1]) * ratio
    sx, sy = (right - left) * ratio / width, (bottom - top) * ratio / height
    matrix = np.array([[sx, 0, x0], [0, sy, y0]])
    pixels = cv2.warpAffine(
        view.pixels,
        matrix,
        (width, height),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    if light.night > 0.1:
        glow = cv2.warpAffine(
            view.glow, matrix, (width, height), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        )
        pixels = cv2.addWeighted(pixels, 1 - 0.3 * light.night, glow, light.night, 0)
    fx = (drawn.foot[0] - left) / (right - left) * width
    fy = (drawn.foot[1] - top) / (bottom - top) * height
    unit = (drawn.scale / (right - left) * width, drawn.scale / (bottom - top) * height)
    return overlay.shadow(pixels, fx, fy, unit, light)


@cache
def _bystander(index: int) -> Figure:
    rng = np.random.default_rng([77, index])
    return figure.draw(draw_person(rng), rng, scale=260, light=0.4 if index % 2 else -0.4)


def _passer(pixels: Bytes, rng: np.random.Generator, *, behind: bool) -> Bytes:
    """Another pedestrian who comes into the picture from a side."""
    height, width = pixels.shape[:2]
    other = _bystander(int(rng.integers(_BYSTANDERS)))
    tall = height * float(rng.uniform(0.5, 0.95) if behind else rng.uniform(0.95, 1.2))
    left, top, right, bottom = other.box
    h = max(8, int(tall * (bottom - top) / other.scale))
    w = max(4, int(tall * (right - left) / other.scale))
    sprite = cv2.resize(other.rgba[top:bottom, left:right], (w, h), interpolation=cv2.INTER_AREA)
    seen = float(rng.uniform(0.3, 0.6) if behind else rng.uniform(0.2, 0.35))
    x = int(-w * (1 - seen)) if rng.random() < 0.5 else int(width - w * seen)
    foot = height * float(rng.uniform(0.82, 0.93) if behind else rng.uniform(1.0, 1.15))
    return overlay.stamp(pixels, sprite, x, int(foot) - h)


def _shot(pixels: Bytes, light: camera.Light, rng: np.random.Generator) -> tuple[Bytes, float]:
    """What the camera makes of it, and the share of the resolution that it keeps."""
    exposure = float(rng.uniform(0.86, 1.12))
    balance = 1 + rng.uniform(-0.045, 0.045, 3)
    haze = max(0.0, float(rng.uniform(-0.12, 0.12)))
    pixels = cv2.LUT(pixels, light.table(exposure * balance, haze))
    pixels = camera.faded(pixels, float(rng.uniform(0.74, 1.06)))
    scale = pixels.shape[0] / 160
    if light.rain:
        pixels = camera.rain(pixels, rng, 2.2 / scale)
    sharp = 1.0
    chance = rng.random()
    if chance < 0.2:
        sharp = float(rng.uniform(0.42, 0.9))
        pixels = camera.coarse(pixels, sharp)
    elif chance < 0.55:
        motion = float(rng.uniform(0, 3.2)) * scale if rng.random() < 0.25 else 0.0
        pixels = camera.blurred(pixels, float(rng.uniform(0.2, 1.0)) * scale, motion)
    pixels = camera.sensor(pixels, rng, float(rng.uniform(0.8, 5.0 + 4 * light.night)))
    if rng.random() < 0.3:
        pixels = camera.compressed(pixels, int(rng.integers(45, 92)))
    return pixels, sharp
