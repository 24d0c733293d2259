"""Crops framed as the image processors of transformers frame them, to the pixel."""

import numpy as np
import pytest
from transformers import CLIPImageProcessorPil, SiglipImageProcessorPil
from transformers.models.siglip2.image_processing_pil_siglip2 import Siglip2ImageProcessorPil

from training.ml.framing import LONGEST, Framing, container, grid, middle

SIZES = [(160, 64), (64, 160), (32, 32), (37, 91), (500, 333), (7, 3), (200, 13)]
PLAIN = {"do_rescale": False, "do_normalize": False}


def crop(height: int, width: int) -> np.ndarray:
    rng = np.random.default_rng(height * 1000 + width)
    return rng.integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("edge", "target"), [(32, (32, 32)), (36, (32, 32)), (31, (32, 24))])
def test_the_middle_is_cut_as_clip_cuts_it(size, edge, target):
    wanted = CLIPImageProcessorPil(
        size={"shortest_edge": edge}, crop_size={"height": target[0], "width": target[1]}, **PLAIN
    )
    resize = {"mode": "edge", "edge": edge, "filter": "bicubic"}
    frame = Framing({"height": target[0], "width": target[1], "resize": resize})
    expected = wanted(crop(*size), input_data_format="channels_last")["pixel_values"][0]
    assert np.array_equal(frame(crop(*size)), np.asarray(expected).transpose(1, 2, 0))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("code", "name"), [(2, "bilinear"), (3, "bicubic"), (1, "lanczos")])
def test_a_crop_is_stretched_as_siglip_stretches_it(size, code, name):
    wanted = SiglipImageProcessorPil(size={"height": 48, "width": 40}, resample=code, **PLAIN)
    frame = Framing({"height": 48, "width": 40, "resize": {"filter": name}})
    expected = wanted(crop(*size), input_data_format="channels_last")["pixel_values"][0]
    assert np.array_equal(frame(crop(*size)), np.asarray(expected).transpose(1, 2, 0))


@pytest.mark.parametrize("size", [*SIZES, (1, 900), (1000, 2)])
@pytest.mark.parametrize("patches", [16, 25, 300])
def test_patches_are_cut_as_naflex_cuts_them(size, patches):
    wanted = Siglip2ImageProcessorPil(patch_size=8, max_num_patches=patches, **PLAIN)
    expected = wanted(crop(*size), input_data_format="channels_last")
    rows, columns = (int(count) for count in expected["spatial_shapes"][0])
    height, width = container(8, patches)
    resize = {"mode": "patches", "patch": 8, "patches": patches}
    found = Framing({"height": height, "width": width, "resize": resize})(crop(*size))
    assert grid(*size, 8, patches) == (rows, columns)
    squares = np.asarray(expected["pixel_values"][0]).reshape(patches, 64, 3)
    assert np.array_equal(found[:-1], squares)
    assert [int(low) + 256 * int(high) for low, high, _ in found[-1, :2]] == [rows, columns]


def test_a_line_of_pixels_does_not_fill_the_memory():
    line = crop(1, 100_000)
    assert middle(line).shape == (1, LONGEST, 3)
    resize = {"mode": "edge", "edge": 224}
    assert Framing({"height": 224, "width": 224, "resize": resize})(line).shape == (224, 224, 3)


@pytest.mark.parametrize("resize", [{"mode": "pad"}, {"filter": "cubic"}, {"mode": "edge"}])
def test_a_way_of_resizing_that_nobody_knows_is_refused(resize):
    with pytest.raises((ValueError, KeyError)):
        Framing({"height": 8, "width": 8, "resize": resize})
