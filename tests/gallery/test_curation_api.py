"""Curation through the API: what it answers, what it refuses, and to whom."""

import pytest
from rest_framework.test import APIClient

from gallery import curation
from gallery.models import Action, Box, Identity
from tests import world

pytestmark = pytest.mark.django_db
V1 = "/api/v1/"


def client_of(user):
    client = APIClient()
    client.force_authenticate(user)
    return client


@pytest.fixture
def curator():
    return world.make_user("carla", role="curator")


@pytest.fixture
def api(curator):
    return client_of(curator)


@pytest.fixture
def street(curator):
    return world.make_dataset("street", visible_to=curator)


@pytest.fixture
def box(street):
    image = world.make_image(street, camera=world.make_camera(street, "door"))
    person = world.make_identity(street, "7", split="test")
    return world.make_box(image, (0, 0, 20, 40), identity=person)


def test_a_box_is_drawn_edited_and_deleted(api, box):
    made = api.post(f"{V1}boxes", {"image": box.image_id, "bbox": [5, 5, 30, 50]}, format="json")
    assert made.status_code == 201
    where = f"{V1}boxes/{made.json()['id']}"
    given = {"bbox": [6, 6, 31, 51], "review": "approved", "identity": "9"}
    edited = api.patch(where, given, format="json").json()
    assert {name: edited[name] for name in given} == given
    assert api.patch(where, {"identity": None}, format="json").json()["identity"] is None
    assert api.delete(where).status_code == 204
    assert api.get(where).status_code == 404
    # Drawn, moved, approved, named, named nobody, deleted.
    assert Action.objects.count() == 6


@pytest.mark.parametrize(
    ("bbox", "status"),
    [([5, 5, 65, 50], 422), ([5, 5, 6, 50], 422), ([0, 0, 20, 40], 409), ([1, 2, 3], 400),
     ([1, 2, 30, "x"], 400), ([-1, 2, 30, 30], 400), ([0, 0, 2**40, 9], 400), (None, 400)],
)  # fmt: skip
def test_bounds_that_cannot_be_are_refused_in_one_shape(api, box, bbox, status):
    response = api.post(f"{V1}boxes", {"image": box.image_id, "bbox": bbox}, format="json")
    assert response.status_code == status
    assert response["Content-Type"] == "application/problem+json"
    assert Box.objects.count() == 1


def test_many_boxes_are_changed_as_one_and_what_stays_is_told(api, box):
    others = [world.make_box(box.image, (n, 1, n + 9, 30)) for n in range(3)]
    ids = [other.pk for other in others]
    done = api.post(f"{V1}boxes/change", {"boxes": ids, "review": "hidden"}, format="json").json()
    assert (done["changed"], len(done["actions"]), done["left"]) == (3, 1, [])
    told = api.post(f"{V1}actions/{done['actions'][0]}/undo").json()
    assert (told["restored"], told["left"]) == (3, [])
    again = api.post(f"{V1}actions/{done['actions'][0]}/undo")
    assert (again.status_code, again.json()["code"]) == (409, "nothing-to-undo")
    for wrong in (
        {"boxes": ids},
        {"boxes": ids, "review": "hidden", "delete": True},
        {"boxes": []},
    ):
        assert api.post(f"{V1}boxes/change", wrong, format="json").status_code == 400


@pytest.mark.parametrize(
    ("query", "found"),
    [("", 1), ("?dataset=street&camera=door", 1), ("?review=hidden", 0), ("?split=test", 1),
     ("?identity=unknown", 0), ("?least=41", 0), ("?words=x", 0), ("?source=annotated", 1)],
)  # fmt: skip
def test_boxes_are_listed_by_the_filters_of_the_page(api, box, query, found):
    assert len(api.get(f"{V1}boxes{query}").json()["results"]) == found


@pytest.mark.parametrize("query", ["?review=lost", "?split=exam", "?least=-1", "?camera=%00"])
def test_a_filter_that_cannot_be_is_refused(api, box, query):
    assert api.get(f"{V1}boxes{query}").status_code == 400


def test_pictures_come_with_their_boxes(api, box):
    (line,) = api.get(f"{V1}images?dataset=street&camera=door").json()["results"]
    assert (line["id"], line["boxes"], line["camera"]) == (box.image_id, 1, "door")
    whole = api.get(f"{V1}images/{box.image_id}").json()
    assert whole["boxes"][0]["bbox"] == [0, 0, 20, 40]


def test_people_are_listed_renamed_merged_and_parted(api, street, box):
    other = world.make_identity(street, "8")
    extra = world.make_box(box.image, (1, 1, 30, 30), identity=other)
    (line,) = api.get(f"{V1}identities?dataset=street&key=7&split=test").json()["results"]
    assert (line["key"], line["boxes"]) == ("7", 1)
    where = f"{V1}identities/{box.identity_id}"
    assert api.patch(where, {"key": "70"}, format="json").json()["key"] == "70"
    assert api.post(f"{where}/merge", {"others": [other.pk]}, format="json").json()["boxes"] == 2
    parted = api.post(f"{where}/part", {"boxes": [extra.pk]}, format="json")
    assert (parted.status_code, parted.json()["key"]) == (201, "70-2")
    api.patch(f"{V1}identities/{parted.json()['id']}", {"split": "train"}, format="json")
    refused = api.post(f"{where}/merge", {"others": [parted.json()["id"]]}, format="json")
    assert (refused.status_code, refused.json()["code"]) == (409, "splits-differ")


def test_people_are_shared_out_over_the_splits(api, street, box):
    for number in range(9):
        world.make_identity(street, f"n{number}")
    given = {"train": 80, "test": 20, "seed": 3}
    told = api.post(f"{V1}datasets/street/splits", given, format="json").json()
    assert told == {"none": 0, "train": 8, "validation": 0, "test": 2}
    assert api.get(f"{V1}datasets/street/splits").json() == told
    assert api.post(f"{V1}datasets/street/splits", {}, format="json").status_code == 422


def test_the_log_is_read_by_dataset_and_by_row(api, curator, box):
    curation.review([box.pk], "hidden", curator)
    curation.assign([box.pk], "9", curator)
    rows = api.get(f"{V1}actions?dataset=street").json()["results"]
    assert [row["kind"] for row in rows] == ["say who it is", "hide boxes"]
    of_row = api.get(f"{V1}actions?model=box&row={box.pk}").json()["results"]
    assert len(of_row) == 2
    changed = api.get(f"{V1}actions/{rows[1]['id']}/changes").json()["results"]
    assert changed == [
        {
            "model": "box",
            "row": box.pk,
            "before": {"review": "unreviewed"},
            "after": {"review": "hidden"},
        }
    ]
    assert api.get(f"{V1}actions?row=1").status_code == 400


def writes(box, action):
    person = f"identities/{box.identity_id}"
    return [
        ("post", "boxes", {"image": box.image_id, "bbox": [5, 5, 30, 50]}),
        ("patch", f"boxes/{box.pk}", {"review": "hidden"}),
        ("delete", f"boxes/{box.pk}", None),
        ("post", "boxes/change", {"boxes": [box.pk], "delete": True}),
        ("patch", person, {"split": "train"}),
        ("post", f"{person}/merge", {"others": [box.identity_id + 1]}),
        ("post", f"{person}/part", {"boxes": [box.pk]}),
        ("post", "datasets/street/splits", {"train": 1}),
        ("post", f"actions/{action.pk}/undo", None),
    ]


def reads(box, action):
    """Addresses that whoever sees the dataset reads, and those of curators alone."""
    lists = [f"{name}?dataset=street" for name in ("boxes", "images", "identities")]
    one = [f"boxes/{box.pk}", f"images/{box.image_id}", f"identities/{box.identity_id}"]
    log = [f"actions/{action.pk}", f"actions/{action.pk}/changes", "actions?dataset=street"]
    return [*lists, *one, "datasets/street/splits"], log


def test_what_is_not_shared_is_not_there_for_anybody(street, curator, box):
    world.make_identity(street, "8")
    action = curation.review([box.pk], "approved", curator).actions[0]
    stranger = client_of(world.make_user("sue", role="curator"))
    for_all, for_curators = reads(box, action)
    for address in for_all + for_curators:
        assert stranger.get(V1 + address).status_code == 404, address
    for method, address, body in writes(box, action):
        answer = getattr(stranger, method)(V1 + address, body, format="json")
        assert answer.status_code == 404, address
    for address in ("boxes", "images", "identities", "actions"):
        assert stranger.get(V1 + address).json()["results"] == []
    assert Action.objects.count() == 1


def test_viewers_and_reviewers_read_and_change_nothing(street, curator, box):
    world.make_identity(street, "8")
    action = curation.review([box.pk], "approved", curator).actions[0]
    for role in ("viewer", "reviewer"):
        user = world.make_user(role, role=role)
        world.make_grant(street, user)
        client = client_of(user)
        for_all, for_curators = reads(box, action)
        for address in for_all:
            assert client.get(V1 + address).status_code == 200, address
        for address in for_curators:
            assert client.get(V1 + address).status_code == 403, address
        for method, address, body in writes(box, action):
            answer = getattr(client, method)(V1 + address, body, format="json")
            assert answer.status_code == 403, address
    assert Action.objects.count() == 1
    assert Identity.objects.count() == 2


def test_nobody_reads_without_a_login(box):
    for address in ("boxes", "images", "identities", "actions", f"images/{box.image_id}"):
        assert APIClient().get(V1 + address).status_code == 401
