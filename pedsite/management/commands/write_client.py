from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from drf_spectacular.generators import SchemaGenerator

from pedsite import client_source

PLACE = settings.BASE_DIR / "pedsite" / "client" / "generated.py"


class Command(BaseCommand):
    help = "Writes the operations of pedsite.client from the description of the API."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--output", type=Path, default=PLACE)

    def handle(self, *, output: Path, **options: Any) -> None:
        schema = SchemaGenerator().get_schema(request=None, public=True)
        output.write_text(client_source.write(schema), encoding="utf-8")
        self.stdout.write(f"{output}: {sum(map(len, schema['paths'].values()))} operations")
