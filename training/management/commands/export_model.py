from argparse import ArgumentParser
from functools import partial
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from pedsite.api import DomainError
from training import chinese_clip_export, conversion, folders, versions
from training.chinese_clip_export import PREFIX
from training.evidence import DRAWN
from training.ml.chars import MAX_CHARACTERS
from training.ml.quantize import PRECISIONS

BATCH, LENGTH = 1, 128


class Command(BaseCommand):
    help = (
        "Writes a version's ONNX towers, character table, golden inputs and model.json into a "
        "folder, after their hashes and self-tests passed. Any other precision or fixed shapes "
        "are written only if they find what the version finds."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("version_name", metavar="VERSION")
        parser.add_argument(
            "outdir", type=Path, metavar="OUTDIR", help="new, or with earlier exports alone"
        )
        parser.add_argument(
            "--precision",
            choices=PRECISIONS,
            default="fp32",
            help="fp16 for GPUs, int8 for CPUs and NPUs; default %(default)s",
        )
        parser.add_argument(
            "--simplify", action="store_true", help="fold constants of fp32 towers too"
        )
        parser.add_argument(
            "--static", action="store_true", help="fixed batch and length, as NPUs need them"
        )
        parser.add_argument("--batch", type=int, help=f"with --static; default {BATCH}")
        parser.add_argument(
            "--length", type=int, help=f"characters of a text, with --static; default {LENGTH}"
        )
        parser.add_argument(
            "--chinese-clip",
            nargs="?",
            const=PREFIX,
            metavar="PREFIX",
            help="towers under the names that Chinese-CLIP's tools load, "
            "%(const)s.img.fp32.onnx and its like; fp32 or fp16",
        )
        parser.add_argument(
            "--dataset",
            metavar="NAME",
            default=DRAWN,
            help="whose crops calibrate int8 and judge the result; default %(default)s",
        )

    def handle(
        self,
        *,
        version_name: str,
        outdir: Path,
        precision: str,
        static: bool,
        simplify: bool,
        chinese_clip: str | None,
        **options: Any,
    ) -> None:
        try:
            version = versions.get(version_name)
            if chinese_clip is not None:
                self._refuse(options, "batch", "length")
                tools = partial(
                    chinese_clip_export.export, version, prefix=chinese_clip, precision=precision
                )
                paths = folders.fill(outdir, tools)
            else:
                write = partial(versions.export, version)
                if precision == "fp32" and not static and not simplify:
                    self._refuse(options, "batch", "length")
                else:
                    wanted = self._wanted(precision, static, options)
                    write = partial(
                        conversion.convert, version, wanted=wanted, tell=self.stdout.write
                    )
                paths = folders.fill(
                    outdir, write, last=versions.ABOUT_FILE, replaces=versions.FILES
                )
        except (DomainError, OSError) as exc:
            raise CommandError(str(exc)) from exc
        for path in paths:
            self.stdout.write(f"{path}\t{path.stat().st_size}")

    def _wanted(self, precision: Any, static: bool, options: dict[str, Any]) -> conversion.Wanted:
        batch = length = None
        if static:
            batch = BATCH if options["batch"] is None else options["batch"]
            length = LENGTH if options["length"] is None else options["length"]
            if batch < 1 or not 2 <= length <= MAX_CHARACTERS:
                raise CommandError(f"--batch is at least 1, --length 2 to {MAX_CHARACTERS}")
        else:
            self._refuse(options, "batch", "length")
        return conversion.Wanted(
            precision=precision, batch=batch, length=length, data=options["dataset"]
        )

    def _refuse(self, options: dict[str, Any], *names: str) -> None:
        for name in names:
            if options[name] is not None:
                raise CommandError(f"--{name} goes with --static: other exports take any {name}")
