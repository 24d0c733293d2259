"""Which code this is, so that a model says what trained it."""

import functools
import shutil
import subprocess

from django.conf import settings


@functools.cache
def current() -> str:
    """The commit that runs, with "+" if files were changed since; empty where nothing says it.

    Where the code was installed without its history, the setting PEDSITE_REVISION may name it.
    """
    if settings.PEDSITE_REVISION:
        return settings.PEDSITE_REVISION[:100]
    git = shutil.which("git")
    if git is None or not (settings.BASE_DIR / ".git").exists():
        return ""
    command = [git, "-C", str(settings.BASE_DIR), "describe", "--always", "--abbrev=12"]
    try:
        said = subprocess.run(
            [*command, "--exclude=*", "--dirty=+"],
            capture_output=True,
            text=True,
            timeout=20,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return said.stdout.strip()
