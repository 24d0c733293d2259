"""How many boxes were searched: right, and not counted anew for every search of a large gallery."""

import datetime as dt

import pytest
from django.db import connection

from gallery.models import Box
from search import counts, retrieval
from search.retrieval import Filters
from search.scope import resolve
from tests import world
from tests.search import rows

pytestmark = pytest.mark.django_db(transaction=True)

DIM = 16


@pytest.fixture
def version():
    return rows.make_serving(dim=DIM)


@pytest.fixture
def known(version, monkeypatch):
    monkeypatch.setattr(counts, "KEPT_FROM", 100)
    return rows.make_known(
        world.make_dataset("street"), version.image_encoder, rows.unit_vectors(150, DIM)
    )


@pytest.fixture
def counted(monkeypatch):
    """How often anything was counted."""
    calls = []

    def count(scope, encoder, count=counts.count):
        calls.append(scope)
        return count(scope, encoder)

    monkeypatch.setattr(counts, "count", count)
    return calls


def flush() -> None:
    """What this connection did is told to the statistics now, and not some seconds later."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute("SELECT 1")


def test_a_large_count_is_kept_while_nothing_changes(known, version, counted, monkeypatch):
    monkeypatch.setattr(counts, "KEPT_SHARE", 0)
    flush()
    for _ in range(3):
        page = retrieval.by_text("red", user=None)
        assert (page.searched, page.waiting) == (150, 0)
    assert len(counted) == 1
    Box.objects.filter(pk=known.box_ids[0]).update(review="hidden")
    flush()
    assert retrieval.by_text("red", user=None).searched == 149
    assert len(counted) == 2


def test_a_large_count_is_believed_for_a_share_of_what_it_took(
    known, version, counted, monkeypatch
):
    monkeypatch.setattr(counts, "KEPT_SHARE", 1e6)
    retrieval.by_text("red", user=None)
    Box.objects.filter(pk=known.box_ids[0]).update(review="hidden")
    flush()
    assert retrieval.by_text("red", user=None).searched == 150
    assert len(counted) == 1


def test_each_scope_and_encoder_has_its_own_count(known, version, counted):
    other = world.make_version("other", seed=1, dim=DIM)
    everywhere = resolve(Filters(), None)
    assert counts.of(everywhere, version.image_encoder).searched == 150
    assert counts.of(everywhere, other.image_encoder).searched == 0
    assert counts.of(everywhere, other.image_encoder).gaps.waiting == 150
    user = world.make_user()
    assert retrieval.by_text("red", user=user).searched == 0
    dated = retrieval.by_text("red", user=None, filters=Filters(after=rows_day()))
    assert dated.searched == 0


def test_a_small_count_is_made_anew_each_time(version, counted):
    dataset = world.make_dataset()
    for total in (5, 10):
        rows.make_known(dataset, version.image_encoder, rows.unit_vectors(5, DIM))
        assert retrieval.by_text("red", user=None).searched == total


def rows_day() -> dt.date:

    return dt.date(2026, 1, 1)
