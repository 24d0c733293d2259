"""What Milvus learns of: all that comes and goes, once, whatever fails in between."""
# ruff: noqa: F401, F811 (fixtures of another file)

import io

import pytest
from django.core.management import call_command
from rest_framework.test import APIClient

from gallery import images
from gallery.models import Box, Camera, Dataset, Review
from pedsite import doctor
from search import engines, nearest, retrieval
from search.engines import collections, mirror
from search.errors import EngineSilent
from search.models import Embedding, Mirror, ServingVersion, Unmirrored
from search.retrieval import Filters
from search.tasks import follow_mirrors
from tests import world
from tests.search import rows
from tests.search.milvus import (
    DIM,
    child_site,
    collection,
    encoder,
    gallery,
    lite,
    milvus,
    ranked,
    version,
)

pytestmark = pytest.mark.django_db(transaction=True)


def test_hides_deletes_and_moves_reach_milvus(gallery, encoder, collection):
    hidden, gone = gallery.box_ids[:10].tolist(), gallery.box_ids[200:240].tolist()
    query = gallery.vectors[0]
    Box.objects.filter(pk__in=hidden).update(review=Review.HIDDEN)
    images.delete([Box.objects.get(pk=gone[0]).image])
    Camera.objects.get(name="park1").delete()
    # At once: Milvus has them still, and nobody is shown them.
    assert collections.count(collection()) == 600
    found = {box_id for _, box_id in ranked(encoder, query, Filters(), wanted=300).rows}
    assert not found & {*hidden, *gone}

    mirror.follow_all()
    held = collections.listing(collection(), 1, int(gallery.box_ids[-1]))
    assert held.keys() == set(gallery.box_ids.tolist()) - {*hidden, *gone}
    assert {held[pk].camera for pk in gallery.box_ids[440:480].tolist()} == {0}
    assert not Unmirrored.objects.exists()

    Box.objects.filter(pk__in=hidden).update(review=Review.APPROVED)
    assert ranked(encoder, query, Filters(), wanted=1).rows[0][1] == hidden[0]
    mirror.follow_all()
    assert collections.count(collection()) == 560
    Dataset.objects.get(name="street").delete()
    mirror.follow_all()
    assert collections.count(collection()) == 360
    assert mirror.compare(encoder).mended == 0


def test_an_encoder_that_is_deleted_takes_its_collection_with_it(gallery, version, encoder):
    ServingVersion.objects.all().delete()
    version.delete()
    Embedding.objects.all().delete()
    encoder.delete()
    mirror.follow_all()
    assert not Mirror.objects.exists()
    assert not Unmirrored.objects.exists()
    assert not collections.client().list_collections()


def test_vectors_of_a_deleted_generation_go_from_milvus_too(gallery, version, encoder):
    ServingVersion.objects.all().delete()
    call_command("delete_vectors", version.name, stdout=io.StringIO(), stderr=io.StringIO())
    assert not Embedding.objects.exists()
    assert not Mirror.objects.exists()
    assert not Unmirrored.objects.exists()
    assert not collections.client().list_collections()


def test_the_same_enrollment_fills_it(version):
    dataset = world.make_dataset()
    small = world.make_version("small")
    boxes = world.make_coloured_people(dataset)
    job = rows.enroll(dataset, small)
    assert job.state == "done", job.error
    assert collections.count(Mirror.objects.get().collection) == Embedding.objects.count() == 6
    page = retrieval.by_text("green", user=None, version="small", limit=3)
    assert not page.is_exact
    assert page.hits[0].box == boxes["green"]


@pytest.mark.parametrize("after", [0, 1], ids=["nothing was written", "all was written"])
def test_a_write_that_fails_is_done_again_and_doubles_nothing(
    gallery, encoder, collection, monkeypatch, after
):
    write = collections.put

    def failing(*args):
        if after:
            write(*args)
        raise EngineSilent("cut off")

    new = rows.make_known(Dataset.objects.get(name="lane"), encoder, rows.unit_vectors(50, DIM, 5))
    with monkeypatch.context() as patched:
        patched.setattr(collections, "put", failing)
        with pytest.raises(EngineSilent):
            mirror.follow(encoder.pk)
        engines.current().follow(encoder)  # which goes on, for it is noted
        assert Unmirrored.objects.count() == 50
        found = ranked(encoder, new.vectors[0], Filters(), wanted=30).rows
        assert found[0][1] == new.box_ids[0]
        assert len({box_id for _, box_id in found}) == 30
    assert mirror.follow(encoder.pk) == 50
    assert collections.count(collection()) == 650
    assert mirror.compare(encoder).mended == 0


def test_a_fill_that_is_stopped_goes_on_and_misses_nothing(encoder, collection, monkeypatch):
    monkeypatch.setattr(mirror, "CHUNK", 100)
    dataset = world.make_dataset()
    known = rows.make_known(dataset, encoder, rows.unit_vectors(500, DIM))
    rounds = []

    def stopped() -> None:
        rounds.append(1)
        if len(rounds) == 3:
            # Meanwhile: some come, one of those that are there is hidden, and another goes.
            rows.make_known(dataset, encoder, rows.unit_vectors(40, DIM, 5))
            Box.objects.filter(pk=known.box_ids[0]).update(review=Review.HIDDEN)
            Box.objects.filter(pk=known.box_ids[1]).delete()
        if len(rounds) == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        mirror.fill(encoder, stopped)
    assert engines.current().look(encoder) is None
    assert collections.count(collection()) == 400
    assert mirror.fill(encoder) == 140 + 42
    assert collections.count(collection()) == 538
    assert mirror.compare(encoder) == mirror.Difference(rows=538, missing=0, surplus=0, wrong=0)


def test_what_differs_is_found_and_set_right(gallery, encoder, collection):
    entry = collections.Entry(dataset=999)
    lost, wrong = gallery.box_ids[:3].tolist(), int(gallery.box_ids[9])
    surplus = int(gallery.box_ids[20])
    collections.remove(collection(), lost)
    collections.put(collection(), [(wrong, entry, gallery.vectors[9])])
    Box.objects.filter(pk=surplus).delete()
    Unmirrored.objects.all().delete()  # as if the database had been restored from a copy
    found = mirror.compare(encoder)
    assert found == mirror.Difference(rows=599, missing=3, surplus=1, wrong=1)
    assert mirror.compare(encoder).mended == 0
    # A collection that somebody dropped is made and filled anew.
    collections.drop(collection())
    assert mirror.compare(encoder) == mirror.Difference(rows=599, missing=0, surplus=0, wrong=0)
    assert collections.count(collection()) == 599


def test_searches_and_enrollments_go_on_while_milvus_is_away(
    gallery,
    version,
    encoder,
    collection,
    lite,
    monkeypatch,
):
    new = world.make_dataset("square")
    boxes = world.make_coloured_people(new)
    lite.stop()
    try:
        found = ranked(encoder, gallery.vectors[5], Filters())
        assert found.is_exact
        assert [pk for _, pk in found.rows] == gallery.nearest(gallery.vectors[5])[:20]
        monkeypatch.setattr(nearest, "MOST_WITHOUT", 100)
        with pytest.raises(EngineSilent):
            ranked(encoder, gallery.vectors[5], Filters())
        admin = world.make_user(role="admin")
        client = APIClient()
        client.force_authenticate(admin)
        answer = client.post("/api/v1/search", {"text": "red"}, format="json")
        assert (answer.status_code, answer.json()["code"]) == (503, "engine-silent")
        assert answer.headers["Retry-After"] == "10"
        job = rows.enroll(new, version)
        assert job.state == "failed"
        assert "Milvus" in job.error
        assert Embedding.objects.filter(box__in=boxes.values()).count() == 6
        assert Unmirrored.objects.count() == 6
        follow_mirrors()  # a worker's round: it fails, and says nothing more
    finally:
        lite.start()
        lite.await_answer()
    job = rows.enroll(new, version)
    assert job.state == "done", job.error
    assert collections.count(collection()) == 606
    assert not ranked(encoder, gallery.vectors[5], Filters()).is_exact


def test_the_command_fills_compares_and_forgets(encoder, collection, settings):
    """Before the switch: PostgreSQL answers until the setting is changed."""
    settings.PEDSITE_ENGINE = "pgvector"
    rows.make_known(world.make_dataset(), encoder, rows.unit_vectors(200, DIM))

    def run(*arguments: str) -> str:
        out = io.StringIO()
        call_command("mirror_vectors", *arguments, stdout=out)
        return out.getvalue()

    assert "200 rows and changes written" in run()
    rows.make_known(world.make_dataset(), encoder, rows.unit_vectors(10, DIM, 1))
    assert "10 rows and changes written" in run("--model", "tiny")
    collections.remove(collection(), list(Box.objects.values_list("pk", flat=True)[:4]))
    assert "210 rows; 4 were missing, 0 surplus, 0 wrong" in run("--compare")
    settings.PEDSITE_ENGINE = "milvus"
    assert not ranked(encoder, rows.unit_vectors(1, DIM)[0], Filters()).is_exact
    assert "dropped" in run("--forget")
    assert not Mirror.objects.exists()
    assert run("--forget") == ""


def test_the_doctor_tells_what_milvus_holds(gallery, encoder, lite):
    def told() -> dict[str, tuple[str, str]]:
        return {found.what: (found.state, found.detail) for found in doctor._engine()}

    number = encoder.pk
    assert told()["engine milvus"][0] == "ok"
    assert told()["Milvus"] == ("ok", f"600 vectors of encoder {number}, 0 changes wait")
    Box.objects.filter(pk=gallery.box_ids[0]).update(review=Review.HIDDEN)
    assert told()["Milvus"] == ("ok", f"600 vectors of encoder {number}, 1 changes wait")
    Mirror.objects.update(is_filled=False)
    assert told()["Milvus"] == ("warning", f"encoder {number} is not filled: run mirror_vectors.")
    lite.stop()
    try:
        assert told()["engine milvus"][0] == "error"
    finally:
        lite.start()
        lite.await_answer()


KILLED = """
import os, sys
import django
django.setup()
from search.engines import collections, mirror
from training.models import Encoder
mirror.CHUNK, left, put = 100, [int(sys.argv[2])], collections.put
def until(*args):
    put(*args)
    left[0] -= 1
    if not left[0]:
        os.kill(os.getpid(), 9)
collections.put = until
mirror.fill(Encoder.objects.get(pk=sys.argv[1]))
"""


def test_a_fill_that_is_killed_goes_on_in_another_process(encoder, collection, child_site):
    rows.make_known(world.make_dataset(), encoder, rows.unit_vectors(500, DIM))
    child_site(KILLED, str(encoder.pk), "3", ends_with=-9)
    mirror_row = Mirror.objects.get()
    # The third hundred is written, and nobody took note of it.
    assert collections.count(mirror_row.collection) == 300
    assert Embedding.objects.filter(box_id__lte=mirror_row.filled_to).count() == 200
    assert engines.current().look(encoder) is None
    assert mirror.fill(encoder) == 300
    assert collections.count(collection()) == 500
    assert mirror.compare(encoder).mended == 0
