from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from pedsite.api import DomainError
from training import versions


class Command(BaseCommand):
    help = (
        "Registers ONNX towers that were trained elsewhere, or a folder that export_model wrote, "
        "as a version."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", metavar="NAME", help="what the version will be called")
        source = parser.add_mutually_exclusive_group(required=True)
        source.add_argument("--image", type=Path, help="ONNX graph of the image tower")
        source.add_argument("--bundle", type=Path, help="a folder that export_model wrote")
        parser.add_argument("--text", type=Path, help="ONNX graph of the text tower")
        parser.add_argument("--chars", type=Path, help="the text tower's character table, .npy")
        parser.add_argument(
            "--space", default="", help="of the vectors; towers of one space can be compared"
        )
        parser.add_argument("--height", type=int, help="of the pictures that it reads")
        parser.add_argument("--width", type=int)
        parser.add_argument(
            "--mean",
            type=float,
            nargs=3,
            metavar=("R", "G", "B"),
            help="of channels scaled to 0-1; default ImageNet's for graphs that read floats",
        )
        parser.add_argument("--std", type=float, nargs=3, metavar=("R", "G", "B"))
        parser.add_argument(
            "--lower", action="store_true", help="the text tower reads lower case only"
        )
        parser.add_argument("--licence", default="")

    def handle(self, *, name: str, bundle: Path | None, space: str, **options: Any) -> None:
        if not bundle and not space:
            raise CommandError("--space is needed: say which vectors these can be compared with")
        try:
            if bundle:
                version = versions.register_bundle(bundle, name=name, space=space)
            else:
                version = versions.register(
                    name,
                    image_file=options["image"],
                    text_file=options["text"],
                    characters=options["chars"],
                    space=space,
                    preprocessing={key: options[key] for key in ("height", "width", "mean", "std")},
                    text_preprocessing={"lower": options["lower"]},
                    licence=options["licence"],
                )
        except DomainError as exc:
            raise CommandError(str(exc)) from exc
        kind = "image only" if version.is_image_only else "image and text"
        self.stdout.write(f"{version.name}\t{version.space.name}\t{version.dim}\t{kind}")
