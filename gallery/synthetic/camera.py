"""What light and a camera do to a picture: time of day, exposure, blur, noise, compression."""

from dataclasses import dataclass

import cv2
import numpy as np

from gallery.synthetic.canvas import Bytes, Floats

_LEVELS = np.arange(256, dtype=np.float32) / 255


@dataclass(frozen=True)
class Light:
    """The light of a moment.

    gain: RGB factors. contrast: 1 is neutral, less is flat. night: how much lamps and windows
    glow (0 to 1). side: where the light comes from (-1 left, 1 right). shadow: how dark a cast
    shadow is (0 to 1). rain: wet air.
    """

    gain: tuple[float, float, float]
    contrast: float
    night: float
    side: float
    shadow: float
    rain: bool = False

    def table(self, jitter: Floats | None = None, haze: float = 0.0) -> Bytes:
        """The (1, 256, 3) lookup table of this light; jitter: three more gains; haze: 0 to 1."""
        gain = np.asarray(self.gain, dtype=np.float32)
        if jitter is not None:
            gain = gain * jitter.astype(np.float32)
        level = 0.5 + (_LEVELS[:, None] - 0.5) * self.contrast
        lit = np.clip(level * gain, 0, 1)
        # Shadows at night turn a little blue, never to pure black.
        lit = lit + self.night * 0.03 * (1 - lit) * np.array([0.4, 0.6, 1.0], dtype=np.float32)
        lit = lit + haze * (0.7 - lit)
        return np.clip(lit * 255 + 0.5, 0, 255).astype(np.uint8)[None]


def light_at(hour: float, side: float = 0.7, overcast: bool = False, rain: bool = False) -> Light:
    """The light at an hour of the day (0 to 24).

    Raises: ValueError, the hour is outside the day.
    """
    if not 0 <= hour <= 24:
        raise ValueError(f"{hour} is no hour of the day")
    # 1 by day, 0 at night, with an hour and a half of dusk between.
    day = float(np.clip(min(hour - 5.5, 20.5 - hour) / 1.6 + 0.5, 0, 1))
    dusk = 1 - abs(2 * day - 1)
    bright = 0.7 + 0.32 * day
    gain = (
        bright * (1 + 0.05 * dusk - 0.03 * (1 - day)),
        bright * (1 - 0.01 * dusk - 0.01 * (1 - day)),
        bright * (1 - 0.07 * dusk + 0.02 * (1 - day)),
    )
    grey = overcast or rain
    if grey:
        gain = (gain[0] * 0.95, gain[1] * 0.96, gain[2] * 0.98)
    return Light(
        gain=gain,
        contrast=0.9 if grey else 1.0,
        night=1 - day,
        side=side * (0.45 if grey else 1.0),
        shadow=(0.24 if grey else 0.42) * (0.5 + 0.5 * day),
        rain=rain,
    )


def any_light(rng: np.random.Generator) -> Light:
    """The light of a random moment, mostly by day."""
    hour = float(rng.uniform(7.5, 18.5) if rng.random() < 0.7 else rng.uniform(18.5, 23.5))
    side = float(rng.uniform(0.35, 1.0)) * (1 if rng.random() < 0.5 else -1)
    weather = rng.random()
    return light_at(hour, side, overcast=weather < 0.3, rain=weather < 0.08)


def faded(pixels: Bytes, colour: float) -> Bytes:
    """With less (colour below 1) or more colour."""
    grey = np.array([0.3, 0.59, 0.11], dtype=np.float32) * np.float32(1 - colour)
    matrix = np.eye(3, dtype=np.float32) * np.float32(colour) + grey[None, :]
    return cv2.transform(pixels, matrix)


def rain(pixels: Bytes, rng: np.random.Generator, amount: float) -> Bytes:
    """Slanted streaks; amount: streaks per 1000 pixels."""
    height, width = pixels.shape[:2]
    count = max(4, int(amount * height * width / 1000))
    over = np.zeros((height, width), dtype=np.uint8)
    x = rng.integers(-10, width, count)
    y = rng.integers(-10, height, count)
    long = rng.integers(4, max(5, height // 14), count)
    for a, b, c in zip(x.tolist(), y.tolist(), long.tolist(), strict=True):
        cv2.line(over, (a, b), (a + c // 4, b + c), (60,), 1, cv2.LINE_AA)
    return cv2.add(pixels, cv2.merge([over, over, over]))


def sensor(pixels: Bytes, rng: np.random.Generator, noise: float) -> Bytes:
    """Noise of a camera, sigma in levels."""
    grain = np.empty(pixels.shape, dtype=np.int16)
    cv2.setRNGSeed(int(rng.integers(1 << 30)))
    cv2.randn(grain, np.zeros(3), np.full(3, noise))
    return cv2.add(pixels, grain, dtype=cv2.CV_8U)


def compressed(pixels: Bytes, quality: int) -> Bytes:
    """Through JPEG and back."""
    ok, data = cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not ok:
        raise ValueError("cannot encode the picture as JPEG")
    return cv2.cvtColor(np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR)), cv2.COLOR_BGR2RGB)


def coarse(pixels: Bytes, share: float) -> Bytes:
    """As a far camera would give it: scaled down to `share` and up again."""
    height, width = pixels.shape[:2]
    small = cv2.resize(
        pixels,
        (max(8, int(width * share)), max(8, int(height * share))),
        interpolation=cv2.INTER_AREA,
    )
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)


def blurred(pixels: Bytes, sigma: float, motion: float = 0.0) -> Bytes:
    """Out of focus by sigma pixels; motion: a sideways smear of this many pixels."""
    if motion >= 2:
        pixels = cv2.blur(pixels, (int(motion), 1))
    return cv2.GaussianBlur(pixels, (0, 0), sigma) if sigma > 0.2 else pixels
