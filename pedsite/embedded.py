"""PostgreSQL with pgvector and Valkey from wheels, for whoever names no server of their own.

`acquire` is called before Django's settings are read. Every process that uses the services holds
a shared flock on `run/users`; the last one out gets it exclusively and stops them. The kernel
frees the lock of a killed process, so nothing has to be counted or cleaned. `run/door` serializes
entering and leaving. The servers run in sessions of their own: Ctrl-C does not reach them.
"""

import atexit
import fcntl
import os
import secrets
import signal
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from pedsite.servers import Postgres, ServiceFailed, Valkey

# Commands that read no data; makemigrations only warns that it could not compare with the database.
OFFLINE = {"help", "version", "makemigrations", "makemessages", "compilemessages", "startapp"}


# What this process holds: the file that it locked, where, and its own id.
_shares: list[tuple[IO[str], Path, int]] = []


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
    warnings.filterwarnings("ignore", "Got an error checking a consistent migration history")


def acquire() -> None:
    """Starts what DATABASE_URL and REDIS_URL do not name, sets them, and stays until exit.

    A child inherits the variables, not the lock: EMBEDDED marks them as ours, so that it takes a
    share of its own.

    Raises:
        ServiceFailed: one does not start.
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
        # Before the start, which Ctrl-C may interrupt halfway.
        _shares.append((share, place, os.getpid()))
        atexit.register(leave)
        if "DATABASE_URL" in wanted:
            os.environ["DATABASE_URL"] = Postgres(place).start()
        if "REDIS_URL" in wanted:
            os.environ["REDIS_URL"] = Valkey(place).start()
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) == signal.SIG_DFL:
            # The default would end the process without its exit handlers.
            signal.signal(number, lambda number, _frame: sys.exit(128 + number))


def leave() -> None:
    """Gives this process's share back, and stops the services where it was the last.

    Called at exit; and by who ends a process in a way that runs no exit handlers.
    """
    while _shares:
        share, place, owner = _shares.pop()
        if os.getpid() != owner:
            continue
        with _door(place), share:
            try:
                fcntl.flock(share, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            stop(place)


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
        raise ServiceFailed(f"{file} is empty; remove it") from None
    key = secrets.token_urlsafe(48)
    with os.fdopen(handle, "w") as stream:
        stream.write(key)
    return key
