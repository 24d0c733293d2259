import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import numpy as np
from django.core.management.base import BaseCommand, CommandError

from gallery import pictures
from pedsite.api import DomainError
from search import asking, retrieval
from search.models import Mode
from search.questions import Like


class Command(BaseCommand):
    help = "Prints the people who fit a description or a picture, best first."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "text",
            nargs="?",
            metavar="WORDS",
            help="a person in words, with tokens as on the page: 'red coat -umbrella camera:3'",
        )
        parser.add_argument(
            "--image", type=Path, help="a picture of one person, alone or with words"
        )
        parser.add_argument(
            "--image-weight", type=float, default=1.0, help="against the words, 0.1 to 10 (1)"
        )
        parser.add_argument(
            "--from", dest="file", type=Path, help="a file of queries, one a line, instead of words"
        )
        parser.add_argument("--dataset", action="append", default=[], help="look only here")
        parser.add_argument("--top", type=int, default=10, help="how many hits (10)")
        parser.add_argument("--model", help="a model version other than the one that serves")
        parser.add_argument(
            "--mode", default=Mode.FAST.value, choices=Mode.values, help="work worth doing (fast)"
        )
        parser.add_argument(
            "--purpose", default="", help="why: a reason or a case number, for the audit log"
        )
        parser.add_argument("--json", action="store_true", help="objects instead of lines")

    def handle(
        self, *, text: str | None, image: Path | None, file: Path | None, **options: Any
    ) -> None:
        if (text is None and image is None) == (file is None):
            raise CommandError("Give words, --image with a picture, or --from with a file.")
        if not 0.1 <= options["image_weight"] <= 10:
            raise CommandError("--image-weight goes from 0.1 to 10.")
        if file is not None:
            self._many(_lines(file), options)
            return
        try:
            page = _ask(text or "", image, options)
        except DomainError as exc:
            raise CommandError(str(exc)) from exc
        if options["json"]:
            self.stdout.write(json.dumps(_plain(page), ensure_ascii=False))
            return
        for hit in page.hits:
            self.stdout.write(_line(hit))
        self.stderr.write(_coverage(page))

    def _many(self, queries: list[tuple[int, str]], options: dict[str, Any]) -> None:
        """One answer a query, led by its line; those that are refused are told and passed over."""
        refused = 0
        for number, text in queries:
            try:
                page = _ask(text, None, options)
            except DomainError as exc:
                refused += 1
                if options["json"]:
                    told = {"line": number, "query": text, "error": str(exc)}
                    self.stdout.write(json.dumps(told, ensure_ascii=False))
                self.stderr.write(f"line {number}: {exc}")
                continue
            if options["json"]:
                told = {"line": number, "query": text, **_plain(page)}
                self.stdout.write(json.dumps(told, ensure_ascii=False))
                continue
            for hit in page.hits:
                self.stdout.write(f"{number}\t{_line(hit)}")
        if refused:
            raise CommandError(f"{refused} of {len(queries)} queries were refused.")


def _lines(file: Path) -> list[tuple[int, str]]:
    try:
        lines = file.read_text("utf-8-sig").splitlines()
    except OSError as exc:
        raise CommandError(f"{file} cannot be read: {exc.strerror}.") from exc
    except UnicodeDecodeError as exc:
        raise CommandError(f"{file} is not UTF-8 text.") from exc
    return [(number, line) for number, line in enumerate(lines, start=1) if line.strip()]


def _ask(text: str, image: Path | None, options: dict[str, Any]) -> retrieval.Page:
    likes = [] if image is None else [Like(crop=_pixels(image), weight=options["image_weight"])]
    return asking.ask(
        text,
        user=None,
        filters=retrieval.Filters(datasets=options["dataset"]),
        likes=likes,
        version=options["model"],
        limit=options["top"],
        mode=options["mode"],
        purpose=options["purpose"],
    )


def _line(hit: retrieval.Hit) -> str:
    place = ",".join(map(str, hit.box.bounds))
    image, dataset = hit.box.image.name, hit.box.image.dataset.name
    return f"{hit.rank}\t{hit.score:.4f}\t{hit.box.pk}\t{dataset}\t{image}\t{place}"


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
                "false_accept_rate": hit.false_accepts,
                "phrases": {bar.phrase.text: round(bar.share, 4) for bar in hit.bars},
            }
            for hit in page.hits
        ],
    }
