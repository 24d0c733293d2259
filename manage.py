#!/usr/bin/env python
"""Django's command line, with the embedded services started first when none are given."""

import os
import select
import sys

from pedsite import embedded, env, servers

UNDEFINED_TABLE = "42P01"
# As a shell tells of a program that SIGPIPE ended.
PIPE_CLOSED = 141


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pedsite.settings")
    env.load_file()
    command = sys.argv[1] if len(sys.argv) > 1 else "help"
    if embedded.is_offline(command, sys.argv[2:]):
        embedded.stand_in()
    else:
        embedded.acquire()
    # After the services: importing Django's management does not read settings, running it does.
    from django.core.management import execute_from_command_line
    from django.db import ProgrammingError

    try:
        execute_from_command_line(sys.argv)
    except ProgrammingError as exc:
        if getattr(exc.__cause__, "sqlstate", "") != UNDEFINED_TABLE:
            raise
        sys.exit(f"manage.py: the database has no tables for this; run manage.py migrate\n{exc}")


def is_unread() -> bool:
    """Whether whoever read the output, such as `head`, has left."""
    poll = select.poll()
    poll.register(1, 0)
    return bool(poll.poll(0))


if __name__ == "__main__":
    try:
        main()
        # What is left in the buffer fails here, and not at the very end with a complaint.
        sys.stdout.flush()
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        if not is_unread():
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        sys.exit(PIPE_CLOSED)
    except servers.ServiceFailed as exc:
        sys.exit(f"manage.py: {exc}")
