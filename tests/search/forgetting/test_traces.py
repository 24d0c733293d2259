"""Nothing of a person is left anywhere, also where the removal was interrupted."""
# ruff: noqa: F401, F811 (fixtures of another file)

import gzip
import io
import zipfile

import numpy as np
import pytest
import redis
from django.conf import settings
from django.core.files.storage import default_storage
from django.db import connection
from PIL import Image

from gallery.models import Box, Identity, Snapshot
from pedsite.backup import _stored
from search import compact, engines, shown
from search.engines import collections
from search.forgetting import people, removal
from search.forgetting.models import Removal
from search.models import CompactIndex, Embedding, Mirror
from tests import world
from tests.search import rows
from tests.search.forgetting.conftest import INK, KEY, NAME, WORDS, forget, run
from tests.search.milvus import lite, milvus

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _own_storage(settings, tmp_path):
    settings.MEDIA_ROOT = str(tmp_path / "media")
    settings.PEDSITE_WORK_DIR = tmp_path / "work"


def tables() -> list[str]:
    with connection.cursor() as cursor:
        return connection.introspection.table_names(cursor)


def in_database(*traces: str) -> list[tuple[str, str]]:
    """Every row of every table, as text; vectors too."""
    found = []
    with connection.cursor() as cursor:
        for table in tables():
            for trace in traces:
                statement = f'SELECT count(*) FROM "{table}" t WHERE strpos(t::text, %s) > 0'
                cursor.execute(statement, [trace])
                found += [(table, trace)] * cursor.fetchone()[0]
    return found


def in_storage(*traces: str) -> list[tuple[str, str]]:
    """Every stored file, unpacked where it is packed, and the colour of the person's pixels."""
    found = []
    for name in _stored(default_storage):
        with default_storage.open(name) as file:
            data = file.read()
        for part in _unpacked(data):
            found += [(name, trace) for trace in traces if trace.encode() in part]
            if _shows(part):
                found.append((name, "pixels"))
    return found


def _unpacked(data: bytes) -> list[bytes]:
    if data[:2] == b"\x1f\x8b":
        return [gzip.decompress(data)]
    if data[:2] == b"PK":
        archive = zipfile.ZipFile(io.BytesIO(data))
        return [archive.read(name) for name in archive.namelist()]
    return [data]


def _shows(data: bytes) -> bool:
    try:
        pixels = np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)
    except OSError:
        return False
    return bool((np.abs(pixels - INK).max(axis=2) < 12).sum() > 20)


def in_cache(*traces: str) -> list[bytes]:
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        keys = [key for key in client.scan_iter("pedsite:*") if client.type(key) == b"string"]
        held = {key: client.get(key) or b"" for key in keys}
    shows = [key for key in held if b":shown:" in key]
    return shows + [k for k, v in held.items() if any(trace.encode() in v for trace in traces)]


def vector_of(box) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT vector::text FROM search_embedding WHERE box_id = %s", [box.pk])
        return cursor.fetchone()[0]


def everywhere(*traces: str) -> list:
    return [*in_database(*traces), *in_storage(*traces), *in_cache(*traces)]


def test_nothing_is_left_in_database_storage_exports_caches_and_milvus(known, person, ada, milvus):
    """The scan finds all of it before, so that finding nothing afterwards says something."""
    encoder = known.image_encoder
    engines.current().ensure(encoder)
    name = Mirror.objects.get().collection
    shown.keep(default_storage.open(person.alone.image.file.name).read(), ada)
    traces = [KEY, WORDS, NAME, vector_of(person.alone), person.alone.image.sha256]
    gone = [person.alone.pk, person.beside.pk]
    assert {trace for _place, trace in in_database(*traces)} == set(traces)
    where = {place.partition("/")[0] for place, _trace in in_storage(*traces)}
    assert {"tests", "cases", "snapshots"} <= where
    assert in_cache(*traces)
    assert set(gone) <= collections.listing(name, 1, max(gone)).keys()

    job, made = run(forget(person, ada))
    assert job.state == "done", job.error
    assert everywhere(*traces) == []
    assert not set(gone) & collections.listing(name, 1, max(gone)).keys()
    assert made.is_proven
    assert made.plan == {}
    assert KEY not in str(made.report)

    # And nobody else's.
    assert Box.objects.get() == person.other
    held = Image.open(default_storage.open(Box.objects.get().image.file.name))
    assert held.getpixel((100, 30)) == (10, 200, 30)
    assert held.getpixel((20, 30)) == (128, 128, 128)
    assert Embedding.objects.get().box_id == person.other.pk
    assert collections.listing(name, 1, person.other.pk).keys() == {person.other.pk}


def test_the_report_counts_what_went_and_lists_who_held_it(known, person, street, ada):
    fingerprint = street.snapshots.get().fingerprint
    _job, made = run(forget(person, ada))
    removed, held = made.report["removed"], made.report["held"]
    assert (removed["boxes"], removed["frames"], removed["frames_painted"]) == (2, 1, 1)
    assert (removed["embeddings"], removed["captions"]) == (2, 1)
    assert (removed["case_hits"], removed["case_exports"], removed["saved_searches"]) == (2, 1, 1)
    (snapshot,) = held["snapshots"]
    assert (snapshot["number"], snapshot["fingerprint"], snapshot["boxes"]) == (1, fingerprint, 2)
    kept = Snapshot.objects.get()
    assert (kept.number, kept.box_count) == (1, 1)
    assert kept.fingerprint != fingerprint
    assert len(held["case_exports"]) == 1
    assert {check["left"] for check in made.report["checks"]} == {0}


@pytest.mark.parametrize("phase", [1, 2, 3, 4, 8])
def test_a_removal_that_is_cut_off_goes_on_and_leaves_nothing(
    known, person, ada, monkeypatch, phase
):
    """Killed as hard as it gets: after the work of a phase, before that is written down."""
    phases = list(removal.PHASES)

    def dies(*args):
        while phases[phase](*args):
            pass
        raise KeyboardInterrupt

    monkeypatch.setattr(
        removal, "PHASES", tuple(dies if n == phase else each for n, each in enumerate(phases))
    )
    traces = [KEY, WORDS, NAME, person.alone.image.sha256]
    job, made = run(forget(person, ada))
    assert job.state == "cancelled"
    assert not made.is_proven
    monkeypatch.setattr(removal, "PHASES", tuple(phases))
    job, made = run(removal.again(made, ada, queue=False))
    assert job.state == "done", job.error
    assert everywhere(*traces) == []
    assert made.is_proven
    assert made.report["removed"]["boxes"] == 2


def test_files_whose_rows_are_gone_are_not_forgotten(known, person, ada, monkeypatch):
    """The rows go first: the plan knows the names of the files until they are gone too."""

    def fails(name):
        raise OSError("the storage is away")

    monkeypatch.setattr(default_storage, "delete", fails)
    job, made = run(forget(person, ada))
    assert job.state == "failed"
    monkeypatch.undo()
    assert in_storage(NAME) or in_storage()
    job, made = run(removal.again(made, ada, queue=False))
    assert made.is_proven
    assert everywhere(KEY, WORDS) == []


def test_traces_that_are_left_are_named_and_the_removal_stays_open(known, person, ada, monkeypatch):
    monkeypatch.setattr(removal, "PHASES", removal.PHASES[:4])
    job, made = run(forget(person, ada))
    assert job.state == "failed"
    assert "stored files" in job.error
    assert made.finished_at is None
    assert made.plan["boxes"]


def test_codes_hold_nobody_who_is_gone(known, person, ada):
    encoder = known.image_encoder
    rows.make_known(person.alone.image.dataset, encoder, rows.unit_vectors(300, encoder.dim))
    old = compact.build(encoder, 4)
    job, _made = run(forget(person, ada))
    assert job.state == "done", job.error
    new = CompactIndex.objects.get()
    assert new.pk != old.pk
    assert person.alone.pk not in compact._load(new).boxes
    assert not default_storage.exists(old.file)


def test_a_box_that_lies_within_theirs_goes_along(person, ada):
    twin = world.make_box(person.beside.image, (2, 2, 38, 60))
    run(forget(person, ada))
    assert set(Box.objects.values_list("pk", flat=True)) == {person.other.pk}
    assert not Identity.objects.filter(key=KEY).exists()
    assert not Box.objects.filter(pk=twin.pk).exists()


def test_whoever_has_no_identity_goes_alone(person, ada):
    Box.objects.filter(pk=person.alone.pk).update(identity=None)
    made = removal.forget(person.alone.pk, ada, typed=str(person.alone.pk), queue=False)
    _job, made = run(made)
    assert made.is_proven
    assert Box.objects.filter(pk=person.beside.pk).exists()
    assert Removal.objects.get().report["removed"]["boxes"] == 1


def test_a_frame_that_nobody_can_read_goes_whole(person, ada):
    default_storage.delete(person.beside.image.file.name)
    _job, made = run(forget(person, ada))
    assert made.is_proven
    assert not Box.objects.exists()
    assert people.stored([person.beside.image.file.name]) == []
