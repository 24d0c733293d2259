"""How one person's attributes became a concrete look: tints, cuts, cloth. Stays with the person.

The choices hang on the lasting attributes alone, so the same person wears the same
clothes in every picture.
"""

import zlib
from dataclasses import dataclass

import numpy as np

from gallery.synthetic import palette
from gallery.synthetic.attributes import MOMENT_FIELDS, NONE, Person
from gallery.synthetic.canvas import Paint, Pattern, ramp
from gallery.synthetic.palette import Rgb


@dataclass(frozen=True, kw_only=True)
class Look:
    """Colours as RGB 0 to 255; lengths in body units; the rest choose between cuts (0 to 1)."""

    skin: Rgb
    hair: Rgb
    hat: Rgb
    upper: Rgb
    accent: Rgb
    inner: Rgb
    lower: Rgb
    shoes: Rgb
    bag: Rgb
    umbrella: Rgb
    pattern: str
    period: float
    duty: float
    upright: bool
    fit: float
    hem: float
    sleeve: float
    lower_cut: float
    lower_length: float
    cut: float
    hair_cut: float
    parting: float
    sole: float
    side: int
    frame: float

    @classmethod
    def of(cls, person: Person) -> "Look":
        lasting = [(k, v) for k, v in person.to_dict().items() if k not in MOMENT_FIELDS]
        rng = np.random.default_rng(zlib.crc32(repr(lasting).encode()))

        def tint(name: str) -> Rgb:
            return (0.0, 0.0, 0.0) if name == NONE else palette.tint(name, rng)

        if person.hair_colour == NONE:
            hair = (60.0, 50.0, 45.0)
        else:
            hair = palette.hair_tint(person.hair_colour, rng)
        return cls(
            skin=palette.skin(rng),
            hair=hair,
            hat=tint(person.hat_colour),
            upper=tint(person.upper_colour),
            accent=palette.accent(person.upper_colour, rng),
            inner=tint(person.inner_colour),
            lower=_jeans(person, rng) if person.lower == "jeans" else tint(person.lower_colour),
            shoes=tint(person.shoes_colour),
            bag=tint(person.bag_colour),
            umbrella=tint(person.umbrella_colour),
            pattern=person.upper_pattern,
            period=float(rng.uniform(0.038, 0.062)),
            duty=float(rng.uniform(0.3, 0.42)),
            upright=person.upper in ("shirt", "coat", "dress") and rng.random() < 0.35,
            fit=float(rng.uniform(0, 1)),
            hem=float(rng.uniform(-1, 1)),
            sleeve=float(rng.uniform(0, 1)),
            lower_cut=float(rng.uniform(0, 1)),
            lower_length=float(rng.uniform(0, 1)),
            cut=float(rng.uniform(0, 1)),
            hair_cut=float(rng.uniform(0, 1)),
            parting=float(rng.uniform(-1, 1)),
            sole=float(rng.uniform(0, 1)),
            side=int(rng.integers(2)),
            frame=float(rng.uniform(0, 1)),
        )

    def upper_paint(self, scale: float, surface: str, phase: tuple[float, float]) -> Paint:
        """The cloth of the upper garment for a body of `scale` pixels."""
        if self.pattern in ("plain", "printed"):
            return Paint.plain(self.upper, surface)
        if self.pattern == "striped":
            kind = "upright" if self.upright else "striped"
            pattern = Pattern(kind, self.period * scale, self.duty)
            colours = [self.upper, self.accent]
        elif self.pattern == "checked":
            pattern = Pattern("checked", self.period * 1.15 * scale)
            half = palette.mix(self.upper, self.accent, 0.4)
            colours = [self.upper, half, palette.mix(self.upper, self.accent, 0.92)]
        else:
            pattern = Pattern("dotted", self.period * 0.95 * scale, 0.27)
            colours = [self.upper, self.accent]
        return Paint(ramp(colours), pattern, surface, phase)


def _jeans(person: Person, rng: np.random.Generator) -> Rgb:
    if person.lower_colour != "blue":
        return palette.tint(person.lower_colour, rng)
    washed: tuple[Rgb, ...] = ((38, 62, 112), (58, 92, 150), (104, 142, 190))
    base = washed[int(rng.integers(3))]
    return palette.mix(base, washed[1], float(rng.uniform(0, 0.4)))
