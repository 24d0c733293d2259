"""So many searches at once, a few that wait, and the rest told to come again."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest
import redis
from django.conf import settings as site
from django.db import connections
from django.test import Client

from search import admission, retrieval
from search.errors import TooBusy
from tests import world
from tests.search import rows

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _empty():
    def forget() -> None:
        admission._client().delete(admission.RUNNING, admission.WAITING, admission.SEEN)

    forget()
    yield
    forget()


@pytest.fixture
def narrow(settings):
    """Two at a time, one waits."""
    settings.PEDSITE_SEARCHES = 2
    settings.PEDSITE_SEARCHES_WAITING = 1
    return settings


class Visitor(threading.Thread):
    """Comes in, stays until it is told to go."""

    def __init__(self) -> None:
        super().__init__()
        self.inside, self.go, self.outcome = threading.Event(), threading.Event(), None
        self.came_in_at = 0.0
        self.start()

    def run(self) -> None:
        try:
            with admission.slot():
                self.came_in_at = time.monotonic()
                self.inside.set()
                self.go.wait(20)
            self.outcome = "served"
        except TooBusy:
            self.outcome = "sent away"


def wait_for(done) -> None:
    until = time.monotonic() + 10
    while not done():
        assert time.monotonic() < until
        time.sleep(0.005)


def test_by_default_there_are_two_places_a_core_and_as_many_may_wait(settings):
    assert admission.places() == admission.queue() == 2 * os.cpu_count()
    settings.PEDSITE_SEARCHES, settings.PEDSITE_SEARCHES_WAITING = 3, 0
    assert (admission.places(), admission.queue()) == (3, 0)


def test_who_comes_first_is_served_first_and_one_too_many_is_sent_away(narrow):
    first, second = Visitor(), Visitor()
    assert first.inside.wait(5)
    assert second.inside.wait(5)
    third = Visitor()
    wait_for(lambda: admission.at_work() == (2, 1))
    fourth = Visitor()
    fourth.join(5)
    assert fourth.outcome == "sent away"
    assert not third.inside.is_set()
    first.go.set()
    assert third.inside.wait(5)
    for visitor in (second, third):
        visitor.go.set()
        visitor.join(5)
    assert (first.outcome, third.outcome) == ("served", "served")
    assert admission.at_work() == (0, 0)


def test_nobody_overtakes(settings):
    settings.PEDSITE_SEARCHES, settings.PEDSITE_SEARCHES_WAITING = 1, 5
    first = Visitor()
    assert first.inside.wait(5)
    line = []
    for count in range(1, 5):
        line.append(Visitor())
        wait_for(lambda count=count: admission.at_work() == (1, count))
    for visitor in [first, *line]:
        visitor.go.set()
    for visitor in line:
        visitor.join(10)
    times = [visitor.came_in_at for visitor in line]
    assert times == sorted(times)
    assert all(times)


def test_who_waits_too_long_is_sent_away_and_leaves_no_trace(narrow, monkeypatch):
    monkeypatch.setattr(admission, "PATIENCE_S", 0.1)
    inside = [Visitor(), Visitor()]
    assert all(visitor.inside.wait(5) for visitor in inside)
    with pytest.raises(TooBusy) as caught, admission.slot():
        raise AssertionError("it was let in")
    assert caught.value.retry_after == admission.RETRY_AFTER_S
    assert admission.at_work() == (2, 0)
    for visitor in inside:
        visitor.go.set()
        visitor.join(5)


def test_the_place_of_one_that_fails_is_free_again(narrow):
    for _ in range(5):
        with pytest.raises(ValueError, match="wrong"), admission.slot():
            raise ValueError("wrong")
    assert admission.at_work() == (0, 0)


def test_a_killed_process_gives_its_place_back(narrow, monkeypatch):
    """A process is killed with signal 9 while it searches, another while it waits."""
    narrow.PEDSITE_SEARCHES = 1
    script = (
        "import django, sys, time; django.setup();"
        "from search import admission;"
        "admission.LEASE_S = 3; admission.PATIENCE_S = 60; admission._client().ping();"
        "print('ready', flush=True); sys.stdin.readline();"
        "s = admission.slot(); s.__enter__(); print('in', flush=True); time.sleep(60)"
    )
    both = [
        subprocess.Popen(
            [sys.executable, "-c", script],
            env=os.environ | {"PEDSITE_SEARCHES": "1", "PEDSITE_SEARCHES_WAITING": "1"},
            cwd=site.BASE_DIR,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for process in both:
        assert process.stdout.readline() == "ready\n"
    for process in both:
        process.stdin.write("go\n")
        process.stdin.flush()
    wait_for(lambda: admission.at_work() == (1, 1))
    for process in both:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert admission.at_work()[0] == 1
    monkeypatch.setattr(admission, "PATIENCE_S", 30)
    narrow.PEDSITE_SEARCHES_WAITING = 5
    with admission.slot():
        assert admission.at_work() == (1, 0)


def test_without_redis_every_search_is_let_in(settings, monkeypatch):
    def gone() -> redis.Redis:
        return redis.Redis.from_url("redis://127.0.0.1:1/0")

    with monkeypatch.context() as patched:
        patched.setattr(admission, "_client", gone)
        with admission.slot():
            pass


@pytest.mark.django_db(transaction=True)
def test_page_and_api_answer_503_and_when_to_come_again(narrow, monkeypatch):
    """Three clients in two places and one seat; the fourth is told to come again."""
    version = world.make_version()
    dataset = world.make_dataset()
    world.make_coloured_people(dataset)
    rows.enroll(dataset, version)
    user = world.make_user(role="admin")
    asked, answered = retrieval.ask, threading.Event()

    def slow(*args, **options):
        answered.wait(20)
        return asked(*args, **options)

    monkeypatch.setattr(retrieval, "ask", slow)
    monkeypatch.setattr(admission, "PATIENCE_S", 20)
    statuses = []

    def ask() -> None:
        client = Client()
        client.force_login(user)
        statuses.append(client.get("/search/", {"q": "red"}).status_code)
        connections.close_all()

    clients = [threading.Thread(target=ask) for _ in range(3)]
    for client in clients:
        client.start()
    wait_for(lambda: admission.at_work() == (2, 1))
    late = Client()
    late.force_login(user)
    page = late.get("/search/", {"q": "red"})
    assert (page.status_code, page["Retry-After"]) == (503, "2")
    assert "Too many searches" in page.content.decode()
    answer = late.post("/api/v1/search", {"text": "red"}, content_type="application/json")
    assert (answer.status_code, answer["Retry-After"]) == (503, "2")
    assert answer.json()["code"] == "too-busy"
    # The empty page asks nothing and needs no place.
    assert late.get("/search/").status_code == 200
    answered.set()
    for client in clients:
        client.join()
    assert statuses == [200, 200, 200]
    assert late.get("/search/", {"q": "red"}).status_code == 200
