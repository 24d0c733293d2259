import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from gallery import pictures
from gallery.errors import BadImage
from tests.gallery import files


def near(picture, colour, tolerance=12):
    return np.abs(np.asarray(picture, dtype=int)[..., :3] - colour).max() <= tolerance


def test_zero_bytes_are_refused():
    with pytest.raises(BadImage, match=r"empty \(0 bytes\)"):
        pictures.open_upright(b"")


def test_text_is_not_a_picture():
    with pytest.raises(BadImage, match="Not a picture"):
        pictures.open_upright(b"<svg xmlns='http://www.w3.org/2000/svg'/>")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP", "GIF"])
def test_a_truncated_file_is_refused(kind):
    data = files.coded(files.pixels(200, 200), kind)
    with pytest.raises(BadImage):
        pictures.open_upright(data[: len(data) // 2])


def test_a_png_of_400_megapixels_is_refused_before_it_is_decoded():
    data = files.huge_png()
    assert len(data) < 2_000_000
    with pytest.raises(BadImage, match="50 megapixels"):
        pictures.open_upright(data)


def test_a_picture_just_over_the_limit_is_refused_with_its_size():
    with pytest.raises(BadImage, match="8000 x 7000"):
        pictures.open_upright(files.huge_png(8000, 7000))


def test_a_picture_of_extreme_length_is_refused():
    with pytest.raises(BadImage, match="30000 a side"):
        pictures.open_upright(files.huge_png(40_000, 2))


def test_cmyk_becomes_rgb():
    data = files.coded(Image.new("CMYK", (20, 20), (0, 255, 255, 0)))
    assert near(pictures.open_upright(data), (255, 0, 0))


def test_sixteen_bit_grey_is_scaled_and_not_clipped():
    levels = np.array([[0, 257 * 64, 257 * 128, 65535]], dtype=np.uint16)
    data = files.coded(Image.fromarray(levels), "PNG")
    assert np.asarray(pictures.open_upright(data))[0, :, 0].tolist() == [0, 64, 128, 255]


def test_a_palette_with_a_transparent_colour_lies_on_white():
    picture = Image.new("P", (8, 8), 0)
    picture.putpalette([200, 0, 0, 0, 0, 200])
    data = files.coded(picture, "PNG", transparency=0)
    assert near(pictures.open_upright(data), (255, 255, 255), 0)


def test_grey_with_alpha_becomes_rgb():
    data = files.coded(Image.new("LA", (8, 8), (100, 255)), "PNG")
    picture = pictures.open_upright(data)
    assert picture.mode == "RGB"
    assert near(picture, (100, 100, 100), 0)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_of_an_animation_the_first_frame_is_taken(kind):
    first, second = (Image.new("RGB", (16, 16), colour) for colour in ("red", "blue"))
    data = files.coded(first, kind, save_all=True, append_images=[second])
    assert near(pictures.open_upright(data), (255, 0, 0))


@pytest.mark.parametrize(
    ("orientation", "corner"), [(1, (0, 0)), (3, (-1, -1)), (6, (0, -1)), (8, (-1, 0))]
)
def test_the_orientation_in_exif_is_applied(orientation, corner):
    dark = np.full((60, 100, 3), 20, dtype=np.uint8)
    dark[:20, :20] = 250  # bright at the top left of the stored pixels
    picture = pictures.open_upright(files.turned(orientation, dark))
    assert picture.size == ((60, 100) if orientation in (6, 8) else (100, 60))
    assert np.asarray(picture)[corner].mean() > 200


def test_damaged_exif_does_not_spoil_good_pixels():
    data = files.coded(exif=b"Exif\x00\x00MM\x00*\xff\xff\xff\xff garbage")
    assert pictures.open_upright(data).size == (40, 80)


def test_what_is_encoded_carries_no_metadata_of_its_source():
    note = PngImagePlugin.PngInfo()
    note.add_text("secret", "where it was taken")
    picture = pictures.open_upright(files.coded(kind="PNG", pnginfo=note))
    assert b"secret" not in pictures.encode_jpeg(picture)
    turned = pictures.open_upright(files.turned(6))
    assert b"Exif" not in pictures.encode_jpeg(turned)


def test_a_polyglot_that_is_a_web_page_too_is_only_a_picture_after_encoding():
    data = files.polyglot()
    assert b"<script>" in data
    assert b"<script>" not in pictures.encode_jpeg(pictures.open_upright(data))


def test_a_file_that_is_too_large_is_refused(monkeypatch):
    monkeypatch.setattr(pictures, "MAX_BYTES", 100)
    with pytest.raises(BadImage, match="more than"):
        pictures.open_upright(files.coded())
