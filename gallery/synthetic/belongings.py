"""What a person carries: backpack, handbag, shoulder bag, suitcase, umbrella."""

from itertools import pairwise

import numpy as np

from gallery.synthetic import palette
from gallery.synthetic.attributes import NONE, Person
from gallery.synthetic.body import Body, Gesture
from gallery.synthetic.canvas import Canvas, Floats, Paint, Polygon, ellipse, hull
from gallery.synthetic.look import Look
from gallery.synthetic.parts import Part


class Belongings:
    """Things carried by one body. Decide the arms first: `hold` bends them."""

    def __init__(
        self, canvas: Canvas, body: Body, person: Person, look: Look, rng: np.random.Generator
    ) -> None:
        self.canvas, self.body, self.person, self.look = canvas, body, person, look
        self.s = body.scale
        self.kind = person.bag
        # Mostly on the side that the viewer sees.
        self.side = body.near if rng.random() < 0.8 else 1 - body.near
        self.other = 1 - self.side
        self.crook = rng.random() < 0.35
        self.sway = float(rng.uniform(-0.02, 0.02))
        self.behind = body.walking or rng.random() < 0.3

    def hold(self) -> None:
        """Bend the arms that hold something."""
        body = self.body
        if self.kind == "handbag":
            if self.crook:
                body.bend_arm(self.side, Gesture(0.1, 0.2, 1.7, 0.25))
            else:
                body.bend_arm(self.side, Gesture(0.05, body_free(body) + 0.08, 0.12))
        elif self.kind == "suitcase":
            swing = -0.45 if self.behind else 0.05
            body.bend_arm(self.side, Gesture(swing, body_free(body) + 0.14, 0.05))
        elif self.kind == "shoulder bag" and self.crook:
            body.bend_arm(self.side, Gesture(0.3, 0.15, 1.5, 0.1))
        if self.person.umbrella_colour != NONE:
            body.bend_arm(self.other, Gesture(0.55, 0.12, 1.95, 0.15))

    def behind_body(self) -> None:
        """What the trunk hides in part."""
        if self.kind == "backpack" and self.body.facing:
            self._pack()
        if self.kind == "suitcase" and self._case_depth() < 0:
            self._suitcase()
        if self.kind == "handbag" and self._hand_depth() < -0.03:
            self._handbag()
        if self.kind == "shoulder bag" and self._hip_depth() < -0.03:
            self._hip_bag()

    def on_body(self) -> None:
        """What lies on the trunk, below the near arm."""
        if self.kind == "backpack":
            if not self.body.facing:
                self._pack()
            self._straps()
        elif self.kind == "shoulder bag":
            self._sling()

    def before_body(self) -> None:
        if self.kind == "handbag" and self._hand_depth() >= -0.03:
            self._handbag()
        if self.kind == "shoulder bag" and self._hip_depth() >= -0.03:
            self._hip_bag()
        if self.kind == "suitcase" and self._case_depth() >= 0:
            self._suitcase()

    def umbrella(self) -> None:
        if self.person.umbrella_colour == NONE:
            return
        body, s = self.body, self.s
        hand = body.hands[self.other]
        top = np.array([hand[0] * 0.8, 1.17 - body.drop, hand[2] * 0.7])
        grip = hand - np.array([0, 0.05, 0])
        line = body.px(np.stack([grip, top]))
        self.canvas.line(line, (58, 54, 52), 0.011 * s, Part.UMBRELLA)
        x, y = body.px(top[None])[0]
        r = (0.31 + 0.05 * self.look.frame) * s
        tall, rim = 0.13 * s, (0.03 + 0.06 * body.pitch) * s
        t = np.linspace(0, np.pi, 21)
        arch = np.stack([x + r * np.cos(t), y + tall - tall * np.sin(t) ** 0.8], axis=1)
        ends = np.linspace(-1, 1, 6)
        scallop: list[tuple[float, float]] = []
        for a, b in pairwise(ends):
            for k in (0.0, 0.25, 0.5, 0.75):
                u = a + (b - a) * k
                low = y + tall + rim * np.sqrt(max(0.0, 1 - u * u))
                scallop.append((x + r * u, low - 0.016 * s * np.sin(k * np.pi)))
        shape = np.concatenate([arch, np.array(scallop[1:])])
        paint = Paint.plain(self.look.umbrella, "skin", 0.5)
        self.canvas.lay([shape], paint, Part.UMBRELLA, bulge=0.24 * s, level=1.04)
        dark = palette.darker(self.look.umbrella, 0.5)
        for u in ends[1:-1]:
            low = y + tall + rim * np.sqrt(1 - u * u)
            rib = np.array([[x, y], [x + r * u * 0.62, y + tall * 0.32], [x + r * u, low]])
            self.canvas.line(rib, dark, 0.005 * s, share=0.5)
        self.canvas.line(
            np.array([[x, y], [x, y - 0.025 * s]]), (70, 66, 62), 0.009 * s, Part.UMBRELLA
        )

    def _pack(self) -> None:
        body, s, look = self.body, self.s, self.look
        waist = body.ring(0.7)
        w = 0.078 + 0.014 * look.cut
        d = 0.05
        heights = np.array([0.815, 0.80, 0.76, 0.70, 0.63, 0.60, 0.588]) - 0.01 * look.frame
        wide = w * np.array([0.5, 0.82, 0.95, 1.0, 1.04, 1.0, 0.85])
        deep = d * np.array([0.45, 0.75, 0.95, 1.0, 1.15, 1.1, 0.8])
        half = np.hypot(wide * body.cos, deep * body.sin)
        centre = -(waist[1] + d * 0.9) * body.sin
        x = body.origin[0] + s * centre
        y = body.origin[1] - s * (heights - body.drop + 0.1 * body.pitch)
        shape = np.concatenate(
            [np.stack([x - s * half, y], axis=1), np.stack([x + s * half, y], axis=1)[::-1]]
        )
        paint = Paint.plain(look.bag, "folds", 0.5)
        self.canvas.lay([shape], paint, Part.BAG, bulge=0.08 * s, level=1.02)
        dark = palette.darker(look.bag, 0.55)
        light = palette.lighter(look.bag, 0.3)
        if body.cos < 0.3:
            face = x - 0.35 * d * body.sin * s
            k = max(0.35, abs(body.cos)) * w * s * 0.8
            mid = y[3]
            pocket = np.array([[-1, 0.01], [1, 0.01], [1, 0.075], [-1, 0.075]]) * (k, s) + (
                face,
                mid,
            )
            self.canvas.line(np.concatenate([pocket, pocket[:1]]), dark, 0.006 * s, share=0.8)
            zip_ = np.array([[-0.9, -0.07], [0, -0.085], [0.9, -0.07]]) * (k, s) + (face, mid)
            self.canvas.line(zip_, light, 0.006 * s, share=0.8)
            loop = np.array([[-0.25, -0.105], [0, -0.128], [0.25, -0.105]]) * (k, s) + (face, mid)
            self.canvas.line(loop, dark, 0.009 * s, Part.BAG)

    def _straps(self) -> None:
        body, s = self.body, self.s
        colour = palette.darker(self.look.bag, 0.06)
        for sign in (-1, 1):
            azimuths = sign * np.array([0.48, 0.46, 0.52, 0.8])
            heights = np.array([0.838, 0.79, 0.72, 0.645])
            points = [
                body.surface(float(h), float(a), 0.018)
                for h, a in zip(heights, azimuths, strict=True)
            ]
            if np.mean([p[2] for p in points[:3]]) < 0.05:
                continue
            line = np.array([p[:2] for p in points])
            self.canvas.line(
                line + np.array([0.004 * s, 0.004 * s]), (14, 14, 16), 0.026 * s, share=0.35
            )
            self.canvas.line(line, colour, 0.024 * s, Part.STRAP)
            self.canvas.line(line, palette.darker(colour, 0.4), 0.004 * s, share=0.5)

    def _box(self, middle: Floats, half: tuple[float, float, float], taper: float = 0.0) -> Polygon:
        """The outline of a box (half sizes across, up, ahead), narrower at the top by `taper`."""
        x, y, z = half
        k = 1 - taper
        corners = np.array(
            [
                [-x * k, y, -z * k],
                [x * k, y, -z * k],
                [x * k, y, z * k],
                [-x * k, y, z * k],
                [-x, -y, -z],
                [x, -y, -z],
                [x, -y, z],
                [-x, -y, z],
            ]
        )
        inner = corners * np.array([1, 0.86, 1])
        corners = np.concatenate([corners * np.array([0.92, 1, 0.92]), inner])
        return hull(self.body.px(corners + middle))

    def _hand_depth(self) -> float:
        return self.body.near_by(self.body.hands[self.side])

    def _handbag(self) -> None:
        body, s, look = self.body, self.s, self.look
        hand = body.hands[self.side]
        hook = hand * 0.5 + body.elbows[self.side] * 0.5 if self.crook else hand
        wide, tall = 0.078 + 0.012 * look.cut, 0.058 + 0.01 * look.frame
        drop = 0.075 if not self.crook else 0.085
        middle = hook + np.array([0, -drop - tall - 0.01, self.sway])
        out = 1.0 if self.side else -1.0
        middle[0] += out * 0.012
        # Turned a little, so that its broad side shows from the front as well.
        shape = self._box(middle, (0.045, tall, wide), 0.16)
        top = float(shape[:, 1].min())
        x = float(shape[:, 0].mean())
        span = float(np.ptp(shape[:, 0])) * 0.28
        grip = body.px(hook[None])[0]
        for k in (-1, 1):
            handle = np.array(
                [
                    [x + k * span, top + 0.012 * s],
                    [x + k * span * 0.8, top - 0.04 * s],
                    grip + np.array([k * 0.006 * s, 0.006 * s]),
                ]
            )
            self.canvas.line(handle, palette.darker(look.bag, 0.3), 0.011 * s, Part.BAG)
        self.canvas.lay(
            [shape], Paint.plain(look.bag, "skin", 0.7), Part.BAG, bulge=0.06 * s, level=1.03
        )
        low, left, right = float(shape[:, 1].max()), shape[:, 0].min(), shape[:, 0].max()
        flap = np.array(
            [
                [left + 0.01 * s, top + 0.012 * s],
                [x, top + (low - top) * 0.42],
                [right - 0.01 * s, top + 0.012 * s],
            ]
        )
        self.canvas.line(flap, palette.darker(look.bag, 0.5), 0.005 * s, share=0.75)
        self.canvas.spot(
            ellipse(x, top + (low - top) * 0.42, 0.008 * s, 0.007 * s, n=10), (214, 184, 108)
        )

    def _hip(self) -> Floats:
        body = self.body
        out = 1.0 if self.side else -1.0
        w, _ = body.ring(0.52, 0.045)
        return np.array([out * w, 0.535 - body.drop, self.sway + 0.015])

    def _hip_depth(self) -> float:
        return self.body.near_by(self._hip())

    def _hip_bag(self) -> None:
        s, look = self.s, self.look
        middle = self._hip()
        shape = self._box(middle, (0.032, 0.058 + 0.012 * look.cut, 0.08), 0.04)
        self.canvas.lay(
            [shape], Paint.plain(look.bag, "folds", 0.5), Part.BAG, bulge=0.06 * s, level=1.03
        )
        top, low = float(shape[:, 1].min()), float(shape[:, 1].max())
        left, right = float(shape[:, 0].min()), float(shape[:, 0].max())
        y = top + (low - top) * 0.5
        flap = np.array(
            [[left, y - 0.004 * s], [(left + right) / 2, y + 0.006 * s], [right, y - 0.004 * s]]
        )
        self.canvas.line(flap, palette.darker(look.bag, 0.55), 0.006 * s, share=0.8)
        buckle = np.array([[(left + right) / 2, y - 0.004 * s], [(left + right) / 2, y + 0.02 * s]])
        self.canvas.line(buckle, palette.lighter(look.bag, 0.45), 0.008 * s, share=0.8)

    def _sling(self) -> None:
        """The strap from the far shoulder across the trunk to the bag's hip."""
        body, s = self.body, self.s
        out = 1.0 if self.side else -1.0
        if body.facing:
            azimuths = out * np.array([-0.75, -0.3, 0.35, 0.95, 1.4])
        else:
            azimuths = np.pi + -out * np.array([-0.75, -0.3, 0.35, 0.95, 1.4])
        heights = np.array([0.845, 0.78, 0.69, 0.61, 0.565])
        points = np.array(
            [body.surface(float(h), float(a), 0.02) for h, a in zip(heights, azimuths, strict=True)]
        )
        seen = points[points[:, 2] > -0.12][:, :2]
        if len(seen) < 2:
            return
        colour = palette.darker(self.look.bag, 0.1)
        self.canvas.line(
            seen + np.array([0.003 * s, 0.005 * s]), (14, 14, 16), 0.018 * s, share=0.35
        )
        self.canvas.line(seen, colour, 0.0165 * s, Part.STRAP)

    def _case(self) -> Floats:
        body = self.body
        out = 1.0 if self.side else -1.0
        w = body.ring(0.5)[0]
        if self.behind:
            return np.array([out * (w + 0.07), 0.155, -0.2])
        return np.array([out * (w + 0.115), 0.155, 0.03])

    def _case_depth(self) -> float:
        return self.body.near_by(self._case())

    def _suitcase(self) -> None:
        body, s, look = self.body, self.s, self.look
        middle = self._case()
        hand = body.hands[self.side]
        tall = 0.115 + 0.02 * look.cut
        middle[1] = tall + 0.02
        shape = self._box(middle, (0.08, tall, 0.055) if not self.behind else (0.085, tall, 0.06))
        top, low = float(shape[:, 1].min()), float(shape[:, 1].max())
        left, right = float(shape[:, 0].min()), float(shape[:, 0].max())
        x = (left + right) / 2
        grip = body.px((hand + np.array([0, -0.03, 0]))[None])[0]
        for k in (-0.18, 0.18):
            rod = np.array(
                [[x + k * (right - left), top + 0.01 * s], grip + np.array([k * 0.09 * s, 0])]
            )
            self.canvas.line(rod, (150, 152, 158), 0.008 * s, Part.BAG)
        self.canvas.line(
            grip + np.array([[-0.022, 0], [0.022, 0]]) * s, (36, 36, 40), 0.014 * s, Part.BAG
        )
        for k in (0.16, 0.84):
            wheel = ellipse(left + k * (right - left), low + 0.004 * s, 0.013 * s, 0.014 * s, n=10)
            self.canvas.spot(wheel, (28, 28, 30), Part.BAG)
        self.canvas.lay(
            [shape], Paint.plain(look.bag, "skin", 0.8), Part.BAG, bulge=0.07 * s, level=1.04
        )
        for k in (0.25, 0.5, 0.75):
            rib = np.array(
                [
                    [left + k * (right - left), top + 0.014 * s],
                    [left + k * (right - left), low - 0.014 * s],
                ]
            )
            self.canvas.line(rib, palette.darker(look.bag, 0.45), 0.005 * s, share=0.55)
            self.canvas.line(
                rib + np.array([0.005 * s, 0]),
                palette.lighter(look.bag, 0.4),
                0.004 * s,
                share=0.45,
            )


def body_free(body: Body) -> float:
    """How far a hanging arm must spread to clear the hips, in radians."""
    return 0.06 + 0.55 * max(0.0, body.width(0.59) - 0.085)
