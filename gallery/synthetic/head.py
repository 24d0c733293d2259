"""Head, face, hair, hat and glasses, laid out on an ellipsoid so that any turn of it works."""

import numpy as np

from gallery.synthetic import palette
from gallery.synthetic.attributes import NONE, Person
from gallery.synthetic.body import Body
from gallery.synthetic.canvas import Canvas, Paint, Polygon, ellipse, tube
from gallery.synthetic.look import Look
from gallery.synthetic.parts import Part

_STEPS = np.linspace(-np.pi / 2, np.pi / 2, 11)


class Head:
    """The head of one body. Azimuth 0 is the nose, elevation 0 the level of the ears."""

    def __init__(self, canvas: Canvas, body: Body, person: Person, look: Look) -> None:
        self.canvas, self.body, self.person, self.look = canvas, body, person, look
        self.s = s = body.scale
        self.rx = 0.044 * body.head * (0.5 + 0.5 * body.face) * s
        self.rz = 0.053 * body.head * s
        self.ry = 0.066 * body.head * s
        self.yaw = (body.head_yaw + np.pi) % (2 * np.pi) - np.pi
        self.cos, self.sin = float(np.cos(self.yaw)), float(np.sin(self.yaw))
        middle = np.array([[0.0, 0.934 - body.drop, 0.012]])
        self.x, self.y = (float(v) for v in body.px(middle)[0])
        self.half = float(np.hypot(self.rx * self.cos, self.rz * self.sin))

    def on(self, azimuth: float, elevation: float, out: float = 1.0) -> tuple[float, float, float]:
        """A point on the head: x, y in pixels and its facing (1 towards the viewer)."""
        low = np.cos(elevation) * out
        x, z = self.rx * low * np.sin(azimuth), self.rz * low * np.cos(azimuth)
        return (
            self.x + x * self.cos + z * self.sin,
            self.y - self.ry * out * np.sin(elevation),
            float(np.cos(azimuth + self.yaw)),
        )

    def back_hair(self) -> None:
        """Long hair that hangs behind a body seen from the front or the side."""
        if self.person.hair == "long" and self.body.cos > -0.35:
            self._mane(behind=True)
        elif self.person.hair == "ponytail" and self.body.cos > 0.3:
            self._tail()

    def skull(self) -> None:
        """The face's oval, the ears and what is in the face."""
        look = self.look
        paint = Paint.plain(look.skin, "skin")
        t = np.linspace(0, 2 * np.pi, 26)[:-1]
        slim = 0.2 if self.person.gender == "woman" else 0.1
        slim /= self.body.face**2
        down = np.clip(np.sin(t), 0, 1)
        x = self.half * np.cos(t) * (1 - slim * down**2) + 0.1 * self.half * self.sin * down**2
        y = self.ry * np.sin(t)
        shape = np.stack([self.x + x, self.y + y], axis=1)
        pieces = [shape]
        for side in (-1, 1):
            ear = self.on(side * np.pi / 2, -0.05, 1.03)
            if ear[2] > -0.35:
                pieces.append(ellipse(ear[0], ear[1], self.rx * 0.2, self.ry * 0.22, n=10))
        nose = self.on(0.0, -0.12, 1.2)
        if abs(self.sin) > 0.4 and self.cos > -0.35:
            top, low = self.on(0.0, 0.15, 0.96), self.on(0.0, -0.35, 0.96)
            pieces.append(np.array([top[:2], nose[:2], low[:2]]))
        self.canvas.lay(pieces, paint, Part.FACE, bulge=0.06 * self.s, level=1.03)
        if self.cos > -0.45:
            self._features()

    def _features(self) -> None:
        skin, s, canvas = self.look.skin, self.s, self.canvas
        dark = palette.darker(skin, 0.45)
        for side in (-1, 1):
            x, y, facing = self.on(side * 0.42, 0.06)
            if facing < 0.12:
                continue
            w = 0.011 * s * max(0.45, facing)
            canvas.spot(ellipse(x, y, w, 0.0055 * s, n=10), (240, 238, 234))
            canvas.spot(ellipse(x + 0.2 * w, y, w * 0.55, 0.0055 * s, n=8), (44, 32, 26))
            brow = np.array(
                [[x - w * 1.2, y - 0.012 * s], [x, y - 0.0165 * s], [x + w * 1.2, y - 0.013 * s]]
            )
            hair = palette.darker(self.look.hair, 0.35)
            canvas.line(brow, hair, 0.006 * s, share=0.75)
        x, y, facing = self.on(0.0, -0.18, 1.06)
        if facing > 0.3:
            shade = np.array([[x - 0.007 * s, y], [x, y + 0.004 * s], [x + 0.007 * s, y]])
            canvas.line(shade, dark, 0.004 * s, share=0.7)
        x, y, facing = self.on(0.0, -0.56, 1.0)
        if facing > 0.0:
            w = 0.016 * s * max(0.4, facing)
            woman = self.person.gender == "woman"
            lips = palette.mix(skin, (176, 40, 52), 0.62 if woman else 0.3)
            mouth = np.array([[x - w, y], [x, y + 0.003 * s], [x + w, y]])
            canvas.line(mouth, palette.darker(lips, 0.15), (0.008 if woman else 0.006) * s)
            if not woman and facing > 0.7 and self.look.frame > 0.8:
                beard = ellipse(x, y + 0.004 * s, self.half * 0.62, 0.026 * s)
                rim = np.concatenate([beard[:11], beard[:1]])
                canvas.line(rim, palette.darker(self.look.hair, 0.2), 0.018 * s, share=0.6)

    def hair(self) -> None:
        """What grows on the skull, with the hair line around the face."""
        kind = self.person.hair
        if kind == "bald":
            if self.person.hat == NONE:
                x, y, _ = self.on(-self.yaw + 0.5 * self.canvas.light, 0.95, 0.86)
                self.canvas.spot(
                    ellipse(x, y, self.rx * 0.3, self.ry * 0.13),
                    palette.lighter(self.look.skin, 0.4),
                )
            return
        woman = self.person.gender == "woman"
        volume = 1.05 + 0.08 * self.look.hair_cut + (0.03 if woman else 0.0)
        bob = kind == "short" and woman
        low = -0.75 if bob else -0.05
        nape = -0.95 if bob else -0.62
        if kind == "long":
            low, nape = -0.75, -0.95
        if kind in ("ponytail", "bun"):
            low, volume = 0.0, 1.05
        front = 0.62 - 0.22 * self.look.frame
        outline = self._cap(front, low, nape, volume)
        if outline is not None:
            paint = Paint.plain(self.look.hair, "hair", 0.5)
            self.canvas.lay([outline], paint, Part.HAIR, bulge=0.05 * self.s)
            self._strands(outline)
        if kind == "bun":
            self._bun()
        elif kind == "ponytail" and self.body.cos <= 0.3:
            self._tail()
        elif kind == "long":
            if self.body.cos <= -0.35:
                self._mane(behind=False)
            elif self.cos > -0.2:
                self._locks()

    def _cap(self, front: float, side: float, nape: float, out: float) -> Polygon | None:
        """The part of the skull above a line that runs front, side, nape; None if unseen."""
        azimuth = _STEPS - self.yaw
        around = np.abs((azimuth + np.pi) % (2 * np.pi) - np.pi)
        parting = 0.16 * self.look.parting * np.sin(azimuth) * (around < 1.0)
        line = np.interp(
            around,
            [0.0, 0.75, 1.05, 1.35, 1.75, np.pi],
            [front, front - 0.06, front - 0.35, min(side, front), nape * 0.75, nape],
        )
        line = line + parting
        low = np.cos(line) * out
        x = low * (self.rx * np.sin(azimuth) * self.cos + self.rz * np.cos(azimuth) * self.sin)
        y = -self.ry * np.sin(line) * out
        arc = np.linspace(0, np.pi, 15)
        start = float(np.clip(line[-1], -1.2, 1.2))
        end = float(np.clip(line[0], -1.2, 1.2))
        angle = start + (np.pi - end - start) * arc / np.pi
        top = np.stack(
            [self.half * out * np.cos(angle) * 1.0, -self.ry * out * 1.02 * np.sin(angle)], axis=1
        )
        cap: Polygon = np.concatenate([np.stack([x, y], axis=1), top])
        cap += np.array((self.x, self.y))
        return cap

    def _strands(self, outline: Polygon) -> None:
        dark, light = palette.darker(self.look.hair, 0.4), palette.lighter(self.look.hair, 0.3)
        x, y = self.x + 0.25 * self.look.parting * self.half, self.y - self.ry * 1.02
        for k, colour in ((-0.55, dark), (0.0, light), (0.5, dark)):
            line = np.array(
                [
                    [x, y],
                    [x + k * self.half * 0.8, y + self.ry * 0.2],
                    [x + k * self.half * 1.3, y + self.ry * 0.48],
                ]
            )
            if self.cos < 0:
                line[2, 1] += self.ry * 0.6
            self.canvas.line(line, colour, 0.005 * self.s, share=0.35)

    def _mane(self, *, behind: bool) -> None:
        s, hx = self.s, self.half
        end = 0.79 - 0.1 * self.look.hair_cut
        bottom = float(self.body.px(np.array([[0.0, end - self.body.drop, 0.0]]))[0, 1])
        back = -0.028 * self.sin * s
        wide = 1.16 + 0.14 * self.look.frame
        shape = np.array(
            [
                [self.x - hx * 0.95, self.y - self.ry * 0.4],
                [self.x + hx * 0.95, self.y - self.ry * 0.4],
                [self.x + hx * wide + back * 0.3, self.y + self.ry * 0.5],
                [self.x + hx * (wide + 0.12) + back, (self.y + bottom) / 2 + 0.02 * s],
                [self.x + hx * (wide - 0.1) + back, bottom - 0.01 * s],
                [self.x + hx * 0.4 + back, bottom + 0.012 * s],
                [self.x - hx * 0.3 + back, bottom + 0.004 * s],
                [self.x - hx * (wide - 0.1) + back, bottom - 0.006 * s],
                [self.x - hx * (wide + 0.12) + back, (self.y + bottom) / 2 + 0.02 * s],
                [self.x - hx * wide + back * 0.3, self.y + self.ry * 0.5],
            ]
        )
        colour = palette.darker(self.look.hair, 0.25) if behind else self.look.hair
        self.canvas.lay([shape], Paint.plain(colour, "hair", 0.5), Part.HAIR_SHAPE, bulge=0.08 * s)
        for k in (-0.5, 0.05, 0.55):
            line = np.array(
                [[self.x + k * hx, self.y], [self.x + k * hx * 1.3 + back, bottom - 0.02 * s]]
            )
            self.canvas.line(line, palette.darker(colour, 0.45), 0.005 * s, share=0.4)

    def _locks(self) -> None:
        """Hair in front of the shoulders, beside the face."""
        s = self.s
        end = 0.80 - 0.1 * self.look.hair_cut
        bottom = float(self.body.px(np.array([[0.0, end - self.body.drop, 0.03]]))[0, 1])
        for side in (-1, 1):
            x, y, facing = self.on(side * 1.25, 0.3, 1.04)
            if facing < -0.35:
                continue
            drop = np.array(
                [
                    [x, y],
                    [x + side * 0.006 * s * self.cos, y + self.ry * 0.9],
                    [x + side * 0.012 * s * self.cos, (y + bottom) / 2 + 0.02 * s],
                    [x + side * 0.004 * s, bottom],
                ]
            )
            width = np.array([0.012, 0.016, 0.019, 0.008]) * s
            self.canvas.lay(
                tube(drop, width),
                Paint.plain(self.look.hair, "hair", 0.5),
                Part.HAIR_SHAPE,
                bulge=0.03 * s,
            )

    def _tail(self) -> None:
        s = self.s
        x, y, _ = self.on(np.pi, 0.25, 1.06)
        drop = 0.13 + 0.05 * self.look.hair_cut
        out = -0.03 * self.sin * s
        aside = 0.0
        if self.cos > 0.3:  # over one shoulder, so that it shows beside the neck
            aside = (0.055 if self.look.side else -0.055) * s
        points = np.array(
            [
                [x, y],
                [x + out + aside * 0.5, y + 0.03 * s],
                [x + out * 1.35 + aside, y + 0.085 * s],
                [x + out * 0.9 + aside * 1.1, y + drop * s],
            ]
        )
        radii = np.array([0.015, 0.024, 0.024, 0.007]) * s
        self.canvas.lay(
            tube(points, radii),
            Paint.plain(self.look.hair, "hair", 0.5),
            Part.HAIR_SHAPE,
            bulge=0.04 * s,
        )
        band = points[0] + np.array([[-0.4, 0.6], [0.4, 0.6]]) * 0.03 * s
        self.canvas.line(band, palette.darker(self.look.hair, 0.7), 0.008 * s, share=0.9)
        self.canvas.line(points, palette.lighter(self.look.hair, 0.25), 0.005 * s, share=0.4)

    def _bun(self) -> None:
        high = self.look.hair_cut > 0.35
        x, y, _ = self.on(np.pi, 1.15 if high else 0.35, 1.22)
        r = (0.030 + 0.006 * self.look.frame) * self.s
        if self.person.hat != NONE:
            x, y, _ = self.on(np.pi, -0.35, 1.2)
            r *= 0.85
        paint = Paint.plain(self.look.hair, "hair", 0.5)
        hidden = not high and self.cos > 0.35
        if hidden:
            return
        self.canvas.lay([ellipse(x, y, r, r * 0.92)], paint, Part.HAIR_SHAPE, bulge=0.05 * self.s)
        swirl = ellipse(x, y, r * 0.55, r * 0.5)[2:15]
        self.canvas.line(swirl, palette.darker(self.look.hair, 0.45), 0.005 * self.s, share=0.6)
