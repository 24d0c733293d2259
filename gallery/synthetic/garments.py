"""What is worn on the upper body: trunk, sleeves, collars, fastenings and prints."""

from dataclasses import dataclass

import numpy as np

from gallery.synthetic import legwear, palette
from gallery.synthetic.attributes import NONE, Person
from gallery.synthetic.body import Body
from gallery.synthetic.canvas import Canvas, Floats, Paint, Polygon, ellipse, tube
from gallery.synthetic.look import Look
from gallery.synthetic.parts import Part


@dataclass(frozen=True)
class Cut:
    """The shape of a kind of garment.

    hem: height where it ends. ease: cloth off the body. sleeve: share of the arm that is
    covered (0.5 is the elbow). thick: cloth around the arm.
    """

    hem: float
    ease: float
    sleeve: float
    thick: float
    surface: str = "folds"


_CUTS = {
    "t-shirt": Cut(0.468, 0.006, 0.33, 0.010),
    "shirt": Cut(0.462, 0.007, 0.97, 0.007),
    "sweater": Cut(0.468, 0.010, 0.98, 0.010, "knit"),
    "hoodie": Cut(0.462, 0.014, 0.98, 0.013),
    "jacket": Cut(0.462, 0.014, 0.97, 0.012),
    "coat": Cut(0.27, 0.018, 0.97, 0.014),
    "vest": Cut(0.478, 0.022, 0.0, 0.0, "quilt"),
    "dress": Cut(0.28, 0.003, 0.3, 0.009),
}


def cut_of(person: Person, look: Look) -> Cut:
    cut = _CUTS[person.upper]
    sleeve, hem = cut.sleeve, cut.hem + 0.012 * look.hem
    if person.upper == "shirt" and look.sleeve < 0.2:
        sleeve = 0.6  # rolled up
    if person.upper == "dress":
        sleeve = 0.0 if look.sleeve < 0.4 else (0.3 if look.sleeve < 0.75 else 0.95)
        hem = 0.36 - 0.2 * look.lower_length
    if person.upper == "coat":
        hem = 0.31 - 0.11 * look.lower_length
    surface = "quilt" if person.upper == "jacket" and look.cut > 0.8 else cut.surface
    return Cut(hem, cut.ease + 0.006 * look.fit, sleeve, cut.thick + 0.005 * look.fit, surface)


class Upper:
    """One upper garment on one body, laid in the order: trunk, neck, collar; sleeves apart."""

    def __init__(
        self, canvas: Canvas, body: Body, person: Person, look: Look, rng: np.random.Generator
    ) -> None:
        self.canvas, self.body, self.person, self.look = canvas, body, person, look
        self.cut = cut_of(person, look)
        self.kind = person.upper
        self.phase = (float(rng.uniform(0, 40)), float(rng.uniform(0, 40)))
        self.paint = look.upper_paint(body.scale, self.cut.surface, self.phase)
        self.open = person.inner_colour != NONE
        self.s = body.scale

    def trunk(self) -> None:
        if self.kind == "coat" and self.open:
            self._under = self.canvas.rgba.copy(), self.canvas.labels.copy()
        if self.kind == "dress":
            flare = 0.015 + 0.07 * self.look.lower_cut
            legwear.drape(
                self.canvas,
                self.body,
                self.look,
                top=0.858,
                bottom=self.cut.hem,
                flare=flare,
                paint=self.paint,
                part=Part.UPPER,
            )
            for azimuth in np.linspace(-1.1, 1.1, 4) + (0 if self.body.facing else np.pi):
                legwear.pleat(
                    self.canvas,
                    self.body,
                    self.look.upper,
                    float(azimuth),
                    0.57,
                    self.cut.hem + 0.01,
                    flare,
                )
        elif self.kind == "coat":
            legwear.drape(
                self.canvas,
                self.body,
                self.look,
                top=0.858,
                bottom=self.cut.hem,
                flare=0.012 + 0.02 * self.look.lower_cut,
                paint=self.paint,
                part=Part.UPPER,
                waist=0.014,
            )
        else:
            self._short_trunk()
        if self.open:
            self._opening()
        self._details()

    def _short_trunk(self) -> None:
        body, hem, e = self.body, self.cut.hem, self.cut.ease
        heights = np.array([0.858, 0.84, 0.82, 0.795, 0.75, 0.7, 0.65, 0.6, 0.55, 0.51, hem])
        ease = np.array([0.004, 0.006, 0.008, e, e, e, e * 1.3, e * 1.6, e * 1.5, e, e])
        if self.kind in ("sweater", "hoodie", "jacket", "vest"):
            ease[-1] -= 0.006  # gathered at the hem
            ease[-3:-1] += 0.006
        shape = body.shell(heights, ease)
        n = len(heights)
        low = shape[n - 1 : n + 1]
        t = np.linspace(0, 1, 7)[1:-1]
        edge = low[0] + (low[1] - low[0]) * t[:, None]
        sag = 0.02 if self.kind == "shirt" else 0.01
        edge[:, 1] += np.sin(t * np.pi) * sag * self.s
        shape = np.concatenate([shape[:n], edge, shape[n:]])
        half = float(np.ptp(shape[:, 0])) / 2
        self.canvas.lay(
            [shape], self.paint, Part.UPPER, bulge=0.13 * self.s, wrap=(body.origin[0], half)
        )
        dark = palette.darker(self.look.upper, 0.5)
        bottom = np.concatenate([low[:1], edge, low[1:]])
        if self.kind in ("sweater", "hoodie", "jacket"):
            self.canvas.line(
                bottom - np.array([0, 0.028 * self.s]), dark, 0.004 * self.s, share=0.6
            )
        self.canvas.line(bottom, dark, 0.006 * self.s, share=0.5)

    def _edge(self, heights: Floats, azimuths: Floats, ease: float) -> Polygon:
        """Points on the front at azimuths, kept inside what the viewer sees."""
        turned = np.clip(azimuths + self.body.yaw, -1.45, 1.45)
        points = [
            self.body.surface(float(h), float(a - self.body.yaw), ease)[:2]
            for h, a in zip(heights, turned, strict=True)
        ]
        return np.array(points)

    def _opening(self) -> None:
        """The strip between the two fronts, where the inner garment shows."""
        body, look = self.body, self.look
        yaw = (body.yaw + np.pi) % (2 * np.pi) - np.pi
        if abs(yaw) > 1.75:
            return
        wide = 0.42 + 0.3 * look.cut
        heights = np.array([0.845, 0.8, 0.72, 0.62, 0.54, 0.475])
        spread = wide * np.array([0.75, 0.95, 1.0, 0.95, 1.05, 1.25])
        ease = self.cut.ease
        shift = yaw - body.yaw
        left = self._edge(heights, -spread + shift, ease)
        right = self._edge(heights, spread + shift, ease)
        if float((right[:, 0] - left[:, 0]).max()) < 0.012 * self.s:
            return
        shape = np.concatenate([left, right[::-1]])
        if self.kind == "coat":
            low = np.array([0.475, 0.4, self.cut.hem - 0.02])
            wider = wide * np.array([1.25, 1.3, 1.4])
            a = self._edge(low, -wider + shift, ease + 0.02)
            b = self._edge(low, wider + shift, ease + 0.02)
            self._lining(np.concatenate([a, b[::-1]]))
        self.canvas.lay(
            [shape], Paint.plain(look.inner), Part.INNER, bulge=0.06 * self.s, level=0.97
        )
        dark = palette.darker(look.upper, 0.6)
        light = palette.lighter(look.upper, 0.25)
        for edge, sign in ((left, -1), (right, 1)):
            self.canvas.line(edge, dark, 0.007 * self.s, share=0.8)
            self.canvas.line(
                edge + np.array([sign * 0.012 * self.s, 0]), light, 0.004 * self.s, share=0.5
            )

    def _lining(self, shape: Polygon) -> None:
        """What shows below the waist through an open coat: the legs before its dark lining."""
        dark = Paint.plain(palette.darker(self.look.upper, 0.6))
        self.canvas.lay([shape], dark, Part.UPPER, bulge=0.05 * self.s)
        rgba, labels = self._under
        hole = (self.canvas.mask([shape]) > 127) & (labels > 0)
        np.copyto(self.canvas.rgba, rgba, where=hole[..., None])
        np.copyto(self.canvas.labels, labels, where=hole)

    def _details(self) -> None:
        kind, body = self.kind, self.body
        if self.look.pattern == "printed":
            self._motif()
        if kind in ("jacket", "coat", "shirt", "vest") and not self.open:
            self._fastening()
        if kind == "hoodie":
            self._hoodie_pocket()
        if kind in ("jacket", "coat", "vest"):
            for azimuth in (-0.95, 0.95):
                x, y, facing = body.surface(0.56, azimuth, self.cut.ease)
                if facing > 0.25:
                    w = 0.02 * self.s
                    self.canvas.line(
                        np.array([[x - w, y + w * 0.5], [x + w, y - w * 0.5]]),
                        palette.darker(self.look.upper, 0.6),
                        0.007 * self.s,
                        share=0.7,
                    )
        belted = (kind == "coat" and self.look.cut > 0.6 and not self.open) or (
            kind == "dress" and self.look.cut > 0.5
        )
        if belted:
            belt = body.shell(np.array([0.628, 0.605]), np.full(2, self.cut.ease + 0.016))
            colour = palette.darker(self.look.upper, 0.4)
            self.canvas.lay([belt], Paint.plain(colour), Part.UPPER, bulge=0.08 * self.s)

    def _fastening(self) -> None:
        look, s = self.look, self.s
        heights = np.linspace(0.83, self.cut.hem + 0.015, 7)
        points = [self.body.surface(float(h), 0.0, self.cut.ease) for h in heights]
        if points[0][2] < 0.15:
            return
        line = np.array([p[:2] for p in points])
        dark, light = palette.darker(look.upper, 0.55), palette.lighter(look.upper, 0.6)
        if self.kind in ("jacket", "vest"):
            metal = (196.0, 196.0, 200.0) if palette.luminance(look.upper) < 150 else (70, 70, 76)
            self.canvas.line(line, dark, 0.012 * s, share=0.7)
            self.canvas.line(line, metal, 0.005 * s, share=0.9)
            return
        self.canvas.line(line + np.array([0.008 * s, 0]), dark, 0.004 * s, share=0.6)
        button = dark if palette.luminance(look.upper) > 110 else light
        size = 0.009 if self.kind == "coat" else 0.005
        rows = (-0.032, 0.032) if self.kind == "coat" and look.cut < 0.4 else (0.0,)
        for dx in rows:
            for x, y in line[1:-1]:
                self.canvas.spot(
                    ellipse(x + dx * s * points[0][2], y, size * s, size * s, n=10), button
                )

    def _hoodie_pocket(self) -> None:
        heights = np.array([0.58, 0.58, 0.52, 0.49, 0.49, 0.52, 0.58])
        azimuths = np.array([-0.45, 0.45, 0.85, 0.85, -0.85, -0.85, -0.45])
        yaw = (self.body.yaw + np.pi) % (2 * np.pi) - np.pi
        if abs(yaw) > 1.2:
            return
        points = self._edge(heights, azimuths + (yaw - self.body.yaw), self.cut.ease)
        self.canvas.line(points, palette.darker(self.look.upper, 0.55), 0.006 * self.s, share=0.7)

    def _motif(self) -> None:
        """A print in the middle of the chest, of the back, or seen slantwise from the side."""
        look, s, body = self.look, self.s, self.body
        azimuth = 0.0 if body.facing else np.pi
        if body.profile:
            azimuth = 0.75 * azimuth + 0.25 * (np.pi / 2 if body.sin < 0 else -np.pi / 2)
            azimuth = (-body.yaw) * 0.6 + azimuth * 0.4 if body.facing else azimuth
        low = 0.70 if self.kind != "hoodie" else 0.715
        x, y, facing = body.surface(low, azimuth, self.cut.ease)
        facing = max(facing, 0.4)
        if body.profile:
            x, facing = body.origin[0] + 0.4 * (x - body.origin[0]), 0.55
        half = 0.055 * s
        w = half * facing
        colour = look.accent
        shapes = int(look.hair_cut * 97) % 4
        if shapes == 0:
            self.canvas.spot(ellipse(x, y, w, half), colour, Part.MOTIF)
            self.canvas.spot(ellipse(x, y, w * 0.55, half * 0.55), look.upper, Part.MOTIF)
        elif shapes == 1:
            turn = np.arange(10) * np.pi / 5 - np.pi / 2
            r = np.where(np.arange(10) % 2 == 0, 1.15, 0.5)
            star = np.stack([x + w * r * np.cos(turn), y + half * r * np.sin(turn)], axis=1)
            self.canvas.lay([star], Paint.plain(colour, "skin"), Part.MOTIF, bulge=0.2 * s)
        elif shapes == 2:
            box = np.array([[-1, -0.8], [1, -0.8], [1, 0.8], [-1, 0.8]]) * (w, half) + (x, y)
            self.canvas.spot(box, colour, Part.MOTIF)
            for k in (-0.35, 0.35):
                bar = np.array([[-0.7, k], [0.7, k]]) * (w, half) + (x, y)
                self.canvas.line(bar, look.upper, 0.014 * s)
        else:
            for k, share in ((-0.55, 1.0), (0.1, 0.8), (0.7, 0.95)):
                bar = np.array([[-share, k], [share, k]]) * (w, half) + (x, y)
                self.canvas.line(bar, colour, 0.021 * s, Part.MOTIF)

    def neck(self) -> None:
        """Skin of the neck and the neckline, over the trunk."""
        body, s, look = self.body, self.s, self.look
        r = (0.028 if body.gender == "man" else 0.023) * (0.5 + 0.5 * body.limbs)
        base = np.array([0, 0.846 - body.drop, 0.0])
        top = np.array([0, 0.895 - body.drop, 0.012])
        points = body.px(np.stack([base, top]))
        paint = Paint.plain(palette.darker(look.skin, 0.14), "skin")
        pieces = tube(points, np.array([r * 1.15, r]) * s, caps=(False, True))
        if not body.facing:  # the garment reaches up to the nape
            self.canvas.lay(pieces, paint, Part.SKIN, bulge=0.05 * s)
            return
        dip = {"t-shirt": 0.02, "dress": 0.032, "shirt": 0.03}.get(self.kind, 0.014)
        if self.open:
            dip = 0.03
        if self.kind == "sweater" and look.cut > 0.6:
            dip = 0.0
        front = max(0.0, body.cos)
        x = points[0][0] + 0.02 * body.sin * s
        y = points[0][1] - 0.004 * s
        neckline = ellipse(x, y, r * 1.45 * s, (0.006 + dip * front) * s)
        self.canvas.lay([*pieces, neckline], paint, Part.SKIN, bulge=0.05 * s)
        rim = neckline[: len(neckline) // 2 + 1]
        colour = palette.darker(look.inner if self.open else look.upper, 0.3)
        self.canvas.line(rim, colour, 0.009 * s, share=0.85)

    def arm(self, side: int) -> None:
        """One arm: skin, hand and sleeve. The sleeve of what is below a vest is the inner's."""
        body, s, look = self.body, self.s, self.look
        shoulder, elbow, hand = body.shoulders[side], body.elbows[side], body.hands[side]
        r0, r1, r2 = body.arm_radii()
        points = body.px(np.stack([shoulder, (shoulder + elbow) / 2, elbow, hand]))
        radii = np.array([r0, (r0 + r1) / 2, r1, r2])
        self._hand(points, r2, side)
        paint, part, cover, thick = self.paint, Part.SLEEVE, self.cut.sleeve, self.cut.thick
        if self.kind == "vest":
            paint, part, cover, thick = Paint.plain(look.inner), Part.INNER, 0.97, 0.009
        if cover < 0.9:
            bare = Paint.plain(look.skin, "skin")
            start = 0 if cover < 0.2 else 1
            self.canvas.lay(
                tube(points[start:], radii[start:] * s), bare, Part.SKIN, bulge=0.05 * s
            )
        if cover > 0:
            self._sleeve(points, radii, paint, part, cover, thick)

    def _sleeve(
        self, points: Polygon, radii: Floats, paint: Paint, part: Part, cover: float, thick: float
    ) -> None:
        s = self.s
        at = cover * 2
        if at <= 1:  # ends on the upper arm
            end = points[0] + (points[2] - points[0]) * at
            line = np.stack([points[0], (points[0] + end) / 2, end])
            wide = np.array([radii[0], radii[1] + 0.004, radii[1] + 0.003])
        else:
            end = points[2] + (points[3] - points[2]) * (at - 1)
            line = np.stack([points[0], points[1], points[2], end])
            wide = np.array([radii[0], radii[1], radii[2], radii[3] + 0.002])
        # Cloth lies flat on the shoulder and hangs looser further down.
        wide = (wide + thick * np.array([0.45, 0.9, 1.0, 1.0])[: len(wide)]) * s
        axis = (points[0], points[2])
        self.canvas.lay(
            tube(line, wide, caps=(True, False)), paint, part, bulge=0.06 * s, axis=axis
        )
        colour = self.look.inner if part == Part.INNER else self.look.upper
        d = (line[-1] - line[-2]) / max(1e-6, float(np.hypot(*(line[-1] - line[-2]))))
        across = np.array([-d[1], d[0]]) * wide[-1]
        dark = palette.darker(colour, 0.5)
        self.canvas.line(np.stack([end - across, end + across]), dark, 0.006 * s, share=0.6)
        if at > 1.5:  # cuff and folds at the elbow
            cuff = end - d * 0.02 * s
            self.canvas.line(np.stack([cuff - across, cuff + across]), dark, 0.004 * s, share=0.45)
            fold = points[2] + np.array([[-0.7, 0.3], [0.6, -0.2]]) * wide[2]
            self.canvas.line(fold, dark, 0.005 * s, share=0.35)

    def _hand(self, points: Polygon, wrist: float, side: int) -> None:
        s = self.s
        d = points[3] - points[2]
        d = d / max(1e-6, float(np.hypot(*d)))
        palm = points[3] + d * 0.022 * s
        tip = points[3] + d * 0.048 * s
        r = wrist * s
        paint = Paint.plain(self.look.skin, "skin")
        pieces = tube(np.stack([points[3], palm, tip]), [r * 0.9, r * 1.15, r * 0.75])
        thumb = palm + np.array([-d[1], d[0]]) * r * (1.2 if side else -1.2) * self.body.cos
        pieces += tube(np.stack([points[3], thumb]), [r * 0.5, r * 0.4])
        self.canvas.lay(pieces, paint, Part.SKIN, bulge=0.03 * s)
