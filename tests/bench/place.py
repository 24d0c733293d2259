"""A site of its own for the rows that need one: servers, tables, the shipped version, a key.

Kept below the work folder between runs, so that a gallery of a million is made once.
"""

import atexit
import os
from functools import cache
from pathlib import Path

from pedsite import embedded, servers

# Beside what an install starts with: the table and index of a million vectors do not fit 256 MB.
TUNING = {"fsync": "off", "max_connections": "80"}


@cache
def ready(work: Path) -> Path:
    """Start the servers, set Django up against them, migrate. Returns: their folder."""
    place = (work / "site").resolve()
    for name in ("run", "logs", "media"):
        (place / name).mkdir(parents=True, exist_ok=True)
    buffers = os.environ.get("BENCH_BUFFERS", "1GB")
    atexit.register(embedded.stop, place)
    os.environ |= {
        "DEMO_DIR": str(place),
        "ENV_FILE": "",
        "MEDIA_ROOT": str(place / "media"),
        "SECRET_KEY": "only-for-benches-0123456789-abcdefghijklm",
        "DATABASE_URL": servers.Postgres(place, TUNING | {"shared_buffers": buffers}).start(),
        "REDIS_URL": servers.Valkey(place).start(),
        "THROTTLE_SEARCH": "1000000/minute",
        "THROTTLE_USER": "1000000/minute",
        "PEDSITE_BUILD_MEMORY_MB": os.environ.get("BENCH_BUILD_MEMORY_MB", "2048"),
        "LOG_LEVEL": "ERROR",
        "DJANGO_SETTINGS_MODULE": "pedsite.settings",
    }
    # Nothing of Django may be read before.
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0, interactive=False)
    return place


@cache
def key(work: Path) -> str:
    """The secret of an administrator's API key."""
    ready(work)
    from pedsite.accounts import keys
    from pedsite.accounts.models import User

    user, _made = User.objects.get_or_create(username="bench", role=User.Role.ADMIN)
    return keys.issue(user, "bench")[1]
