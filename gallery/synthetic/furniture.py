"""What stands in a street: house fronts, trees, lamps, benches, cars, signs."""

import numpy as np

from gallery.synthetic import shopfront
from gallery.synthetic.brush import Brush
from gallery.synthetic.canvas import Floats
from gallery.synthetic.palette import Rgb, darker, lighter, mix

_WALLS: tuple[Rgb, ...] = (
    (176, 118, 94), (202, 186, 160), (158, 152, 146), (146, 108, 90), (186, 174, 156),
    (128, 134, 142), (212, 202, 186), (188, 150, 110),
)  # fmt: skip
CARS: tuple[Rgb, ...] = (
    (188, 190, 194), (52, 54, 60), (120, 36, 36), (46, 66, 104), (226, 226, 222), (104, 108, 112),
)  # fmt: skip


def windows(
    b: Brush, x: float, y: float, w: float, h: float, wall: Rgb, floors: int, bays: int
) -> None:
    """A front of windows; some are lit at night."""
    dw, dh = w / bays, h / floors
    for row in range(floors):
        for bay in range(bays):
            wx, wy = x + bay * dw + dw * 0.24, y + row * dh + dh * 0.2
            _window(b, wx, wy, dw * 0.52, dh * 0.6, wall)


def _window(b: Brush, x: float, y: float, w: float, h: float, wall: Rgb) -> None:
    k = b.k
    pane = mix((84, 102, 120), (178, 198, 214), b.uniform(0, 0.55))
    b.rect(x - 2 * k, y - 2 * k, w + 4 * k, h + 4 * k, lighter(wall, 0.35))
    b.rect(x, y, w, h, pane)
    b.fill([(x, y), (x + w * 0.7, y), (x, y + h * 0.6)], lighter(pane, 0.16))
    if b.rng.random() < 0.3 and w > 14 * k:  # curtains
        cloth = mix((214, 206, 192), wall, 0.2)
        b.fill([(x, y), (x + w * 0.3, y), (x + w * 0.14, y + h), (x, y + h)], cloth)
        b.fill([(x + w, y), (x + w * 0.7, y), (x + w * 0.86, y + h), (x + w, y + h)], cloth)
    b.rect(x, y, w, 2 * k, darker(pane, 0.4))
    b.stroke([(x + w / 2, y), (x + w / 2, y + h)], lighter(wall, 0.25), 1)
    b.rect(x - 3 * k, y + h + 2 * k, w + 6 * k, 3 * k, darker(wall, 0.25))
    if b.rng.random() < 0.45:
        b.rect(x, y, w, h, (128, 98, 48), b.glow)


def house(b: Brush, x: float, w: float, base: float, *, shop: bool) -> None:
    """One house front that stands on the line y = base and runs out of the picture above."""
    metre = (base - b.horizon) / b.eye / 1.7
    wall = b.one_of(_WALLS)
    b.rect(x, -4, w, base + 4, wall)
    for y in np.arange(base, 0, -0.5 * metre):
        b.stroke([(x, y), (x + w, y)], darker(wall, 0.05), 1)
    ground = 3.5 * metre
    storey = 3.0 * metre
    floors = max(1, int(np.ceil((base - ground) / storey)))
    bays = max(2, round(w / (2.3 * metre)))
    windows(b, x, base - ground - floors * storey, w, floors * storey, wall, floors, bays)
    b.rect(x, base - ground - 5 * b.k, w, 7 * b.k, lighter(wall, 0.22))
    b.rect(x, base - ground + 2 * b.k, w, 3 * b.k, darker(wall, 0.3))
    if shop:
        shopfront.shop(b, x + 4 * b.k, w - 8 * b.k, base, ground * 0.93)
    else:
        windows(b, x, base - ground, w, ground, wall, 1, bays)
        b.rect(x, base - 0.4 * metre, w, 0.4 * metre, darker(wall, 0.25))
    b.rect(x, -4, 3 * b.k, base + 4, darker(wall, 0.32))


def row(b: Brush, base: float, *, shops: bool) -> None:
    """Houses side by side over the whole width."""
    metre = (base - b.horizon) / b.eye / 1.7
    x = -b.uniform(0, 120) * b.k
    while x < b.width:
        w = b.uniform(4.8, 7.5) * metre
        house(b, x, w, base, shop=shops)
        x += w


def sky(b: Brush, base: float) -> None:
    tops: tuple[Rgb, ...] = ((112, 158, 214), (150, 182, 214), (178, 190, 200))
    top = b.one_of(tops)
    b.fade(0, base, top, lighter(top, 0.6))
    over = b.pixels.copy()
    for _ in range(7):
        cx, cy = b.uniform(0, b.width), b.uniform(0, base * 0.7)
        for _ in range(9):
            b.disc(
                cx + b.uniform(-60, 60) * b.k,
                cy + b.uniform(-9, 9) * b.k,
                b.uniform(20, 46) * b.k,
                b.uniform(6, 13) * b.k,
                (250, 250, 250),
                over,
            )
    soft = np.asarray(over[: int(base)], dtype=np.float32)
    part = b.pixels[: int(base)]
    part[...] = np.asarray(part * 0.6 + soft * 0.4, dtype=np.uint8)


def tree(b: Brush, x: float, depth: float, size: float) -> None:
    """size: 1 is a crown that begins at head height and more."""
    gx, gy = b.ground(x, depth)
    u = b.focal / depth * size
    t = np.linspace(0, 2 * np.pi, 25)
    spot = np.stack([gx + 0.15 * u + 0.75 * u * np.cos(t), gy + 0.1 * u * np.sin(t)], axis=1)
    b.dim(spot, 0.3, 0.05 * u)
    bark = b.tone(62, 92, 14)
    b.fill(
        [
            (gx - u * 0.085, gy),
            (gx - u * 0.045, gy - u * 1.5),
            (gx + u * 0.045, gy - u * 1.5),
            (gx + u * 0.09, gy),
        ],
        bark,
    )
    b.fill(
        [
            (gx + u * 0.01, gy),
            (gx + u * 0.01, gy - u * 1.5),
            (gx + u * 0.045, gy - u * 1.5),
            (gx + u * 0.09, gy),
        ],
        darker(bark, 0.3),
    )
    leaf = (b.uniform(62, 100), b.uniform(108, 138), b.uniform(48, 72))
    count = 110
    for i in range(count):
        rise = i / count
        a, r = b.uniform(0, 6.28), float(b.rng.random()) ** 0.5
        shade = lighter(darker(leaf, 0.42 * (1 - rise)), 0.2 * rise * float(b.rng.random()))
        px = gx + u * (0.62 * r * np.cos(a) + 0.06 * rise)
        py = gy - u * (1.9 + 0.52 * r * np.sin(a) + 0.14 * rise)
        s = u * (0.2 - 0.11 * rise)
        b.disc(px, py, s, s * 0.84, shade)


def bushes(b: Brush, y: float, tall: float) -> None:
    """A hedge along the whole width."""
    for i in range(170):
        rise = i / 170
        leaf = mix((50, 80, 46), (106, 140, 78), rise * float(b.rng.random()) + 0.15)
        b.disc(
            b.uniform(0, b.width), y - tall * rise * b.uniform(0.6, 1.0), 15 * b.k, 10 * b.k, leaf
        )


def lamp(b: Brush, x: float, depth: float) -> None:
    gx, gy = b.ground(x, depth)
    u = b.focal / depth
    metal = (58, 62, 66)
    b.fill(
        [
            (gx - u * 0.03, gy),
            (gx - u * 0.018, gy - u * 2.3),
            (gx + u * 0.018, gy - u * 2.3),
            (gx + u * 0.03, gy),
        ],
        metal,
    )
    b.fill(
        [
            (gx - u * 0.03, gy),
            (gx - u * 0.018, gy - u * 2.3),
            (gx - u * 0.006, gy - u * 2.3),
            (gx - u * 0.01, gy),
        ],
        lighter(metal, 0.3),
    )
    b.rect(gx - u * 0.055, gy - u * 0.2, u * 0.11, u * 0.2, darker(metal, 0.2))
    b.disc(gx, gy - u * 2.36, u * 0.1, u * 0.12, (232, 230, 214))
    b.disc(gx - u * 0.03, gy - u * 2.39, u * 0.04, u * 0.05, (252, 252, 246))
    b.shine(gx, gy - u * 2.36, u, (220, 186, 128))


def bench(b: Brush, x: float, depth: float) -> None:
    gx, gy = b.ground(x, depth)
    u = b.focal / depth
    wood = b.tone(104, 134, 26)
    b.dim(
        [
            (gx - 0.5 * u, gy - 0.03 * u),
            (gx + 0.5 * u, gy - 0.03 * u),
            (gx + 0.55 * u, gy + 0.05 * u),
            (gx - 0.45 * u, gy + 0.05 * u),
        ],
        0.35,
        0.03 * u,
    )
    for k in (-0.4, 0.37):
        b.rect(gx + k * u, gy - 0.27 * u, 0.03 * u, 0.27 * u, (52, 54, 56))
    for y, h in ((0.5, 0.06), (0.42, 0.06), (0.34, 0.05), (0.27, 0.045)):
        b.rect(gx - 0.45 * u, gy - y * u, 0.9 * u, h * u, wood)
        b.rect(gx - 0.45 * u, gy - y * u, 0.9 * u, h * u * 0.25, lighter(wood, 0.3))


def planter(b: Brush, x: float, depth: float) -> None:
    """A tub of flowers."""
    gx, gy = b.ground(x, depth)
    u = b.focal / depth
    clay = b.tone(110, 150, 10)
    b.fill(
        [
            (gx - 0.2 * u, gy - 0.24 * u),
            (gx + 0.2 * u, gy - 0.24 * u),
            (gx + 0.15 * u, gy),
            (gx - 0.15 * u, gy),
        ],
        clay,
    )
    b.fill(
        [
            (gx + 0.05 * u, gy - 0.24 * u),
            (gx + 0.2 * u, gy - 0.24 * u),
            (gx + 0.15 * u, gy),
            (gx + 0.04 * u, gy),
        ],
        darker(clay, 0.25),
    )
    for i in range(40):
        leaf = mix((58, 92, 52), (112, 150, 84), i / 40)
        if i > 22 and i % 3 == 0:
            leaf = b.one_of(((206, 88, 96), (226, 190, 92), (220, 214, 220), (164, 104, 168)))
        b.disc(
            gx + b.uniform(-0.2, 0.2) * u,
            gy - b.uniform(0.24, 0.44) * u,
            0.045 * u,
            0.036 * u,
            leaf,
        )


def car(b: Brush, x: float, depth: float, colour: Rgb, *, flip: bool) -> None:
    """A car seen from its side; x is its middle on the ground."""
    gx, gy = b.ground(x, depth)
    u = b.focal / depth * 0.62 * (-1 if flip else 1)
    v = abs(u)

    def at(points: list[tuple[float, float]]) -> Floats:
        return np.array([(gx + px * u, gy - py * v) for px, py in points])

    b.dim(at([(-2.3, 0.06), (2.3, 0.06), (2.2, -0.2), (-2.2, -0.2)]), 0.6, 0.07 * v)
    body = [
        (-2.1, 0.28),
        (-2.12, 0.72),
        (-1.9, 0.88),
        (-1.2, 0.95),
        (-0.72, 1.36),
        (0.75, 1.38),
        (1.35, 0.98),
        (1.95, 0.86),
        (2.12, 0.62),
        (2.1, 0.28),
    ]
    b.fill(at(body), colour)
    b.fill(at([(-2.1, 0.28), (-2.12, 0.52), (2.12, 0.5), (2.1, 0.28)]), darker(colour, 0.28))
    b.fill(at([(-0.7, 1.36), (0.74, 1.38), (0.7, 1.32), (-0.66, 1.31)]), lighter(colour, 0.35))
    b.fill(at([(-1.05, 0.95), (-0.65, 1.29), (0.0, 1.3), (0.0, 0.95)]), (70, 82, 92))
    b.fill(at([(0.07, 0.95), (0.07, 1.3), (0.7, 1.29), (1.15, 0.97)]), (84, 96, 106))
    b.stroke(at([(0.03, 0.93), (0.03, 0.35)]), darker(colour, 0.4), 1)
    b.stroke(at([(-2.0, 0.78), (2.0, 0.76)]), lighter(colour, 0.35), 1)
    for wx in (-1.35, 1.35):
        b.disc(gx + wx * u, gy - 0.34 * v, 0.44 * v, 0.42 * v, darker(colour, 0.65))
        b.disc(gx + wx * u, gy - 0.3 * v, 0.36 * v, 0.36 * v, (30, 30, 32))
        b.disc(gx + wx * u, gy - 0.3 * v, 0.21 * v, 0.21 * v, (150, 152, 156))
        b.disc(gx + wx * u, gy - 0.3 * v, 0.07 * v, 0.07 * v, (70, 72, 76))
    b.disc(gx + 2.02 * u, gy - 0.66 * v, 0.08 * v, 0.08 * v, (236, 230, 200))
    b.disc(gx - 2.05 * u, gy - 0.7 * v, 0.06 * v, 0.09 * v, (170, 40, 36))
    b.shine(gx + 2.02 * u, gy - 0.66 * v, 0.5 * v, (200, 190, 160))


def traffic_light(b: Brush, x: float, depth: float) -> None:
    gx, gy = b.ground(x, depth)
    u = b.focal / depth
    b.rect(gx, gy - 1.9 * u, 0.05 * u, 1.9 * u, (58, 60, 62))
    b.rect(gx - 0.06 * u, gy - 1.95 * u, 0.17 * u, 0.46 * u, (36, 38, 40))
    for i, colour in enumerate(((178, 52, 44), (110, 92, 40), (52, 90, 62))):
        b.disc(gx + 0.025 * u, gy - (1.86 - 0.14 * i) * u, 0.045 * u, 0.045 * u, colour)
    b.shine(gx + 0.025 * u, gy - 1.86 * u, 0.3 * u, (230, 60, 50))
