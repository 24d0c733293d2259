"""Streets: painted once, seen by many people. Each is a picture and a plane to walk on."""

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

from gallery.synthetic import furniture
from gallery.synthetic.brush import Brush
from gallery.synthetic.canvas import Bytes
from gallery.synthetic.palette import Rgb, darker, lighter, mix

KINDS = ("shops", "park", "hall", "crossing")
POOL = 24  # streets from which crops take their background


@dataclass(frozen=True)
class Street:
    """One view, by day.

    pixels: uint8 [H, W, 3]. glow: uint8 [H, W, 3], light added after dark. horizon: y of the eye
    level. eye: the camera's height in body heights, so a person whose feet are at y is
    (y - horizon) / eye pixels tall. near and far: y of the feet of the nearest and the
    farthest walker. left and right: where people walk at the near end, as x at `near`, and
    `vanish` the x to which both run at the horizon; None where they walk on the whole width.
    """

    kind: str
    pixels: Bytes
    glow: Bytes
    horizon: float
    eye: float
    near: float
    far: float
    vanish: float
    edges: tuple[float, float] | None

    def tall(self, foot_y: float) -> float:
        """Pixels from sole to crown of a person whose feet are at this y."""
        return (foot_y - self.horizon) / self.eye

    def walk(self, foot_y: float) -> tuple[float, float]:
        """The leftmost and the rightmost x of feet at this y."""
        width = self.pixels.shape[1]
        low, high = 0.06 * width, 0.94 * width
        if self.edges is None:
            return low, high
        share = (foot_y - self.horizon) / (self.near - self.horizon)
        left = self.vanish + (self.edges[0] - self.vanish) * share
        right = self.vanish + (self.edges[1] - self.vanish) * share
        return max(low, left), min(high, right)


@dataclass(frozen=True)
class _Ground:
    """What a painter says of its walkers: y of the farthest feet, and the way's edges in body
    heights from the middle of the view."""

    far: float
    edges: tuple[float, float] | None = None


def _shops(b: Brush) -> _Ground:
    base = b.ground(0, b.uniform(6.8, 9))[1]
    furniture.row(b, base, shops=True)
    stone = b.tone(150, 192, 5)
    b.paving(base, stone, b.uniform(0.35, 0.6))
    b.dim(
        [(0, base - 2), (b.width, base - 2), (b.width, base + 26 * b.k), (0, base + 26 * b.k)],
        0.38,
        10 * b.k,
    )
    kerb = b.ground(0, b.depth(b.height) * 1.1)[1]
    if b.rng.random() < 0.5:  # the street's edge in front
        asphalt = b.tone(88, 110)
        b.fade(kerb, b.height, asphalt, lighter(asphalt, 0.06))
        b.rect(0, kerb - 5 * b.k, b.width, 7 * b.k, lighter(stone, 0.25))
        b.rect(0, kerb + 2 * b.k, b.width, 3 * b.k, darker(asphalt, 0.4))
        b.grain(kerb, 5)
    for _ in range(int(b.rng.integers(2, 5))):
        furniture.planter(b, b.uniform(-3.6, 3.6), b.depth(base) * b.uniform(0.93, 0.98))
    for _ in range(int(b.rng.integers(1, 3))):
        furniture.lamp(b, b.uniform(-3, 3), b.uniform(5.2, 6.4))
    if b.rng.random() < 0.6:
        furniture.tree(b, b.uniform(-3, 3), b.uniform(5.6, 6.6), 0.8)
    return _Ground(base + 8 * b.k)


def _skyline(b: Brush, base: float) -> None:
    x = 0.0
    while x < b.width:
        w, h = b.uniform(40, 110) * b.k, b.uniform(20, 90) * b.k
        wall = mix(b.tone(140, 178, 4), (184, 200, 214), 0.5)
        b.rect(x, base - h, w, h + 10, wall)
        for y in np.arange(base - h + 7 * b.k, base, 11 * b.k):
            for wx in np.arange(x + 6 * b.k, x + w - 8 * b.k, 11 * b.k):
                b.rect(wx, y, 5 * b.k, 6 * b.k, darker(wall, b.uniform(0.12, 0.3)))
                if b.rng.random() < 0.3:
                    b.rect(wx, y, 5 * b.k, 6 * b.k, (130, 104, 60), b.glow)
        x += w


def _park(b: Brush) -> _Ground:
    furniture.sky(b, b.horizon)
    _skyline(b, b.horizon - 6 * b.k)
    grass = (b.uniform(104, 128), b.uniform(138, 156), b.uniform(74, 94))
    b.fade(b.horizon - 8 * b.k, b.height, darker(grass, 0.14), lighter(grass, 0.03))
    b.grain(b.horizon, 8)
    b.grain(b.horizon, 6, 9)
    b.grain(b.horizon, 7, 60)
    furniture.bushes(b, b.horizon + 8 * b.k, 26 * b.k)
    sand = b.tone(178, 206, 10)
    left, right = b.uniform(-2.8, -2.0), b.uniform(2.0, 2.8)
    near, far = b.depth(b.height) * 0.8, 26.0
    b.fill(
        [b.ground(left, far), b.ground(right, far), b.ground(right, near), b.ground(left, near)],
        sand,
    )
    for edge in (left, right):
        b.stroke([b.ground(edge, far), b.ground(edge, near)], darker(sand, 0.35), 3 * b.k)
    b.grain(b.horizon, 5)
    b.grain(b.horizon, 4, 14)
    for _ in range(160):  # flowers in the grass
        side = left - b.uniform(0.2, 3) if b.rng.random() < 0.5 else right + b.uniform(0.2, 3)
        x, y = b.ground(side, b.uniform(3.5, 12))
        petal = b.one_of(((236, 230, 226), (230, 208, 110), (206, 140, 170)))
        b.disc(x, y, 1.6 * b.k, 1.2 * b.k, petal)
    for depth in (15.0, 11.0, 8.5):
        for side in (left - 0.9, right + 0.9):
            if b.rng.random() < 0.8:
                furniture.tree(b, side + b.uniform(-0.3, 0.3), depth, 1.1)
    for side in (left - 0.2, right + 0.2):
        furniture.lamp(b, side, b.uniform(7.5, 9.5))
        furniture.bench(b, side + (0.3 if side > 0 else -0.3), b.uniform(6, 7.2))
    for _ in range(5):  # shade of leaves on the way
        x, y = b.ground(b.uniform(left, right), b.uniform(3.6, 8))
        t = np.linspace(0, 2 * np.pi, 17)
        r = b.uniform(40, 90) * b.k
        b.dim(np.stack([x + r * 2 * np.cos(t), y + r * 0.4 * np.sin(t)], axis=1), 0.12, 14 * b.k)
    return _Ground(b.ground(0, 9.5)[1], (left + 0.25, right - 0.25))


def _hall(b: Brush) -> _Ground:
    base = b.ground(0, b.uniform(8, 11))[1]
    wall = b.one_of(((214, 208, 196), (200, 206, 208), (222, 214, 194), (196, 202, 196)))
    b.fade(0, base, darker(wall, 0.22), wall)
    u = b.focal / b.depth(base)
    colour = b.one_of(((48, 104, 146), (164, 66, 56), (64, 128, 92), (196, 156, 62)))
    for y in np.arange(base, 0, -u * 0.22):
        b.stroke([(0, y), (b.width, y)], darker(wall, 0.08), 1)
    for x in np.arange(0, b.width, u * 0.44):
        b.stroke([(x, 0), (x, base)], darker(wall, 0.08), 1)
    b.rect(0, base - u * 0.12, b.width, u * 0.12, darker(wall, 0.45))
    _wall_things(b, base, u, wall, colour)
    _name_board(b, base, u, colour)
    for i in range(5):  # ceiling lights
        x = b.width * (i + 0.5) / 5
        b.rect(x - 50 * b.k, 8 * b.k, 100 * b.k, 11 * b.k, (250, 248, 238))
        b.rect(x - 50 * b.k, 8 * b.k, 100 * b.k, 11 * b.k, (90, 90, 84), b.glow)
    floor = b.one_of(((196, 188, 174), (176, 180, 182), (188, 178, 162)))
    b.paving(base, floor, 0.5)
    _mirror(b, base)
    edge = b.ground(0, b.depth(b.height) * 1.06)[1]
    b.rect(0, edge, b.width, 13 * b.k, (222, 186, 72))  # the line for the blind
    for x in np.arange(0, b.width, 9 * b.k):
        b.disc(x + 4 * b.k, edge + 6.5 * b.k, 2.2 * b.k, 2 * b.k, (196, 160, 54))
    for share in (0.14, 0.86):
        _pillar(b, b.width * share, base + 16 * b.k, u, wall, colour)
    return _Ground(base + 16 * b.k)


def _wall_things(b: Brush, base: float, u: float, wall: Rgb, colour: Rgb) -> None:
    """Posters, ticket machines and doors along a wall."""
    x = b.uniform(0, 60) * b.k
    while x < b.width:
        kind, w = int(b.rng.integers(4)), u * b.uniform(0.6, 0.95)
        if kind < 2:
            paper = b.one_of(((226, 206, 160), (92, 132, 158), (204, 112, 92), (112, 146, 116)))
            b.rect(x, base - u * 1.28, w, u * 0.98, (70, 72, 76))
            b.rect(x + 4 * b.k, base - u * 1.25, w - 8 * b.k, u * 0.92, paper)
            b.disc(
                x + w * b.uniform(0.35, 0.65),
                base - u * 0.9,
                w * 0.22,
                w * 0.22,
                lighter(paper, b.uniform(0.2, 0.6)),
            )
            b.fill(
                [
                    (x + 4 * b.k, base - u * 0.33),
                    (x + w * 0.5, base - u * 0.72),
                    (x + w - 4 * b.k, base - u * 0.33),
                ],
                darker(paper, b.uniform(0.2, 0.5)),
            )
            for line in (0.5, 0.43):
                b.rect(x + w * 0.15, base - u * line, w * 0.7, u * 0.035, (240, 238, 230))
            b.rect(x, base - u * 1.28, w, u * 0.98, (46, 46, 44), b.glow)
        elif kind == 2:
            b.rect(x, base - u * 1.12, w * 0.8, u * 1.12, mix(colour, (70, 76, 82), 0.5))
            b.rect(x + w * 0.08, base - u * 1.0, w * 0.64, u * 0.36, (168, 204, 214))
            b.rect(x + w * 0.08, base - u * 0.58, w * 0.26, u * 0.18, (40, 44, 48))
            b.rect(x + w * 0.44, base - u * 0.58, w * 0.24, u * 0.08, (214, 206, 120))
            b.rect(x + w * 0.08, base - u * 1.0, w * 0.64, u * 0.36, (60, 74, 80), b.glow)
        else:
            b.rect(x, base - u * 1.3, w * 0.9, u * 1.3, darker(wall, 0.4))
            b.rect(x + w * 0.06, base - u * 1.24, w * 0.36, u * 0.8, (128, 144, 152))
            b.rect(x + w * 0.48, base - u * 1.24, w * 0.36, u * 0.8, (128, 144, 152))
            b.rect(x, base - u * 1.46, w * 0.9, u * 0.13, (44, 120, 74))
        x += w + u * b.uniform(0.25, 0.8)


def _name_board(b: Brush, base: float, u: float, colour: Rgb) -> None:
    y = base - u * 1.72
    b.rect(0, y, b.width, u * 0.2, colour)
    for x in np.arange(b.width * 0.08, b.width, u * 2.2):
        b.disc(x, y + u * 0.1, u * 0.075, u * 0.075, (244, 244, 240))
        for i in range(7):
            b.rect(x + u * (0.16 + 0.11 * i), y + u * 0.06, u * 0.07, u * 0.08, (244, 244, 240))
        b.stroke([(x + u * 1.1, y + u * 0.1), (x + u * 1.3, y + u * 0.1)], (244, 244, 240), 3 * b.k)
        b.fill(
            [
                (x + u * 1.27, y + u * 0.04),
                (x + u * 1.36, y + u * 0.1),
                (x + u * 1.27, y + u * 0.16),
            ],
            (244, 244, 240),
        )


def _mirror(b: Brush, base: float) -> None:
    """A polished floor reflects the wall a little."""
    rows = min(int(base), b.height - int(base))
    image = cv2.blur(b.pixels[int(base) - rows : int(base)][::-1], (9, 31))
    part = b.pixels[int(base) : int(base) + rows]
    share = np.linspace(0.3, 0.08, rows, dtype=np.float32)[:, None, None]
    part[...] = np.asarray(part * (1 - share) + image * share, dtype=np.uint8)


def _pillar(b: Brush, x: float, foot: float, u: float, wall: Rgb, colour: Rgb) -> None:
    w = u * 0.36
    b.dim(
        [
            (x - w * 0.5, foot),
            (x + w * 0.9, foot),
            (x + w * 1.2, foot + 14 * b.k),
            (x - w * 0.3, foot + 14 * b.k),
        ],
        0.3,
        6 * b.k,
    )
    steps = 10
    for i in range(steps):
        t = i / (steps - 1)
        shade = mix(lighter(wall, 0.25), darker(wall, 0.45), t)
        b.rect(x - w / 2 + w * i / steps, -2, w / steps + 1, foot, shade)
        b.rect(
            x - w / 2 + w * i / steps,
            foot - u * 0.5,
            w / steps + 1,
            u * 0.12,
            mix(lighter(colour, 0.2), darker(colour, 0.4), t),
        )


def _crossing(b: Brush) -> _Ground:
    furniture.sky(b, b.horizon + 10 * b.k)
    base = b.ground(0, b.uniform(12, 15))[1]
    furniture.row(b, base, shops=b.rng.random() < 0.7)
    stone = b.tone(158, 186, 4)
    b.paving(base, stone, 0.5)
    road = b.tone(88, 114)
    y0, y1 = b.ground(0, 10.5)[1], b.ground(0, 4.6)[1]
    paved = b.pixels[int(y1) :].copy()
    b.fade(y0, y1, darker(road, 0.1), lighter(road, 0.04))
    b.grain(y0, 5)
    b.grain(y0, 4, 16)
    b.pixels[int(y1) :] = paved
    for y, h in ((y0, 4), (y1, 8)):
        b.rect(0, y - h / 2 * b.k, b.width, h * b.k, lighter(stone, 0.25))
        b.rect(0, y + h / 2 * b.k, b.width, 2 * b.k, darker(road, 0.35))
    start = b.uniform(-2.2, -0.6)
    paint = (222, 222, 214)
    for i in range(9):
        x = start + i * 0.62
        b.fill(
            [b.ground(x, 9.9), b.ground(x + 0.32, 9.9), b.ground(x + 0.32, 5.0), b.ground(x, 5.0)],
            paint,
        )
    for x in (start - 2.6, start - 5.2, start + 7.4, start + 10.0):  # the middle of the road
        b.fill(
            [b.ground(x, 7.3), b.ground(x + 1.5, 7.3), b.ground(x + 1.5, 7.1), b.ground(x, 7.1)],
            paint,
        )
    furniture.traffic_light(b, start - 0.5, 11.0)
    furniture.lamp(b, start + 6.2, 11.0)
    if b.rng.random() < 0.7:
        furniture.tree(b, start - 3.2, 11.6, 0.9)
    for side in (-1, 1):
        if b.rng.random() < 0.85:
            x = start + 2.5 + side * b.uniform(4.8, 6.0)
            furniture.car(b, x, 9.2, b.one_of(furniture.CARS), flip=side > 0)
    return _Ground(base + 8 * b.k)


_PAINTERS = {"shops": _shops, "park": _park, "hall": _hall, "crossing": _crossing}


def paint(kind: str, seed: int, height: int = 540, width: int = 960) -> Street:
    """Paint one street of KINDS; the same arguments give the same street.

    Raises: ValueError, the kind is unknown.
    """
    if kind not in _PAINTERS:
        raise ValueError(f"no street is called {kind!r}")
    brush = Brush(height, width, np.random.default_rng([seed, KINDS.index(kind)]))
    ground = _PAINTERS[kind](brush)
    soft = cv2.GaussianBlur(brush.glow, (0, 0), 6 * brush.k)
    near = height * 0.985
    depth = brush.depth(near)
    edges = None
    if ground.edges is not None:
        edges = brush.ground(ground.edges[0], depth)[0], brush.ground(ground.edges[1], depth)[0]
    return Street(
        kind=kind,
        pixels=cv2.GaussianBlur(brush.pixels, (3, 3), 0.6),
        glow=cv2.add(soft, brush.glow // 3),
        horizon=brush.horizon,
        eye=brush.eye,
        near=near,
        far=max(ground.far, brush.horizon + 0.2 * height),
        vanish=brush.vanish,
        edges=edges,
    )


@cache
def pooled(index: int) -> Street:
    """A street of the pool, 0 to POOL - 1; painted on first use."""
    return paint(KINDS[index % len(KINDS)], 9000 + index)
