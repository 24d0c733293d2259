import re

import pytest
from django.urls import reverse

from gallery import pages
from tests import world


@pytest.fixture
def viewer(client, db):
    user = world.make_user("viewer")
    client.force_login(user)
    return user


@pytest.fixture
def crowd(viewer, monkeypatch):
    """Seven boxes of two cameras, in pages of three."""
    monkeypatch.setattr(pages, "SIZE", 3)
    dataset = world.make_dataset("street", visible_to=viewer, title="Street", licence="CC0-1.0")
    cameras = [world.make_camera(dataset, name) for name in ("door & hall", "park")]
    boxes = []
    for number in range(7):
        image = world.make_image(
            dataset, camera=cameras[number % 2], taken_at=f"2024-05-0{number + 1}T10:00Z"
        )
        identity = world.make_identity(dataset, str(number), split="test")
        boxes.append(world.make_box(image, (0, 0, 20, 40), identity=identity))
    world.make_caption(boxes[0], "a man <b>in red</b>")
    world.make_caption(boxes[0], "红衣男子", language="zh")
    return boxes


def shown(response):
    """Ids of the boxes on a page, in order."""
    found = re.findall(r'href="/boxes/(\d+)/"', response.content.decode())
    return [int(pk) for pk in found]


def link(response, rel):
    found = re.search(rf'rel="{rel}" href="([^"]+)"', response.content.decode())
    return found and found[1].replace("&amp;", "&")


def test_the_list_shows_what_is_shared_and_nothing_else(client, crowd):
    world.make_dataset("secret")
    text = client.get(reverse("gallery:dataset-list")).content.decode()
    assert "Street" in text
    assert "7 boxes" in text
    assert "CC0-1.0" in text
    assert text.count("?h=240") == 4
    assert "secret" not in text


def test_an_empty_list_says_how_to_begin(client, viewer):
    assert "import_dataset folder" in client.get(reverse("gallery:dataset-list")).content.decode()


def test_the_pages_of_a_dataset_show_every_box_once_forward_and_back(client, crowd):
    url = reverse("gallery:dataset", args=["street"])
    wanted = [box.pk for box in crowd]
    response, seen = client.get(url), []
    trail = []
    while True:
        trail.append(shown(response))
        seen += trail[-1]
        if not (following := link(response, "next")):
            break
        response = client.get(url + following)
    assert seen == wanted
    assert [len(page) for page in trail] == [3, 3, 1]
    back = client.get(url + link(response, "prev"))
    assert shown(back) == wanted[3:6]
    first = client.get(url + link(back, "prev"))
    assert shown(first) == wanted[:3]
    assert link(first, "prev") is None
    assert link(first, "next")


def test_a_camera_narrows_the_page_and_its_links(client, crowd):
    url = reverse("gallery:dataset", args=["street"])
    text = client.get(url).content.decode()
    assert '<option value="door &amp; hall">' in text
    response = client.get(url, {"camera": "door & hall"})
    assert shown(response) == [box.pk for box in crowd[::2]][:3]
    following = client.get(url + link(response, "next"))
    assert shown(following) == [crowd[6].pk]


def test_captions_are_shown_as_text_in_their_language(client, crowd):
    text = client.get(reverse("gallery:dataset", args=["street"])).content.decode()
    assert "a man &lt;b&gt;in red&lt;/b&gt;" in text
    assert '<li lang="zh">红衣男子</li>' in text
    assert "2 captions" in text
    assert "captions, Chinese" in text
    assert "test 7" in text
    assert "2024-05-01 10:00" in text


def test_hidden_boxes_and_captions_are_left_out(client, crowd):
    crowd[1].review = "hidden"
    crowd[1].save()
    crowd[0].captions.filter(language="en").update(review="hidden")
    response = client.get(reverse("gallery:dataset", args=["street"]))
    assert crowd[1].pk not in shown(response)
    assert "in red" not in response.content.decode()


def test_a_dataset_without_boxes_shows_its_pictures_and_what_to_do(client, viewer):
    dataset = world.make_dataset("video", visible_to=viewer)
    image = world.make_image(dataset)
    text = client.get(reverse("gallery:dataset", args=["video"])).content.decode()
    assert reverse("gallery:frame", args=[image.pk]) in text
    assert "detect_people --dataset video" in text


def test_an_empty_dataset_and_wild_parameters_give_a_page(client, viewer, crowd):
    world.make_dataset("empty", visible_to=viewer)
    assert (
        "Nothing to show" in client.get(reverse("gallery:dataset", args=["empty"])).content.decode()
    )
    url = reverse("gallery:dataset", args=["street"])
    for query in ({"after": "x"}, {"after": "9" * 40}, {"before": "-1"}, {"camera": "no such"}):
        assert client.get(url, query).status_code == 200


def test_a_dataset_that_is_not_shared_is_not_found(client, viewer):
    world.make_dataset("secret")
    assert client.get(reverse("gallery:dataset", args=["secret"])).status_code == 404


def test_pages_ask_for_a_login(client, db):
    for url in (reverse("gallery:dataset-list"), reverse("gallery:dataset", args=["street"])):
        assert client.get(url).status_code == 302


def test_a_page_asks_the_database_as_often_for_many_boxes_as_for_few(
    client, crowd, django_assert_max_num_queries, monkeypatch
):
    url = reverse("gallery:dataset", args=["street"])
    with django_assert_max_num_queries(13):
        client.get(url)
    monkeypatch.setattr(pages, "SIZE", 7)
    with django_assert_max_num_queries(13):
        client.get(url)


@pytest.mark.parametrize("address", ["/datasets/%00/", "/models/a%00b/", "/models/%00/card.json"])
def test_no_address_with_a_nul_names_anything(client, viewer, address):
    assert client.get(address).status_code == 404


def test_no_camera_has_a_nul_in_its_name(client, crowd):
    response = client.get("/datasets/street/?camera=%00")
    assert response.status_code == 200
