"""A saved search tells its owner's webhooks of each match once."""

import pytest

from pedsite.webhooks import hooks, outbox
from pedsite.webhooks.models import Delivery
from search import enrollment, saved, watching
from search.models import SavedSearch
from tests import world
from tests.search.pages.asked import enroll

pytestmark = pytest.mark.django_db


@pytest.fixture
def queue(monkeypatch, settings):
    settings.PEDSITE_WEBHOOK_ALLOW = ["public"]
    sent: list[str] = []
    monkeypatch.setattr(outbox, "send", lambda pk: sent.append(str(pk)))
    monkeypatch.setattr(enrollment.current_app, "send_task", lambda name: sent.append(name))
    return sent


@pytest.fixture
def user():
    return world.make_user("ming")


@pytest.fixture
def square(user, queue):
    dataset = world.make_dataset("square", visible_to=user)
    world.make_coloured_people(dataset, ["blue", "green"])
    enroll(dataset)
    return dataset


def add(dataset, colour: str):
    box = world.make_box(world.make_image(dataset, world.plain_crop(colour)))
    enroll(dataset)
    return box


def told() -> list[list[int]]:
    return [each.data["boxes"] for each in Delivery.objects.order_by("created_at")]


def test_what_an_enrollment_brought_is_told_once(user, square):
    hooks.make(user, "https://hooks.example/")
    kept = saved.save(user, "red", "q=red")
    assert watching.tell_all() == 0
    first = add(square, "red")
    assert watching.tell_all() == 1
    assert watching.tell_all() == 0
    second = add(square, "yellow")
    assert watching.tell_all() == 1
    assert told() == [[first.pk], [second.pk]]
    data = Delivery.objects.earliest("created_at").data
    assert (data["search"], data["new"]) == (kept.pk, 1)
    assert data["url"] == f"/api/v1/searches/{kept.pk}"


def test_looking_at_a_search_does_not_have_it_told_again(user, square):
    hooks.make(user, "https://hooks.example/")
    kept = saved.save(user, "red", "q=red")
    add(square, "red")
    watching.tell_all()
    saved.mark_seen(SavedSearch.objects.get(pk=kept.pk))
    assert watching.tell_all() == 0
    assert len(told()) == 1


def test_a_match_in_a_dataset_that_is_not_the_owners_is_not_told(user, square):
    hooks.make(user, "https://hooks.example/")
    saved.save(user, "red", "q=red")
    add(world.make_dataset("elsewhere"), "red")
    assert watching.tell_all() == 0


def test_an_enrollment_asks_for_a_look_only_where_somebody_listens(user, square, queue):
    add(square, "red")
    assert enrollment.TELL not in queue
    hooks.make(user, "https://hooks.example/", ["job.finished"])
    add(square, "white")
    assert enrollment.TELL not in queue
    hooks.make(user, "https://hooks.example/", ["search.matched"])
    add(square, "black")
    assert queue.count(enrollment.TELL) == 1


def test_a_search_that_cannot_be_asked_any_longer_stops_no_other(user, square):
    hooks.make(user, "https://hooks.example/")
    saved.save(user, "a", "q=red")
    saved.save(user, "b", "q=red")
    SavedSearch.objects.filter(name="a").update(query="q=dataset:gone")
    add(square, "red")
    assert watching.tell_all() == 1
