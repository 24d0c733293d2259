"""The vector index: that it is built, used, complete enough, and never short of rows."""

import datetime as dt

import numpy as np
import pytest
from django.db import OperationalError, connection, transaction

from gallery.models import Box, Review
from search import index, nearest, retrieval, tuning
from search.errors import UnknownMode
from search.models import Embedding
from search.retrieval import Filters
from search.scope import resolve
from tests import world
from tests.search import rows

pytestmark = pytest.mark.django_db(transaction=True)

DIM = 32
ROWS = 2000


@pytest.fixture
def version(settings):
    settings.PEDSITE_EXACT_ROWS = 500
    return rows.make_serving(dim=DIM)


def index_names() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexname FROM pg_indexes WHERE tablename = 'search_embedding'")
        return {name for (name,) in cursor.fetchall()}


@pytest.fixture(autouse=True)
def _drop_indexes():
    yield
    with connection.cursor() as cursor:
        for name in index_names():
            if "hnsw" in name:
                cursor.execute(f"DROP INDEX {name}")


def test_a_large_gallery_is_searched_through_its_index(version):
    street, lane = world.make_dataset("street"), world.make_dataset("lane")
    encoder = version.image_encoder
    noon = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
    vectors = rows.unit_vectors(ROWS, DIM)
    known = rows.make_known(street, encoder, vectors, rows.make_image_row(street, taken_at=noon))
    few = rows.make_known(lane, encoder, rows.unit_vectors(600, DIM, seed=3))

    assert not index.exists(encoder)
    assert index.ensure(encoder)
    assert index.exists(encoder)
    assert not index.ensure(encoder)

    # Used by the query that search makes, filters and grants included, and by no other.
    scope = resolve(
        Filters(datasets=["street"], before=dt.date(2026, 3, 1)), world.make_user(role="admin")
    )
    found = scope.embeddings(encoder)
    covered = found.filter(load__lte=index.look(encoder).load)
    near = covered.nearest_by_index(known.vectors[0], encoder)[:80]
    assert index.name(encoder) in near.explain()
    assert (
        index.name(encoder) not in found.nearest_exactly(known.vectors[0], encoder)[:80].explain()
    )

    # A query without the load that the index covers would not be answered by it.
    assert (
        index.name(encoder) not in found.nearest_by_index(known.vectors[0], encoder)[:80].explain()
    )

    # Its first pages agree with the naive search.
    agreed = 0
    for asked in known.box_ids[:20]:
        page = retrieval.by_box(int(asked), user=None, filters=Filters(datasets=["street"]))
        expected = known.nearest(known.vector(asked))[1:21]
        agreed += len({hit.box.pk for hit in page.hits} & set(expected))
    assert agreed / 400 >= 0.97

    # Fewer than it should be are never given, whatever is left by filters and reviewers.
    for limit in (20, 100, 1000):
        page = retrieval.by_text("red", user=None, limit=limit)
        assert len(page.hits) == limit
        page = retrieval.by_text("red", user=None, limit=limit, filters=Filters(datasets=["lane"]))
        assert len(page.hits) == min(limit, 600)
        assert {hit.box.pk for hit in page.hits} <= set(few.box_ids)
    Box.objects.filter(pk__in=known.box_ids[:-20]).update(review=Review.HIDDEN)
    Box.objects.filter(pk__in=few.box_ids[:-20]).update(review=Review.HIDDEN)
    page = retrieval.by_text("red", user=None, limit=100)
    assert {hit.box.pk for hit in page.hits} == {*known.box_ids[-20:], *few.box_ids[-20:]}

    # Pages after an indexed first page come to every box.
    Box.objects.update(review=Review.APPROVED)
    pages = [retrieval.by_text("red", user=None, limit=300)]
    while pages[-1].cursor and len(pages) < 4:
        cursor = pages[-1].cursor
        pages.append(retrieval.by_text("red", user=None, limit=300, cursor=cursor))
    shown = [hit.box.pk for page in pages for hit in page.hits]
    assert len(shown) == len(set(shown)) == 1000


def test_an_index_walk_that_comes_back_short_is_made_up_for(version, settings, monkeypatch):
    """With so few tuples allowed, the walk gives up early; the search must not."""
    settings.PEDSITE_EXACT_ROWS = 100
    dataset = world.make_dataset()
    rows.make_known(dataset, version.image_encoder, rows.unit_vectors(ROWS, DIM))
    index.ensure(version.image_encoder)
    hidden = Box.objects.filter(pk__in=Box.objects.order_by("pk")[:1600].values("pk"))
    hidden.update(review=Review.HIDDEN)
    # Over so few rows Postgres would rather sort them all.
    forced = {"enable_sort": "off", "enable_seqscan": "off"}
    monkeypatch.setattr(index, "MOST_VISITS", 1)
    monkeypatch.setattr(nearest, "_pays", lambda *args: True)
    with connection.cursor() as cursor:
        for name, value in forced.items():
            cursor.execute(f"SET {name} = {value}")
    try:
        page = retrieval.by_text("red", user=None, limit=390)
    finally:
        connection.close()
    assert page.searched == 400
    assert len(page.hits) == 390


def test_a_small_gallery_gets_no_index(version, settings):
    dataset = world.make_dataset()
    rows.make_known(dataset, version.image_encoder, rows.unit_vectors(500, DIM))
    assert not index.ensure(version.image_encoder)
    assert index.name(version.image_encoder) not in index_names()


def test_an_index_that_a_killed_build_left_is_built_again(version):
    encoder = version.image_encoder
    rows.make_known(world.make_dataset(), encoder, rows.unit_vectors(600, DIM))
    index.ensure(encoder)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = %s::regclass",
            [index.name(encoder)],
        )
    assert not index.exists(encoder)
    assert index.ensure(encoder)
    assert index.exists(encoder)


def test_a_build_that_is_cancelled_stops(version):
    encoder = version.image_encoder
    rows.make_known(world.make_dataset(), encoder, rows.unit_vectors(ROWS, DIM))

    def cancelled() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        index.ensure(encoder, cancelled)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_progress_create_index")
        assert cursor.fetchone() == (0,)
    assert index.ensure(encoder)


def test_settings_go_to_the_connection_once(version, django_assert_num_queries):
    connection.close()
    with django_assert_num_queries(1):
        index.prepare(200)
    with django_assert_num_queries(0):
        index.prepare(200)
    with django_assert_num_queries(1):
        index.prepare(400)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('hnsw.ef_search'), current_setting('hnsw.iterative_scan')"
        )
        assert cursor.fetchone() == ("400", "relaxed_order")
    # What is set inside a transaction goes with it, and is neither believed in nor left behind.
    with transaction.atomic(), django_assert_num_queries(1):
        index.prepare(600)
    with django_assert_num_queries(1):
        index.prepare(400)


def test_estimates_are_renewed_when_the_table_has_doubled(version):
    dataset = world.make_dataset()
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE search_embedding; ANALYZE search_embedding")
    assert not index.refresh_estimates()
    rows.make_known(dataset, version.image_encoder, rows.unit_vectors(1000, DIM))
    assert index.refresh_estimates()
    assert not index.refresh_estimates()
    rows.make_known(dataset, version.image_encoder, rows.unit_vectors(300, DIM, seed=1))
    assert not index.refresh_estimates()
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples FROM pg_class WHERE relname = 'search_embedding'")
        assert cursor.fetchone()[0] == 1000
    assert Embedding.objects.count() == 1300


def test_the_boxes_left_out_are_known_without_reading_all(version):
    """EXPLAIN of what every search begins with: the hidden ids come from their own index."""
    dataset = world.make_dataset()
    rows.make_known(dataset, version.image_encoder, rows.unit_vectors(ROWS, DIM))
    Box.objects.filter(pk__in=Box.objects.order_by("pk")[:5].values("pk")).update(
        review=Review.HIDDEN
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE gallery_box, search_embedding")
    assert "gallery_box_hidden" in Embedding.objects.findable().explain()
    assert Embedding.objects.findable().count() == ROWS - 5


def test_a_bulk_load_stays_out_of_the_index_until_it_is_built_anew(version, monkeypatch):
    monkeypatch.setattr(index, "BULK", 300)
    dataset, encoder = world.make_dataset(), version.image_encoder
    vectors = rows.unit_vectors(ROWS + 900, DIM)
    old = rows.make_known(dataset, encoder, vectors[:1000])
    assert index.load_for(encoder, 5000) == 0  # there is no index that would slow it down
    index.ensure(encoder)
    assert index.load_for(encoder, 200) == 0  # too few to build anew for
    load = index.load_for(encoder, 900)
    assert load == 1

    new = rows.make_known(dataset, encoder, vectors[1000:1900], load=load)
    built = index.look(encoder)
    assert (built.load, built.all_covered) == (0, False)
    assert index_size(encoder, 0) == 1000
    # Found all the same, beside what the index holds.
    for asked in (*new.box_ids[:10], *old.box_ids[:10]):
        page = retrieval.by_box(int(asked), user=None)
        assert not page.is_exact
        expected = naive(asked, old, new)
        assert len({hit.box.pk for hit in page.hits} & set(expected[1:21])) >= 19

    # Boxes that come one by one meanwhile go into the index at once.
    single = rows.make_known(dataset, encoder, vectors[1900:1910])
    assert index_size(encoder, 0) == 1010
    assert index.ensure(encoder)
    assert index.look(encoder) == index.Built(load=1, rows=1910, all_covered=True)
    assert [name for name in index_names() if "hnsw" in name] == [index.name(encoder, 1)]
    assert not index.ensure(encoder)
    page = retrieval.by_box(int(new.box_ids[0]), user=None)
    assert [hit.box.pk for hit in page.hits][:5] == naive(new.box_ids[0], old, new, single)[1:6]


def test_a_load_that_is_small_beside_the_index_goes_into_it(version, monkeypatch):
    monkeypatch.setattr(index, "BULK", 10)
    encoder = version.image_encoder
    rows.make_known(world.make_dataset(), encoder, rows.unit_vectors(1000, DIM))
    index.ensure(encoder)
    assert index.load_for(encoder, 400) == 0
    assert index.load_for(encoder, 500) == 1


def test_builds_without_room_for_parallel_work_go_on_alone(version, monkeypatch):
    encoder = version.image_encoder
    rows.make_known(world.make_dataset(), encoder, rows.unit_vectors(600, DIM))
    tried = []

    def create(cursor, encoder, load, workers, create=index._create):
        tried.append(workers)
        if workers:
            raise OperationalError("could not resize shared memory segment")
        create(cursor, encoder, load, workers)

    monkeypatch.setattr(index, "_build_workers", lambda: 3)
    monkeypatch.setattr(index, "_create", create)
    assert index.ensure(encoder)
    assert tried == [3, 0]
    assert index.exists(encoder)


def test_a_dropped_index_is_not_missed(version):
    encoder = version.image_encoder
    known = rows.make_known(world.make_dataset(), encoder, rows.unit_vectors(ROWS, DIM))
    index.ensure(encoder)
    asked = int(known.box_ids[3])
    assert not retrieval.by_box(asked, user=None).is_exact
    assert index.drop(encoder)
    assert not index.drop(encoder)
    page = retrieval.by_box(asked, user=None)
    assert page.is_exact
    assert [hit.box.pk for hit in page.hits] == known.nearest(known.vector(asked))[1:21]


@pytest.mark.parametrize("mode", ["fast", "thorough", "exact"])
def test_each_mode_pages_through_what_there_is_without_repeating(version, mode):
    rows.make_known(world.make_dataset(), version.image_encoder, rows.unit_vectors(ROWS, DIM))
    index.ensure(version.image_encoder)
    pages = [retrieval.by_text("red", user=None, limit=60, mode=mode)]
    while len(pages) < 4:
        pages.append(
            retrieval.by_text("red", user=None, limit=60, cursor=pages[-1].cursor, mode=mode)
        )
    assert [page.is_exact for page in pages] == [mode == "exact"] * 4
    shown = [(hit.score, hit.box.pk) for page in pages for hit in page.hits]
    assert len({pk for _, pk in shown}) == 240
    assert [score for score, _ in shown] == sorted((score for score, _ in shown), reverse=True)


def test_a_mode_that_there_is_not_is_refused(version):
    with pytest.raises(UnknownMode, match="hasty"):
        retrieval.by_text("red", user=None, mode="hasty")


def test_filters_that_leave_few_are_compared_all_after_an_estimate(version):
    """The planner's estimate decides, before anything is counted."""
    street, lane = world.make_dataset("street"), world.make_dataset("lane")
    encoder = version.image_encoder
    rows.make_known(street, encoder, rows.unit_vectors(ROWS, DIM))
    rows.make_known(lane, encoder, rows.unit_vectors(300, DIM, seed=3))
    index.ensure(encoder)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE search_embedding")
    everywhere, narrow = resolve(Filters(), None), resolve(Filters(datasets=["lane"]), None)
    assert index.estimate(everywhere.vectors(encoder)) == pytest.approx(ROWS + 300, rel=0.1)
    assert index.estimate(narrow.vectors(encoder)) == pytest.approx(300, rel=0.2)
    assert retrieval.by_text("red", user=None, filters=Filters(datasets=["lane"])).is_exact
    assert not retrieval.by_text("red", user=None).is_exact


def test_a_walk_that_would_pass_over_too_many_is_not_begun(version, monkeypatch):
    built = index.Built(load=0, rows=1_000_000, all_covered=True)
    monkeypatch.setattr(tuning, "exact_rows", lambda encoder: 20_000)
    encoder = version.image_encoder
    assert nearest._pays(built, encoder, 1_000_000, 84)
    assert nearest._pays(built, encoder, 30_000, 84)
    assert not nearest._pays(built, encoder, 30_000, 4004)
    assert not nearest._pays(built, encoder, 15_000, 84)


def naive(asked, *known) -> list[int]:
    together = rows.Known(
        box_ids=np.concatenate([one.box_ids for one in known]),
        vectors=np.concatenate([one.vectors for one in known]),
    )
    return together.nearest(together.vector(asked))


def index_size(encoder, load: int) -> int:
    """Vectors in an index, as ANALYZE counts them."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE search_embedding")
        cursor.execute(
            "SELECT reltuples FROM pg_class WHERE relname = %s", [index.name(encoder, load)]
        )
        return int(cursor.fetchone()[0])
