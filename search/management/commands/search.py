import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import numpy as np
from django.core.management.base import BaseCommand, CommandError

from gallery import pictures
from pedsite.api import DomainError
from search import retrieval
from search.models import Mode


class Command(BaseCommand):
    help = "Prints the people who fit a description or a picture, best first."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("text", nargs="?", metavar="WORDS", help="a person in words")
        parser.add_argument("--image", type=Path, help="a picture of one person, instead of words")
        parser.add_argument("--dataset", action="append", default=[], help="look only here")
        parser.add_argument("--top", type=int, default=10, help="how many hits (10)")
        parser.add_argument("--model", help="a model version other than the one that serves")
        parser.add_argument(
            "--mode", default=Mode.FAST.value, choices=Mode.values, help="work worth doing (fast)"
        )
        parser.add_argument("--json", action="store_true", help="one object instead of lines")

    def handle(self, *, text: str | None, image: Path | None, **options: Any) -> None:
        if (text is None) == (image is None):
            raise CommandError("Give words, or --image with a picture.")
        wanted = {
            "user": None,
            "filters": retrieval.Filters(datasets=options["dataset"]),
            "version": options["model"],
            "limit": options["top"],
            "mode": options["mode"],
        }
        try:
            if text is not None:
                page = retrieval.by_text(text, **wanted)
            else:
                page = retrieval.by_image(_pixels(image), **wanted)
        except DomainError as exc:
            raise CommandError(str(exc)) from exc
        if options["json"]:
            self.stdout.write(json.dumps(_plain(page), ensure_ascii=False))
            return
        for hit in page.hits:
            place = ",".join(map(str, hit.box.bounds))
            image_name, dataset = hit.box.image.name, hit.box.image.dataset.name
            self.stdout.write(
                f"{hit.rank}\t{hit.score:.4f}\t{hit.box.pk}\t{dataset}\t{image_name}\t{place}"
            )
        self.stderr.write(_coverage(page))


def _coverage(page: retrieval.Page) -> str:
    waiting = f", {page.waiting} more wait for enrollment" if page.waiting else ""
    failed = f", {page.gaps.failed} failed" if page.gaps.failed else ""
    reasons = "".join(
        f"\n  {failure.boxes} x {failure.reason} ({', '.join(failure.examples)})"
        for failure in page.gaps.failures
    )
    return f"{page.searched} boxes searched with {page.version}{waiting}{failed}.{reasons}"


def _pixels(path: Path) -> np.ndarray:
    try:
        return np.asarray(pictures.open_upright(path.read_bytes()))
    except OSError as exc:
        raise CommandError(f"{path} cannot be read: {exc.strerror}.") from exc
    except DomainError as exc:
        raise CommandError(f"{path}: {exc}") from exc


def _plain(page: retrieval.Page) -> dict[str, Any]:
    return {
        "version": page.version,
        "searched": page.searched,
        "waiting": page.gaps.waiting,
        "failed": page.gaps.failed,
        "hits": [
            {
                "rank": hit.rank,
                "score": round(hit.score, 6),
                "box": hit.box.pk,
                "image": hit.box.image.name,
                "bbox": list(hit.box.bounds),
                "dataset": hit.box.image.dataset.name,
            }
            for hit in page.hits
        ],
    }
