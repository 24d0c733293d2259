import json
import tempfile
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from pedsite.api import DomainError
from training import model_card, versions
from training.ml.runtime import Bundle


class Command(BaseCommand):
    help = (
        "Measures how well a version finds drawn people that no training saw, by queries in "
        "English and Chinese; with --card, writes the model card."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("version_name", metavar="VERSION")
        parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers there")
        parser.add_argument("--card", type=Path, metavar="FILE", help="write the card there")

    def handle(
        self,
        *,
        version_name: str,
        json: Path | None,
        card: Path | None,
        **options: Any,
    ) -> None:
        try:
            version = versions.get(version_name)
            with tempfile.TemporaryDirectory() as folder:
                about = versions.export(version, Path(folder))
                bundle = Bundle.read(Path(folder))
                work = Path(settings.PEDSITE_WORK_DIR) / "measured"
                metrics = model_card.measure(bundle, work, tell=self._tell)
        except (DomainError, ValueError, OSError) as exc:
            raise CommandError(str(exc)) from exc
        text = model_card.card(about | {"metrics": metrics})
        self.stdout.write(text)
        if json is not None:
            _write(json, _pretty(metrics))
        if card is not None:
            _write(card, text)

    def _tell(self, text: str) -> None:
        self.stderr.write(text)


def _pretty(metrics: dict[str, Any]) -> str:
    return json.dumps(metrics, indent=2, ensure_ascii=False) + "\n"


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, "utf-8")
    except OSError as exc:
        raise CommandError(f"{path} cannot be written: {exc}") from exc
