"""Things that stand between the camera and a person."""

import cv2
import numpy as np

from gallery.synthetic.canvas import Bytes
from gallery.synthetic.palette import Rgb, darker, lighter, mix

_CARS: tuple[Rgb, ...] = ((186, 188, 192), (50, 52, 58), (112, 40, 40), (52, 70, 104))


def put(pixels: Bytes, rng: np.random.Generator) -> tuple[Bytes, Bytes]:
    """Lay one obstacle over a crop.

    Returns: the picture, and a mask uint8 [H, W] of what is hidden.
    """
    height, width = pixels.shape[:2]
    layer = np.zeros((height * 2, width * 2, 4), dtype=np.uint8)
    kind = int(rng.integers(4))
    (_car, _pole, _bush, _bench)[kind](layer, rng)
    layer = cv2.resize(layer, (width, height), interpolation=cv2.INTER_AREA)
    rest = cv2.cvtColor(cv2.bitwise_not(layer[..., 3]), cv2.COLOR_GRAY2RGB)
    pixels = cv2.add(cv2.multiply(pixels, rest, scale=1 / 255), layer[..., :3])
    return pixels, layer[..., 3]


def _fill(layer: Bytes, points: list[tuple[float, float]], colour: Rgb) -> None:
    ints = np.round(np.array(points) * 16).astype(np.int32)
    cv2.fillPoly(layer, [ints], (*colour, 255), cv2.LINE_AA, 4)


def _car(layer: Bytes, rng: np.random.Generator) -> None:
    """The bonnet or boot of a parked car, over the legs."""
    h, w = layer.shape[:2]
    colour = _CARS[int(rng.integers(len(_CARS)))]
    top = h * float(rng.uniform(0.68, 0.86))
    tilt = float(rng.uniform(-0.06, 0.06)) * h
    _fill(
        layer,
        [(-4, top), (w * 0.5, top - 0.01 * h), (w + 4, top + tilt), (w + 4, h + 4), (-4, h + 4)],
        colour,
    )
    _fill(
        layer,
        [
            (-4, top),
            (w * 0.5, top - 0.01 * h),
            (w + 4, top + tilt),
            (w + 4, top + tilt + 0.02 * h),
            (-4, top + 0.02 * h),
        ],
        lighter(colour, 0.4),
    )
    low = top + 0.12 * h
    _fill(
        layer,
        [(-4, low), (w + 4, low + tilt), (w + 4, low + tilt + 6), (-4, low + 6)],
        darker(colour, 0.5),
    )


def _pole(layer: Bytes, rng: np.random.Generator) -> None:
    h, w = layer.shape[:2]
    x, r = w * float(rng.uniform(0.1, 0.9)), w * float(rng.uniform(0.04, 0.09))
    colour: Rgb = (84, 88, 90) if rng.random() < 0.6 else (120, 116, 104)
    steps = 8
    for i in range(steps):
        shade = mix(lighter(colour, 0.3), darker(colour, 0.5), i / steps)
        a, b = x - r + 2 * r * i / steps, x - r + 2 * r * (i + 1) / steps
        _fill(layer, [(a, -2), (b + 1, -2), (b + 1, h + 2), (a, h + 2)], shade)


def _bush(layer: Bytes, rng: np.random.Generator) -> None:
    h, w = layer.shape[:2]
    top = h * float(rng.uniform(0.74, 0.88))
    left, right = (0.0, 1.0) if rng.random() < 0.5 else sorted(rng.uniform(-0.3, 1.3, 2))
    for i in range(60):
        t = i / 60
        x = w * (left + (right - left) * float(rng.random()))
        y = top + (h - top) * float(rng.random()) * 1.1
        leaf = mix((44, 70, 36), (104, 134, 70), t * float(rng.random()))
        r = w * float(rng.uniform(0.05, 0.1))
        cv2.circle(layer, (int(x * 16), int(y * 16)), int(r * 16), (*leaf, 255), -1, cv2.LINE_AA, 4)


def _bench(layer: Bytes, rng: np.random.Generator) -> None:
    h, w = layer.shape[:2]
    top = h * float(rng.uniform(0.7, 0.8))
    wood = mix((120, 84, 52), (92, 76, 64), float(rng.random()))
    for x in (0.12, 0.88):
        _fill(
            layer,
            [(w * x - 5, top), (w * x + 5, top), (w * x + 5, h + 2), (w * x - 5, h + 2)],
            (52, 54, 56),
        )
    for k in (0.0, 0.045, 0.09, 0.16):
        y = top + k * h
        _fill(layer, [(-4, y), (w + 4, y), (w + 4, y + 0.03 * h), (-4, y + 0.03 * h)], wood)
        _fill(
            layer,
            [(-4, y), (w + 4, y), (w + 4, y + 0.006 * h), (-4, y + 0.006 * h)],
            lighter(wood, 0.3),
        )
