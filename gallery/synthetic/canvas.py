"""A canvas of shaded parts: each part is an anti-aliased mask, a relief and a paint.

The picture is RGBA with premultiplied alpha, so a part laid over nothing keeps a clean edge
when the canvas is scaled down and put over a street. A map of labels beside it tells which part
each pixel belongs to, which is how a crop knows what can be seen in it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from gallery.synthetic.palette import Rgb

# Floating point and uint8. The element types are not written out, as cv2's own annotations
# promise no more than "some number" and every call of it would need a cast.
Floats = NDArray[Any]
Bytes = NDArray[Any]
Polygon = Floats  # (N, 2) x, y in pixels

_SHIFT = 4  # cv2 takes coordinates in sixteenths of a pixel
_TEXTURE = 640
_LEVELS = np.arange(256, dtype=np.float32) / 128


@cache
def texture(kind: str) -> Floats:
    """A relief of cloth around 1: (640, 640) float32.

    kind: folds, knit, denim, quilt, hair or skin.
    """
    rng = np.random.default_rng(sum(map(ord, kind)))
    n = _TEXTURE

    def smooth(height: int, width: int) -> Floats:
        field = rng.normal(size=(height, width)).astype(np.float32)
        return cv2.resize(field, (n, n), interpolation=cv2.INTER_CUBIC)

    y, x = np.mgrid[0:n, 0:n].astype(np.float32)
    grain = rng.normal(size=(n, n)).astype(np.float32)
    if kind == "folds":
        lines = np.sin(smooth(12, 20) * 2.6 + x / 21 + y / 17)
        field = 0.05 * smooth(30, 44) + 0.05 * smooth(14, 14) + 0.045 * lines
    elif kind == "knit":
        field = 0.04 * smooth(20, 24) + 0.06 * np.sin(y * 1.05) * np.sin(x * 0.8) + 0.02 * grain
    elif kind == "denim":
        field = 0.06 * smooth(26, 60) + 0.05 * np.sin((x + y) * 0.9) + 0.045 * grain
    elif kind == "quilt":
        field = 0.15 * (1 - 2 * np.abs(np.sin(y * np.pi / 26)) ** 0.4) * -1 + 0.03 * smooth(30, 40)
    elif kind == "hair":
        field = 0.12 * smooth(14, 150) + 0.06 * smooth(10, 60)
    else:
        field = 0.02 * smooth(30, 40)
    return np.ascontiguousarray(1 + field, dtype=np.float32)


def ramp(colours: Sequence[Rgb], gloss: float = 0.35) -> NDArray[np.uint32]:
    """Packed RGBA of each colour under 256 levels of light; level 128 is the colour itself.

    Returns: (len(colours) * 256,) uint32.
    """
    factor, white = _gloss(gloss)
    lit = np.asarray(colours, dtype=np.float32)[:, None, :] * factor
    lit += white
    packed = np.empty((len(colours), 256, 4), dtype=np.uint8)
    packed[..., 3] = 255
    np.minimum(lit, 255, out=packed[..., :3], casting="unsafe")
    return packed.view(np.uint32).reshape(-1)


@cache
def _gloss(gloss: float) -> tuple[Floats, Floats]:
    level = _LEVELS[:, None]
    # Shadows turn a little blue; light above the colour's own turns it towards white.
    dark = np.minimum(level, 1) ** np.array([1.08, 1.0, 0.92], dtype=np.float32)
    over = np.maximum(level - 1, 0)
    return dark + over * np.float32(0.5 - gloss), over * np.float32(255 * gloss)


@cache
def _slope(size: int) -> tuple[Floats, Floats]:
    half = size // 2
    ramp_ = np.linspace(-1, 1, 2 * half + 1).astype(np.float32)
    return ramp_ / (255 * np.abs(ramp_[: half + 1]).sum()), np.full(3, 1 / 3, dtype=np.float32)


def ellipse(x: float, y: float, rx: float, ry: float, n: int = 20) -> Polygon:
    points: Polygon = _turns(n) * np.array((rx, ry)) + np.array((x, y))
    return points


@cache
def _turns(n: int) -> Floats:
    angle = np.arange(n) * (2 * np.pi / n)
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)


def hull(points: Polygon) -> Polygon:
    """The convex outline of some points."""
    return cv2.convexHull(points.astype(np.float32))[:, 0, :]


def tube(
    points: Polygon, radii: Sequence[float] | Floats, caps: tuple[bool, bool] = (True, True)
) -> list[Polygon]:
    """Convex pieces that together make a rounded, tapered limb along `points`."""
    r = np.asarray(radii, dtype=np.float64)
    along = points[1:] - points[:-1]
    normal = along[:, ::-1] * (-1.0, 1.0)
    normal /= np.maximum(np.hypot(along[:, 0], along[:, 1]), 1e-6)[:, None]
    start, end = normal * r[:-1, None], normal * r[1:, None]
    quads = np.empty((len(along), 4, 2))
    quads[:, 0], quads[:, 1] = points[:-1] + start, points[1:] + end
    quads[:, 2], quads[:, 3] = points[1:] - end, points[:-1] - start
    first, last = (0 if caps[0] else 1), (len(r) if caps[1] else len(r) - 1)
    joints = _turns(14) * r[first:last, None, None] + points[first:last, None]
    return [*quads, *joints]


@dataclass(frozen=True)
class Pattern:
    """Which of a paint's colours a point of the cloth takes.

    kind: plain, striped, upright, checked or dotted. period: pixels of one repeat.
    """

    kind: str
    period: float = 1.0
    duty: float = 0.4

    def at(self, u: Floats, v: Floats) -> Bytes:
        """Colour indices for cloth coordinates in pixels (u across, v down)."""
        p = self.period
        if self.kind == "striped":
            return ((v % p) < p * self.duty).astype(np.uint8)
        if self.kind == "upright":
            return ((u % p) < p * self.duty).astype(np.uint8)
        if self.kind == "checked":
            return ((v % p) < p * 0.33).astype(np.uint8) + ((u % p) < p * 0.33).astype(np.uint8)
        row = np.floor(v / p)
        du = (u + (row % 2) * (p / 2)) % p - p / 2
        dv = v - row * p - p / 2
        return (du * du + dv * dv < (p * self.duty) ** 2).astype(np.uint8)


PLAIN = Pattern("plain")


@dataclass(frozen=True)
class Paint:
    """Cloth or skin: its colours (the first is the base), pattern and surface."""

    table: NDArray[np.uint32]
    pattern: Pattern = PLAIN
    surface: str = "folds"
    phase: tuple[float, float] = (0.0, 0.0)

    @classmethod
    def plain(cls, colour: Rgb, surface: str = "folds", gloss: float = 0.35) -> "Paint":
        return cls(ramp([colour], gloss), PLAIN, surface)


class Canvas:
    """Parts laid one over another.

    rgba: uint8 [H, W, 4], premultiplied. labels: uint8 [H, W], 0 where nothing was laid.
    """

    def __init__(self, height: int, width: int, light: float, rng: np.random.Generator) -> None:
        self.rgba: Bytes = np.zeros((height, width, 4), dtype=np.uint8)
        self.labels: Bytes = np.zeros((height, width), dtype=np.uint8)
        self.light = light  # -1: from the left, 1: from the right, smaller: softer
        self._rng = rng

    def lay(
        self,
        pieces: Sequence[Polygon],
        paint: Paint,
        label: int,
        *,
        bulge: float,
        level: float = 1.0,
        axis: tuple[Floats, Floats] | None = None,
        clip: Bytes | None = None,
        wrap: tuple[float, float] | None = None,
    ) -> None:
        """Lay the union of convex or simple polygons.

        bulge: pixels over which the part rounds off towards its edge.
        axis: (start, end) in pixels, the direction that the cloth's threads run down.
        clip: a full-size mask outside which nothing is laid.
        wrap: (centre x, half width) of a trunk that the pattern goes around.
        """
        found = self._mask(pieces)
        if found is None:
            return
        mask, x0, y0 = found
        if clip is not None:
            mask = cv2.min(mask, clip[y0 : y0 + mask.shape[0], x0 : x0 + mask.shape[1]])
        shade = self._shade(mask, paint.surface, bulge, level)
        if paint.pattern.kind == "plain":
            colours = paint.table[shade]
        else:
            index = self._threads(paint, mask.shape, x0, y0, axis, wrap)
            colours = paint.table[index.astype(np.uint16) * 256 + shade]
        self._blend(mask, colours.view(np.uint8).reshape(*mask.shape, 4), x0, y0)
        where = self.labels[y0 : y0 + mask.shape[0], x0 : x0 + mask.shape[1]]
        np.copyto(where, np.uint8(label), where=mask > 127)

    def mask(self, pieces: Sequence[Polygon]) -> Bytes:
        """The full-size mask of some polygons, for clipping."""
        full = np.zeros(self.labels.shape, dtype=np.uint8)
        found = self._mask(pieces)
        if found is not None:
            part, x0, y0 = found
            full[y0 : y0 + part.shape[0], x0 : x0 + part.shape[1]] = part
        return full

    def line(
        self, points: Polygon, colour: Rgb, width: float, label: int = 0, share: float = 1.0
    ) -> None:
        """A thin stroke. share: how much of the colour covers what is below."""
        if width < 1.0:
            share, width = share * max(width, 0.35), 1.0
        if share > 0.97:
            self._stroke(self.rgba, points, (*colour, 255), width)
        else:
            margin = width + 2
            low, high = points.min(axis=0).tolist(), points.max(axis=0).tolist()
            x0, y0 = max(0, int(low[0] - margin)), max(0, int(low[1] - margin))
            x1, y1 = max(0, int(high[0] + margin)), max(0, int(high[1] + margin))
            below = self.rgba[y0:y1, x0:x1]
            if below.size == 0:
                return
            over = below.copy()
            self._stroke(over, points - (x0, y0), (*colour, 255), width)
            cv2.addWeighted(over, share, below, 1 - share, 0, dst=below)
        if label:
            self._stroke(self.labels, points, (label,), width, cv2.LINE_8)

    def spot(self, polygon: Polygon, colour: Rgb, label: int = 0) -> None:
        """A small flat shape."""
        ints = np.round(polygon * (1 << _SHIFT)).astype(np.int32)
        cv2.fillConvexPoly(self.rgba, ints, (*colour, 255), cv2.LINE_AA, _SHIFT)
        if label:
            cv2.fillConvexPoly(self.labels, ints, (label,), cv2.LINE_8, _SHIFT)

    @staticmethod
    def _stroke(
        image: Bytes,
        points: Polygon,
        colour: tuple[float, ...],
        width: float,
        kind: int = cv2.LINE_AA,
    ) -> None:
        ints = np.round(points * (1 << _SHIFT)).astype(np.int32)
        cv2.polylines(image, [ints], False, colour, max(1, round(width)), kind, _SHIFT)

    def _mask(self, pieces: Sequence[Polygon]) -> tuple[Bytes, int, int] | None:
        every = np.concatenate(pieces)
        height, width = self.labels.shape
        low, high = every.min(axis=0).tolist(), every.max(axis=0).tolist()
        x0, y0 = max(0, int(low[0]) - 1), max(0, int(low[1]) - 1)
        x1, y1 = min(width, int(high[0]) + 3), min(height, int(high[1]) + 3)
        if x0 >= x1 or y0 >= y1:
            return None
        mask = np.zeros((y1 - y0, x1 - x0), dtype=np.uint8)
        ints = np.round((every - (x0, y0)) * (1 << _SHIFT)).astype(np.int32)
        at = 0
        for piece in pieces:
            part = ints[at : at + len(piece)]
            at += len(piece)
            if len(piece) <= 4:
                cv2.fillConvexPoly(mask, part, (255,), cv2.LINE_AA, _SHIFT)
            else:
                cv2.fillPoly(mask, [part], (255,), cv2.LINE_AA, _SHIFT)
        return mask, x0, y0

    def _shade(self, mask: Bytes, surface: str, bulge: float, level: float) -> Bytes:
        across, down = _slope(max(3, int(bulge) | 1))
        side = cv2.sepFilter2D(mask, cv2.CV_32F, across, down, borderType=cv2.BORDER_CONSTANT)
        size = max(3, int(bulge * 0.8) | 1)
        edge = cv2.blur(mask, (size, size), borderType=cv2.BORDER_CONSTANT)
        shade = cv2.addWeighted(
            side, -41.0 * self.light * level, edge, 0.27 * level, 70 * level, dtype=cv2.CV_32F
        )
        height, width = mask.shape
        a = int(self._rng.random() * (_TEXTURE - height))
        b = int(self._rng.random() * (_TEXTURE - width))
        relief = texture(surface)[a : a + height, b : b + width]
        return cv2.multiply(shade, relief, dtype=cv2.CV_8U)

    @staticmethod
    def _threads(
        paint: Paint,
        shape: tuple[int, ...],
        x0: int,
        y0: int,
        axis: tuple[Floats, Floats] | None,
        wrap: tuple[float, float] | None,
    ) -> Bytes:
        x = np.arange(x0, x0 + shape[1], dtype=np.float32)[None, :]
        y = np.arange(y0, y0 + shape[0], dtype=np.float32)[:, None]
        if axis is not None:
            start, end = axis
            d = (end - start) / max(1e-6, float(np.hypot(*(end - start))))
            u = (x - start[0]) * -d[1] + (y - start[1]) * d[0]
            v = (x - start[0]) * d[0] + (y - start[1]) * d[1]
        else:
            if wrap is not None:
                ratio = np.clip((x - wrap[0]) / max(wrap[1], 1.0), -0.98, 0.98)
                x = np.arcsin(ratio) * wrap[1] * 0.9
                # Stripes sag a little in the middle, as they do around a body.
                v = y - 0.06 * wrap[1] * (1 - ratio * ratio)
            else:
                v = y
            u, v = np.broadcast_arrays(x, v + 0 * x)
        return paint.pattern.at(u + np.float32(paint.phase[0]), v + np.float32(paint.phase[1]))

    def _blend(self, mask: Bytes, colours: Bytes, x0: int, y0: int) -> None:
        below = self.rgba[y0 : y0 + mask.shape[0], x0 : x0 + mask.shape[1]]
        over = mask.astype(np.float32) * np.float32(1 / 255)
        below[...] = cv2.blendLinear(colours, np.ascontiguousarray(below), over, 1 - over)
