"""How a crop becomes what an image tower reads: stretched, cut from the middle, or in patches.

Foreign towers were trained on pictures framed in one of these ways, to the pixel as the image
processors of `transformers` do it with Pillow.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

Pixels = npt.NDArray[np.uint8]

FILTERS = {
    "nearest": Image.Resampling.NEAREST,
    "lanczos": Image.Resampling.LANCZOS,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "box": Image.Resampling.BOX,
    "hamming": Image.Resampling.HAMMING,
}
# Of a crop that is far longer, whatever cuts from the middle sees no more than this part: a line
# of pixels, made 224 wide before it is cut, would fill the memory.
LONGEST = 16


class Framing:
    """Preprocessing keys: `height` and `width`, and in `resize`, which may be left out,

    - `filter`: one of FILTERS, default bilinear, and `mode`:
    - `stretch` (the default): to height x width, whatever the proportions;
    - `edge`: the shorter side to `edge`, then height x width from the middle, black where the
      crop does not reach;
    - `patches`: as many squares of `patch` pixels as fit into `patches`, in the crop's own
      proportions; height and width are those of the container, see `cut`.

    Raises: ValueError, a key is missing or unknown.
    """

    def __init__(self, preprocessing: Mapping[str, Any]) -> None:
        self.height = int(preprocessing["height"])
        self.width = int(preprocessing["width"])
        if self.height < 1 or self.width < 1:
            raise ValueError(f"{self.height}x{self.width} is not a size of pictures")
        self._resize = dict(preprocessing.get("resize", {}))
        self.mode = self._resize.get("mode", "stretch")
        name = self._resize.get("filter", "bilinear")
        if self.mode not in ("stretch", "edge", "patches") or name not in FILTERS:
            raise ValueError(f"pictures cannot be resized by {self._resize}")
        self._filter = FILTERS[name]
        if self.mode == "patches":
            self._patch, self._patches = int(self._resize["patch"]), int(self._resize["patches"])
            if (self.height, self.width) != container(self._patch, self._patches):
                raise ValueError(f"{self.height}x{self.width} does not hold {self._resize}")
        if self.mode == "edge":
            self._edge = int(self._resize["edge"])

    @property
    def usual(self) -> tuple[int, int]:
        """(height, width) of a picture that loses little when it is framed."""
        if self.mode != "patches":
            return self.height, self.width
        side = max(1, math.isqrt(self._patches // 2)) * self._patch
        return 2 * side, side

    def __call__(self, crop: Pixels) -> Pixels:
        """(height, width, 3) of a crop (h, w, 3) in RGB."""
        if self.mode == "patches":
            return cut(crop, self._patch, self._patches, self._filter)
        if self.mode == "edge":
            return _from_middle(crop, self._edge, self.height, self.width, self._filter)
        return _stretched(crop, self.height, self.width, self._filter)


def middle(crop: Pixels) -> Pixels:
    """The part of a very long crop that a cut from its middle may see; else the crop itself."""
    height, width = crop.shape[:2]
    most = LONGEST * min(height, width)
    top, left = max(0, height - most) // 2, max(0, width - most) // 2
    return crop[top : top + min(height, most), left : left + min(width, most)]


def _stretched(crop: Pixels, height: int, width: int, resample: Image.Resampling) -> Pixels:
    if crop.shape[:2] == (height, width):
        return crop
    return np.asarray(Image.fromarray(crop).resize((width, height), resample))


def _from_middle(
    crop: Pixels, edge: int, height: int, width: int, resample: Image.Resampling
) -> Pixels:
    crop = middle(crop)
    short, long = sorted(crop.shape[:2])
    longer = int(edge * long / short)
    high = crop.shape[0] > crop.shape[1]
    resized = _stretched(crop, *((longer, edge) if high else (edge, longer)), resample)
    for axis, wanted in enumerate((height, width)):
        resized = _fitted(resized, axis, wanted)
    return np.ascontiguousarray(resized)


def _fitted(pixels: Pixels, axis: int, wanted: int) -> Pixels:
    """One axis cut from its middle, or filled with black around it."""
    given = pixels.shape[axis]
    if given >= wanted:
        first = (given - wanted) // 2
        return pixels[first : first + wanted] if axis == 0 else pixels[:, first : first + wanted]
    before = math.ceil((wanted - given) / 2)
    around = [(0, 0)] * 3
    around[axis] = (before, wanted - given - before)
    return np.pad(pixels, around)


def container(patch: int, patches: int) -> tuple[int, int]:
    """(height, width) of what `cut` gives."""
    return patches + 1, patch * patch


def cut(crop: Pixels, patch: int, patches: int, resample: Image.Resampling) -> Pixels:
    """A crop in squares: (patches + 1, patch * patch, 3), all crops of one shape.

    Row i is the i-th square, from the top left; what is left over is black. The last row begins
    with how many rows and how many columns of squares there are: two pixels, low byte and high
    byte first.

    Source: the NaFlex image processor of SigLIP 2.
    """
    height, width = crop.shape[:2]
    rows, columns = grid(height, width, patch, patches)
    resized = _stretched(crop, rows * patch, columns * patch, resample)
    squares = resized.reshape(rows, patch, columns, patch, 3).transpose(0, 2, 1, 3, 4)
    filled = np.zeros((*container(patch, patches), 3), np.uint8)
    filled[: rows * columns] = squares.reshape(rows * columns, patch * patch, 3)
    for place, count in enumerate((rows, columns)):
        filled[-1, place, :2] = count % 256, count // 256
    return filled


def grid(height: int, width: int, patch: int, patches: int) -> tuple[int, int]:
    """Rows and columns of squares: the largest scale at which no more than `patches` are needed.

    Found by halving to 1e-5, as the processor of the source does it: its last scale decides.
    """
    lowest, highest = 1e-6, 100.0

    def count(scale: float, size: int) -> int:
        return max(1, math.ceil(size * scale / patch))

    while highest - lowest >= 1e-5:
        scale = (lowest + highest) / 2
        if count(scale, height) * count(scale, width) <= patches:
            lowest = scale
        else:
            highest = scale
    return count(lowest, height), count(lowest, width)
