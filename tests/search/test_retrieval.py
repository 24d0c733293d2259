"""What a search finds, for whom, and in which order."""

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest

from gallery.errors import UnknownBox, UnknownDataset
from gallery.models import Box, Review
from search import retrieval, serving
from search.errors import (
    BadLimit,
    BlankQuery,
    ImageOnlyVersion,
    MixedKinds,
    NothingServes,
    QueryTooLong,
    StaleCursor,
    TooDeep,
    UnknownCamera,
    UnreadableQuery,
)
from search.models import Embedding
from search.retrieval import Filters
from tests import world
from tests.search import rows
from training.errors import UnknownVersion

pytestmark = pytest.mark.django_db

DIM = 32


@pytest.fixture
def version():
    return rows.make_serving(dim=DIM)


@pytest.fixture
def dataset():
    return world.make_dataset("street")


def found(page: retrieval.Page) -> list[int]:
    return [hit.box.pk for hit in page.hits]


def all_pages(ask, **options) -> list[retrieval.Page]:
    pages = [ask(**options)]
    while pages[-1].cursor:
        pages.append(ask(cursor=pages[-1].cursor, **options))
    return pages


def test_an_exact_search_gives_what_comparing_every_pair_gives(version, dataset):
    known = rows.make_known(dataset, version.image_encoder, rows.unit_vectors(1500, DIM))
    for asked in known.box_ids[:5]:
        page = retrieval.by_box(int(asked), user=None, limit=50)
        expected = known.nearest(known.vector(asked))
        expected.remove(asked)
        assert found(page) == expected[:50]
        assert page.searched == 1500
        best = page.hits[0]
        assert best.score == pytest.approx(
            float(known.vector(best.box.pk) @ known.vector(asked)), abs=2e-3
        )


def test_words_find_what_they_name_in_both_languages(version, dataset):
    people = world.make_coloured_people(dataset)
    rows.enroll(dataset, version)
    for words, colour in {"red": "red", "blue": "blue", "红": "red", "  Blue\n": "blue"}.items():
        page = retrieval.by_text(words.lower(), user=None)
        assert page.hits[0].box == people[colour]
        assert page.hits[0].rank == 1
        assert page.hits[0].score > page.hits[1].score
    assert page.version == version.name


def test_a_picture_finds_its_like(version, dataset):
    people = world.make_coloured_people(dataset)
    rows.enroll(dataset, version)
    crop = world.plain_crop("green", height=90, width=40)
    assert retrieval.by_image(crop, user=None).hits[0].box == people["green"]


def test_a_box_is_not_among_those_like_it(version, dataset):
    people = world.make_coloured_people(dataset)
    rows.enroll(dataset, version)
    page = retrieval.by_box(people["red"].pk, user=None)
    assert people["red"].pk not in found(page)
    assert len(page.hits) == len(people) - 1


def test_a_box_without_a_vector_is_encoded_when_it_is_asked_with(version, dataset):
    people = world.make_coloured_people(dataset)
    rows.enroll(dataset, version)
    late = world.make_box(world.make_image(dataset, world.plain_crop("red", 48, 24)))
    page = retrieval.by_box(late.pk, user=None)
    assert page.hits[0].box == people["red"]
    assert (page.searched, page.waiting) == (6, 1)


def test_filters_combine(version):
    encoder = version.image_encoder
    data = {}
    for name in ("mall", "station"):
        dataset = world.make_dataset(name)
        for camera_name in ("north", "south"):
            camera = world.make_camera(dataset, camera_name)
            for day in (1, 2, 3):
                taken = dt.datetime(2026, 3, day, 12, tzinfo=dt.UTC)
                image = rows.make_image_row(dataset, camera, taken_at=taken)
                vectors = rows.unit_vectors(20, DIM, seed=len(data))
                data[name, camera_name, day] = rows.make_known(dataset, encoder, vectors, image)
    asked = data["mall", "north", 1]
    everything = replace(
        asked,
        box_ids=np.concatenate([known.box_ids for known in data.values()]),
        vectors=np.concatenate([known.vectors for known in data.values()]),
    )
    day = {n: dt.date(2026, 3, n) for n in (1, 2, 3)}
    for filters in (
        Filters(datasets=["station"]),
        Filters(cameras=["north"]),
        Filters(after=day[2]),
        Filters(before=day[2]),
        Filters(after=day[2], before=day[2]),
        Filters(datasets=["mall"], cameras=["south"], after=day[3]),
        Filters(datasets=["mall", "station"], cameras=["north", "south"], before=day[1]),
    ):
        allowed = {
            int(box_id)
            for (name, camera, taken), known in data.items()
            for box_id in known.box_ids
            if (not filters.datasets or name in filters.datasets)
            and (not filters.cameras or camera in filters.cameras)
            and (filters.after is None or day[taken] >= filters.after)
            and (filters.before is None or day[taken] <= filters.before)
        }
        query = int(asked.box_ids[0])
        expected = everything.nearest(asked.vectors[0], allowed - {query})
        page = retrieval.by_box(query, user=None, filters=filters, limit=500)
        assert found(page) == expected
        assert (page.searched, page.waiting) == (len(allowed), 0)


def test_times_bound_to_the_second_and_pictures_without_time_drop_out(version, dataset):
    noon = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
    timed = rows.make_image_row(dataset, taken_at=noon)
    rows.make_known(dataset, version.image_encoder, rows.unit_vectors(3, DIM), timed)
    untimed = rows.make_known(dataset, version.image_encoder, rows.unit_vectors(4, DIM, seed=1))
    second = dt.timedelta(seconds=1)
    for filters, count in (
        (Filters(after=noon), 3),
        (Filters(before=noon), 3),
        (Filters(after=noon + second), 0),
        (Filters(before=noon - second), 0),
        (Filters(before=dt.date.max), 3),
        (Filters(), 7),
    ):
        assert (
            retrieval.by_box(int(untimed.box_ids[0]), user=None, filters=filters).searched == count
        )


def test_a_user_finds_only_what_was_granted(version):
    reader, stranger = world.make_user(), world.make_user()
    mine, other = world.make_dataset(visible_to=reader), world.make_dataset()
    encoder = version.image_encoder
    seen = rows.make_known(mine, encoder, rows.unit_vectors(30, DIM))
    unseen = rows.make_known(other, encoder, rows.unit_vectors(30, DIM, seed=1))
    box = int(seen.box_ids[0])

    page = retrieval.by_box(box, user=reader, limit=5)
    assert set(found(page)) <= set(seen.box_ids)
    assert page.searched == 30
    assert retrieval.by_text("red", user=stranger).hits == []
    assert retrieval.by_text("red", user=stranger).searched == 0
    with pytest.raises(UnknownBox):
        retrieval.by_box(int(unseen.box_ids[0]), user=reader)
    with pytest.raises(UnknownDataset):
        retrieval.by_text("red", user=reader, filters=Filters(datasets=[other.name]))
    camera = world.make_camera(other)
    with pytest.raises(UnknownCamera):
        retrieval.by_text("red", user=reader, filters=Filters(cameras=[camera.name]))


def test_a_cursor_opens_nothing_to_a_user_without_grants(version):
    reader, stranger = world.make_user(), world.make_user()
    dataset = world.make_dataset(visible_to=reader)
    rows.make_known(dataset, version.image_encoder, rows.unit_vectors(30, DIM))
    cursor = retrieval.by_text("red", user=reader, limit=5).cursor
    leaked = retrieval.by_text("red", user=stranger, limit=5, cursor=cursor)
    assert (leaked.hits, leaked.searched, leaked.waiting) == ([], 0, 0)


def test_a_grant_that_is_taken_back_takes_effect_at_once(version):
    reader = world.make_user()
    dataset = world.make_dataset(visible_to=reader)
    rows.make_known(dataset, version.image_encoder, rows.unit_vectors(3, DIM))
    assert len(retrieval.by_text("red", user=reader).hits) == 3
    dataset.grants.all().delete()
    assert retrieval.by_text("red", user=reader).hits == []


def test_hidden_boxes_are_neither_found_nor_counted(version, dataset):
    known = rows.make_known(dataset, version.image_encoder, rows.unit_vectors(10, DIM))
    hidden = known.box_ids[:4]
    Box.objects.filter(pk__in=hidden).update(review=Review.HIDDEN)
    page = retrieval.by_text("red", user=None)
    assert set(found(page)) == set(known.box_ids[4:])
    assert (page.searched, page.waiting) == (6, 0)
    with pytest.raises(UnknownBox):
        retrieval.by_box(int(hidden[0]), user=None)


def test_pages_cover_every_box_once_even_where_scores_tie(version, dataset):
    distinct = rows.unit_vectors(23, DIM)
    known = rows.make_known(dataset, version.image_encoder, np.repeat(distinct, 5, axis=0))
    pages = all_pages(retrieval.by_text, text="red", user=None, limit=7)
    seen = [box_id for page in pages for box_id in found(page)]
    assert sorted(seen) == sorted(known.box_ids)
    assert [hit.rank for page in pages for hit in page.hits] == list(range(1, 116))
    scores = [hit.score for page in pages for hit in page.hits]
    assert scores == sorted(scores, reverse=True)
    assert seen == found(retrieval.by_text("red", user=None, limit=200))


def test_boxes_enrolled_between_two_pages_neither_repeat_nor_skip_a_box(version, dataset):
    known = rows.make_known(dataset, version.image_encoder, rows.unit_vectors(40, DIM))
    first = retrieval.by_text("red", user=None, limit=15)
    rows.make_known(dataset, version.image_encoder, rows.unit_vectors(40, DIM, seed=5))
    rest = retrieval.by_text("red", user=None, limit=100, cursor=first.cursor)
    old = [box_id for box_id in found(first) + found(rest) if box_id in known.box_ids]
    assert sorted(old) == sorted(known.box_ids)


def test_pages_go_on_with_the_version_they_began_with(version, dataset):
    rows.make_known(dataset, version.image_encoder, rows.unit_vectors(20, DIM))
    other = world.make_version("other", dim=16, seed=1)
    rows.make_known(dataset, other.image_encoder, rows.unit_vectors(20, 16))
    first = retrieval.by_text("red", user=None, limit=5)
    serving.switch_to(other, "text")
    second = retrieval.by_text("red", user=None, limit=5, cursor=first.cursor)
    assert second.version == version.name
    assert not set(found(first)) & set(found(second))
    assert retrieval.by_text("red", user=None).version == "other"
    with pytest.raises(StaleCursor):
        retrieval.by_text("red", user=None, limit=5, version="other", cursor=first.cursor)


def test_a_cursor_of_another_question_is_refused(version, dataset):
    rows.make_known(dataset, version.image_encoder, rows.unit_vectors(20, DIM))
    cursor = retrieval.by_text("red", user=None, limit=5).cursor
    crop = world.plain_crop("red")
    for wrong in (
        lambda: retrieval.by_text("blue", user=None, cursor=cursor),
        lambda: retrieval.by_text(
            "red", user=None, cursor=cursor, filters=Filters(datasets=["street"])
        ),
        lambda: retrieval.by_image(crop, user=None, cursor=cursor),
        lambda: retrieval.by_text("red", user=None, cursor=cursor[:-3] + "abc"),
        lambda: retrieval.by_text("red", user=None, cursor="nonsense"),
    ):
        with pytest.raises(StaleCursor):
            wrong()
    assert retrieval.by_text(" red ", user=None, cursor=cursor).hits


def test_paging_ends_in_words_after_a_thousand_hits(version, dataset):
    rows.make_known(dataset, version.image_encoder, rows.unit_vectors(1200, DIM))
    first = retrieval.by_text("red", user=None, limit=900)
    second = retrieval.by_text("red", user=None, limit=900, cursor=first.cursor)
    assert len(second.hits) == 100
    assert (first.is_last_shown, second.is_last_shown) == (False, True)
    with pytest.raises(TooDeep, match="1000"):
        retrieval.by_text("red", user=None, cursor=second.cursor)
    for limit in (0, -1, 1001):
        with pytest.raises(BadLimit):
            retrieval.by_text("red", user=None, limit=limit)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", BlankQuery),
        (" \t\n　", BlankQuery),
        ("red" + " coat" * 100, QueryTooLong),
        ("x" * 100_000, QueryTooLong),
        ("red\0coat", UnreadableQuery),
        ("red \x07", UnreadableQuery),
        ("red \ud83d", UnreadableQuery),
        ('"', UnreadableQuery),
        ("- + 。", UnreadableQuery),
    ],
)
def test_a_text_that_cannot_be_searched_for_is_refused(version, text, error):
    with pytest.raises(error):
        retrieval.by_text(text, user=None)


def test_full_width_letters_and_spaces_ask_the_same():
    assert retrieval.normalized("\u3000ＲＥＤ  coat\n") == "RED coat"
    assert retrieval.normalized("x" * 500) == "x" * 500


def test_an_image_only_version_refuses_words_and_answers_pictures(dataset):
    version = rows.make_serving(name="eyes", image_only=True, dim=DIM)
    rows.make_known(dataset, version.image_encoder, rows.unit_vectors(5, DIM))
    with pytest.raises(ImageOnlyVersion, match="eyes"):
        retrieval.by_text("red", user=None, version="eyes")
    with pytest.raises(NothingServes):
        retrieval.by_text("red", user=None)
    assert retrieval.by_image(world.plain_crop("red"), user=None).version == "eyes"


def test_text_and_picture_queries_have_each_their_version(version, dataset):
    eyes = world.make_version("eyes", image_only=True, dim=16, seed=1)
    for each in (version, eyes):
        vectors = rows.unit_vectors(5, each.dim)
        known = rows.make_known(dataset, each.image_encoder, vectors)
    serving.switch_to(eyes, "picture")
    assert retrieval.by_text("red", user=None).version == version.name
    assert retrieval.by_image(world.plain_crop("red"), user=None).version == "eyes"
    assert retrieval.by_box(int(known.box_ids[0]), user=None).version == "eyes"


def test_a_version_may_be_named(version, dataset):
    other = world.make_version("other", dim=16, seed=1)
    rows.make_known(dataset, version.image_encoder, rows.unit_vectors(5, DIM))
    page = retrieval.by_text("red", user=None, version="other")
    assert (page.version, page.hits, page.searched, page.waiting) == ("other", [], 0, 5)
    assert other.name == "other"
    with pytest.raises(UnknownVersion):
        retrieval.by_text("red", user=None, version="nobody")


def test_each_kind_of_dataset_is_served_by_its_own_version(version, dataset):
    cars = world.make_dataset("cars", kind="car")
    wheels = world.make_version("wheels", dim=16, seed=1)
    rows.make_known(dataset, version.image_encoder, rows.unit_vectors(5, DIM))
    rows.make_known(cars, wheels.image_encoder, rows.unit_vectors(5, 16))
    with pytest.raises(NothingServes, match="car"):
        retrieval.by_text("red", user=None, filters=Filters(datasets=["cars"]))
    serving.switch_to(wheels, "text", dataset_kind="car")
    page = retrieval.by_text("red", user=None, filters=Filters(datasets=["cars"]))
    assert page.version == "wheels"
    assert {hit.box.image.dataset for hit in page.hits} == {cars}
    assert {hit.box.image.dataset for hit in retrieval.by_text("red", user=None).hits} == {dataset}
    with pytest.raises(MixedKinds):
        retrieval.by_text("red", user=None, filters=Filters(datasets=["cars", "street"]))


def test_a_search_takes_a_fixed_number_of_queries(version, dataset, django_assert_max_num_queries):
    rows.make_known(dataset, version.image_encoder, rows.unit_vectors(60, DIM))
    retrieval.by_text("red", user=None)
    user = world.make_user(role="admin")
    with django_assert_max_num_queries(8):
        page = retrieval.by_text("red", user=user, limit=50)
        assert [(hit.box.image.dataset.name, hit.box.image.camera) for hit in page.hits]


def test_nothing_is_searched_before_a_version_serves(dataset):
    with pytest.raises(NothingServes, match="text"):
        retrieval.by_text("red", user=None)
    assert not Embedding.objects.exists()
