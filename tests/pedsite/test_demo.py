"""Steps of the demo; the whole of it is run by whoever checks a clean checkout."""

import io
import socket
import stat

import pytest

from gallery import ingest
from pedsite import demo
from pedsite.accounts.models import User
from pedsite.jobs.models import Job
from search import enrollment
from tests.world import make_dataset, make_user, make_version


@pytest.fixture
def place(settings, tmp_path):
    settings.DATA_DIR = tmp_path
    (tmp_path / "logs").mkdir()
    return tmp_path


def test_the_administrator_keeps_one_password_that_only_its_owner_may_read(db, place):
    first = demo._admin()
    password = (place / "admin_password").read_text().strip()
    assert first.check_password(password)
    assert first.is_superuser
    assert len(password) >= 16
    assert stat.S_IMODE((place / "admin_password").stat().st_mode) == 0o600
    assert demo._admin() == first
    assert User.objects.get().check_password(password)


def test_a_password_that_was_changed_is_set_back_to_the_one_shown(db, place):
    user = demo._admin()
    user.set_password("something else entirely")
    user.save()
    demo._admin()
    assert User.objects.get().check_password(demo._password())


def test_a_taken_port_is_named(monkeypatch):
    monkeypatch.setattr(demo, "PORT_S", 0)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        with pytest.raises(demo.DemoFailed, match=f"Port {port} is taken.*PORT="):
            demo._wait_for_port(port)
    demo._wait_for_port(port)


def test_what_a_killed_run_left_unfinished_is_ended_and_nothing_of_others(db):
    user, shipped, other = make_user("admin", role="admin"), make_version("a"), make_version("b")
    dataset = make_dataset("demo")
    own = [
        ingest.request("drawn", demo.PEOPLE, "demo", user=user, queue=False),
        enrollment.request(dataset, shipped, user, queue=False),
    ]
    kept = [
        ingest.request("drawn", "7:3", "demo", user=user, queue=False),
        enrollment.request(dataset, other, user, queue=False),
        enrollment.request(dataset, shipped, make_user(), queue=False),
        enrollment.request(make_dataset("street"), shipped, user, queue=False),
    ]
    demo._drop_unfinished(shipped, user)
    assert {Job.objects.get(pk=job.pk).state for job in own} == {"cancelled"}
    assert [Job.objects.get(pk=job.pk).state for job in kept] == ["queued"] * 4


def test_a_process_that_ends_is_started_again_but_not_for_ever(place, monkeypatch):
    class Dead:
        is_alive = False

        def __init__(self, arguments, log):
            self.arguments, self.name, self.log = arguments, arguments[0], log

    monkeypatch.setattr(demo.processes, "Process", Dead)
    stream = io.StringIO()
    run = demo.Demo(8000, stream)
    run._start("worker")
    for _ in range(demo.RESTARTS):
        run._check_children()
    assert stream.getvalue().count("started again") == demo.RESTARTS
    with pytest.raises(demo.DemoFailed, match="worker process keeps ending"):
        run._check_children()


def test_only_a_finished_import_counts_as_drawn(db):
    assert not demo._is_drawn()
