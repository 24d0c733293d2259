"""Searches by compact codes: nearly what the exact scan finds, and never what it would not."""

import datetime as dt
import io
import threading
from pathlib import Path

import numpy as np
import pytest
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from gallery.models import Box
from pedsite.jobs import work
from search import compact, generations, index, inspections, nearest, retrieval, vectors
from search.models import CompactIndex, Embedding
from search.questions import Demand
from search.scope import Filters, resolve
from tests import world
from tests.search import rows
from tests.search.test_index import _drop_indexes, index_names  # noqa: F401 (a fixture)

pytestmark = pytest.mark.django_db(transaction=True)

DIM, ROWS = 32, 1500


@pytest.fixture(autouse=True)
def _fewer(settings, monkeypatch):
    settings.PEDSITE_EXACT_ROWS = 300
    monkeypatch.setattr(compact, "CANDIDATES", 160)
    monkeypatch.setattr(compact, "BELIEVED_S", 0)


@pytest.fixture
def version():
    return rows.make_serving(dim=DIM)


@pytest.fixture
def street(version):
    dataset = world.make_dataset("street")
    dataset.known = rows.make_known(dataset, version.image_encoder, rows.unit_vectors(ROWS, DIM))
    return dataset


@pytest.fixture
def codes(version, street):
    return compact.build(version.image_encoder, 8)


def found(version, query, wanted=20, user=None, mode="compact", **filters):
    inside = resolve(Filters(**filters), user)
    return nearest.rank(inside, version.image_encoder, query, wanted, mode=mode)


def boxes(ranking) -> list[int]:
    return [box for _distance, box in ranking.rows]


def asked(count: int = 40) -> np.ndarray:
    return rows.unit_vectors(count, DIM, seed=5)


def test_codes_and_an_exact_look_at_candidates_find_nearly_all(version, street, codes):
    shares = []
    for query in asked():
        ranking = found(version, query)
        assert not ranking.is_exact
        expected = found(version, query, mode="exact")
        assert expected.is_exact
        # Exact distances, and so exactly this order among what was found.
        distances = dict((box, far) for far, box in expected.rows)
        for far, box in ranking.rows:
            assert far == distances.get(box, far)
        assert ranking.rows == sorted(ranking.rows)
        shares.append(len(set(boxes(ranking)) & set(boxes(expected))) / 20)
    assert np.mean(shares) > 0.97
    assert (codes.rows, codes.code_bytes) == (ROWS, 8)
    assert codes.byte_size == default_storage.size(codes.file)


def test_without_codes_compact_is_as_fast(version, street):
    assert found(version, asked(1)[0]).is_exact
    index.ensure(version.image_encoder)
    ranking = found(version, asked(1)[0])
    assert not ranking.is_exact
    assert ranking.rows == found(version, asked(1)[0], mode="fast").rows


def test_only_what_is_granted_is_found(version, street, codes):
    lane = world.make_dataset("lane")
    rows.make_known(lane, version.image_encoder, rows.unit_vectors(600, DIM, seed=9))
    compact.build(version.image_encoder, 8)
    user = world.make_user()
    world.make_grant(lane, user)
    mine = set(Box.objects.filter(image__dataset=lane).values_list("pk", flat=True))
    for query in asked(10):
        ranking = found(version, query, user=user)
        assert not ranking.is_exact
        assert set(boxes(ranking)) <= mine
        expected = boxes(found(version, query, user=user, mode="exact"))
        assert len(set(boxes(ranking)) & set(expected)) >= 17


def test_hidden_and_deleted_boxes_are_not_found_and_new_ones_are(version, street, codes):
    query = asked(1)[0]
    first, second, third = boxes(found(version, query, mode="exact"))[:3]
    Box.objects.filter(pk=first).update(review="hidden")
    Box.objects.filter(pk=second).delete()
    assert boxes(found(version, query))[0] == third
    assert {first, second}.isdisjoint(boxes(found(version, query, 100)))
    new = rows.make_known(street, version.image_encoder, query[None])
    assert boxes(found(version, query))[0] == new.box_ids[0]


def test_a_box_that_was_enrolled_anew_is_found_once(version, street, codes):
    query = asked(1)[0]
    first = boxes(found(version, query))[0]
    vector = street.known.vector(first)
    Embedding.objects.filter(box=first).delete()
    assert first not in boxes(found(version, query))

    with transaction.atomic():
        vectors.write(street, version.image_encoder, [(first, vector)])
    assert boxes(found(version, query)).count(first) == 1


def test_no_answer_is_short(version, street, codes):
    camera = world.make_camera(street, "gate")
    few = street.known.box_ids[:7].tolist()
    Embedding.objects.filter(box__in=few).update(camera=camera)
    some = street.known.box_ids[::3].tolist()
    Embedding.objects.filter(box__in=some).update(taken_at="2026-01-01T12:00Z")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE search_embedding")
    query = asked(1)[0]
    for wanted in (1, 20, 400, 1400, 2000):
        assert len(found(version, query, wanted).rows) == min(wanted, ROWS)
    assert len(found(version, query, cameras=["gate"]).rows) == 7

    day = dt.date(2026, 1, 1)
    narrowed = found(version, query, after=day, before=day)
    assert len(narrowed.rows) == 20
    expected = boxes(found(version, query, after=day, before=day, mode="exact"))
    assert len(set(boxes(narrowed)) & set(expected)) >= 18


def test_what_phrases_rule_out_is_made_up_for(version, street):
    """The planner cannot know how many they leave; with so short a code a few would be a guess."""
    compact.build(version.image_encoder, 1)
    other = rows.unit_vectors(1, DIM, seed=8)[0]
    least = float(np.quantile(street.known.vectors @ other, 0.9))
    demand = Demand(vector=other, least=least)
    inside, shares = resolve(Filters(), None), []
    for query in asked(20):
        near, expected = (
            nearest.rank(inside, version.image_encoder, query, 5, mode=mode, demands=[demand])
            for mode in ("compact", "exact")
        )
        shares.append(len(set(boxes(near)) & set(boxes(expected))) / 5)
    assert np.mean(shares) > 0.95


def test_pages_follow_one_another(version, street, codes):
    first = retrieval.by_text("red", user=None, mode="compact", limit=10)
    assert (first.mode, first.is_exact) == ("compact", False)
    second = retrieval.by_text("red", user=None, mode="compact", limit=10, cursor=first.cursor)
    whole = retrieval.by_text("red", user=None, mode="compact", limit=20)
    assert [hit.box.pk for hit in first.hits + second.hits] == [hit.box.pk for hit in whole.hits]
    assert [hit.rank for hit in second.hits] == list(range(11, 21))


def test_codes_are_built_anew_once_many_rows_came_or_went(version, street, codes):
    encoder = version.image_encoder
    found(version, asked(1)[0])
    assert compact.ensure(encoder) is None
    rows.make_known(street, encoder, rows.unit_vectors(299, DIM, seed=2))
    assert compact.ensure(encoder) is None
    rows.make_known(street, encoder, rows.unit_vectors(10, DIM, seed=3))
    again = compact.ensure(encoder)
    assert again.rows == ROWS + 309
    assert again.code_bytes == 8
    assert not default_storage.exists(codes.file)
    assert list(CompactIndex.objects.all()) == [again]
    assert not found(version, asked(1)[0]).is_exact
    Embedding.objects.filter(box__in=street.known.box_ids[:400].tolist()).delete()
    assert compact.ensure(encoder).rows == ROWS + 309 - 400


def test_enrollment_keeps_codes_up_to_date_and_makes_none(version, monkeypatch):
    seen = []
    monkeypatch.setattr(compact, "ensure", lambda encoder, beat: seen.append(encoder))
    dataset = world.make_dataset()
    world.make_coloured_people(dataset)
    rows.enroll(dataset, version)
    assert seen == [version.image_encoder]
    assert not CompactIndex.objects.exists()


def test_the_same_vectors_give_the_same_file(version, street, codes):
    assert compact.build(version.image_encoder, 8).sha256 == codes.sha256
    assert default_storage.exists(compact.newest(version.image_encoder).file)


def test_a_file_that_is_lost_costs_time_and_no_hit(version, street, codes, settings, tmp_path):
    settings.PEDSITE_WORK_DIR = tmp_path
    compact._loaded.clear()
    default_storage.delete(codes.file)
    ranking = found(version, asked(1)[0])
    assert ranking.is_exact
    assert len(ranking.rows) == 20


def test_copies_of_codes_that_are_out_of_force_go(version, street, codes, settings, tmp_path):
    settings.PEDSITE_WORK_DIR = tmp_path
    compact._loaded.clear()
    found(version, asked(1)[0])
    compact.build(version.image_encoder, 4)
    found(version, asked(1)[0])
    kept = [path.stem for path in Path(tmp_path / "compact").iterdir()]
    assert kept == [compact.newest(version.image_encoder).sha256]
    assert list(compact._loaded) == kept


def test_a_row_that_is_being_written_while_codes_are_built_is_not_lost(version, street):
    """It has a number below the newest, and is committed after the newest was read."""
    encoder, written, go = version.image_encoder, threading.Event(), threading.Event()
    box = rows.make_boxes(rows.make_image_row(street), 1)[0]
    query = asked(1)[0]

    def write() -> None:

        with transaction.atomic():
            vectors.write(street, encoder, [(box.pk, query)])
            written.set()
            assert go.wait(60)
        connection.close()

    writer = threading.Thread(target=write)
    writer.start()
    assert written.wait(60)
    rows.make_known(street, encoder, rows.unit_vectors(5, DIM, seed=7))
    beats = []

    def beat() -> None:
        beats.append(1)
        go.set()

    made = compact.build(encoder, 8, beat=beat)
    writer.join()
    assert made.rows == ROWS + 6
    assert boxes(found(version, query))[0] == box.pk


def test_codes_may_take_the_place_of_the_index(version, street):
    encoder, out = version.image_encoder, io.StringIO()
    index.ensure(encoder)
    call_command("build_compact", version.name, "--bytes", "8", "--instead-of-index", stdout=out)
    assert "1,500 vectors as codes of 8 bytes in" in out.getvalue()
    assert not index.exists(encoder)
    assert not index.ensure(encoder)
    for mode in ("fast", "thorough", "compact"):
        assert not found(version, asked(1)[0], mode=mode).is_exact
    assert found(version, asked(1)[0], mode="exact").is_exact
    # Grown, it is still instead of the index.
    rows.make_known(street, encoder, rows.unit_vectors(400, DIM, seed=2))
    assert compact.ensure(encoder).replaces_index
    call_command("build_compact", version.name, "--drop", stdout=out)
    assert "has no codes any more" in out.getvalue()
    assert not CompactIndex.objects.exists()
    assert index.ensure(encoder)


def test_what_cannot_be_built_is_refused_in_words(version):
    with pytest.raises(CommandError, match="256 vectors"):
        call_command("build_compact", version.name)
    with pytest.raises(CommandError, match="nobody"):
        call_command("build_compact", "nobody")


def test_the_codes_go_with_the_vectors_of_a_generation(version, street, codes, monkeypatch):
    monkeypatch.setattr(generations, "GRACE_S", 0)
    other = world.make_version("other", seed=1)
    rows.make_known(street, other.image_encoder, rows.unit_vectors(400, 16, seed=4))
    compact.build(other.image_encoder, 4)
    job = generations.request_deletion(other, queue=False)
    assert work.run_here(job, generations.step, io.StringIO()).state == "done"
    assert list(CompactIndex.objects.all()) == [codes]


def test_an_inspection_measures_it_beside_the_other_modes(version, street, codes, settings):
    made = inspections.request(version, street, queries=20, lengths=[8], queue=False)
    job = work.run_here(made.job, inspections.step, io.StringIO())
    assert job.state == "done", job.error
    made.refresh_from_db()
    served = {one["name"]: one for one in made.numbers["methods"] if one.get("served")}
    assert set(served) == {"exact", "compact"}
    assert served["compact"]["recall"]["10"] > 0.95
    settings.PEDSITE_EXACT_ROWS = ROWS
    again = inspections.request(version, street, queries=5, lengths=[8], queue=False)
    work.run_here(again.job, inspections.step, io.StringIO())
    again.refresh_from_db()
    # All are compared: it would be another row of the same.
    assert [one["name"] for one in again.numbers["methods"] if one.get("served")] == ["exact"]
    assert served["compact"]["bytes"] == pytest.approx(codes.byte_size / ROWS, rel=0.01)


def test_page_and_api_search_in_the_mode(version, street, codes, client):
    client.force_login(world.make_user(role="admin"))
    answer = client.post(
        "/api/v1/search", {"text": "red", "mode": "compact"}, content_type="application/json"
    )
    assert (answer.json()["mode"], answer.json()["exact"]) == ("compact", False)
    page = client.get("/search/", {"q": "red", "mode": "compact"}).content.decode()
    assert "through the index" in page
    page = client.get(version.get_absolute_url()).content.decode()
    assert "Compact codes" in page
    assert "1,500 vectors" in page
