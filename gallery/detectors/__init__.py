"""What finds people in a picture: one kind of detector a module, all with the same `detect`."""

from typing import Protocol

import numpy as np

from gallery.detectors.found import Found


class Detector(Protocol):
    def detect(self, rgb: np.ndarray) -> list[Found]:
        """The people in a picture uint8 [height, width, 3], surest first, inside its edges."""
        ...
