"""A brush for streets: anti-aliased shapes and the perspective of the ground."""

from collections.abc import Sequence

import cv2
import numpy as np

from gallery.synthetic.canvas import Bytes, Floats
from gallery.synthetic.palette import Rgb, darker, lighter

_SHIFT = 4
Points = Floats | Sequence[tuple[float, float]]


class Brush:
    """Paints the day picture `pixels` and what shines at night, `glow`: uint8 [H, W, 3] each.

    k: pixels of this picture for one of a picture 540 high.
    """

    def __init__(self, height: int, width: int, rng: np.random.Generator) -> None:
        self.pixels: Bytes = np.zeros((height, width, 3), dtype=np.uint8)
        self.glow: Bytes = np.zeros((height, width, 3), dtype=np.uint8)
        self.height, self.width, self.rng = height, width, rng
        self.k = height / 540
        self.horizon = height * float(rng.uniform(0.2, 0.32))
        self.eye = float(rng.uniform(1.5, 2.1))
        self.focal = width * float(rng.uniform(0.8, 1.1))
        self.vanish = width * float(rng.uniform(0.3, 0.7))

    def ground(self, x: float, depth: float, up: float = 0.0) -> tuple[float, float]:
        """The pixel of a point over the ground; x, depth and up in body heights."""
        return (
            self.vanish + self.focal * x / depth,
            self.horizon + self.focal * (self.eye - up) / depth,
        )

    def depth(self, y: float) -> float:
        """How far away the ground at this row is, in body heights."""
        return self.focal * self.eye / max(1.0, y - self.horizon)

    def uniform(self, low: float, high: float) -> float:
        return float(self.rng.uniform(low, high))

    def one_of(self, colours: Sequence[Rgb]) -> Rgb:
        return colours[int(self.rng.integers(len(colours)))]

    def tone(self, low: float, high: float, warm: float = 0.0) -> Rgb:
        """A nearly neutral colour."""
        v, w = self.uniform(low, high), self.uniform(-6, 6) + warm
        return v + w, v + w * 0.3, v - w

    def fill(self, points: Points, colour: Rgb, image: Bytes | None = None) -> None:
        ints = np.round(np.asarray(points, dtype=np.float64) * (1 << _SHIFT)).astype(np.int32)
        target = self.pixels if image is None else image
        cv2.fillPoly(target, [ints], colour, cv2.LINE_AA, _SHIFT)

    def rect(
        self, x: float, y: float, w: float, h: float, colour: Rgb, image: Bytes | None = None
    ) -> None:
        self.fill([(x, y), (x + w, y), (x + w, y + h), (x, y + h)], colour, image)

    def disc(
        self, x: float, y: float, rx: float, ry: float, colour: Rgb, image: Bytes | None = None
    ) -> None:
        t = np.linspace(0, 2 * np.pi, 25)
        self.fill(np.stack([x + rx * np.cos(t), y + ry * np.sin(t)], axis=1), colour, image)

    def stroke(self, points: Points, colour: Rgb, width: float) -> None:
        ints = np.round(np.asarray(points, dtype=np.float64) * (1 << _SHIFT)).astype(np.int32)
        thick = max(1, round(width))
        cv2.polylines(self.pixels, [ints], False, colour, thick, cv2.LINE_AA, _SHIFT)

    def fade(self, y0: float, y1: float, top: Rgb, bottom: Rgb) -> None:
        """A vertical gradient over the whole width."""
        a, b = max(0, int(y0)), min(self.height, int(y1))
        if b <= a:
            return
        t = np.linspace(0, 1, b - a)[:, None]
        column = np.asarray(top) * (1 - t) + np.asarray(bottom) * t
        self.pixels[a:b] = column[:, None, :]

    def grain(self, y0: float, amount: float, scale: int = 1) -> None:
        """Roughness of the ground below y0; scale: pixels of one speck."""
        part = self.pixels[int(y0) :]
        h, w = part.shape[0] // scale + 1, part.shape[1] // scale + 1
        noise: Floats = self.rng.normal(0, amount, (h, w)).astype(np.float32)
        noise = cv2.resize(noise, (part.shape[1], part.shape[0]))
        part[...] = np.clip(part + noise[..., None], 0, 255)

    def dim(self, shape: Points, share: float, soft: float) -> None:
        """A soft shadow: darken inside a shape by a share, blurred over `soft` pixels."""
        points = np.asarray(shape, dtype=np.float64)
        margin = 3 * max(0.6, soft)
        low, high = points.min(axis=0) - margin, points.max(axis=0) + margin
        x0, y0 = max(0, int(low[0])), max(0, int(low[1]))
        part = self.pixels[y0 : max(0, int(high[1])), x0 : max(0, int(high[0]))]
        if part.size == 0:
            return
        mask: Bytes = np.zeros(part.shape[:2], dtype=np.uint8)
        self.fill(points - (x0, y0), (255, 255, 255), mask)
        mask = cv2.GaussianBlur(mask, (0, 0), max(0.6, soft))
        keep = cv2.convertScaleAbs(mask, alpha=-share, beta=255)
        part[...] = cv2.multiply(part, cv2.cvtColor(keep, cv2.COLOR_GRAY2RGB), scale=1 / 255)

    def shine(self, x: float, y: float, radius: float, colour: Rgb) -> None:
        """A lamp's halo at night."""
        size = int(2 * radius) + 2
        x0, y0 = max(0, int(x - radius)), max(0, int(y - radius))
        part = self.glow[y0 : max(0, int(y - radius) + size), x0 : max(0, int(x - radius) + size)]
        if part.size == 0:
            return
        near = np.hypot(
            np.arange(part.shape[1])[None, :] + x0 - x, np.arange(part.shape[0])[:, None] + y0 - y
        ) / max(1.0, radius)
        share = np.clip(1 - near, 0, 1) ** 2.2 * 0.55 + (near < 0.12) * 0.4
        halo = share[..., None] * np.asarray(colour)
        part[...] = np.minimum(part + halo, 255).astype(np.uint8)

    def paving(self, base: float, colour: Rgb, tile: float) -> None:
        """Slabs in perspective from the line y = base down; tile: body heights."""
        self.fade(base, self.height, darker(colour, 0.1), lighter(colour, 0.07))
        far, near = self.depth(base), self.depth(self.height) * 0.95
        reach = self.width / self.focal * far
        count = int(reach / tile) + 1
        depth, row = near, 0
        while depth < far:  # some slabs are lighter or darker than their neighbours
            for _ in range(5):
                i = int(self.rng.integers(-count, count + 1))
                a, b = depth, min(far, depth + tile)
                slab = [
                    self.ground(i * tile, a),
                    self.ground((i + 1) * tile, a),
                    self.ground((i + 1) * tile, b),
                    self.ground(i * tile, b),
                ]
                y = min(slab[0][1], self.height - 1.0)
                own = self.pixels[int(max(base, y - 1)), 0].astype(float)
                shade = 1 + self.uniform(-0.045, 0.045)
                self.fill(slab, (own[0] * shade, own[1] * shade, own[2] * shade))
            depth, row = depth + tile, row + 1
        dark = darker(colour, 0.17)
        for i in range(-count, count + 1):
            self.stroke([self.ground(i * tile, far), self.ground(i * tile, near * 0.9)], dark, 1)
        depth = near
        while depth < far:
            y = self.ground(0, depth)[1]
            self.stroke([(0, y), (self.width, y)], dark, 1)
            depth += tile
        self.grain(base, 4)
        self.grain(base, 3.5, 28)
