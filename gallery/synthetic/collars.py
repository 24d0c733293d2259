"""What stands around the neck: roll necks, collars, lapels and hoods."""

import numpy as np

from gallery.synthetic import palette
from gallery.synthetic.attributes import NONE, Person
from gallery.synthetic.body import Body
from gallery.synthetic.canvas import Canvas, Paint, ellipse, tube
from gallery.synthetic.look import Look
from gallery.synthetic.palette import Rgb
from gallery.synthetic.parts import Part


class Collar:
    """The collar of one upper garment; a T-shirt, a dress and a plain sweater have none."""

    def __init__(self, canvas: Canvas, body: Body, person: Person, look: Look) -> None:
        self.canvas, self.body, self.look = canvas, body, look
        self.kind = person.upper
        self.open = person.inner_colour != NONE
        self.s = body.scale

    def lay(self) -> None:
        """What stands around the neck, over neck and chin."""
        kind, s, body, look = self.kind, self.s, self.body, self.look
        x, y = body.px(np.array([[0.0, 0.85 - body.drop, 0.0]]))[0]
        x += 0.012 * body.sin * s
        r = (0.034 if body.gender == "man" else 0.029) * (0.5 + 0.5 * body.limbs) * s
        shade = palette.darker(look.upper, 0.18)
        if kind == "sweater" and look.cut > 0.6:  # a roll neck
            pieces = tube(np.array([[x, y - 0.016 * s], [x, y]]), [r * 0.9, r * 1.1])
            self.canvas.lay(pieces, Paint.plain(shade, "knit"), Part.UPPER, bulge=0.04 * s)
        elif kind == "hoodie":
            self._hood(x, y, r)
        elif kind in ("shirt", "jacket", "coat", "vest"):
            if body.cos < -0.2:  # the collar lies low around the nape
                band = ellipse(x, y - 0.004 * s, r * 1.3, 0.015 * s)
                self.canvas.lay([band], Paint.plain(shade), Part.UPPER, bulge=0.03 * s)
                rim = band[: len(band) // 2 + 1]
                self.canvas.line(rim, palette.darker(look.upper, 0.6), 0.005 * s, share=0.6)
                return
            self._lapels(x, y, r, shade)

    def _lapels(self, x: float, y: float, r: float, shade: Rgb) -> None:
        s, look = self.s, self.look
        drop = {"shirt": 0.034, "jacket": 0.05, "coat": 0.085, "vest": 0.03}[self.kind]
        drop *= 0.8 + 0.4 * look.cut
        middle = x + 0.03 * self.body.sin * s
        for sign in (-1, 1):
            if sign * self.body.sin > 0.75:
                continue
            shape = np.array(
                [
                    [x + sign * r * 1.05, y - 0.022 * s],
                    [x + sign * r * 1.6, y + 0.012 * s],
                    [x + sign * r * 1.1 + 0.02 * self.body.sin * s, y + drop * s],
                    [middle + sign * r * (0.55 if self.open else 0.12), y + drop * s * 0.62],
                    [x + sign * r * 0.5, y + 0.002 * s],
                ]
            )
            self.canvas.lay([shape], Paint.plain(shade), Part.UPPER, bulge=0.02 * s)
            self.canvas.line(shape[1:4], palette.darker(look.upper, 0.6), 0.005 * s, share=0.6)

    def _hood(self, x: float, y: float, r: float) -> None:
        s, body, look = self.s, self.body, self.look
        back = -0.035 * body.sin * s
        paint = Paint.plain(palette.darker(look.upper, 0.08))
        if body.cos < -0.25:  # the hood hangs down the back
            hang = np.array(
                [
                    [x - r * 1.7, y - 0.03 * s],
                    [x, y - 0.045 * s],
                    [x + r * 1.7, y - 0.03 * s],
                    [x + r * 1.9, y + 0.02 * s],
                    [x + r * 0.9, y + 0.075 * s],
                    [x, y + 0.09 * s],
                    [x - r * 0.9, y + 0.075 * s],
                    [x - r * 1.9, y + 0.02 * s],
                ]
            )
            self.canvas.lay([hang], paint, Part.UPPER, bulge=0.06 * s)
            self.canvas.line(hang[3:], palette.darker(look.upper, 0.6), 0.008 * s, share=0.7)
            mouth = np.array([[-1.3, -0.02], [0, 0.01], [1.3, -0.02]]) * (r, s) + (x, y)
            self.canvas.line(mouth, palette.darker(look.upper, 0.65), 0.012 * s, share=0.7)
            return
        for sign in (-1, 1):
            roll = np.array(
                [
                    [x + back + sign * r * 1.0, y - 0.03 * s],
                    [x + back * 0.7 + sign * r * 1.45, y - 0.012 * s],
                    [x + 0.02 * body.sin * s + sign * r * 0.5, y + 0.028 * s],
                ]
            )
            self.canvas.lay(
                tube(roll, np.array([0.011, 0.022, 0.01]) * s), paint, Part.UPPER, bulge=0.03 * s
            )
            self.canvas.line(roll, palette.darker(look.upper, 0.5), 0.005 * s, share=0.4)
        if body.profile:
            lump = ellipse(x + back * 1.8, y + 0.004 * s, 0.032 * s, 0.042 * s)
            self.canvas.lay([lump], paint, Part.UPPER, bulge=0.04 * s)
        cord = look.accent if palette.luminance(look.upper) < 190 else (110, 110, 112)
        for sign in (-1, 1):
            start = np.array([x + 0.03 * body.sin * s + sign * 0.014 * s, y + 0.02 * s])
            if body.cos > 0.2:
                end = start + np.array([sign * 0.002, 0.06]) * s
                self.canvas.line(np.stack([start, end]), cord, 0.006 * s, share=0.95)
