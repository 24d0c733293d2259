"""Real services for the suite: a PostgreSQL with pgvector and a Valkey of its own.

They live in a temporary folder and listen on unix sockets in it, so that several runs at the same
time do not meet. They are started when Django's settings are first read, at the top of this file:
once in each process of pytest-xdist, so that its processes do not meet either.
"""

import atexit
import os
import shutil
import signal
import tempfile
from pathlib import Path

import django
import psutil
from django.conf import settings
from django.core.management.color import no_style
from django.db import connection
from django.test import TransactionTestCase

from pedsite import embedded, servers

PLACE = Path(tempfile.mkdtemp(prefix="pedsite-tests-"))
# What a test server may lose when the machine loses power does not matter.
FAST = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "128MB",
    "maintenance_work_mem": "64MB",
}


def _start() -> None:
    for name in (
        "DATABASE_URL",
        "REDIS_URL",
        "EMBEDDED",
        "S3_BUCKET",
        "DEBUG",
        "LOG_FORMAT",
        "PEDSITE_ENGINE",
        "MILVUS_URI",
    ):
        os.environ.pop(name, None)
    (PLACE / "owner").write_text(str(os.getpid()))
    for folder in ("run", "logs", "media"):
        (PLACE / folder).mkdir()
    os.environ |= {
        "DEMO_DIR": str(PLACE),
        "ENV_FILE": "",
        "MEDIA_ROOT": str(PLACE / "media"),
        "SECRET_KEY": "only-for-tests-0123456789-abcdefghijklmnop",
        "DATABASE_URL": servers.Postgres(PLACE, FAST).start(),
        "REDIS_URL": servers.Valkey(PLACE).start(),
        "THROTTLE_SEARCH": "100000/minute",
        "KEY_FAILURE_LIMIT": "100000",
        # Not in pyproject.toml: pytest-django would read the settings before the services are up.
        "DJANGO_SETTINGS_MODULE": "pedsite.settings",
    }


def _clear() -> None:
    """Stops and removes what a run that was killed left behind."""
    for left in Path(tempfile.gettempdir()).glob("pedsite-tests-*"):
        owner = left / "owner"
        if owner.is_file() and not psutil.pid_exists(int(owner.read_text())):
            embedded.stop(left)
            shutil.rmtree(left, ignore_errors=True)


def pytest_xdist_setupnodes() -> None:
    """The processes that run tests read settings of their own, from services of their own."""
    os.environ.pop("DJANGO_SETTINGS_MODULE")
    _stop(os.getpid())


def _stop(owner: int) -> None:
    if os.getpid() == owner:
        embedded.stop(PLACE)
        shutil.rmtree(PLACE, ignore_errors=True)


def _empty(_test: TransactionTestCase) -> None:
    """What a test that commits leaves is removed; what migrations wrote of the models stays.

    Django's own way writes content types and permissions anew, which takes longer than the rest.
    """
    kept = {"django_migrations", "django_content_type", "auth_permission"}
    tables = connection.introspection.django_table_names(only_existing=True, include_views=False)
    # Emptied by its owner, with the triggers away for one transaction: the site never does this.
    guarded = ["audit_entry", "audit_link"]
    away = [f"ALTER TABLE {name} DISABLE TRIGGER USER" for name in guarded]
    statements = connection.ops.sql_flush(no_style(), sorted(set(tables) - kept))
    back = [f"ALTER TABLE {name} ENABLE ALWAYS TRIGGER {name}_kept" for name in guarded] + [
        "ALTER TABLE audit_entry ENABLE TRIGGER audit_entry_made"
    ]
    connection.ops.execute_sql_flush([*away, *statements, *back])


atexit.register(_stop, os.getpid())
if signal.getsignal(signal.SIGTERM) == signal.SIG_DFL:
    signal.signal(signal.SIGTERM, lambda *_: os._exit(_stop(os.getpid()) or 143))
_clear()
_start()
django.setup()
# A user a test at the real cost of a hash would be half of the suite's time.
settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# Each test's client would read the folders of all static files anew: a tenth of a page's test.
settings.WHITENOISE_AUTOREFRESH = True
TransactionTestCase._fixture_teardown = _empty
