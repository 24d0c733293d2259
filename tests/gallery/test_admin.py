import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from gallery import snapshots
from gallery.models import Box, Camera, Caption, Dataset, DatasetGrant, Identity, Image, Snapshot
from tests import world

MODELS = (Dataset, DatasetGrant, Camera, Image, Identity, Box, Caption, Snapshot)


@pytest.fixture
def caption(db):
    dataset = world.make_dataset("street", visible_to=world.make_user())
    image = world.make_image(dataset, camera=world.make_camera(dataset, "door"))
    box = world.make_box(image, (0, 0, 20, 40), identity=world.make_identity(dataset, "7"))
    caption = world.make_caption(box, "a man in red")
    snapshots.freeze(dataset)
    return caption


def page(model, kind, *args):
    return reverse(f"admin:gallery_{model._meta.model_name}_{kind}", args=args)


@pytest.mark.parametrize("model", MODELS)
def test_every_model_has_a_list_and_a_page_in_the_admin(admin_client, caption, model):
    response = admin_client.get(page(model, "changelist"))
    assert response.status_code == 200
    assert admin_client.get(page(model, "change", model.objects.get().pk)).status_code == 200


@pytest.mark.parametrize("model", [Image, Box, Caption])
def test_lists_show_thumbnails(admin_client, caption, model):
    text = admin_client.get(page(model, "changelist")).content.decode()
    assert 'loading="lazy"' in text
    assert "/pictures/" in text


@pytest.mark.parametrize("model", [Image, Box, Snapshot])
def test_what_imports_make_is_not_added_by_hand(admin_client, caption, model):
    assert admin_client.get(page(model, "add")).status_code == 403


def act(client, model, action, rows):
    data = {"action": action, "_selected_action": [row.pk for row in rows], "post": "yes"}
    return client.post(page(model, "changelist"), data)


def test_boxes_are_hidden_and_approved_in_bulk(admin_client, caption):
    act(admin_client, Box, "hide", [caption.box])
    caption.box.refresh_from_db()
    assert caption.box.review == "hidden"
    act(admin_client, Box, "approve", [caption.box])
    caption.box.refresh_from_db()
    assert caption.box.review == "approved"


@pytest.mark.django_db(transaction=True)
def test_deleting_in_the_admin_takes_the_files_along(admin_client, caption, stored):
    other = world.make_image(caption.box.image.dataset)
    assert len(stored()) == 3
    act(admin_client, Image, "delete_selected", [other])
    assert len(stored()) == 2
    dataset = caption.box.image.dataset
    assert (
        admin_client.post(page(Dataset, "delete", dataset.pk), {"post": "yes"}).status_code == 302
    )
    assert not Dataset.objects.exists()
    assert not stored()


def test_the_page_before_a_deletion_counts_what_goes(admin_client, caption):
    url = page(Dataset, "delete", caption.box.image.dataset.pk)
    text = admin_client.get(url).content.decode()
    assert "boxes" in text.lower()


def test_staff_without_a_grant_see_no_rows(client, caption):
    staff = world.make_user("staff", is_staff=True)
    staff.user_permissions.set(Permission.objects.filter(content_type__app_label="gallery"))
    client.force_login(staff)
    for model in MODELS:
        text = client.get(page(model, "changelist")).content.decode()
        assert page(model, "change", model.objects.get().pk) not in text
        assert client.get(page(model, "change", model.objects.get().pk)).status_code == 302
