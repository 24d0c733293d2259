"""Streets: painted once, seen by many people. A street is a picture and the plane people walk on."""

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

from gallery.synthetic.canvas import Bytes, Floats
from gallery.synthetic.palette import Rgb, darker, lighter, mix

KINDS = ("shops", "park", "hall", "crossing")
_SHIFT = 4


@dataclass(frozen=True)
class Street:
    """One view, by day.

    pixels: uint8 [H, W, 3]. glow: uint8 [H, W, 3], light added after dark. horizon: y of the eye
    level. eye: the camera's height in body heights, so a person whose feet are at y is
    (y - horizon) / eye pixels tall. near and far: y of the feet of the nearest and the
    farthest walker.
    """

    kind: str
    pixels: Bytes
    glow: Bytes
    horizon: float
    eye: float
    near: float
    far: float

    def tall(self, foot_y: float) -> float:
        """Pixels from sole to crown of a person whose feet are at this y."""
        return (foot_y - self.horizon) / self.eye


class Brush:
    """Anti-aliased shapes on a street, and the perspective of its ground."""

    def __init__(self, height: int, width: int, rng: np.random.Generator) -> None:
        self.pixels: Bytes = np.zeros((height, width, 3), dtype=np.uint8)
        self.glow: Bytes = np.zeros((height, width, 3), dtype=np.uint8)
        self.height, self.width, self.rng = height, width, rng
        self.k = height / 540
        self.horizon = height * float(rng.uniform(0.2, 0.32))
        self.eye = float(rng.uniform(1.5, 2.1))
        self.focal = width * float(rng.uniform(0.8, 1.1))
        self.vanish = width * float(rng.uniform(0.3, 0.7))

    def ground(self, x: float, depth: float) -> tuple[float, float]:
        """The pixel of a point on the ground, x and depth in body heights."""
        return (
            self.vanish + self.focal * x / depth,
            self.horizon + self.focal * self.eye / depth,
        )

    def depth(self, y: float) -> float:
        return self.focal * self.eye / max(1.0, y - self.horizon)

    def fill(self, points: Floats | list[tuple[float, float]], colour: Rgb,
             image: Bytes | None = None) -> None:
        ints = np.round(np.asarray(points, dtype=np.float64) * (1 << _SHIFT)).astype(np.int32)
        cv2.fillPoly(self.pixels if image is None else image, [ints], colour, cv2.LINE_AA, _SHIFT)

    def rect(self, x: float, y: float, w: float, h: float, colour: Rgb,
             image: Bytes | None = None) -> None:
        self.fill([(x, y), (x + w, y), (x + w, y + h), (x, y + h)], colour, image)

    def disc(self, x: float, y: float, rx: float, ry: float, colour: Rgb,
             image: Bytes | None = None) -> None:
        t = np.linspace(0, 2 * np.pi, 25)
        self.fill(np.stack([x + rx * np.cos(t), y + ry * np.sin(t)], axis=1), colour, image)

    def stroke(self, points: list[tuple[float, float]], colour: Rgb, width: float) -> None:
        ints = np.round(np.asarray(points) * (1 << _SHIFT)).astype(np.int32)
        cv2.polylines(self.pixels, [ints], False, colour, max(1, round(width)), cv2.LINE_AA, _SHIFT)

    def fade(self, y0: float, y1: float, top: Rgb, bottom: Rgb) -> None:
        """A vertical gradient over the whole width."""
        a, b = max(0, int(y0)), min(self.height, int(y1))
        if b <= a:
            return
        t = np.linspace(0, 1, b - a)[:, None]
        column = np.asarray(top) * (1 - t) + np.asarray(bottom) * t
        self.pixels[a:b] = column[:, None, :]

    def grain(self, y0: float, amount: float, scale: int = 1) -> None:
        """Roughness of the ground below y0."""
        part = self.pixels[int(y0):]
        h, w = part.shape[0] // scale + 1, part.shape[1] // scale + 1
        noise = self.rng.normal(0, amount, (h, w)).astype(np.float32)
        noise = cv2.resize(noise, (part.shape[1], part.shape[0]))
        part[...] = np.clip(part + noise[..., None], 0, 255)


def _tone(rng: np.random.Generator, low: int, high: int, warm: float = 0.0) -> Rgb:
    v = float(rng.uniform(low, high))
    w = float(rng.uniform(-6, 6)) + warm
    return v + w, v + w * 0.3, v - w


def _paving(b: Brush, base: float, colour: Rgb, tile: float) -> None:
    """Slabs in perspective from the line y = base down."""
    b.fade(base, b.height, darker(colour, 0.12), lighter(colour, 0.06))
    dark = darker(colour, 0.2)
    far, near = b.depth(base), b.depth(b.height)
    reach = b.width / b.focal * far
    for i in range(-int(reach / tile) - 1, int(reach / tile) + 2):
        b.stroke([b.ground(i * tile, far), b.ground(i * tile, near * 0.9)], dark, 1)
    depth = near * 0.95
    while depth < far:
        y = b.ground(0, depth)[1]
        b.stroke([(0, y), (b.width, y)], dark, 1)
        depth += tile
    b.grain(base, 5)
    b.grain(base, 5, 24)


def _windows(b: Brush, x: float, y: float, w: float, h: float, wall: Rgb, floors: int,
             bays: int) -> None:
    """A front of windows; some glow at night."""
    glass = mix((96, 112, 128), wall, 0.15)
    dw, dh = w / bays, h / floors
    for row in range(floors):
        for bay in range(bays):
            wx, wy = x + bay * dw + dw * 0.24, y + row * dh + dh * 0.2
            ww, wh = dw * 0.52, dh * 0.6
            b.rect(wx - 2 * b.k, wy - 2 * b.k, ww + 4 * b.k, wh + 4 * b.k, lighter(wall, 0.3))
            pane = mix(glass, (190, 206, 220), float(b.rng.random()) * 0.5)
            b.rect(wx, wy, ww, wh, pane)
            b.fill([(wx, wy), (wx + ww * 0.7, wy), (wx, wy + wh * 0.6)], lighter(pane, 0.18))
            b.stroke([(wx + ww / 2, wy), (wx + ww / 2, wy + wh)], darker(wall, 0.35), 1)
            b.rect(wx - 3 * b.k, wy + wh + 2 * b.k, ww + 6 * b.k, 3 * b.k, darker(wall, 0.25))
            if b.rng.random() < 0.45:
                b.rect(wx, wy, ww, wh, (120, 92, 46), b.glow)


def _shop(b: Brush, x: float, w: float, base: float, h: float) -> None:
    """A shop front with display, door, sign and awning."""
    rng, k = b.rng, b.k
    frame = _tone(rng, 40, 90)
    b.rect(x, base - h, w, h, frame)
    sign = [(120, 52, 46), (44, 74, 96), (52, 84, 62), (150, 126, 84), (66, 60, 72), (176, 170, 160)]
    colour = sign[int(rng.integers(len(sign)))]
    b.rect(x, base - h, w, h * 0.16, colour)
    for i in range(int(rng.integers(4, 9))):
        b.rect(x + w * 0.2 + i * 11 * k, base - h * 0.95, 7 * k, h * 0.07, (226, 222, 212))
    b.rect(x + w * 0.18, base - h * 0.96, w * 0.64, h * 0.1, (70, 62, 44), b.glow)
    glass_y, glass_h = base - h * 0.8, h * 0.72
    door = w * 0.26
    b.rect(x + 6 * k, glass_y, w - door - 16 * k, glass_h, (104, 112, 116))
    b.rect(x + 6 * k, glass_y, w - door - 16 * k, glass_h, (112, 92, 56), b.glow)
    for _ in range(int(rng.integers(4, 9))):  # goods
        gx = x + 10 * k + rng.random() * (w - door - 44 * k)
        gh = glass_h * rng.uniform(0.2, 0.6)
        tint = mix(_tone(rng, 90, 170), sign[int(rng.integers(len(sign)))], 0.5)
        b.rect(gx, glass_y + glass_h - gh, rng.uniform(12, 28) * k, gh, tint)
    b.fill([(x + 6 * k, glass_y), (x + w * 0.3, glass_y), (x + 6 * k, glass_y + glass_h * 0.7)],
           (134, 146, 152))
    b.rect(x + w - door, glass_y, door - 6 * k, glass_h + h * 0.08, darker(colour, 0.35))
    b.rect(x + w - door + 6 * k, glass_y + 6 * k, door - 18 * k, glass_h * 0.8, (92, 102, 108))
    if rng.random() < 0.6:
        stripes = 9
        for i in range(stripes):
            shade = colour if i % 2 else (214, 208, 196)
            xa, xb = x + w * i / stripes, x + w * (i + 1) / stripes
            b.fill([(xa, base - h * 0.84), (xb, base - h * 0.84), (xb, base - h * 0.66),
                    (xa, base - h * 0.66)], mix(shade, (90, 90, 90), 0.15))


def _front_row(b: Brush, base: float, *, shops: bool) -> None:
    """Houses side by side whose feet stand on the line y = base."""
    x = -float(b.rng.uniform(0, 120)) * b.k
    metre = (base - b.horizon) / b.eye / 1.7
    while x < b.width:
        w = float(b.rng.uniform(5.5, 9)) * metre
        walls = [(168, 120, 98), (190, 178, 158), (150, 146, 142), (136, 108, 92), (176, 166, 150),
                 (120, 124, 130), (200, 192, 178)]
        wall = walls[int(b.rng.integers(len(walls)))]
        b.rect(x, -4, w, base + 4, wall)
        b.rect(x, -4, 3 * b.k, base + 4, darker(wall, 0.3))
        ground = 3.6 * metre
        upper = base - ground
        floors = max(1, round(upper / (3.1 * metre)))
        _windows(b, x, upper - floors * 3.1 * metre, w, floors * 3.1 * metre, wall, floors,
                 max(2, round(w / (2.3 * metre))))
        if shops:
            _shop(b, x + 4 * b.k, w - 8 * b.k, base, ground * 0.92)
        else:
            _windows(b, x, upper, w, ground, wall, 1, max(2, round(w / (2.3 * metre))))
        x += w


def _sky(b: Brush, base: float) -> None:
    tops: list[Rgb] = [(120, 160, 208), (168, 186, 204), (186, 194, 200)]
    top = tops[int(b.rng.integers(3))]
    b.fade(0, base, top, lighter(top, 0.55))


def _tree(b: Brush, x: float, depth: float, size: float) -> None:
    gx, gy = b.ground(x, depth)
    unit = b.focal / depth * size
    bark = _tone(b.rng, 60, 90, 14)
    b.fill([(gx - unit * 0.07, gy), (gx - unit * 0.045, gy - unit * 1.4),
            (gx + unit * 0.045, gy - unit * 1.4), (gx + unit * 0.08, gy)], bark)
    base = (float(b.rng.uniform(58, 92)), float(b.rng.uniform(96, 128)), float(b.rng.uniform(48, 70)))
    for i in range(26):
        t = i / 26
        a, r = b.rng.random() * 6.28, b.rng.random() ** 0.5
        leaf = lighter(darker(base, 0.4 * (1 - t)), 0.14 * t)
        b.disc(gx + unit * 0.62 * r * np.cos(a), gy - unit * (1.95 + 0.55 * r * np.sin(a) + 0.1 * t),
               unit * 0.3 * (1 - 0.4 * t), unit * 0.26 * (1 - 0.4 * t), leaf)


def _lamp(b: Brush, x: float, depth: float) -> None:
    gx, gy = b.ground(x, depth)
    unit = b.focal / depth
    b.fill([(gx - unit * 0.03, gy), (gx - unit * 0.018, gy - unit * 2.3),
            (gx + unit * 0.018, gy - unit * 2.3), (gx + unit * 0.03, gy)], (62, 66, 70))
    b.disc(gx, gy - unit * 2.36, unit * 0.11, unit * 0.13, (226, 224, 206))
    for r, v in ((0.9, 14), (0.55, 26), (0.3, 60), (0.14, 160)):
        b.disc(gx, gy - unit * 2.36, unit * r, unit * r, (v, v * 0.86, v * 0.6), b.glow)


def car(b: Brush, x: float, depth: float, colour: Rgb, *, flip: bool) -> None:
    """A car seen from its side; x is its middle on the ground."""
    gx, gy = b.ground(x, depth)
    u = b.focal / depth * 0.62 * (-1 if flip else 1)
    v = abs(u)

    def at(points: list[tuple[float, float]]) -> Floats:
        return np.array([(gx + px * u, gy - py * v) for px, py in points])

    b.fill(at([(-2.15, 0.0), (2.15, 0.0), (2.0, -0.1), (-2.0, -0.1)]), (44, 44, 46))
    body = [(-2.1, 0.28), (-2.12, 0.72), (-1.9, 0.88), (-1.2, 0.95), (-0.72, 1.36), (0.75, 1.38),
            (1.35, 0.98), (1.95, 0.86), (2.12, 0.62), (2.1, 0.28)]
    b.fill(at(body), colour)
    b.fill(at([(-2.1, 0.28), (-2.12, 0.5), (2.12, 0.5), (2.1, 0.28)]), darker(colour, 0.28))
    b.fill(at([(-1.05, 0.95), (-0.65, 1.29), (0.0, 1.3), (0.0, 0.95)]), (70, 82, 92))
    b.fill(at([(0.07, 0.95), (0.07, 1.3), (0.7, 1.29), (1.15, 0.97)]), (84, 96, 106))
    b.stroke([tuple(p) for p in at([(0.03, 0.93), (0.03, 0.35)])], darker(colour, 0.4), 1)
    b.stroke([tuple(p) for p in at([(-2.0, 0.78), (2.0, 0.76)])], lighter(colour, 0.35), 1)
    for wx in (-1.35, 1.35):
        b.disc(gx + wx * u, gy - 0.3 * v, 0.36 * v, 0.36 * v, (30, 30, 32))
        b.disc(gx + wx * u, gy - 0.3 * v, 0.2 * v, 0.2 * v, (140, 142, 146))
    b.disc(gx + 2.02 * u, gy - 0.66 * v, 0.08 * v, 0.08 * v, (236, 230, 200))
    b.disc(gx - 2.05 * u, gy - 0.7 * v, 0.06 * v, 0.09 * v, (170, 40, 36))
    b.disc(gx + 2.02 * u, gy - 0.66 * v, 0.3 * v, 0.2 * v, (80, 74, 56), b.glow)


_CAR_COLOURS: tuple[Rgb, ...] = (
    (188, 190, 194), (52, 54, 60), (120, 36, 36), (46, 66, 104), (226, 226, 222), (104, 108, 112),
)  # fmt: skip


def _shops(b: Brush) -> float:
    base = b.ground(0, float(b.rng.uniform(6.5, 9)))[1]
    _front_row(b, base, shops=True)
    stone = _tone(b.rng, 138, 186, 3)
    _paving(b, base, stone, float(b.rng.uniform(0.35, 0.6)))
    b.rect(0, base, b.width, 3 * b.k, darker(stone, 0.4))
    for _ in range(int(b.rng.integers(1, 3))):
        _lamp(b, float(b.rng.uniform(-3, 3)), float(b.rng.uniform(5, 6.2)))
    if b.rng.random() < 0.6:
        _tree(b, float(b.rng.uniform(-3, 3)), float(b.rng.uniform(5.2, 6.4)), 0.8)
    return base


def _park(b: Brush) -> float:
    _sky(b, b.horizon)
    back = b.horizon - 6 * b.k
    x = 0.0
    while x < b.width:  # a far skyline
        w, h = float(b.rng.uniform(40, 110)) * b.k, float(b.rng.uniform(20, 90)) * b.k
        wall = mix(_tone(b.rng, 140, 175), (180, 196, 210), 0.5)
        b.rect(x, back - h, w, h + 10, wall)
        _windows(b, x, back - h, w, h, wall, max(1, int(h / (14 * b.k))), max(2, int(w / (14 * b.k))))
        x += w
    grass = (float(b.rng.uniform(96, 126)), float(b.rng.uniform(128, 150)), float(b.rng.uniform(70, 92)))
    b.fade(b.horizon - 8 * b.k, b.height, darker(grass, 0.12), grass)
    b.grain(b.horizon, 9)
    b.grain(b.horizon, 7, 9)
    for i in range(26):  # a hedge of bushes along the back
        leaf = mix((64, 96, 54), (96, 124, 70), float(b.rng.random()))
        b.disc(b.width * (i + float(b.rng.random())) / 26, b.horizon + 4 * b.k, 34 * b.k, 20 * b.k, leaf)
    sand = _tone(b.rng, 168, 200, 10)
    left, right = float(b.rng.uniform(-3.2, -2.0)), float(b.rng.uniform(2.0, 3.2))
    near, far = b.depth(b.height) * 0.8, 24.0
    path = [b.ground(left, far), b.ground(right, far), b.ground(right, near), b.ground(left, near)]
    b.fill(path, sand)
    for edge in (left, right):
        b.stroke([b.ground(edge, far), b.ground(edge, near)], darker(sand, 0.3), 3 * b.k)
    b.grain(b.horizon, 5)
    for depth in (14.0, 10.0, 8.0):
        for side in (left - 0.9, right + 0.9):
            if b.rng.random() < 0.75:
                _tree(b, side + float(b.rng.uniform(-0.3, 0.3)), depth, 1.1)
    for side in (left - 0.2, right + 0.2):
        _lamp(b, side, float(b.rng.uniform(7, 9)))
        _bench(b, side, float(b.rng.uniform(6, 8)))
    return b.ground(0, 9.0)[1]


def _bench(b: Brush, x: float, depth: float) -> None:
    gx, gy = b.ground(x, depth)
    u = b.focal / depth
    wood = _tone(b.rng, 96, 130, 22)
    for k in (-0.38, 0.38):
        b.rect(gx + k * u, gy - 0.27 * u, 0.03 * u, 0.27 * u, (56, 56, 58))
    for y in (0.27, 0.36, 0.45):
        b.rect(gx - 0.45 * u, gy - y * u, 0.9 * u, 0.055 * u, wood)


def _hall(b: Brush) -> float:
    base = b.ground(0, float(b.rng.uniform(8, 11)))[1]
    wall = _tone(b.rng, 168, 208, 2)
    b.fade(0, base, darker(wall, 0.2), wall)
    unit = b.focal / b.depth(base)
    band = [(62, 104, 132), (140, 70, 60), (86, 122, 98), (176, 150, 84)][int(b.rng.integers(4))]
    tile = unit * 0.22
    for y in np.arange(base, 0, -tile):
        b.stroke([(0, y), (b.width, y)], darker(wall, 0.1), 1)
    for x in np.arange(0, b.width, tile):
        b.stroke([(x, 0), (x, base)], darker(wall, 0.1), 1)
    b.rect(0, base - unit * 1.45, b.width, unit * 0.16, band)
    x = float(b.rng.uniform(0, 60)) * b.k
    while x < b.width:  # posters, doors and machines
        kind, w = int(b.rng.integers(3)), unit * float(b.rng.uniform(0.6, 1.1))
        if kind == 0:
            b.rect(x, base - unit * 1.2, w * 0.8, unit * 0.95, (78, 80, 84))
            b.rect(x + 4, base - unit * 1.16, w * 0.8 - 8, unit * 0.87, mix(_tone(b.rng, 110, 190), band, 0.4))
            b.disc(x + w * 0.4, base - unit * 0.8, w * 0.2, w * 0.2, _tone(b.rng, 90, 220, 20))
            b.rect(x, base - unit * 1.2, w * 0.8, unit * 0.95, (46, 46, 44), b.glow)
        elif kind == 1:
            b.rect(x, base - unit * 1.25, w * 0.7, unit * 1.25, (72, 82, 92))
            b.rect(x + w * 0.1, base - unit * 1.1, w * 0.5, unit * 0.35, (150, 180, 190))
            b.rect(x + w * 0.1, base - unit * 0.65, w * 0.22, unit * 0.16, (40, 44, 48))
            b.rect(x + w * 0.1, base - unit * 1.1, w * 0.5, unit * 0.35, (60, 74, 80), b.glow)
        else:
            b.rect(x, base - unit * 1.3, w * 0.75, unit * 1.3, darker(wall, 0.35))
            b.stroke([(x + w * 0.37, base - unit * 1.3), (x + w * 0.37, base)], darker(wall, 0.6), 2)
        x += w + unit * float(b.rng.uniform(0.3, 1.0))
    for i in range(5):  # ceiling lights
        lx = b.width * (i + 0.5) / 5
        b.rect(lx - 46 * b.k, 10 * b.k, 92 * b.k, 9 * b.k, (246, 246, 238))
        b.rect(lx - 46 * b.k, 10 * b.k, 92 * b.k, 9 * b.k, (90, 90, 84), b.glow)
    _paving(b, base, _tone(b.rng, 150, 186), 0.5)
    mirror = cv2.blur(b.pixels[int(2 * base - b.height):int(base)][::-1], (9, 31)) if (
        2 * base > b.height) else None
    if mirror is not None:
        part = b.pixels[int(base):int(base) + len(mirror)]
        part[...] = cv2.addWeighted(part, 0.82, mirror[: len(part)], 0.18, 0)
    for px in (0.12, 0.88):
        gx, gy = b.width * px, base + 18 * b.k
        b.rect(gx - unit * 0.18, -2, unit * 0.36, gy, darker(wall, 0.15))
        b.rect(gx - unit * 0.18, -2, unit * 0.08, gy, lighter(wall, 0.2))
        b.rect(gx + unit * 0.1, -2, unit * 0.08, gy, darker(wall, 0.35))
    return base + 6 * b.k


def _crossing(b: Brush) -> float:
    _sky(b, b.horizon + 10 * b.k)
    base = b.ground(0, float(b.rng.uniform(12, 15)))[1]
    _front_row(b, base, shops=b.rng.random() < 0.5)
    kerb = _tone(b.rng, 150, 180)
    _paving(b, base, kerb, 0.5)
    road = _tone(b.rng, 84, 112)
    y0, y1 = b.ground(0, 10.5)[1], b.ground(0, 4.6)[1]
    b.fade(y0, y1, darker(road, 0.1), road)
    for y in (y0, y1):
        b.rect(0, y - 2 * b.k, b.width, 4 * b.k, lighter(kerb, 0.3))
    b.grain(y0, 5)
    b.grain(y0, 4, 16)
    paint = (214, 214, 208)
    start = float(b.rng.uniform(-2.2, -0.6))
    for i in range(9):
        x = start + i * 0.62
        b.fill([b.ground(x, 9.9), b.ground(x + 0.32, 9.9), b.ground(x + 0.32, 5.0),
                b.ground(x, 5.0)], paint)
    for side in (-1, 1):
        if b.rng.random() < 0.8:
            colour = _CAR_COLOURS[int(b.rng.integers(len(_CAR_COLOURS)))]
            car(b, start + 2.5 + side * float(b.rng.uniform(4.8, 6.4)), 9.2, colour, flip=side > 0)
    gx, gy = b.ground(start - 0.5, 11.0)
    u = b.focal / 11.0
    b.rect(gx, gy - 1.9 * u, 0.05 * u, 1.9 * u, (58, 60, 62))
    b.rect(gx - 0.06 * u, gy - 1.95 * u, 0.17 * u, 0.46 * u, (36, 38, 40))
    for i, lamp in enumerate(((178, 52, 44), (190, 150, 50), (60, 150, 84))):
        b.disc(gx + 0.025 * u, gy - (1.86 - 0.14 * i) * u, 0.045 * u, 0.045 * u, lamp)
    _lamp(b, start + 6.2, 11.0)
    if b.rng.random() < 0.7:
        _tree(b, start - 3.4, 11.6, 0.9)
    return base + 8 * b.k


_PAINTERS = {"shops": _shops, "park": _park, "hall": _hall, "crossing": _crossing}


def paint(kind: str, seed: int, height: int = 540, width: int = 960) -> Street:
    """Paint one street of KINDS; the same arguments give the same street.

    Raises: ValueError, the kind is unknown.
    """
    if kind not in _PAINTERS:
        raise ValueError(f"no street is called {kind!r}")
    brush = Brush(height, width, np.random.default_rng([seed, KINDS.index(kind)]))
    far = _PAINTERS[kind](brush)
    soft = cv2.GaussianBlur(brush.glow, (0, 0), 6 * brush.k)
    return Street(
        kind=kind,
        pixels=cv2.GaussianBlur(brush.pixels, (3, 3), 0.6),
        glow=cv2.add(soft, brush.glow // 3),
        horizon=brush.horizon,
        eye=brush.eye,
        near=height * 0.985,
        far=max(far, brush.horizon + 0.2 * height),
    )


@cache
def pooled(index: int) -> Street:
    """A street of the pool from which crops take their background; painted on first use."""
    return paint(KINDS[index % len(KINDS)], 9000 + index)


POOL = 24
