"""Pictures of two colours with captions that say so, and the smallest towers to learn them."""

import numpy as np

from training.ml.config import TrainConfig
from training.ml.data import CaptionedCrops

COLOURS = {"red": (200, 0, 0), "green": (0, 180, 0), "blue": (0, 0, 200), "yellow": (220, 220, 0)}
CHINESE = {"red": "红", "green": "绿", "blue": "蓝", "yellow": "黄"}


def tiny_config(**changes) -> TrainConfig:
    backbone = {"model_type": "resnet", "embedding_size": 8, "hidden_sizes": [8, 16]}
    backbone |= {"depths": [1, 1], "layer_type": "basic"}
    settings = dict(height=32, width=16, dim=16, steps=40, batch=24, warmup=3, lr=4e-3, parts=2)
    settings |= dict(text_width=32, text_heads=4, text_layers=1, byte_width=8, backbone=backbone)
    settings |= dict(log_every=1, validate_every=20, checkpoint_every=5, threads=1, augment=False)
    settings |= dict(precision="fp32", memory_format="channels_last")
    return TrainConfig(**(settings | changes))


def coloured() -> CaptionedCrops:
    """96 crops of 16 people: each a colour above and one below."""
    rng = np.random.default_rng(0)
    names = list(COLOURS)
    pixels = rng.integers(0, 20, (96, 32, 16, 3)).astype(np.uint8)
    people, captions = [], []
    for row in range(96):
        top, bottom = rng.integers(4, size=2)
        pixels[row, :16] += np.array(COLOURS[names[top]], np.uint8)
        pixels[row, 16:] += np.array(COLOURS[names[bottom]], np.uint8)
        people.append(4 * top + bottom)
        english = f"{names[top]} top, {names[bottom]} trousers"
        captions.append([english, f"{CHINESE[names[top]]}上衣{CHINESE[names[bottom]]}裤子"])
    return CaptionedCrops(pixels, np.array(people), captions)
