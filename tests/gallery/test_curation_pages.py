"""The pages on which a dataset is curated: filters, bulk actions, the editor, the history."""

import re

import pytest
from django.urls import reverse

from gallery import curation, pages, people
from gallery.models import Action, Box, Identity
from tests import world

pytestmark = pytest.mark.django_db
LEFT_OUT = {"action": "approved", "scope": "selected"}


@pytest.fixture
def curator(client):
    user = world.make_user("carla", role="curator")
    client.force_login(user)
    return user


@pytest.fixture
def crowd(curator):
    """Four boxes of two cameras and three people; the second is hidden."""
    dataset = world.make_dataset("street", visible_to=curator)
    door, park = (world.make_camera(dataset, name) for name in ("door", "park"))
    person = world.make_identity(dataset, "7", split="test")
    other = world.make_identity(dataset, "8")
    rows = [
        (door, (0, 0, 20, 40), {"identity": person, "review": "approved"}),
        (door, (0, 0, 20, 60), {"identity": other, "review": "hidden"}),
        (park, (0, 0, 20, 20), {"source": "detected", "score": 0.5}),
        (park, (0, 0, 10, 60), {"identity": other}),
    ]
    boxes = [world.make_box(world.make_image(dataset, camera=c), b, **more) for c, b, more in rows]
    world.make_caption(boxes[2], "a woman with a cap")
    world.make_caption(boxes[3], "the captain 戴红帽子")
    return boxes


URL = "/datasets/street/"


def shown(response):
    return [int(pk) for pk in re.findall(r'href="/boxes/(\d+)/"', response.content.decode())]


@pytest.mark.parametrize(
    ("query", "left"),
    [
        ({}, [0, 2, 3]),
        ({"review": "any"}, [0, 1, 2, 3]),
        ({"review": "hidden"}, [1]),
        ({"review": "approved"}, [0]),
        ({"source": "detected"}, [2]),
        ({"camera": "park"}, [2, 3]),
        ({"identity": "unknown"}, [2]),
        ({"identity": "known", "review": "any"}, [0, 1, 3]),
        ({"split": "test"}, [0]),
        ({"split": "none"}, [3]),
        ({"words": "cap"}, [2]),
        ({"words": "红帽"}, [3]),
        ({"least": "21", "most": "40"}, [0]),
        ({"most": "20"}, [2]),
        ({"camera": "park", "least": "60"}, [3]),
    ],
)
def test_filters_leave_what_fits(client, crowd, query, left):
    assert shown(client.get(URL, query)) == [crowd[number].pk for number in left]


@pytest.mark.parametrize(
    "query",
    [{"review": "lost"}, {"source": "x"}, {"least": "-1"}, {"most": "x"}, {"camera": "\0"}],
)
def test_a_filter_that_cannot_be_says_so(client, crowd, query):
    response = client.get(URL, query)
    assert response.status_code == 200
    assert "field__error" in response.content.decode()


@pytest.mark.parametrize("name", ["image__dataset__name", "identity__key", "pk__in", "image_id"])
def test_no_other_field_can_be_asked_for(client, crowd, name):
    assert len(shown(client.get(URL, {name: "1", f"{name}__startswith": "s"}))) == 3


def test_filters_stay_on_the_next_page(client, crowd, monkeypatch):
    monkeypatch.setattr(pages, "SIZE", 1)
    text = client.get(URL, {"camera": "park", "least": ""}).content.decode()
    following = re.search(r'rel="next" href="([^"]+)"', text)[1].replace("&amp;", "&")
    assert "least" not in following
    assert shown(client.get(URL + following)) == [crowd[3].pk]


def test_a_script_gets_the_boxes_alone(client, crowd):
    text = client.get(URL, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in text
    assert len(re.findall(r'name="box"', text)) == 3


def change(client, ids, query="", **given):
    data = {"scope": "selected", "box": ids} | given
    return client.post(f"{URL}boxes/{query}", data, follow=True)


def test_ticked_boxes_are_changed_and_the_page_offers_to_undo(client, crowd):
    text = change(client, [crowd[2].pk, crowd[3].pk], action="hidden").content.decode()
    assert "2 boxes were changed." in text
    assert Box.objects.filter(review="hidden").count() == 3
    undo = re.search(r'action="(/actions/\d+/undo/)"', text)[1]
    assert "was undone" in client.post(undo, follow=True).content.decode()
    assert Box.objects.filter(review="hidden").count() == 1


def test_all_that_the_filters_leave_are_changed(client, crowd):
    change(client, [], "?camera=park", scope="all", action="approved")
    assert set(Box.objects.filter(review="approved")) == {crowd[0], crowd[2], crowd[3]}


def test_a_filter_that_cannot_be_leaves_nothing_to_change(client, crowd):
    text = change(client, [], "?review=lost", scope="all", action="hidden").content.decode()
    assert "Choose at least one" in text
    assert Box.objects.filter(review="hidden").count() == 1


def test_people_and_splits_are_set_in_bulk(client, crowd):
    change(client, [crowd[2].pk], action="assign", key="9")
    assert Box.objects.get(pk=crowd[2].pk).identity.key == "9"
    change(client, [crowd[2].pk, crowd[3].pk], action="split", split="train")
    assert set(Identity.objects.filter(split="train").values_list("key", flat=True)) == {"8", "9"}
    change(client, [crowd[2].pk], action="unassign")
    assert Box.objects.get(pk=crowd[2].pk).identity is None


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"action": "approved"}, "Choose at least one"),
        ({"action": "explode", "box": ["1"]}, "explode"),
        ({"action": "assign", "key": " ", "box": ["1"]}, "Say who it is"),
    ],
)
def test_a_bulk_that_cannot_be_is_refused_in_words(client, crowd, given, said):
    response = client.post(f"{URL}boxes/", {"scope": "selected"} | given, follow=True)
    assert said in response.content.decode()
    assert not Action.objects.exists()


def test_a_bulk_goes_back_to_no_other_site(client, crowd):
    for wanted in ("https://evil.example/", "//evil.example/", "javascript:alert(1)"):
        data = LEFT_OUT | {"box": [crowd[0].pk], "next": wanted}
        assert client.post(f"{URL}boxes/", data)["Location"] == URL


def test_another_datasets_boxes_are_not_changed_from_here(client, curator, crowd):
    park = world.make_dataset("park", visible_to=curator)
    other = world.make_box(world.make_image(park))
    change(client, [other.pk], action="hidden")
    assert Box.objects.get(pk=other.pk).review == "unreviewed"


def test_the_editor_shows_every_box_and_changes_one_without_a_script(client, crowd):
    box = crowd[0]
    address = reverse("gallery:image", args=[box.image_id])
    assert f'data-box="{box.pk}"' in client.get(address).content.decode()
    given = {"box": box.pk, "left": 1, "top": 2, "right": 30, "bottom": 50, "action": "save"}
    assert client.post(address, given)["Location"] == f"{address}?box={box.pk}"
    box.refresh_from_db()
    assert box.bounds == (1, 2, 30, 50)
    client.post(address, {"left": 5, "top": 5, "right": 25, "bottom": 35, "action": "save"})
    assert Box.objects.filter(image=box.image, left=5, source="annotated").exists()
    client.post(address, {"box": box.pk, "action": "delete"})
    assert not Box.objects.filter(pk=box.pk).exists()


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"left": 5, "top": 5, "right": 65, "bottom": 35, "action": "save"}, 422),
        ({"left": 5, "top": 5, "action": "save"}, 422),
        ({"left": "x", "top": 5, "right": 20, "bottom": 35, "action": "save"}, 422),
        ({"action": "hidden"}, 422),
        ({"action": "assign", "box": "own", "key": "\n"}, 200),
        ({"action": "hidden", "box": 2**40}, 404),
    ],
)
def test_a_script_is_told_in_words_what_cannot_be(client, crowd, given, status):
    if given.get("box") == "own":
        given = given | {"box": crowd[0].pk}
    address = reverse("gallery:image", args=[crowd[0].image_id])
    response = client.post(address, given, headers={"Accept": "application/json"})
    assert response.status_code == status
    if status == 422:
        assert response.json()["problem"]


def test_a_box_of_another_picture_is_not_changed_here(client, crowd):
    address = reverse("gallery:image", args=[crowd[0].image_id])
    assert client.post(address, {"box": crowd[2].pk, "action": "hidden"}).status_code == 404


def test_the_history_tells_who_did_what_and_how_it_was(client, curator, crowd):
    world.make_caption(crowd[0], "<script>alert(1)</script>")
    curation.delete([crowd[0].pk], curator)
    people.rename(crowd[3].identity_id, "ninety", curator)
    text = client.get(f"{URL}history/").content.decode()
    assert text.index("Rename a person") < text.index("Delete boxes")
    assert "carla" in text
    action = Action.objects.order_by("pk").first()
    text = client.get(reverse("gallery:action", args=[action.pk])).content.decode()
    assert f"box {crowd[0].pk}" in text
    assert "&lt;script&gt;" in text
    assert "<script>alert" not in text


def test_the_history_goes_on_with_older_actions(client, curator, crowd, monkeypatch):
    monkeypatch.setattr("gallery.curation_views.HISTORY_SIZE", 1)
    curation.review([crowd[0].pk], "hidden", curator)
    curation.review([crowd[0].pk], "approved", curator)
    text = client.get(f"{URL}history/").content.decode()
    older = re.search(r'href="(\?before=\d+)"', text)[1]
    assert "Hide boxes" in client.get(f"{URL}history/{older}").content.decode()


def test_an_undo_that_cannot_be_says_why(client, curator, crowd):
    action = curation.review([crowd[0].pk], "hidden", curator).actions[0]
    Box.objects.filter(pk=crowd[0].pk).update(review="unreviewed")
    response = client.post(reverse("gallery:action-undo", args=[action.pk]), follow=True)
    assert "It was changed since." in response.content.decode()


def routes(box, action):
    return [
        ("get", f"{URL}history/"),
        ("post", f"{URL}boxes/"),
        ("get", f"/frames/{box.image_id}/"),
        ("post", f"/frames/{box.image_id}/"),
        ("get", f"/actions/{action.pk}/"),
        ("post", f"/actions/{action.pk}/undo/"),
    ]


def test_curators_of_other_datasets_find_nothing(client, curator, crowd):
    action = curation.review([crowd[0].pk], "hidden", curator).actions[0]
    client.force_login(world.make_user("sue", role="curator"))
    for method, address in routes(crowd[0], action):
        assert getattr(client, method)(address, LEFT_OUT).status_code == 404, address
    assert Action.objects.count() == 1


def test_viewers_and_reviewers_neither_read_nor_write_here(client, curator, crowd):
    action = curation.review([crowd[0].pk], "hidden", curator).actions[0]
    for role in ("viewer", "reviewer"):
        user = world.make_user(role, role=role)
        world.make_grant(action.dataset, user)
        client.force_login(user)
        for method, address in routes(crowd[0], action):
            assert getattr(client, method)(address, LEFT_OUT).status_code == 403, address
        text = client.get(URL).content.decode()
        assert "bulk" not in text
        assert "/frames/" not in text
