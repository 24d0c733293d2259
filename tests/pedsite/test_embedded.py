"""The services that start when none are named: shared, stopped by the last, hard to break."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from pedsite import embedded, servers

HOLD = """
import os
from pedsite import embedded, servers
embedded.acquire()
print(os.environ["DATABASE_URL"], os.environ["REDIS_URL"], os.environ["SECRET_KEY"], flush=True)
input()
"""


def without_addresses() -> dict[str, str]:
    """The environment of somebody who names no servers."""
    given = {"DATABASE_URL", "REDIS_URL", "EMBEDDED", "SECRET_KEY"}
    return {name: value for name, value in os.environ.items() if name not in given}


class Holder:
    """A process that uses the services until it is told to leave."""

    def __init__(self, place: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", HOLD],
            env=without_addresses() | {"DEMO_DIR": str(place), "PYTHONPATH": os.getcwd()},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def urls(self) -> tuple[str, str]:
        """The addresses of the services; waits until they run."""
        database, queue, self.secret = self.process.stdout.readline().split()
        return database, queue

    def leave(self) -> None:
        self.process.communicate("\n", timeout=30)
        assert self.process.returncode == 0

    def kill(self, number: signal.Signals) -> None:
        self.process.send_signal(number)
        self.process.communicate(timeout=30)


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="pedsite-embedded-"))
    yield folder
    embedded.stop(folder)
    shutil.rmtree(folder)


@pytest.fixture
def holder(place: Path) -> Iterator[type[Holder]]:
    """Starts holders of the module's folder, and ends those that a test left."""
    begun: list[Holder] = []

    def begin() -> Holder:
        begun.append(Holder(place))
        return begun[-1]

    yield begin
    for one in begun:
        if one.process.poll() is None:
            one.kill(signal.SIGKILL)


def postmaster(place: Path) -> int | None:
    return servers.Postgres(place)._pid()


def answers(urls: tuple[str, str]) -> bool:
    """Whether both services work."""
    try:
        with psycopg.connect(urls[0]) as connection, redis.Redis.from_url(urls[1]) as client:
            return connection.execute("SELECT 1").fetchone() == (1,) and client.ping()
    except (psycopg.OperationalError, redis.ConnectionError):
        return False


def test_the_last_to_leave_stops_the_services_and_none_is_stopped_under_another(place, holder):
    first = holder()
    urls = first.urls()
    second = holder()
    assert second.urls() == urls
    first.leave()
    assert answers(urls)
    second.leave()
    assert not answers(urls)
    assert postmaster(place) is None


def test_two_that_start_at_the_same_time_share_one_server(place, holder):
    both = [holder(), holder()]
    urls = {one.urls() for one in both}
    assert len(urls) == 1
    assert answers(urls.pop())
    running = [
        p
        for p in psutil.process_iter(["cmdline"])
        if f"-D {place}" in " ".join(p.info["cmdline"] or [])
    ]
    assert len(running) == 1
    for one in both:
        one.leave()


def test_a_killed_process_does_not_keep_the_services_from_being_stopped(place, holder):
    first = holder()
    urls = first.urls()
    first.kill(signal.SIGKILL)
    assert answers(urls), "nobody was there to stop them"
    second = holder()
    assert second.urls() == urls
    second.leave()
    assert not answers(urls)


def test_who_ends_without_exit_handlers_can_leave_before(place):
    script = "from pedsite import embedded; import os; embedded.acquire(); embedded.leave(); "
    subprocess.run(
        [sys.executable, "-c", script + "os._exit(0)"],
        env=without_addresses() | {"DEMO_DIR": str(place), "PYTHONPATH": os.getcwd()},
        check=True,
        timeout=120,
    )
    assert postmaster(place) is None


def test_a_terminated_process_stops_them_as_one_that_leaves(place, holder):
    one = holder()
    urls = one.urls()
    one.kill(signal.SIGTERM)
    assert not answers(urls)


def test_services_that_were_killed_start_again_with_their_data(place, holder):
    one = holder()
    urls = one.urls()
    with psycopg.connect(urls[0]) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    os.kill(postmaster(place), signal.SIGKILL)
    with redis.Redis.from_url(urls[1]) as client:
        os.kill(client.info("server")["process_id"], signal.SIGKILL)
    one.kill(signal.SIGKILL)
    assert (place / "postgres" / "postmaster.pid").exists()

    again = holder()
    assert answers(again.urls())
    with psycopg.connect(urls[0]) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)
        connection.execute("DROP TABLE kept")
    again.leave()


def test_a_process_id_that_is_another_programs_by_now_does_not_block_the_start(place, holder):
    lines = [
        str(os.getpid()),
        str(place / "postgres"),
        "1700000000",
        "5432",
        "",
        "",
        "1 2",
        "ready",
    ]
    (place / "postgres" / "postmaster.pid").write_text("\n".join(lines) + "\n")
    one = holder()
    assert answers(one.urls())
    one.leave()


def test_queued_messages_outlive_a_stop(place, holder):
    one = holder()
    _database, queue = one.urls()
    with redis.Redis.from_url(queue) as client:
        client.lpush("kept", "message")
    one.leave()
    again = holder()
    again.urls()
    with redis.Redis.from_url(queue) as client:
        assert client.lpop("kept") == b"message"
    again.leave()


def test_the_secret_key_is_made_once_and_only_its_owner_may_read_it(place, holder):
    secrets = []
    for _ in range(2):
        one = holder()
        one.urls()
        secrets.append(one.secret)
        one.leave()
    assert secrets[0] == secrets[1]
    assert len(secrets[0]) >= 48
    assert stat.S_IMODE((place / "secret_key").stat().st_mode) == 0o600


def test_the_services_listen_on_nothing_but_sockets_of_their_owner(place, holder):
    one = holder()
    database, queue = one.urls()
    with psycopg.connect(database) as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
    with redis.Redis.from_url(queue) as client:
        assert client.config_get("port") == {"port": "0"}
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
    for folder in (servers.Postgres(place).socket_dir, servers.Valkey(place).socket.parent):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    one.leave()


def test_nothing_is_started_when_both_addresses_are_given(tmp_path, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://db.example/site")
    monkeypatch.setenv("REDIS_URL", "redis://queue.example/0")
    monkeypatch.delenv("EMBEDDED", raising=False)
    monkeypatch.setenv("DEMO_DIR", str(tmp_path / "var"))
    began = time.monotonic()
    embedded.acquire()
    assert time.monotonic() - began < 1
    assert not (tmp_path / "var").exists()
    assert os.environ["DATABASE_URL"] == "postgresql://db.example/site"


def test_commands_that_read_no_data_need_no_services():
    assert embedded.is_offline("makemigrations", [])
    assert embedded.is_offline("search", ["--help"])
    assert not embedded.is_offline("search", ["a red coat"])
