"""Legs, what is worn on them, and shoes."""

import numpy as np

from gallery.synthetic import palette
from gallery.synthetic.attributes import Person
from gallery.synthetic.body import Body
from gallery.synthetic.canvas import Canvas, Floats, Paint, Polygon, hull, tube
from gallery.synthetic.look import Look
from gallery.synthetic.parts import Part


def _joints(body: Body, side: int) -> Polygon:
    hip, knee, ankle = body.hips[side], body.knees[side], body.ankles[side]
    calf = knee + 0.34 * (ankle - knee)
    calf = calf - np.array([0, 0, 0.012])
    return body.px(np.stack([hip, (hip + knee) / 2, knee, calf, ankle]))


def bare(canvas: Canvas, body: Body, look: Look, side: int) -> None:
    thigh, knee, calf, ankle = body.leg_radii()
    s = body.scale
    radii = [thigh * s, (thigh * 0.55 + knee * 0.45) * s, knee * s, calf * s, ankle * s]
    paint = Paint.plain(look.skin, "skin")
    canvas.lay(tube(_joints(body, side), radii), paint, Part.LEG, bulge=0.055 * s)
    knee_px = _joints(body, side)[2]
    if body.facing:
        fold = np.array([[-0.4, 0.5], [0, 0.62], [0.4, 0.5]]) * knee * s + knee_px
        canvas.line(fold, palette.darker(look.skin, 0.3), 0.004 * s, share=0.5)


def trousers(canvas: Canvas, body: Body, look: Look, side: int, kind: str, *, tucked: bool) -> None:
    """One trouser leg; tucked: its end goes into a boot."""
    thigh, knee, calf, ankle = body.leg_radii()
    s = body.scale
    slim = kind == "jeans" and look.lower_cut < 0.55
    ease = 0.004 if slim else 0.010 + 0.010 * look.lower_cut
    bottom = ankle + (0.006 if slim else 0.014 + 0.016 * look.lower_cut)
    if tucked:
        ease, bottom = 0.004, ankle + 0.002
    points = _joints(body, side)
    # Cloth hangs from the thigh: wide trousers hide the calf.
    radii = np.array(
        [
            thigh + ease,
            thigh * 0.6 + knee * 0.4 + ease,
            knee + ease,
            calf if tucked else max(calf + ease * 0.6, bottom),
            bottom,
        ]
    )
    foot = points[4] + (points[4] - points[3]) * 0.06
    points = np.concatenate([points[:4], foot[None]])
    denim = kind == "jeans"
    paint = Paint.plain(look.lower, "denim" if denim else "folds")
    pieces = tube(points, radii * s, caps=(True, False))
    canvas.lay(pieces, paint, Part.LOWER, bulge=0.06 * s)
    _trouser_details(canvas, body, look, side, points, radii * s, denim)


def _trouser_details(
    canvas: Canvas, body: Body, look: Look, side: int, points: Polygon, radii: Floats, denim: bool
) -> None:
    s = body.scale
    dark = palette.darker(look.lower, 0.45)
    knee = points[2]
    for k in (-0.35, 0.25):  # folds behind and at the knee
        fold = np.array([[-0.8, k], [0.0, k + 0.25], [0.7, k + 0.05]]) * radii[2] + knee
        canvas.line(fold, dark, 0.004 * s, share=0.35)
    along = points[4] - points[3]
    along = along / max(1e-6, float(np.hypot(*along)))
    across = np.array([-along[1], along[0]]) * radii[4]
    hem = np.stack([points[4] - across, points[4] + across])
    if denim:
        faded = palette.lighter(look.lower, 0.4)
        middle = np.stack(
            [points[0] * 0.4 + points[1] * 0.6, points[1], points[2] * 0.8 + points[1] * 0.2]
        )
        canvas.line(middle, faded, 0.03 * s, share=0.28)
        seam = points[:4] + np.array([[1.0 if side else -1.0, 0]]) * radii[:4, None] * 0.72
        stitch = (214.0, 160.0, 84.0) if palette.luminance(look.lower) < 170 else dark
        canvas.line(seam, stitch, 0.004 * s, share=0.6)
        up = hem - along * 0.02 * s
        canvas.line(up, stitch, 0.004 * s, share=0.7)
        if look.cut > 0.5:  # turned up
            canvas.line(
                hem - along * 0.009 * s,
                palette.lighter(look.lower, 0.3),
                0.016 * s,
                Part.LOWER,
                share=0.85,
            )
    elif body.facing and not body.profile:
        crease = np.stack([points[0] * 0.3 + points[1] * 0.7, points[2], points[3], points[4]])
        canvas.line(crease, palette.lighter(look.lower, 0.25), 0.004 * s, share=0.35)


def shorts(canvas: Canvas, body: Body, look: Look, side: int) -> None:
    thigh = body.leg_radii()[0]
    s = body.scale
    points = _joints(body, side)[:3]
    length = 0.55 + 0.3 * look.lower_length
    end = points[1] + (points[2] - points[1]) * (2 * length - 1)
    points = np.stack([points[0], (points[0] + end) / 2, end])
    radii = np.array([thigh + 0.008, thigh + 0.006, thigh * 0.8 + 0.022]) * s
    paint = Paint.plain(look.lower)
    canvas.lay(tube(points, radii, caps=(True, False)), paint, Part.LOWER, bulge=0.06 * s)
    hem = points[2] + np.array([[-0.92, -0.12], [0.92, -0.12]]) * radii[2]
    canvas.line(hem, palette.darker(look.lower, 0.4), 0.004 * s, share=0.6)
    shadow = points[2] + np.array([[-0.6, 0.1], [0.6, 0.1]]) * radii[2]
    canvas.line(shadow, palette.darker(look.skin, 0.6), 0.01 * s, share=0.4)


def seat(canvas: Canvas, body: Body, look: Look, kind: str) -> None:
    """The hips that join both trouser legs, with fly and pockets."""
    s = body.scale
    heights = np.array([0.61, 0.58, 0.54, 0.5, 0.465, 0.445])
    ease = np.array([0.004, 0.006, 0.008, 0.008, 0.0, -0.02])
    paint = Paint.plain(look.lower, "denim" if kind == "jeans" else "folds")
    canvas.lay([body.shell(heights, ease)], paint, Part.LOWER, bulge=0.07 * s)
    dark = palette.darker(look.lower, 0.5)
    x, y, facing = body.surface(0.5, 0.0 if body.facing else np.pi)
    if facing > 0.4:
        canvas.line(np.array([[x, y], [x, y + 0.05 * s]]), dark, 0.005 * s, share=0.6)
    for azimuth in (-0.7, 0.7) if body.facing else (np.pi - 0.6, np.pi + 0.6):
        x, y, facing = body.surface(0.53, azimuth)
        if facing > 0.3:
            w = 0.022 * s
            pocket = np.array([[x - w, y], [x - w * 0.6, y + w], [x + w, y + w * 0.4]])
            colour = (206.0, 150.0, 80.0) if kind == "jeans" else dark
            canvas.line(pocket, colour, 0.004 * s, share=0.6)


def skirt(canvas: Canvas, body: Body, look: Look) -> None:
    """From the waist to between the thigh and the calf, flared or straight."""
    length = 0.36 - 0.22 * look.lower_length
    flare = 0.008 + 0.05 * look.lower_cut
    drape(
        canvas,
        body,
        look,
        top=0.63,
        bottom=length,
        flare=flare,
        paint=Paint.plain(look.lower),
        part=Part.LOWER,
    )
    s = body.scale
    for azimuth in np.linspace(-1.2, 1.2, 5) + (0 if body.facing else np.pi):
        pleat(canvas, body, look.lower, float(azimuth), 0.55, length + 0.01, flare)
    belt = body.shell(np.array([0.63, 0.612]), np.array([0.008, 0.008]))
    canvas.lay([belt], Paint.plain(palette.darker(look.lower, 0.35)), Part.LOWER, bulge=0.07 * s)


def hang(body: Body, heights: Floats, top: float, bottom: float, flare: float) -> Floats:
    """Cloth off the body below the hips, where it falls free instead of following the thighs."""
    down = np.clip((0.52 - heights) / max(0.02, 0.52 - bottom), 0, 1)
    # The trunk's profile ends at the thighs; a striding leg pushes the cloth out.
    stride = 0.03 if body.walking else 0.0
    return 0.008 + (flare + stride * abs(body.sin)) * down


def drape(
    canvas: Canvas,
    body: Body,
    look: Look,
    *,
    top: float,
    bottom: float,
    flare: float,
    paint: Paint,
    part: Part,
    waist: float = 0.0,
) -> None:
    """A skirt, a dress or a coat: cloth from `top` to `bottom` that flares below the hips."""
    s = body.scale
    heights = np.array(
        [
            h
            for h in (0.858, 0.835, 0.815, 0.79, 0.74, 0.7, 0.66, 0.63, 0.6, 0.56)
            if h <= top + 1e-6
        ]
        + list(np.linspace(0.52, bottom, 5))
    )
    ease = hang(body, heights, top, bottom, flare) + waist
    shape = body.shell(heights, ease)
    n = len(heights)
    # The hem is an ellipse seen from a little above, with a wave in it.
    low = shape[n - 1 : n + 1]
    t = np.linspace(0, 1, 9)[1:-1]
    hem = low[0] + (low[1] - low[0]) * t[:, None]
    dip = np.sin(t * np.pi) * (0.012 + 0.05 * body.pitch) + 0.004 * np.cos(t * 19 + body.phase)
    hem[:, 1] += dip * s
    shape = np.concatenate([shape[:n], hem, shape[n:]])
    half = float(np.ptp(body.shell(np.array([0.7, 0.68]), np.zeros(2))[:, 0])) / 2
    canvas.lay([shape], paint, part, bulge=0.13 * s, wrap=(body.origin[0], half * 1.15))


def pleat(
    canvas: Canvas,
    body: Body,
    colour: palette.Rgb,
    azimuth: float,
    top: float,
    bottom: float,
    flare: float,
) -> None:
    x0, y0, facing = body.surface(top, azimuth, 0.008)
    x1, y1, _ = body.surface(bottom, azimuth, 0.008 + flare)
    if facing > 0.2:
        points = np.array([[x0, y0], [x1, y1]])
        canvas.line(points, palette.darker(colour, 0.5), 0.006 * body.scale, share=0.4)


_FOOT = np.array(  # the outline of a right foot on the ground, heel at z < 0
    [(-0.022, -0.035), (0.02, -0.035), (0.027, 0.02), (0.03, 0.06), (0.018, 0.098),
     (-0.004, 0.104), (-0.024, 0.08), (-0.026, 0.03)]
)  # fmt: skip


def _foot(body: Body, side: int, *, long: float, wide: float) -> tuple[Floats, Floats]:
    """The sole's outline and the direction of the toes: (8, 3), (3,)."""
    out = 1.0 if side else -1.0
    turn = out * body.toe_out[side]
    x = _FOOT[:, 0] * out * wide * (0.7 + 0.3 * body.limbs) * 1.1
    z = _FOOT[:, 1] * long
    tilt = float(body.foot_pitch[side])
    ankle = body.ankles[side]
    sole = np.stack(
        [
            ankle[0] + x * np.cos(turn) + z * np.sin(turn) * np.cos(tilt),
            ankle[1] - 0.042 - (z + 0.02) * np.sin(tilt),
            ankle[2] + z * np.cos(turn) * np.cos(tilt) - x * np.sin(turn),
        ],
        axis=1,
    )
    return sole, np.array([np.sin(turn), 0.0, np.cos(turn)])


def shoe(canvas: Canvas, body: Body, look: Look, person: Person, side: int) -> None:
    """One shoe; a boot also covers the shin, a sandal shows the foot."""
    kind, s = person.shoes, body.scale
    pointed = kind == "leather shoes"
    sole, ahead = _foot(body, side, long=1.1 if pointed else 1.02, wide=0.84 if pointed else 1.0)
    ankle = body.ankles[side]
    radius = body.leg_radii()[3]
    if kind == "boots":
        _boot(canvas, body, look, side, sole, ahead)
        return
    if kind == "sandals":
        _sandal(canvas, body, look, side, sole, ahead)
        return
    rise = 0.034 if kind == "sneakers" else 0.026
    top = sole * np.array([0.94, 1, 0.97]) + np.array([0.06 * ankle[0], rise, 0.03 * ankle[2]])
    top[4:6, 1] -= rise * (0.35 if kind == "sneakers" else 0.5)
    collar = ankle + np.array(
        [[-1, 0.012, -1], [1, 0.012, -1], [1, 0.004, 1], [-1, 0.004, 1]]
    ) * np.array([radius * 1.15, 1, radius * 1.2])
    shape = hull(body.px(np.concatenate([sole, top, collar])))
    gloss = 0.9 if pointed else 0.35
    paint = Paint.plain(look.shoes, "skin", gloss)
    canvas.lay([shape], paint, Part.SHOES, bulge=0.035 * s, level=1.05)
    edge = body.px(sole + np.array([0, 0.006, 0]))
    if kind == "sneakers":
        _rim(canvas, edge, _sole_colour(look), 0.013 * s)
        _laces(canvas, body, look, ankle, ahead)
    else:
        _rim(canvas, edge, palette.darker(look.shoes, 0.75), 0.007 * s)
        shine = body.px(
            np.stack(
                [ankle + ahead * 0.05 + [0, -0.014, 0], ankle + ahead * 0.085 + [0, -0.026, 0]]
            )
        )
        canvas.line(shine, palette.lighter(look.shoes, 0.55), 0.008 * s, share=0.55)


def _sole_colour(look: Look) -> palette.Rgb:
    if look.sole < 0.65:
        return (236.0, 234.0, 228.0) if palette.luminance(look.shoes) < 200 else (150, 146, 140)
    return palette.darker(look.shoes, 0.6)


def _rim(canvas: Canvas, edge: Polygon, colour: palette.Rgb, width: float) -> None:
    """The visible lower rim of a sole."""
    outline = hull(edge)
    at = int(outline[:, 0].argmin())
    ring = np.roll(outline, -at, axis=0)
    right = int(ring[:, 0].argmax())
    paths = [ring[: right + 1], np.concatenate([ring[right:], ring[:1]])]
    lower = max(paths, key=lambda path: float(path[:, 1].mean()))
    canvas.line(lower, colour, width, Part.SHOES, share=0.9)


def _laces(canvas: Canvas, body: Body, look: Look, ankle: Floats, ahead: Floats) -> None:
    colour = _sole_colour(look)
    across = np.array([ahead[2], 0.0, -ahead[0]])
    for k in (0.025, 0.042):
        middle = ankle + ahead * k + np.array([0, 0.006 - k * 0.32, 0])
        ends = body.px(np.stack([middle - across * 0.013, middle + across * 0.013]))
        canvas.line(ends, colour, 0.005 * body.scale, share=0.8)


def _boot(canvas: Canvas, body: Body, look: Look, side: int, sole: Floats, ahead: Floats) -> None:
    s = body.scale
    knee, ankle = body.knees[side], body.ankles[side]
    _, _, calf, radius = body.leg_radii()
    reach = 0.3 + 0.4 * look.sole
    upper = ankle + (knee - ankle) * reach
    top = sole + np.array([0, 0.034, 0])
    top[4:6, 1] -= 0.01
    instep = ankle + ahead * 0.02 + np.array([[0.0, 0.02, 0.0]])
    paint = Paint.plain(look.shoes, "skin", 0.7)
    foot = hull(body.px(np.concatenate([sole, top, instep, ankle[None]])))
    shaft = tube(
        body.px(np.stack([upper, (upper + ankle) / 2, ankle])),
        np.array([max(calf, radius + 0.012) + 0.008, radius + 0.014, radius + 0.01]) * s,
        caps=(False, True),
    )
    canvas.lay([*shaft, foot], paint, Part.SHOES, bulge=0.05 * s)
    _rim(
        canvas, body.px(sole + np.array([0, 0.006, 0])), palette.darker(look.shoes, 0.75), 0.011 * s
    )
    rim = body.px(upper[None])[0]
    w = (max(calf, radius + 0.012) + 0.008) * s
    canvas.line(
        rim + np.array([[-w, 0], [0, 0.008 * s], [w, 0]]),
        palette.darker(look.shoes, 0.5),
        0.006 * s,
        share=0.7,
    )
    if look.cut < 0.5:
        for k in (0.2, 0.4, 0.6):
            at = body.px((ankle + (upper - ankle) * k + ahead * (radius + 0.012))[None])[0]
            canvas.line(
                at + np.array([[-0.012, 0.0], [0.012, 0.0]]) * s,
                palette.lighter(look.shoes, 0.35),
                0.004 * s,
                share=0.7,
            )


def _sandal(canvas: Canvas, body: Body, look: Look, side: int, sole: Floats, ahead: Floats) -> None:
    s = body.scale
    ankle = body.ankles[side]
    top = sole + np.array([0, 0.02, 0])
    top[3:7, 1] -= 0.008
    paint = Paint.plain(look.skin, "skin")
    shape = hull(body.px(np.concatenate([sole + np.array([0, 0.008, 0]), top, ankle[None]])))
    canvas.lay([shape], paint, Part.SKIN, bulge=0.03 * s)
    _rim(
        canvas, body.px(sole + np.array([0, 0.003, 0])), palette.darker(look.shoes, 0.12), 0.014 * s
    )
    across = np.array([ahead[2], 0.0, -ahead[0]])
    for k, lift, width in ((0.062, -0.018, 0.016), (0.03, -0.004, 0.013)):
        middle = ankle + ahead * k + np.array([0, lift, 0])
        strap = np.stack(
            [middle - across * 0.03 - [0, 0.016, 0], middle, middle + across * 0.03 - [0, 0.016, 0]]
        )
        canvas.line(body.px(strap), look.shoes, width * s, Part.SHOES)
    loop = body.px(
        np.stack([ankle - ahead * 0.03 + [0, -0.005, 0], ankle + ahead * 0.024 + [0, 0.004, 0]])
    )
    canvas.line(loop, look.shoes, 0.01 * s, Part.SHOES)
