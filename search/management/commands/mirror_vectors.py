"""Fills Milvus with the vectors of the database, compares the two, or lets go of Milvus."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from pedsite.api import DomainError
from search.engines import mirror
from search.models import Embedding, Mirror
from training import versions
from training.models import Encoder


class Command(BaseCommand):
    help = (
        "Takes the vectors of every image tower, or of one version's, over to Milvus, and goes on "
        "where it was stopped. From then on whatever changes is taken over by the workers."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--model", metavar="VERSION", help="default: all that are enrolled")
        how = parser.add_mutually_exclusive_group()
        how.add_argument(
            "--compare", action="store_true", help="hold each row against the database, and mend"
        )
        how.add_argument("--forget", action="store_true", help="drop what Milvus has")

    def handle(self, *, model: str | None, compare: bool, forget: bool, **options: Any) -> None:
        try:
            if forget:
                return self._forget(model)
            for encoder in _encoders(model):
                if compare:
                    found = mirror.compare(encoder)
                    self.stdout.write(
                        f"{encoder}: {found.rows} rows; {found.missing} were missing, "
                        f"{found.surplus} surplus, {found.wrong} wrong"
                    )
                else:
                    written = mirror.fill(encoder)
                    self.stdout.write(f"{encoder}: {written} rows and changes written")
        except DomainError as exc:
            raise CommandError(str(exc)) from exc

    def _forget(self, model: str | None) -> None:
        kept = Mirror.objects.order_by("pk")
        if model:
            kept = kept.filter(pk=versions.get(model).image_encoder_id)
        for encoder_id in list(kept.values_list("pk", flat=True)):
            mirror.forget(encoder_id)
            self.stdout.write(f"encoder {encoder_id}: dropped")


def _encoders(model: str | None) -> list[Encoder]:
    if model:
        return [versions.get(model).image_encoder]
    enrolled = Embedding.objects.order_by("encoder").distinct("encoder").values("encoder")
    return list(Encoder.objects.filter(pk__in=enrolled).select_related("space").order_by("pk"))
