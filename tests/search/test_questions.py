"""Words, phrases, pictures and boxes in one question, and what each hit shows of it."""

import datetime as dt

import pytest

from search import asking, background, encoders, retrieval
from search.errors import BlankQuery
from search.language import Phrase, Role
from search.questions import Like, Question
from search.scope import Filters
from tests import world
from tests.search import rows
from training.ml.runtime import TextTower
from training.models import ModelVersion

pytestmark = pytest.mark.django_db


@pytest.fixture
def people():
    dataset = world.make_dataset("street")
    people = world.make_coloured_people(dataset)
    rows.make_serving(version := world.make_version())
    rows.enroll(dataset, version)
    return people


def found(text: str, **options) -> list[int]:
    return [hit.box.pk for hit in asking.ask(text, user=None, **options).hits]


def test_words_and_a_picture_are_weighed_against_each_other(people):
    green = Like(crop=world.plain_crop("green", 40, 20), weight=5)
    assert found("red", likes=[green])[0] == people["green"].pk
    green = Like(crop=world.plain_crop("green", 40, 20), weight=0.2)
    assert found("red", likes=[green])[0] == people["red"].pk
    assert found("red", likes=[green], words_weight=0.1)[0] != people["red"].pk


def test_a_box_that_is_part_of_a_query_is_no_answer_to_it(people):
    hits = found(f"red box:{people['blue'].pk}^0.2")
    assert hits[0] == people["red"].pk
    assert people["blue"].pk not in hits


def test_what_is_excluded_comes_last_or_not_at_all(people):
    plain, without = found("blue"), found("blue -red")
    assert people["red"].pk in plain
    assert people["red"].pk not in without
    assert without[0] == people["blue"].pk
    # Asked for alone, it leaves out one and ranks the rest by how little they have of it.
    assert people["red"].pk not in found("-red")


def test_what_is_required_leaves_out_whoever_lacks_it(people):
    hits = found("blue +red")
    assert people["red"].pk in hits
    assert len(hits) < len(people)


def test_a_phrase_that_counts_more_pulls_further(people):
    question = Question(words="red, blue", phrases=(Phrase(text="blue", weight=10),))
    assert retrieval.ask(question, user=None).hits[0].box == people["blue"]
    question = Question(words="red, blue", phrases=(Phrase(text="red", weight=10),))
    assert retrieval.ask(question, user=None).hits[0].box == people["red"]


def test_the_order_of_clauses_changes_nothing(people):
    texts = ("red, white, blue", "blue, red, white", "white, blue, red")
    pages = [retrieval.by_text(text, user=None) for text in texts]
    scores = [[(hit.box.pk, round(hit.score, 5)) for hit in page.hits] for page in pages]
    assert scores[0] == scores[1] == scores[2]


def test_every_hit_tells_how_much_it_shows_each_phrase(people):
    page = asking.ask("red, blue -green", user=None)
    assert [(phrase.text, phrase.role) for phrase in page.phrases] == [
        ("red", Role.WEIGH),
        ("blue", Role.WEIGH),
        ("green", Role.EXCLUDE),
    ]
    bars = {hit.box.pk: {bar.phrase.text: bar for bar in hit.bars} for hit in page.hits}
    red, blue = bars[people["red"].pk], bars[people["blue"].pk]
    assert red["red"].verdict == blue["blue"].verdict == "yes"
    assert red["red"].share > red["blue"].share
    assert blue["blue"].share > blue["red"].share
    assert all(0 <= bar.share <= 1 for hit in page.hits for bar in hit.bars)
    # A picture has no phrases.
    assert not retrieval.by_box(people["red"].pk, user=None).hits[0].bars


def test_pages_of_a_question_with_demands_go_on_where_they_ended(people):
    question = Question(words="blue", phrases=(Phrase(text="red", role=Role.EXCLUDE),))
    whole = [hit.box.pk for hit in retrieval.ask(question, user=None).hits]
    parts, cursor = [], None
    while True:
        page = retrieval.ask(question, user=None, limit=2, cursor=cursor)
        parts += [hit.box.pk for hit in page.hits]
        cursor = page.cursor
        if cursor is None:
            break
    assert parts == whole


def test_all_texts_of_a_query_are_encoded_in_one_run_and_once(people, monkeypatch):
    asking.ask("someone", user=None)  # the tower tests itself when it is loaded
    runs = []
    encode = TextTower.encode

    def counted(tower, texts):
        runs.append(list(texts))
        return encode(tower, texts)

    monkeypatch.setattr(TextTower, "encode", counted)
    asking.ask("a yellow hat, white shoes +black", user=None)
    asking.ask("white shoes, a yellow hat +black", user=None)
    assert len(runs) == 1
    assert len(runs[0]) == len(set(runs[0]))


def test_texts_asked_for_long_ago_are_forgotten(people, monkeypatch):
    monkeypatch.setattr(encoders, "KEPT_TEXTS", 3)
    for number in range(6):
        retrieval.by_text(f"red {number}", user=None)
    assert len(encoders._texts) == 3


def test_nothing_asked_is_refused_even_with_filters(people):
    with pytest.raises(BlankQuery):
        asking.ask("dataset:street", user=None)


def test_hours_identity_captions_and_review_narrow_a_search():
    dataset = world.make_dataset("street")
    rows.make_serving(version := world.make_version())
    boxes = {}
    for hour in (5, 12, 23):
        taken = dt.datetime(2026, 3, hour, hour, 30, tzinfo=dt.UTC)
        image = world.make_image(dataset, world.plain_crop("red", 30 + hour, 20), taken_at=taken)
        boxes[hour] = world.make_box(image).pk
    named = world.make_box(
        world.make_image(dataset, world.plain_crop("red", 60, 20)),
        identity=world.make_identity(dataset),
        review="approved",
    )
    world.make_caption(named, "A captain with a red Cap")
    hidden = world.make_box(world.make_image(dataset, world.plain_crop("red", 61, 20)))
    world.make_caption(hidden, "a blue cap", review="hidden")
    rows.enroll(dataset, version)
    for tokens, expected in (
        ("time:12-13", {boxes[12]}),
        ("time:23:30-05:30", {boxes[5], boxes[23]}),
        ("time:0-24", set(boxes.values())),
        ("identity:known", {named.pk}),
        ("identity:unknown", {*boxes.values(), hidden.pk}),
        ("caption:cap", {named.pk}),
        ("caption:\"red cap\"", {named.pk}),
        ("caption:capt", set()),
        ("review:approved", {named.pk}),
        ("identity:known review:unreviewed", set()),
    ):  # fmt: skip
        page = asking.ask(f"red {tokens}", user=None)
        assert {hit.box.pk for hit in page.hits} == expected, tokens
        assert (page.searched, page.gaps.missing) == (len(expected), 0), tokens


def test_chinese_captions_are_searched_without_ends_of_words():
    dataset = world.make_dataset("street")
    rows.make_serving(version := world.make_version())
    box = world.make_box(world.make_image(dataset))
    world.make_caption(box, "一个背双肩包的人", language="zh")
    rows.enroll(dataset, version)
    assert found("red 描述:双肩包") == [box.pk]
    assert found("red 描述:雨伞") == []


def test_filters_typed_and_filters_given_are_one(people):
    given = Filters(captions=["nothing says this"])
    assert found("red", filters=given) == []


def test_a_stored_background_is_used_as_soon_as_it_is_there(people):
    version = ModelVersion.objects.get()
    before = background.of(version.image_encoder)
    assert len(before) == len(people)
    background.store(version.image_encoder, before[:3], "test")
    assert len(background.of(version.image_encoder)) == 3
    background.store(version.image_encoder, before[:2], "test")
    assert len(background.of(version.image_encoder)) == 2
