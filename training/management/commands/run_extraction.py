"""The process that computes a teacher's vectors: `extract_teacher` and the workers start it."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from pedsite.api import DomainError
from training import extraction
from training.child import STOPPED, Stopped, Voice
from training.models import Teacher


class Command(BaseCommand):
    help = (
        "Computes the vectors of one stored teacher in this process and prints its progress as "
        "lines of JSON. The extract_teacher command and the workers start it; people use that."
    )

    # Whoever starts it has checked the system.
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("teacher", type=int)
        parser.add_argument("--parent", type=int, help="stop when this process is gone")

    def handle(self, *, teacher: int, parent: int | None, **options: Any) -> None:
        voice = Voice(self.stdout, parent)
        try:
            made = extraction.run(Teacher.objects.with_context().get(pk=teacher), voice)
        except Stopped:
            raise SystemExit(STOPPED) from None
        except DomainError as exc:
            voice.say(error=str(exc))
            raise SystemExit(1) from None
        except Exception as exc:
            voice.say(error=f"{type(exc).__name__}: {exc}")
            raise
        voice.say(teacher=made.name)
