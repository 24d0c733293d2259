from urllib.parse import unquote

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse

from gallery import datasets
from pedsite.accounts import keys
from tests import world


@pytest.fixture
def viewer(db):
    return world.make_user("viewer")


@pytest.fixture
def get(client, viewer):
    """GET with the viewer's key; returns status and body."""
    _key, secret = keys.issue(viewer, "test")

    def call(name, *args, **query):
        url = reverse(f"api:{name}", args=args, query=query)
        response = client.get(url, headers={"Authorization": f"Bearer {secret}"})
        return response.status_code, response.json()

    return call


def test_datasets_are_listed_with_counts_and_only_those_granted(get, viewer):
    mine = world.make_dataset("mine", visible_to=viewer, title="Mine", licence="CC0-1.0")
    camera = world.make_camera(mine, "door")
    image = world.make_image(mine, camera=camera)
    for right in (10, 20, 30):
        world.make_box(image, (0, 0, right, 40), identity=world.make_identity(mine))
    world.make_image(mine)
    other = world.make_dataset("other")
    world.make_box(world.make_image(other))
    status, body = get("datasets")
    assert status == 200
    (row,) = body["results"]
    assert row["name"] == "mine"
    assert (row["images"], row["boxes"], row["identities"]) == (2, 3, 3)
    assert row["cameras"] == ["door"]
    assert row["page_url"].endswith("/datasets/mine/")


def test_two_grants_for_one_user_do_not_double_a_dataset(get, viewer):
    mine = world.make_dataset("mine", visible_to=viewer)
    for name in ("a", "b"):
        group = Group.objects.create(name=name)
        viewer.groups.add(group)
        datasets.grant(mine, group)
    assert len(get("datasets")[1]["results"]) == 1


def test_datasets_come_in_pages(get, viewer):
    names = [world.make_dataset(visible_to=viewer).name for _ in range(5)]
    _status, body = get("datasets", limit=2)
    assert [row["name"] for row in body["results"]] == names[:2:-1]
    cursor = body["next"].partition("cursor=")[2].partition("&")[0]
    _status, second = get("datasets", limit=2, cursor=unquote(cursor))
    assert [row["name"] for row in second["results"]] == names[2:0:-1]


def test_a_box_comes_with_image_person_and_captions(get, viewer):
    dataset = world.make_dataset("mine", visible_to=viewer)
    image = world.make_image(dataset, camera=world.make_camera(dataset, "door"), name="a.png")
    person = world.make_identity(dataset, "7", split="test")
    box = world.make_box(image, (1, 2, 30, 40), identity=person)
    world.make_caption(box, "a man in red")
    status, body = get("box", box.pk)
    assert status == 200
    assert (body["id"], body["bbox"], body["dataset"]) == (box.pk, [1, 2, 30, 40], "mine")
    assert (body["identity"], body["split"], body["source"]) == ("7", "test", "annotated")
    assert body["image"]["name"] == "a.png"
    assert body["image"]["camera"] == "door"
    assert body["captions"][0]["text"] == "a man in red"
    assert body["url"] == f"http://testserver{reverse('gallery:crop', args=[box.pk])}"
    assert body["image"]["url"].endswith(reverse("gallery:frame", args=[image.pk]))


def test_a_detected_box_without_camera_or_person_is_complete_too(get, viewer):
    image = world.make_image(world.make_dataset(visible_to=viewer))
    box = world.make_box(image, (1, 2, 30, 40), source="detected", score=0.75)
    _status, body = get("box", box.pk)
    assert (body["identity"], body["split"], body["score"]) == (None, "", 0.75)
    assert body["image"]["camera"] is None


def test_a_box_that_is_not_shared_is_no_different_from_one_that_is_not_there(get):
    hidden = world.make_box(world.make_image(world.make_dataset()))
    for pk in (hidden.pk, 10**9):
        status, body = get("box", pk)
        assert (status, body["code"]) == (404, "unknown-box")
        assert str(pk) in body["detail"]


def test_strangers_are_told_to_send_a_key(client, db):
    for url in (reverse("api:datasets"), reverse("api:box", args=[1])):
        response = client.get(url)
        assert response.status_code == 401
        assert response["Content-Type"] == "application/problem+json"


def test_listing_many_datasets_asks_the_database_a_fixed_number_of_times(
    get, viewer, django_assert_max_num_queries
):
    for _ in range(6):
        world.make_camera(world.make_dataset(visible_to=viewer))
    with django_assert_max_num_queries(6):
        get("datasets")
