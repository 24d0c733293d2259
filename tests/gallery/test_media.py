import io

import numpy as np
import pytest
from django.contrib.auth.models import Group
from django.urls import reverse
from PIL import Image as Picture

from gallery import datasets
from gallery.models import Box, Image
from pedsite.accounts import keys
from tests import world
from tests.gallery import files

RED, BLUE = (250, 10, 10), (10, 10, 250)


@pytest.fixture
def viewer(db):
    return world.make_user("viewer")


@pytest.fixture
def box(viewer):
    """A red box in a blue frame, in a dataset that the viewer may see."""
    picture = np.full((300, 400, 3), BLUE, dtype=np.uint8)
    picture[50:250, 100:200] = RED
    dataset = world.make_dataset(visible_to=viewer)
    return world.make_box(world.make_image(dataset, picture), (100, 50, 200, 250))


def crop_url(box, **query):
    return reverse("gallery:crop", args=[box.pk], query=query)


def frame_url(box, **query):
    return reverse("gallery:frame", args=[box.image_id], query=query)


def opened(response):
    return Picture.open(io.BytesIO(response.content), formats=["JPEG"])


def test_a_crop_shows_the_box_at_the_height_asked_for(client, viewer, box):
    client.force_login(viewer)
    response = client.get(crop_url(box, h=100))
    assert opened(response).size == (50, 100)
    assert np.abs(np.asarray(opened(response), dtype=int) - RED).max() < 30


def test_a_user_who_was_shut_out_sees_nothing_whatever_was_granted(viewer, box):
    assert list(Box.objects.visible_to(viewer)) == [box]
    viewer.is_active = False
    assert not Box.objects.visible_to(viewer).exists()


def test_a_picture_is_never_enlarged(client, viewer, box):
    client.force_login(viewer)
    assert opened(client.get(crop_url(box, h=1000))).size == (100, 200)
    assert opened(client.get(frame_url(box, w=2000))).size == (400, 300)
    assert opened(client.get(frame_url(box, w=200))).size == (200, 150)


@pytest.mark.parametrize("size", ["-5", "0", "abc", "9" * 30, "", "1e3"])
def test_a_wild_size_gives_a_picture_of_a_sane_one(client, viewer, box, size):
    client.force_login(viewer)
    assert 16 <= opened(client.get(crop_url(box, h=size))).size[1] <= 200


def test_what_is_served_is_a_jpeg_and_says_so(client, viewer, box):
    client.force_login(viewer)
    for url in (crop_url(box), frame_url(box)):
        response = client.get(url)
        assert response["Content-Type"] == "image/jpeg"
        assert response["X-Content-Type-Options"] == "nosniff"
        assert response["Content-Security-Policy"] == "default-src 'none'"
        assert response["Cache-Control"].startswith("private")
        assert response["Content-Disposition"] in (
            f'inline; filename="box-{box.pk}.jpg"',
            f'inline; filename="image-{box.image_id}.jpg"',
        )


def test_a_stored_polyglot_is_served_without_its_web_page(client, viewer, do_import, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "page.html.jpg").write_bytes(files.polyglot())
    do_import("folder", tmp_path / "in", user=viewer)
    client.force_login(viewer)
    with Image.objects.get().file.open("rb") as stored:
        assert b"<script>" in stored.read()
    for url in (crop_url(Box.objects.get()), frame_url(Box.objects.get())):
        response = client.get(url)
        assert response["Content-Type"] == "image/jpeg"
        assert b"<script>" not in response.content
        assert b"html" not in response.content


def test_boxes_of_a_turned_photo_are_cut_from_the_upright_picture(
    client, viewer, do_import, tmp_path
):
    picture = np.full((60, 100, 3), 10, dtype=np.uint8)
    picture[:20, :20] = 250
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.jpg").write_bytes(files.turned(6, picture))
    do_import("folder", tmp_path / "in", user=viewer)
    image = Image.objects.get()
    corner = world.make_box(image, (40, 0, 60, 20))
    client.force_login(viewer)
    assert np.asarray(opened(client.get(crop_url(corner)))).mean() > 200
    assert opened(client.get(frame_url(corner))).size == (60, 100)


def test_without_a_grant_there_is_no_picture(client, box):
    client.force_login(world.make_user())
    assert client.get(crop_url(box)).status_code == 404
    assert client.get(frame_url(box)).status_code == 404


def test_without_a_login_one_is_asked_for(client, box):
    for url in (crop_url(box), frame_url(box)):
        response = client.get(url)
        assert response.status_code == 302
        assert response["Location"].startswith(reverse("login"))


def test_a_grant_to_a_group_and_the_role_admin_open_the_dataset(client, box):
    member, admin = world.make_user(), world.make_user(role="admin")
    group = Group.objects.create(name="night shift")
    member.groups.add(group)
    datasets.grant(box.image.dataset, group)
    for user in (member, admin):
        client.force_login(user)
        assert client.get(crop_url(box)).status_code == 200


def test_an_inactive_administrator_sees_nothing(box):
    admin = world.make_user(role="admin", is_superuser=True, is_active=False)
    assert not Box.objects.visible_to(admin).exists()
    assert not Image.objects.visible_to(admin).exists()


def test_an_api_key_opens_what_its_user_may_see(client, viewer, box):
    for user, status in ((viewer, 200), (world.make_user(), 404)):
        _key, secret = keys.issue(user, "test")
        response = client.get(crop_url(box), headers={"Authorization": f"Bearer {secret}"})
        assert response.status_code == status
    for wrong in ("Bearer ped_12345678_wrong", "Basic eDp5"):
        assert client.get(crop_url(box), headers={"Authorization": wrong}).status_code == 401


def test_an_unchanged_picture_is_not_sent_again_and_not_to_strangers(client, viewer, box):
    client.force_login(viewer)
    tag = client.get(crop_url(box))["ETag"]
    assert client.get(crop_url(box), headers={"If-None-Match": tag}).status_code == 304
    assert client.get(crop_url(box, h=64), headers={"If-None-Match": tag}).status_code == 200
    client.force_login(world.make_user())
    assert client.get(crop_url(box), headers={"If-None-Match": tag}).status_code == 404


def test_a_lost_or_damaged_file_is_told_in_plain_text(client, viewer, box):
    client.force_login(viewer)
    storage, name = box.image.file.storage, box.image.file.name
    storage.delete(name)
    response = client.get(crop_url(box))
    assert (response.status_code, response["Content-Type"]) == (422, "text/plain; charset=utf-8")
    assert "missing" in response.content.decode()


def test_only_reading_is_possible(client, viewer, box):
    client.force_login(viewer)
    assert client.post(crop_url(box)).status_code == 405
