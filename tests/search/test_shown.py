"""Pictures that a user shows: kept re-encoded for an hour, for that user, and no longer."""

import io

import numpy as np
import pytest
from django.core.cache import cache
from PIL import Image

from gallery.errors import BadImage
from search import shown
from tests.world import make_user, plain_crop

pytestmark = pytest.mark.django_db


@pytest.fixture
def user():
    return make_user()


def png(width=40, height=80, colour=(200, 30, 30)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(out, "PNG")
    return out.getvalue()


def test_a_picture_is_found_again_by_its_token(user):
    kept = shown.keep(png(), user)
    again = shown.find(kept.token, user)
    assert again == kept
    assert (again.width, again.height) == (40, 80)
    assert again.jpeg.startswith(b"\xff\xd8")


def test_nobody_else_finds_it(user):
    kept = shown.keep(png(), user)
    with pytest.raises(shown.PictureGone, match="no longer kept"):
        shown.find(kept.token, make_user())


def test_it_goes_after_an_hour(user):
    kept = shown.keep(png(), user)
    left = cache._cache.get_client().ttl(cache.make_key(f"shown:{user.pk}:{kept.token}"))
    assert 3500 < left <= 3600


def test_the_oldest_picture_makes_room(user, monkeypatch):
    monkeypatch.setattr(shown, "KEPT_PER_USER", 2)
    first, *rest = [shown.keep(png(), user) for _ in range(3)]
    with pytest.raises(shown.PictureGone):
        shown.find(first.token, user)
    assert [shown.find(kept.token, user).token for kept in rest] == [kept.token for kept in rest]


def test_metadata_of_the_picture_is_not_kept(user):
    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x010E] = "a secret note"
    Image.new("RGB", (40, 80), "red").save(out, "JPEG", exif=exif)
    assert b"a secret note" in out.getvalue()
    assert b"a secret note" not in shown.keep(out.getvalue(), user).jpeg


def test_a_turned_picture_stands_upright(user):
    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (80, 40), "red").save(out, "JPEG", exif=exif)
    kept = shown.keep(out.getvalue(), user)
    assert (kept.width, kept.height) == (40, 80)


def test_a_large_picture_is_kept_smaller(user):
    kept = shown.keep(png(3000, 1500), user)
    assert (kept.width, kept.height) == (2560, 1280)


def test_a_file_over_the_limit_is_refused_by_its_size(user, settings):
    settings.MAX_PICTURE_BYTES = 100
    with pytest.raises(BadImage, match="at most"):
        shown.keep(png(), user)


def test_a_region_is_cut_out_of_the_picture(user):
    pixels = np.concatenate([plain_crop("red"), plain_crop("blue")], axis=1)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    kept = shown.keep(out.getvalue(), user)
    height, width = pixels.shape[:2]
    cut = shown.cut(kept, shown.Region(width // 2, 0, width, height))
    assert cut.shape == (height, width - width // 2, 3)
    assert cut[..., 2].mean() > cut[..., 0].mean() + 50


def test_the_whole_region_is_the_whole_picture(user):
    kept = shown.keep(png(), user)
    region = tuple(int(part) for part in kept.whole.split(","))
    assert np.array_equal(shown.cut(kept, region), shown.cut(kept))


@pytest.mark.parametrize("region", [(40, 0, 60, 20), (0, 80, 20, 99)])
def test_a_region_outside_of_the_picture_is_refused(user, region):
    kept = shown.keep(png(), user)
    with pytest.raises(BadImage, match="outside"):
        shown.cut(kept, region)
