"""What is worn on a head: caps, beanies, brimmed hats, glasses and sunglasses."""

import numpy as np

from gallery.synthetic import palette
from gallery.synthetic.attributes import NONE
from gallery.synthetic.canvas import Paint, Polygon, ellipse, hull
from gallery.synthetic.head import Head
from gallery.synthetic.parts import Part


def hat(head: Head) -> None:
    kind = head.person.hat
    if kind == "cap":
        _peaked(head)
    elif kind == "beanie":
        _beanie(head)
    elif kind == "brimmed hat":
        _brimmed(head)


def _dome(head: Head, base: float, out: float, tall: float) -> Polygon:
    x, y = head.x, head.y - head.ry * np.sin(base)
    w = head.half * out
    t = np.linspace(0, np.pi, 17)
    top = np.stack(
        [
            x + w * np.cos(t),
            y - (head.ry * (1 - np.sin(base)) + tall * head.s) * np.sin(t) ** 0.85,
        ],
        axis=1,
    )
    sag = np.array(
        [
            [x - w * 0.6, y + 0.01 * head.s * head.cos],
            [x, y + 0.014 * head.s * head.cos],
            [x + w * 0.6, y + 0.01 * head.s * head.cos],
        ]
    )
    return np.concatenate([top, sag])


def _peaked(head: Head) -> None:
    s, look = head.s, head.look
    paint = Paint.plain(look.hat)
    dome = _dome(head, 0.5, 1.08, 0.016)
    side = [np.array([0.0, 0.0])]
    head.canvas.lay([dome], paint, Part.HAT, bulge=0.06 * s)
    x, y = head.x, head.y - head.ry * np.sin(0.5)
    seam = np.array(
        [
            [x + 0.3 * head.half * head.sin, y - head.ry * 0.72],
            [x + 0.55 * head.half * head.sin, y - head.ry * 0.3],
            [x + 0.6 * head.half * head.sin, y],
        ]
    )
    head.canvas.line(seam, palette.darker(look.hat, 0.5), 0.004 * s, share=0.6)
    if head.cos < -0.3:  # the strap at the back
        hole = ellipse(x, y - 0.002 * s, 0.016 * s, 0.011 * s)
        head.canvas.spot(hole, palette.darker(look.hair, 0.2))
        return
    t = np.linspace(-1.15, 1.15, 11)
    rim_in = np.stack([head.rx * 1.08 * np.sin(t), head.rz * 1.06 * np.cos(t)], axis=1)
    rim_out = np.stack(
        [
            head.rx * 1.12 * np.sin(t),
            head.rz * 1.06 * np.cos(t) + 0.062 * s * np.cos(t * 1.3).clip(0),
        ],
        axis=1,
    )
    pts = np.concatenate([rim_in, rim_out[::-1]])
    near = pts[:, 1] * head.cos - pts[:, 0] * head.sin
    px = (
        np.stack([x + pts[:, 0] * head.cos + pts[:, 1] * head.sin, y + near * 0.2], axis=1)
        + side[0]
    )
    head.canvas.lay(
        [hull(px)], Paint.plain(palette.darker(look.hat, 0.18)), Part.HAT, bulge=0.03 * s
    )


def _beanie(head: Head) -> None:
    s, look = head.s, head.look
    dome = _dome(head, 0.42, 1.13, 0.022 + 0.014 * look.cut)
    head.canvas.lay([dome], Paint.plain(look.hat, "knit"), Part.HAT, bulge=0.06 * s)
    x, y, w = head.x, head.y - head.ry * np.sin(0.42), head.half * 1.16
    fold = np.array(
        [
            [x - w, y - 0.026 * s],
            [x, y - 0.02 * s],
            [x + w, y - 0.026 * s],
            [x + w, y + 0.003 * s],
            [x, y + 0.010 * s],
            [x - w, y + 0.003 * s],
        ]
    )
    head.canvas.lay(
        [fold], Paint.plain(palette.darker(look.hat, 0.12), "knit"), Part.HAT, bulge=0.03 * s
    )
    for k in np.linspace(-0.8, 0.8, 7):
        rib = np.array([[x + k * w, y - 0.022 * s], [x + k * w, y + 0.004 * s]])
        head.canvas.line(rib, palette.darker(look.hat, 0.55), 0.003 * s, share=0.6)
    if look.sole > 0.6:
        head.canvas.lay(
            [ellipse(x, dome[:, 1].min() - 0.004 * s, 0.019 * s, 0.018 * s)],
            Paint.plain(look.hat, "knit"),
            Part.HAT,
            bulge=0.03 * s,
        )


def _brimmed(head: Head) -> None:
    s, look = head.s, head.look
    x, y = head.x, head.y - head.ry * np.sin(0.62)
    brim = ellipse(x, y, head.half * 1.3 + 0.04 * s, (0.014 + 0.04 * head.body.pitch) * s, n=28)
    brim[:, 1] += 0.01 * s * ((brim[:, 0] - x) / (head.half * 2)) ** 2
    under = brim + np.array([0, 0.008 * s])
    head.canvas.lay([under], Paint.plain(palette.darker(look.hat, 0.45)), Part.HAT, bulge=0.04 * s)
    head.canvas.lay([brim], Paint.plain(look.hat), Part.HAT, bulge=0.03 * s)
    t = np.linspace(0, np.pi, 13)
    w = head.half * 1.06
    top = np.stack(
        [
            x + w * np.cos(t) * (0.86 + 0.14 * np.abs(np.cos(t))),
            y - 0.07 * s * np.sin(t) ** 0.5,
        ],
        axis=1,
    )
    crown = np.concatenate([top, [[x, y + 0.008 * s]]])
    head.canvas.lay([crown], Paint.plain(look.hat), Part.HAT, bulge=0.06 * s)
    band = np.array([[x - w, y - 0.012 * s], [x, y - 0.003 * s], [x + w, y - 0.012 * s]])
    dark = palette.darker(look.hat, 0.6)
    light = palette.luminance(look.hat) < 60
    head.canvas.line(band, palette.lighter(look.hat, 0.35) if light else dark, 0.014 * s)


def glasses(head: Head) -> None:
    kind = head.person.glasses
    if kind == NONE or head.cos < -0.3:
        return
    sun = kind == "sunglasses"
    s, canvas = head.s, head.canvas
    frame = _frame(head, sun)
    lens = (18.0, 18.0, 22.0)
    centres = []
    for side in (-1, 1):
        x, y, facing = head.on(side * 0.45, 0.04, 1.03)
        if facing < 0.1:
            continue
        w = (0.0215 if sun else 0.0205) * s * max(0.4, facing)
        h = (0.0138 if sun else 0.0165) * s
        shape = ellipse(x, y, w, h, n=14)
        centres.append((x, y))
        if sun:
            canvas.spot(shape, lens, Part.GLASSES)
            shine = np.array([[x - w * 0.5, y - h * 0.3], [x + w * 0.2, y - h * 0.5]])
            canvas.line(shine, (120, 126, 140), 0.004 * s, share=0.6)
        if not sun:
            pane = palette.mix(head.look.skin, (206, 220, 232), 0.5)
            canvas.spot(shape, pane, Part.GLASSES)
        ring = np.concatenate([shape, shape[:1]])
        canvas.line(ring, frame, (0.0085 if sun else 0.0062) * s, Part.GLASSES)
        if not sun and facing > 0.4:
            canvas.spot(ellipse(x, y + 0.002 * s, w * 0.36, 0.006 * s, n=8), (44, 32, 26))
        ear = head.on(side * np.pi / 2, 0.08, 1.03)
        if ear[2] > -0.15:
            hinge = head.on(side * 0.85, 0.07, 1.03)
            canvas.line(np.array([hinge[:2], ear[:2]]), frame, 0.008 * s, Part.GLASSES)
    if len(centres) == 2:
        bridge = head.on(0.0, 0.07, 1.06)
        canvas.line(
            np.array(bridge[:2]) + np.array([[-0.008 * s, 0], [0.008 * s, 0]]),
            frame,
            0.007 * s,
            Part.GLASSES,
        )


def _frame(head: Head, sun: bool) -> palette.Rgb:
    if sun:
        return (16, 16, 18)
    if palette.luminance(head.look.skin) < 115:
        return (226, 200, 136) if head.look.frame < 0.5 else (14, 12, 12)
    return (24, 22, 24) if head.look.frame < 0.75 else (74, 40, 28)
