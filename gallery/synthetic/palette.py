"""What a colour name looks like: tints that vary inside a name and keep away from the others."""

import colorsys

import numpy as np

from gallery.synthetic.attributes import COLOURS, HAIR_COLOURS

Rgb = tuple[float, float, float]

# Ranges of hue (degrees), saturation and value (0 to 1); one of them is picked, then a point in it.
# Between two names there is a gap: red ends before orange in hue, brown before it in value,
# pink before red in saturation, beige before white in saturation and value.
_Range = tuple[tuple[float, float], tuple[float, float], tuple[float, float]]
_RANGES: dict[str, tuple[_Range, ...]] = {
    "black": (((0, 360), (0.0, 0.14), (0.06, 0.14)), ((200, 240), (0.05, 0.2), (0.08, 0.15))),
    "white": (((0, 360), (0.0, 0.02), (0.93, 1.0)), ((190, 230), (0.0, 0.035), (0.92, 0.99))),
    "grey": (
        ((0, 360), (0.0, 0.04), (0.36, 0.5)),
        ((0, 360), (0.0, 0.04), (0.5, 0.68)),
        ((205, 225), (0.03, 0.07), (0.4, 0.62)),
    ),
    "red": (
        ((350, 364), (0.74, 0.93), (0.62, 0.86)),
        ((348, 361), (0.7, 0.88), (0.5, 0.64)),
    ),
    "blue": (
        ((210, 230), (0.58, 0.85), (0.5, 0.8)),
        ((214, 232), (0.62, 0.8), (0.32, 0.5)),
        ((203, 216), (0.38, 0.6), (0.75, 0.92)),
    ),
    "green": (
        ((115, 150), (0.45, 0.75), (0.4, 0.64)),
        ((125, 160), (0.5, 0.75), (0.27, 0.4)),
        ((88, 115), (0.4, 0.6), (0.46, 0.72)),
    ),
    "yellow": (((48, 56), (0.7, 0.9), (0.86, 0.98)), ((47, 54), (0.58, 0.72), (0.86, 0.97))),
    "orange": (((22, 30), (0.8, 0.95), (0.9, 1.0)), ((19, 26), (0.76, 0.9), (0.82, 0.92))),
    "pink": (
        ((335, 352), (0.26, 0.42), (0.92, 1.0)),
        ((326, 338), (0.5, 0.68), (0.9, 1.0)),
    ),
    "purple": (
        ((268, 288), (0.5, 0.75), (0.4, 0.66)),
        ((264, 282), (0.32, 0.5), (0.62, 0.8)),
        ((280, 296), (0.5, 0.7), (0.32, 0.5)),
    ),
    "brown": (((18, 28), (0.52, 0.7), (0.3, 0.44)), ((20, 30), (0.42, 0.58), (0.4, 0.5))),
    "beige": (((34, 43), (0.18, 0.27), (0.82, 0.92)), ((33, 40), (0.26, 0.36), (0.74, 0.84))),
}
_HAIR_RANGES: dict[str, tuple[_Range, ...]] = {
    "black": (((10, 30), (0.1, 0.35), (0.06, 0.13)),),
    "brown": (((17, 26), (0.5, 0.65), (0.26, 0.4)),),
    "blond": (((38, 47), (0.38, 0.58), (0.78, 0.93)),),
    "grey": (((0, 360), (0.0, 0.05), (0.58, 0.8)),),
    "red": (((10, 17), (0.72, 0.85), (0.55, 0.72)),),
}
# From very light to very dark.
_SKINS: tuple[Rgb, ...] = (
    (243, 210, 188),
    (235, 195, 167),
    (224, 180, 146),
    (205, 158, 122),
    (176, 125, 90),
    (138, 92, 63),
    (98, 64, 46),
)
_LIGHT = frozenset({"white", "yellow", "pink", "beige"})


def _pick(ranges: tuple[_Range, ...], rng: np.random.Generator) -> Rgb:
    hue, saturation, value = ranges[int(rng.integers(len(ranges)))]
    a, b, c = rng.random(3)
    r, g, b_ = colorsys.hsv_to_rgb(
        ((hue[0] + a * (hue[1] - hue[0])) % 360) / 360,
        saturation[0] + b * (saturation[1] - saturation[0]),
        value[0] + c * (value[1] - value[0]),
    )
    return r * 255, g * 255, b_ * 255


def tint(name: str, rng: np.random.Generator) -> Rgb:
    """One cloth colour (RGB, 0 to 255) that an eye calls by this name of COLOURS."""
    return _pick(_RANGES[name], rng)


def hair_tint(name: str, rng: np.random.Generator) -> Rgb:
    """One hair colour (RGB, 0 to 255) for a name of HAIR_COLOURS."""
    return _pick(_HAIR_RANGES[name], rng)


def skin(rng: np.random.Generator) -> Rgb:
    """One skin tone (RGB, 0 to 255)."""
    at = rng.random() * (len(_SKINS) - 1)
    low = int(at)
    return mix(_SKINS[low], _SKINS[min(low + 1, len(_SKINS) - 1)], at - low)


def accent(name: str, rng: np.random.Generator) -> Rgb:
    """A second colour for a pattern on cloth of this name; neutral, so the name stays true."""
    if name in _LIGHT:
        return _pick(_RANGES["black" if rng.random() < 0.6 else "grey"], rng)
    if name == "black":
        return _pick(_RANGES["white" if rng.random() < 0.7 else "grey"], rng)
    if name == "grey":
        return _pick(_RANGES["white" if rng.random() < 0.5 else "black"], rng)
    return _pick(_RANGES["white" if rng.random() < 0.75 else "black"], rng)


def mix(one: Rgb, other: Rgb, share: float) -> Rgb:
    """`share` 0 gives `one`, 1 gives `other`."""
    return (
        one[0] + (other[0] - one[0]) * share,
        one[1] + (other[1] - one[1]) * share,
        one[2] + (other[2] - one[2]) * share,
    )


def darker(colour: Rgb, share: float) -> Rgb:
    return mix(colour, (8, 8, 12), share)


def lighter(colour: Rgb, share: float) -> Rgb:
    return mix(colour, (255, 255, 255), share)


def luminance(colour: Rgb) -> float:
    return 0.3 * colour[0] + 0.59 * colour[1] + 0.11 * colour[2]


if set(_RANGES) != set(COLOURS) or set(_HAIR_RANGES) != set(HAIR_COLOURS):
    raise RuntimeError("the palette and the vocabulary name different colours")
