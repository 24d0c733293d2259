"""A dataset that a tiny training learns from in seconds, and the settings of that training."""

import functools

import numpy as np
import pytest
from django.db import connection

from tests.world import (
    COLOURS,
    make_box,
    make_caption,
    make_dataset,
    make_identity,
    make_image,
    plain_crop,
)

SHIRTS = ("red", "green", "blue", "yellow", "black", "white")

# Every part of a real training, each as small as it can be.
TINY = {
    "height": 32,
    "width": 16,
    "backbone": {
        "model_type": "resnet",
        "embedding_size": 8,
        "hidden_sizes": [8, 16],
        "depths": [1, 1],
        "layer_type": "basic",
    },
    "parts": 0,
    "dim": 16,
    "byte_width": 8,
    "text_width": 16,
    "text_layers": 1,
    "text_heads": 2,
    "text_stride": 1,
    "steps": 6,
    "batch": 6,
    "warmup": 2,
    "log_every": 1,
    "validate_every": 3,
    "checkpoint_every": 2,
    "augment": False,
    "precision": "fp32",
    "memory_format": "channels_last",
    "threads": 1,
}


@pytest.fixture(scope="session", autouse=True)
def _operators_read_once():
    """The exporter parses torch's whole library of ONNX operators anew for each tiny graph."""
    from torch.onnx._internal.exporter._registration import ONNXRegistry

    with pytest.MonkeyPatch.context() as patch:
        read_once = functools.cache(ONNXRegistry.from_torchlib)
        patch.setattr(ONNXRegistry, "from_torchlib", staticmethod(read_once))
        yield


@pytest.fixture
def tiny():
    """A copy of TINY, to change at will."""
    return dict(TINY)


@pytest.fixture
def people(db):
    """Dataset "people": 6 shirts x 3 people, one box each; per shirt 2 train and 1 validates."""
    dataset = make_dataset("people")
    rng = np.random.default_rng(0)
    for shirt in SHIRTS:
        for number in range(3):
            noise = rng.integers(-15, 16, (32, 16, 3))
            pixels = np.clip(plain_crop(shirt).astype(int) + noise, 0, 255).astype(np.uint8)
            split = "validation" if number == 2 else "train"
            box = make_box(
                make_image(dataset, pixels),
                identity=make_identity(dataset, f"{shirt}{number}", split=split),
            )
            make_caption(box, f"a person in a {shirt} coat")
            make_caption(box, f"somebody dressed in {shirt}", kind="prompt")
    assert len(COLOURS) >= len(SHIRTS)
    return dataset


@pytest.fixture
def work_folder(settings, tmp_path):
    settings.PEDSITE_WORK_DIR = tmp_path / "work"
    return settings.PEDSITE_WORK_DIR


@pytest.fixture
def child_database(transactional_db, work_folder, monkeypatch):
    """A process that a test starts finds the database and the folder of the test."""
    monkeypatch.setenv("PEDSITE_WORK_DIR", str(work_folder))
    made = connection.settings_dict
    parts = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "port": "PORT"}
    pairs = [f"{key}={made[name]}" for key, name in parts.items() if made[name]]
    monkeypatch.setenv("DATABASE_URL", " ".join([*pairs, f"host={made['HOST']}"]))
