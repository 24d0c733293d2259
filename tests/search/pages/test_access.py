"""Who may see which pages of search."""

import pytest
from django.urls import reverse

from gallery.models import Review
from tests.search.pages.asked import Page, enroll, png
from tests.world import (
    make_box,
    make_coloured_people,
    make_dataset,
    make_image,
)

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("path", ["/search/", "/boxes/1/", "/search/pictures/abc/"])
def test_pages_need_a_login(client, path):
    response = client.get(path)
    assert response.status_code == 302
    assert response.url == f"{reverse('login')}?next={path}"


def test_showing_a_picture_needs_a_login(client):
    assert client.post("/search/picture/", {"picture": png()}).status_code == 302


def test_results_come_only_from_shared_datasets(browser, people):
    other = make_dataset("secret")
    hidden_box = make_coloured_people(other, ["red"])["red"]
    enroll(other)
    page = Page(browser.get("/search/", {"q": "red"}).content.decode())
    assert hidden_box.pk not in page.boxes
    assert set(page.boxes) == {box.pk for box in people.values()}


@pytest.mark.parametrize("path", ["/boxes/{}/", "/search/?box={}"])
def test_a_box_of_a_dataset_without_grant_is_not_found(browser, path):
    box = make_box(make_image(make_dataset("secret")))
    assert browser.get(path.format(box.pk)).status_code == 404


@pytest.mark.parametrize("path", ["/boxes/{}/", "/search/?box={}"])
def test_a_hidden_box_is_not_found(browser, people, path):
    box = people["red"]
    box.review = Review.HIDDEN
    box.save()
    assert browser.get(path.format(box.pk)).status_code == 404


def test_a_hidden_box_is_not_drawn_in_its_frame(browser, user):
    image = make_image(make_dataset(visible_to=user))
    shown_box = make_box(image, (0, 0, 20, 40))
    hidden = make_box(image, (30, 0, 50, 40), review=Review.HIDDEN)
    html = browser.get(f"/boxes/{shown_box.pk}/").content.decode()
    assert f"/boxes/{shown_box.pk}/" in html
    assert f"/boxes/{hidden.pk}/" not in html
