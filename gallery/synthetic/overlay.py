"""Laying premultiplied pictures and shadows over a background."""

import cv2
import numpy as np

from gallery.synthetic.camera import Light
from gallery.synthetic.canvas import Bytes


def over(pixels: Bytes, rgba: Bytes) -> Bytes:
    """Lay a premultiplied picture [H, W, 4] over another [H, W, 3] of the same size."""
    rest = cv2.cvtColor(cv2.bitwise_not(rgba[..., 3]), cv2.COLOR_GRAY2RGB)
    return cv2.add(cv2.multiply(pixels, rest, scale=1 / 255), rgba[..., :3])


def stamp(pixels: Bytes, sprite: Bytes, x: int, y: int) -> Bytes:
    """A copy with a premultiplied sprite whose corner is at (x, y), cut at the border."""
    pixels = pixels.copy()
    press(pixels, sprite, x, y)
    return pixels


def press(pixels: Bytes, sprite: Bytes, x: int, y: int) -> None:
    """As `stamp`, in place."""
    height, width = pixels.shape[:2]
    h, w = sprite.shape[:2]
    x0, y0, x1, y1 = max(0, x), max(0, y), min(width, x + w), min(height, y + h)
    if x0 < x1 and y0 < y1:
        part = np.ascontiguousarray(sprite[y0 - y : y1 - y, x0 - x : x1 - x])
        pixels[y0:y1, x0:x1] = over(np.ascontiguousarray(pixels[y0:y1, x0:x1]), part)


def shadow(pixels: Bytes, x: float, y: float, unit: tuple[float, float], light: Light) -> Bytes:
    """Darken the ground where a body stands.

    x, y: the foot in pixels. unit: pixels of the body's height, across and down.
    """
    mask: Bytes = np.zeros(pixels.shape[:2], dtype=np.uint8)
    reach = -light.side * 0.3
    core = (int(16 * x), int(16 * y))
    axes = (int(16 * 0.14 * unit[0]), int(16 * 0.035 * unit[1]))
    cv2.ellipse(mask, core, axes, 0, 0, 360, (255,), -1, cv2.LINE_AA, 4)
    if light.shadow > 0.3:
        far = (int(16 * (x + reach * unit[0])), int(16 * (y - 0.03 * unit[1])))
        longer = (int(16 * 0.3 * unit[0]), int(16 * 0.028 * unit[1]))
        cv2.ellipse(mask, far, longer, 0, 0, 360, (150,), -1, cv2.LINE_AA, 4)
    mask = cv2.blur(mask, (max(3, int(0.05 * unit[0]) | 1), max(3, int(0.02 * unit[1]) | 1)))
    keep = cv2.convertScaleAbs(mask, alpha=-light.shadow, beta=255)
    return cv2.multiply(pixels, cv2.cvtColor(keep, cv2.COLOR_GRAY2RGB), scale=1 / 255)
