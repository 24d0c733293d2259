"""Everything that was made of rows and pictures: files, codes, caches, dead rows, Milvus."""

import shutil
from pathlib import Path

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import connection

from gallery import sources, uploads
from gallery.models import Import, Upload
from pedsite import cached
from pedsite.idempotency.models import KeptAnswer
from pedsite.jobs import work as jobs
from search import compact
from search.engines import mirror
from search.errors import TooFewForCodes
from search.forgetting import people
from search.forgetting.models import Removal
from search.models import CompactIndex, Mirror, Unmirrored
from training.models import Encoder

# What may show somebody or name a picture: shown pictures, counts with their examples.
CACHED = ("shown:", "counts:", "opened:")
TABLES = (
    "search_embedding",
    "gallery_box",
    "gallery_caption",
    "gallery_image",
    "gallery_identity",
    "gallery_change",
    "gallery_addition",
    "search_finding",
    "search_judgement",
    "search_casehit",
    "search_removal",
)
FILES = 200


def files(removal: Removal, work: jobs.Work) -> bool:
    """Stored files that no row names any more, uploads that held them, copies on this machine."""
    names = people.stored(removal.plan["files"])
    for name in names[:FILES]:
        work.beat()
        default_storage.delete(name)
    if len(names) > FILES:
        return True
    brought = Import.objects.filter(pk__in=removal.plan["imports"]).values("upload")
    for upload in Upload.objects.filter(pk__in=brought):
        uploads.remove(upload)
    sources.prune()
    for folder in removal.plan["folders"]:
        shutil.rmtree(folder, ignore_errors=True)
        Path(folder).with_suffix(".log").unlink(missing_ok=True)
    return False


def codes(removal: Removal, work: jobs.Work) -> bool:
    """Compact codes of one encoder, made anew without them."""
    for encoder in Encoder.objects.filter(pk__in=removal.plan["encoders"]).order_by("pk"):
        old = compact.newest(encoder)
        if old is None or old.built_at.isoformat() > removal.plan["emptied_at"]:
            continue
        try:
            compact.build(
                encoder, old.code_bytes, replaces_index=old.replaces_index, beat=work.beat
            )
        except TooFewForCodes:
            compact.drop(encoder)
        return True
    in_force = set(CompactIndex.objects.values_list("sha256", flat=True))
    for copy in (Path(settings.PEDSITE_WORK_DIR) / "compact").glob("*.codes"):
        if copy.stem not in in_force:
            copy.unlink(missing_ok=True)
    return False


def caches(removal: Removal, work: jobs.Work) -> bool:
    """What web processes keep for an hour: nobody can tell which shown picture shows whom."""
    removal.report["removed"]["cached"] = cached.forget(CACHED)
    removal.save(update_fields=["report"])
    # Answers of the API that are kept for a day, to be given again.
    KeptAnswer.objects.exclude(body=None).update(body=None)
    return False


def database(removal: Removal, work: jobs.Work) -> bool:
    """The room that deleted rows still take in tables and vector indexes, given back."""
    # PostgreSQL refuses it within a transaction, where deleted rows are not dead yet either.
    if not connection.in_atomic_block:
        with connection.cursor() as cursor:
            for table in TABLES:
                work.beat()
                cursor.execute(f"VACUUM {table}")
    return False


def mirrors(removal: Removal, work: jobs.Work) -> bool:
    """Milvus told of all that went. Raises: EngineSilent, and the removal is asked for again."""
    mirror.follow_all()
    boxes = removal.plan["boxes"]
    waits = Unmirrored.objects.filter(
        box_id__in=boxes, encoder_id__in=Mirror.objects.filter(is_filled=True).values("pk")
    )
    return waits.exists()
