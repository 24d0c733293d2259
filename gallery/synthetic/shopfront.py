"""Shop fronts: display, door, sign and awning."""

import cv2
import numpy as np

from gallery.synthetic.brush import Brush
from gallery.synthetic.palette import Rgb, darker, lighter

_SIGNS: tuple[Rgb, ...] = (
    (134, 50, 44), (40, 76, 104), (44, 88, 64), (166, 132, 72), (70, 62, 80), (186, 178, 166),
    (58, 58, 60), (150, 84, 60),
)  # fmt: skip
_GOODS: tuple[Rgb, ...] = (
    (168, 82, 72), (88, 116, 142), (182, 152, 94), (116, 136, 96), (142, 112, 138), (208, 196, 176),
)  # fmt: skip


def shop(b: Brush, x: float, w: float, base: float, h: float) -> None:
    """A shop front: frame, sign, display, door, often an awning."""
    k = b.k
    frame = b.one_of(((58, 56, 54), (84, 66, 52), (52, 64, 62), (96, 92, 88), (66, 48, 48)))
    b.rect(x, base - h, w, h, frame)
    door = min(w * 0.3, h * 0.42)
    at_left = b.rng.random() < 0.5
    dx = x + 4 * k if at_left else x + w - door
    gx = x + door + 4 * k if at_left else x + 6 * k
    gw = w - door - 12 * k
    top, tall = base - h * 0.79, h * 0.66
    _display(b, gx, top, gw, tall)
    b.rect(gx - 3 * k, base - h * 0.13, gw + 6 * k, h * 0.13, lighter(frame, 0.12))
    _door(b, dx, top, door - 6 * k, base - top, frame)
    _sign(b, x, w, base - h, h * 0.17)
    if b.rng.random() < 0.55:
        _awning(b, x, w, base - h * 0.83, h * 0.17)


def _display(b: Brush, x: float, y: float, w: float, h: float) -> None:
    k = b.k
    room = b.one_of(((132, 116, 92), (120, 122, 120), (106, 98, 92), (146, 134, 112)))
    b.rect(x, y, w, h, darker(room, 0.25))
    b.rect(x, y, w, h * 0.2, room)
    b.rect(x, y, w, h, (128, 104, 62), b.glow)
    for lamp in np.arange(x + 14 * k, x + w - 8 * k, 34 * k):
        b.disc(lamp, y + 7 * k, 5 * k, 3 * k, (246, 230, 190))
    for shelf in (0.42, 0.7):
        b.rect(x, y + h * shelf, w, 2.5 * k, darker(room, 0.5))
        at = x + 6 * k
        while at < x + w - 16 * k:
            gw, gh = b.uniform(6, 15) * k, h * b.uniform(0.1, 0.2)
            if b.rng.random() < 0.8:
                colour = darker(b.one_of(_GOODS), b.uniform(0.05, 0.3))
                b.rect(at, y + h * shelf - gh, gw, gh, colour)
            at += gw + b.uniform(2, 9) * k
    for _ in range(int(b.rng.integers(1, 3))):  # dolls in the window
        at, dress = x + w * b.uniform(0.12, 0.88), b.one_of(_GOODS)
        foot = y + h - 3 * k
        b.fill(
            [
                (at - 9 * k, foot),
                (at - 6 * k, foot - h * 0.3),
                (at - 9 * k, foot - h * 0.46),
                (at + 9 * k, foot - h * 0.46),
                (at + 6 * k, foot - h * 0.3),
                (at + 9 * k, foot),
            ],
            dress,
        )
        b.disc(at, foot - h * 0.54, 4.5 * k, 6 * k, (196, 182, 166))
    glass = lighter(room, 0.35)
    x0, y0 = max(0, int(x)), max(0, int(y))
    part = b.pixels[y0 : max(0, int(y + h)), x0 : max(0, int(x + w))]
    if part.size:
        over = part.copy()
        for left in (0.0, 0.5):  # the sky in the pane
            pane = np.array([(left + 0.1, 0), (left + 0.24, 0), (left + 0.1, 1), (left - 0.04, 1)])
            b.fill(pane * (w, h) + (x - x0, y - y0), glass, over)
        part[...] = cv2.addWeighted(part, 0.82, over, 0.18, 0)
    b.stroke([(x + w / 2, y), (x + w / 2, y + h)], (60, 58, 56), 2 * k)


def _door(b: Brush, x: float, y: float, w: float, h: float, frame: Rgb) -> None:
    k = b.k
    b.rect(x, y, w, h, darker(frame, 0.3))
    b.rect(x + 5 * k, y + 5 * k, w - 10 * k, h * 0.72, (86, 98, 106))
    b.fill(
        [(x + 5 * k, y + 5 * k), (x + w * 0.6, y + 5 * k), (x + 5 * k, y + h * 0.5)],
        (116, 128, 136),
    )
    b.rect(x + 5 * k, y + 5 * k, w - 10 * k, h * 0.72, (72, 58, 34), b.glow)
    b.rect(x + w - 11 * k, y + h * 0.45, 2.5 * k, h * 0.16, (206, 186, 130))
    b.rect(x - 3 * k, y + h - 4 * k, w + 6 * k, 4 * k, (150, 146, 140))


def _sign(b: Brush, x: float, w: float, y: float, h: float) -> None:
    colour = b.one_of(_SIGNS)
    b.rect(x, y, w, h, colour)
    b.rect(x, y, w, h * 0.12, lighter(colour, 0.25))
    b.rect(x, y + h * 0.9, w, h * 0.1, darker(colour, 0.4))
    ink: Rgb = (240, 234, 220) if sum(colour) < 450 else (58, 50, 46)
    letters = int(b.rng.integers(5, 11))
    step = min(h * 0.58, w * 0.7 / letters)
    at = x + w * b.uniform(0.08, 0.2)
    for _ in range(letters):  # strokes that read as lettering from afar
        if b.rng.random() < 0.88:
            kind = int(b.rng.integers(4))
            lw = step * 0.62
            b.rect(at, y + h * 0.28, lw * 0.26, h * 0.46, ink)
            if kind in (0, 2):
                b.rect(at, y + h * 0.28, lw, h * 0.1, ink)
            if kind in (0, 1):
                b.rect(at, y + h * 0.64, lw, h * 0.1, ink)
            if kind in (1, 3):
                b.rect(at + lw * 0.74, y + h * 0.28, lw * 0.26, h * 0.46, ink)
        at += step
    b.rect(x + w * 0.08, y + h * 0.15, w * 0.6, h * 0.7, (84, 72, 48), b.glow)


def _awning(b: Brush, x: float, w: float, y: float, h: float) -> None:
    colour = b.one_of(_SIGNS[:5])
    count = max(5, round(w / (16 * b.k)))
    out = 5 * b.k
    for i in range(count):
        shade = colour if i % 2 else (222, 214, 200)
        xa, xb = x + w * i / count, x + w * (i + 1) / count
        la, lb = x - out + (w + 2 * out) * i / count, x - out + (w + 2 * out) * (i + 1) / count
        b.fill([(xa, y), (xb, y), (lb, y + h * 0.8), (la, y + h * 0.8)], shade)
        b.fill(
            [
                (la, y + h * 0.8),
                (lb, y + h * 0.8),
                (lb, y + h * 0.95),
                ((la + lb) / 2, y + h * 1.08),
                (la, y + h * 0.95),
            ],
            darker(shade, 0.16),
        )
    b.dim([(x, y + h), (x + w, y + h), (x + w, y + h * 2), (x, y + h * 2)], 0.3, 5 * b.k)
