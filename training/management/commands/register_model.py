from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from pedsite.api import DomainError
from training import versions
from training.models import ModelVersion


class Command(BaseCommand):
    help = (
        "Registers ONNX towers that were trained elsewhere, a folder that export_model wrote, or "
        "an image-text model of transformers, as a version."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", metavar="NAME", help="what the version will be called")
        source = parser.add_mutually_exclusive_group(required=True)
        source.add_argument("--image", type=Path, help="ONNX graph of the image tower")
        source.add_argument("--bundle", type=Path, help="a folder that export_model wrote")
        source.add_argument(
            "--transformers",
            metavar="DIR",
            help="an image-text model that transformers saved, or its id on the hub; both towers "
            "become ONNX, and serve without transformers",
        )
        parser.add_argument("--revision", default="", help="of the hub; default the newest")
        parser.add_argument(
            "--trust-remote-code",
            action="store_true",
            help="run Python code that comes with the model; read it first",
        )
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

    def handle(
        self,
        *,
        name: str,
        bundle: Path | None,
        transformers: str | None,
        space: str,
        **options: Any,
    ) -> None:
        if not bundle and not space:
            raise CommandError("--space is needed: say which vectors these can be compared with")
        try:
            if bundle:
                version = versions.register_bundle(bundle, name=name, space=space)
            elif transformers:
                version = self._adopt(name, transformers, space, options)
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

    def _adopt(self, name: str, model: str, space: str, options: dict[str, Any]) -> ModelVersion:
        # Loads torch, which the other ways of registering do without.
        from training import adoption

        return adoption.register(
            name,
            model,
            space=space,
            revision=options["revision"],
            trusted=options["trust_remote_code"],
            licence=options["licence"],
            tell=self.stderr.write,
        )
