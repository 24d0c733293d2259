"""People with a test split, and a version measured on them, for the tests of pages."""

import io

import numpy as np

from gallery.models import Dataset
from pedsite.jobs import work
from tests.world import (
    make_box,
    make_camera,
    make_caption,
    make_dataset,
    make_identity,
    make_image,
    make_version,
    plain_crop,
)
from training import evaluations
from training.models import Evaluation

COLOURS = ("red", "green", "blue", "yellow")


def make_split(name: str = "crowd", *, visible_to=None) -> Dataset:
    """A test split of four colours, two pictures each, and a validation split of two people."""
    dataset = make_dataset(name, visible_to=visible_to)
    camera = make_camera(dataset, "=gate")
    rng = np.random.default_rng(0)
    for colour in (*COLOURS, "black", "white"):
        split = "test" if colour in COLOURS else "validation"
        identity = make_identity(dataset, colour, split=split)
        for number in range(2):
            noise = rng.integers(-9, 10, (32, 16, 3))
            pixels = np.clip(plain_crop(colour).astype(int) + noise, 0, 255).astype(np.uint8)
            image = make_image(dataset, pixels, camera=camera if number else None)
            make_caption(make_box(image, identity=identity), colour)
    return dataset


def measure(dataset: Dataset, *, version=None, split: str = "test", **options) -> Evaluation:
    """A finished evaluation of a real version."""
    version = version or make_version()
    asked = evaluations.request(version, dataset, split, queue=False, **options)
    job = work.run_here(asked.job, evaluations.step, io.StringIO())
    assert job.state == "done", job.error
    return evaluations.get(asked.pk)
