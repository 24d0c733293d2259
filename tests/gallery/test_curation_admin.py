"""The administration changes nothing that the log does not know."""

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from gallery import history
from gallery.models import Action, Box, Caption, Identity, Image
from search.models import Query
from tests import world

pytestmark = pytest.mark.django_db


@pytest.fixture
def box(admin_user):
    dataset = world.make_dataset("street", visible_to=admin_user)
    image = world.make_image(dataset, camera=world.make_camera(dataset, "door"))
    made = world.make_box(image, (0, 0, 20, 40), identity=world.make_identity(dataset, "7"))
    world.make_caption(made, "a man in red")
    return made


def page(model, kind, *args):
    return reverse(f"admin:gallery_{model._meta.model_name}_{kind}", args=args)


def act(client, model, action, rows):
    data = {"action": action, "_selected_action": [row.pk for row in rows], "post": "yes"}
    return client.post(page(model, "changelist"), data, follow=True)


def everything():
    return [
        list(model.objects.order_by("pk").values()) for model in (Image, Identity, Box, Caption)
    ]


def undo_all():
    for action in Action.objects.order_by("-pk"):
        history.undo(action, None)


@pytest.mark.parametrize(
    ("model", "action"),
    [
        (Box, "approve"), (Box, "hide"), (Box, "delete_selected"), (Caption, "approve_captions"),
        (Caption, "reject_captions"), (Identity, "split_test"),
        (Identity, "delete_selected"),
    ],
)  # fmt: skip
def test_every_bulk_action_is_written_down_and_undone(admin_client, admin_user, box, model, action):
    before = everything()
    act(admin_client, model, action, model.objects.all())
    assert everything() != before
    assert Action.objects.get().made_by == admin_user
    undo_all()
    assert everything() == before


def test_what_is_hidden_is_shown_again(admin_client, box):
    Box.objects.update(review="hidden")
    act(admin_client, Box, "unreview", Box.objects.all())
    assert Box.objects.get().review == "unreviewed"


def test_a_box_is_edited_and_undone(admin_client, box):
    other = world.make_identity(box.image.dataset, "8")
    before = everything()
    data = {"identity": other.pk, "review": "approved", "captions-TOTAL_FORMS": 0,
            "captions-INITIAL_FORMS": 0}  # fmt: skip
    answer = admin_client.post(page(Box, "change", box.pk), data)
    assert answer.status_code == 302, answer.content.decode()
    box.refresh_from_db()
    assert (box.identity, box.review) == (other, "approved")
    undo_all()
    assert everything() == before


def test_nobody_of_another_dataset_is_put_into_a_box(admin_client, box):
    stranger = world.make_identity(world.make_dataset("park"))
    data = {"identity": stranger.pk, "review": "approved", "captions-TOTAL_FORMS": 0,
            "captions-INITIAL_FORMS": 0}  # fmt: skip
    text = admin_client.post(page(Box, "change", box.pk), data).content.decode()
    assert "of another dataset" in text
    assert not Action.objects.exists()


def test_a_picture_is_corrected_and_its_deletion_is_told(admin_client, box):
    camera = world.make_camera(box.image.dataset, "park")
    data = {"camera": camera.pk, "taken_at_0": "2026-05-04", "taken_at_1": "09:00:00",
            "boxes-TOTAL_FORMS": 0, "boxes-INITIAL_FORMS": 0}  # fmt: skip
    answer = admin_client.post(page(Image, "change", box.image_id), data)
    assert answer.status_code == 302, answer.content.decode()
    assert Image.objects.get().camera == camera
    undo_all()
    assert Image.objects.get().camera.name == "door"
    act(admin_client, Image, "delete_selected", [box.image])
    assert not Image.objects.exists()
    assert Action.objects.latest("pk").kind == "delete pictures"


def test_a_box_that_somebody_judged_stays_and_it_is_said(admin_client, box):
    Query.objects.create(digest="0" * 64, like=box)
    text = act(admin_client, Box, "delete_selected", [box]).content.decode()
    assert "Somebody judged it" in text
    assert Box.objects.exists()


@pytest.mark.parametrize("model", [Box, Image, Caption, Identity, Action])
def test_lists_open_with_every_filter(admin_client, box, model):
    act(admin_client, Box, "approve", [box])
    query = {"q": "a"} if model is not Action else {}
    assert admin_client.get(page(model, "changelist"), query).status_code == 200
    assert admin_client.get(page(model, "change", model.objects.first().pk)).status_code == 200


def test_staff_who_curate_nothing_only_look(client, box):
    staff = world.make_user("staff", is_staff=True, role="reviewer")
    staff.user_permissions.set(Permission.objects.filter(content_type__app_label="gallery"))
    world.make_grant(box.image.dataset, staff)
    client.force_login(staff)
    act(client, Box, "hide", [box])
    client.post(page(Box, "delete", box.pk), {"post": "yes"})
    client.post(page(Box, "change", box.pk), {"review": "hidden"})
    box.refresh_from_db()
    assert box.review == "unreviewed"
    assert client.get(page(Box, "change", box.pk)).status_code == 200
