"""Milvus as the engine: it finds what PostgreSQL finds, and shows nothing that it may not."""
# ruff: noqa: F401, F811 (fixtures of another file)

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pytest
from django.utils import timezone

from gallery.models import Box, Caption, Dataset, Review
from search import engines, index, nearest, retrieval, tuning
from search.engines import collections, mirror
from search.models import Mirror, Mode, Unmirrored
from search.retrieval import Filters
from search.scope import resolve
from tests import children, world
from tests.search import rows
from tests.search.milvus import (
    DIM,
    NOON,
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


@dataclass(frozen=True, kw_only=True)
class Wanted:
    vector: np.ndarray
    least: float
    most: float


FILTERS = {
    "everything": Filters(),
    "a dataset": Filters(datasets=["lane"]),
    "a camera": Filters(cameras=["park0", "lane1"]),
    "a span": Filters(after=NOON + dt.timedelta(hours=7), before=NOON + dt.timedelta(hours=14)),
    "from a day on": Filters(after=dt.date(2026, 3, 2)),
    "up to a day": Filters(before=dt.date(2026, 3, 1)),
    "at night": Filters(hours=(dt.time(22), dt.time(4))),
    "known people": Filters(identity="known"),
    "unknown people": Filters(identity="unknown"),
    "words of captions": Filters(captions=["umbrella"]),
    "approved": Filters(review="approved"),
    "several at once": Filters(datasets=["lane", "park"], cameras=["lane0"], identity="known"),
}


def test_both_engines_find_the_same_under_every_filter(gallery, encoder, settings):
    index.build(encoder)
    describe()
    viewer = world.make_user()
    for dataset in Dataset.objects.filter(name__in=["lane", "park"]):
        world.make_grant(dataset, viewer)
    for what, filters in FILTERS.items():
        for user in (None, viewer):
            compare_engines(settings, encoder, resolve(filters, user), what)


def compare_engines(settings, encoder, scope, what) -> None:
    for query in rows.unit_vectors(4, DIM, seed=9):
        exact = nearest.rank(scope, encoder, query, 10, mode=Mode.EXACT)
        settings.PEDSITE_ENGINE = "pgvector"
        by_pgvector = nearest.rank(scope, encoder, query, 10)
        settings.PEDSITE_ENGINE = "milvus"
        by_milvus = nearest.rank(scope, encoder, query, 10)
        assert len(exact.rows) == 10, what
        assert exact.is_exact
        assert not by_milvus.is_exact, what  # walked, and not compared all
        assert by_milvus.rows == exact.rows, what
        assert len(set(by_pgvector.rows) & set(exact.rows)) >= 9, what


def describe() -> None:
    """Identities, captions and reviews, each of two boxes in five, so that all filters differ."""
    boxes = list(Box.objects.select_related("image").order_by("pk"))
    people = {each.pk: world.make_identity(each) for each in Dataset.objects.all()}
    for number, box in enumerate(boxes):
        if number % 5 < 2:
            box.identity = people[box.image.dataset_id]
        box.review = Review.APPROVED if number % 5 in (1, 3) else Review.UNREVIEWED
    Box.objects.bulk_update(boxes, ["identity", "review"])
    Caption.objects.bulk_create(
        Caption(box=box, text="with an umbrella", language="en", source="typed")
        for box in boxes[::3]
    )


def test_what_milvus_says_is_looked_at_again(gallery, encoder, monkeypatch):
    """With every filter of Milvus gone, nothing is shown that the database does not grant."""
    viewer = world.make_user()
    lane = Dataset.objects.get(name="lane")
    world.make_grant(lane, viewer)
    Box.objects.filter(pk__in=gallery.box_ids[200:280]).update(review=Review.HIDDEN)
    ask = collections.nearest
    asked = []

    def careless(encoder_id, query, limit, width, where, **more):
        asked.append(where)
        return ask(encoder_id, query, limit, width, "", **more)

    monkeypatch.setattr(collections, "nearest", careless)
    page = retrieval.by_box(int(gallery.box_ids[300]), user=viewer, limit=100)
    assert asked[0] == f"dataset in [{lane.pk}]"
    assert len(page.hits) == 100
    assert page.searched == 120
    assert {hit.box.pk for hit in page.hits} <= set(gallery.box_ids[280:400])


def test_demands_and_boxes_left_out_are_kept_to(gallery, encoder):
    query = gallery.vectors[7]
    without = {int(box_id) for box_id in gallery.nearest(query)[:3]}
    demand = Wanted(vector=gallery.vectors[8], least=0.1, most=0.6)
    found = ranked(encoder, query, Filters(), without=without, demands=[demand])
    exact = ranked(encoder, query, Filters(), without=without, demands=[demand], mode=Mode.EXACT)
    assert not found.is_exact
    assert found.rows == exact.rows
    assert not without & {box_id for _, box_id in found.rows}
    assert all(0.1 <= gallery.vector(pk) @ gallery.vectors[8] <= 0.6 for _, pk in found.rows)


def test_more_candidates_are_asked_for_until_enough_of_them_pass(gallery, encoder, monkeypatch):
    """All but the 30 farthest are hidden, and Milvus does not know."""
    query = gallery.vectors[0]
    order = gallery.nearest(query)
    Box.objects.filter(pk__in=order[:-30]).update(review=Review.HIDDEN)
    limits = []
    ask = collections.nearest

    def told(encoder_id, query, limit, *rest, **more):
        limits.append(limit)
        return ask(encoder_id, query, limit, *rest, **more)

    monkeypatch.setattr(collections, "nearest", told)
    Unmirrored.objects.all().delete()
    found = ranked(encoder, query, Filters(), wanted=20)
    assert [box_id for _, box_id in found.rows] == order[-30:-10]
    assert limits == [80, 320, 1280]
    # More than there are: what is there.
    assert len(ranked(encoder, query, Filters(), wanted=40).rows) == 30


@pytest.mark.parametrize("mode", ["fast", "thorough", "exact"])
def test_pages_go_on_without_repeating_or_leaving_out(gallery, encoder, mode):
    pages = [retrieval.by_text("red", user=None, limit=60, mode=mode)]
    while len(pages) < 5:
        cursor = pages[-1].cursor
        pages.append(retrieval.by_text("red", user=None, limit=60, mode=mode, cursor=cursor))
    assert [page.is_exact for page in pages] == [mode == "exact"] * 5
    shown = [hit.box.pk for page in pages for hit in page.hits]
    whole = retrieval.by_text("red", user=None, limit=300, mode="exact")
    assert shown == [hit.box.pk for hit in whole.hits]


@pytest.mark.parametrize("kind", ["HNSW_SQ", "IVF_SQ8", "DISKANN"])
def test_each_kind_of_index_is_built_and_walked(encoder, settings, kind):
    settings.MILVUS_INDEX = kind
    known = rows.make_known(world.make_dataset(), encoder, rows.unit_vectors(600, DIM))
    assert engines.current().ensure(encoder)
    agreed = 0
    for query in rows.unit_vectors(10, DIM, seed=4):
        found = ranked(encoder, query, Filters())
        assert not found.is_exact
        agreed += len({box_id for _, box_id in found.rows} & set(known.nearest(query)[:20]))
    assert agreed >= 195


def test_what_was_just_enrolled_is_found_before_milvus_knows_it(gallery, encoder, collection):
    new = rows.make_known(Dataset.objects.get(name="lane"), encoder, rows.unit_vectors(50, DIM, 5))
    assert not engines.current().look(encoder).all_covered
    found = ranked(encoder, new.vectors[3], Filters(), wanted=3)
    assert not found.is_exact
    assert found.rows[0][1] == new.box_ids[3]
    assert collections.count(collection()) == 600
    assert mirror.follow(encoder.pk) == 50
    assert collections.count(collection()) == 650
    assert engines.current().look(encoder).all_covered


def test_too_much_that_milvus_does_not_know_is_compared_all(gallery, encoder):
    new = rows.make_known(Dataset.objects.get(name="lane"), encoder, rows.unit_vectors(150, DIM, 5))
    assert engines.current().look(encoder) is None
    found = ranked(encoder, new.vectors[3], Filters(), wanted=3)
    assert found.is_exact
    assert found.rows[0][1] == new.box_ids[3]


def test_milvus_waits_for_its_writes_only_after_a_change(gallery, encoder, monkeypatch):
    asked = []

    def told(*args, fresh, ask=collections.nearest, **more):
        asked.append(fresh)
        return ask(*args, fresh=fresh, **more)

    monkeypatch.setattr(collections, "nearest", told)
    ranked(encoder, gallery.vectors[0], Filters())
    Mirror.objects.update(synced_at=timezone.now() - dt.timedelta(minutes=5))
    ranked(encoder, gallery.vectors[0], Filters())
    assert asked == [True, False]


def test_how_wide_to_walk_is_measured_for_each_engine(gallery, encoder, settings):
    made = tuning.ensure(encoder)
    assert (made.engine, made.rows) == ("milvus", 600)
    assert made.recall(Mode.FAST) >= tuning.AIMS[Mode.FAST]
    assert tuning.newest(encoder) == made
    settings.PEDSITE_ENGINE = "pgvector"
    assert tuning.newest(encoder) is None


FORKS = """
import os, sys
import django
django.setup()
from django.db import connections
from search import retrieval
connections.close_all()
children = []
for _ in range(2):
    child = os.fork()
    if not child:
        found = retrieval.by_box(int(sys.argv[1]), user=None)
        os.write(1, f"{found.is_exact} {[hit.box.pk for hit in found.hits]}\\n".encode())
        os._exit(0)
    children.append(child)
print([os.waitpid(child, 0)[1] for child in children])
"""


def test_forked_processes_each_ask_for_themselves(gallery, version, lite, child_site):
    """As the web server does: what is loaded is shared, and no connection is."""
    answers = child_site(FORKS, str(gallery.box_ids[0]), PEDSITE_EXACT_ROWS="0")
    expected = gallery.nearest(gallery.vectors[0])[1:21]
    assert answers.splitlines() == [f"False {expected}", f"False {expected}", "[0, 0]"]


def test_nothing_of_milvus_loads_before_it_is_asked(db):
    code = (
        "import sys, django; django.setup(); import pedsite.urls; "
        "print({'pymilvus', 'grpc', 'pandas'} & set(sys.modules))"
    )
    assert children.run(code).strip() == "set()"
