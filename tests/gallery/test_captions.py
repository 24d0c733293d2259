"""Captions are approved, rejected, edited, added and replaced by curators, and it can be undone."""

import pytest

from gallery import captions, history
from gallery.caption_errors import BadCaption, CaptionIsThere, NoCaptions, UnknownCaption
from gallery.captions import Narrow, Replacement
from gallery.errors import MayNotCurate, UnknownBox
from gallery.models import Action, Caption
from tests import world

pytestmark = pytest.mark.django_db


@pytest.fixture
def curator():
    return world.make_user("carla", role="curator")


@pytest.fixture
def street(curator):
    return world.make_dataset("street", visible_to=curator)


@pytest.fixture
def box(street):
    return world.make_box(world.make_image(street))


def draft(box, text, **fields):
    fields = {"source": "drafted", "drafted_by": "tiny", **fields}
    return world.make_caption(box, text, **fields)


def test_a_draft_stays_marked_until_somebody_approves_it(box, curator):
    one = draft(box, "a man")
    assert one.is_draft
    assert not Caption.objects.stated().exists()
    captions.decide([one.pk], "approved", curator)
    one.refresh_from_db()
    assert (one.is_draft, one.source, one.drafted_by) == (False, "drafted", "tiny")
    assert Caption.objects.stated().get() == one


def test_many_are_decided_as_one_action_a_dataset_and_undone(box, curator):
    elsewhere = world.make_dataset("mall", visible_to=curator)
    other = world.make_box(world.make_image(elsewhere))
    ids = [draft(box, f"a man {n}").pk for n in range(3)] + [draft(other, "a man").pk]
    done = captions.decide(ids, "hidden", curator)
    assert (done.changed, len(done.actions)) == (4, 2)
    assert not Caption.objects.shown().exists()
    for action in done.actions:
        history.undo(action, curator)
    assert Caption.objects.filter(review="unreviewed").count() == 4


def test_an_edit_makes_the_words_a_persons(box, curator):
    one = draft(box, "a man in rad")
    captions.edit(one.pk, " a man in red ", curator)
    one.refresh_from_db()
    assert (one.text, one.source, one.review) == ("a man in red", "typed", "approved")
    history.undo(Action.objects.get(), curator)
    one.refresh_from_db()
    assert (one.text, one.source, one.review) == ("a man in rad", "drafted", "unreviewed")


def test_an_added_caption_has_the_language_of_its_letters(box, curator):
    assert captions.add(box.pk, "一个女人", "", curator).language == "zh"
    made = captions.add(box.pk, "a woman", "", curator)
    assert (made.language, made.source, made.review) == ("en", "typed", "approved")
    assert Action.objects.first().kind == captions.ADD


@pytest.mark.parametrize("text", ["", "  ", "a" * 2001, "nul \x00"])
def test_words_that_are_no_caption_are_refused(box, curator, text):
    one = draft(box, "a man")
    with pytest.raises(BadCaption):
        captions.edit(one.pk, text, curator)
    with pytest.raises(BadCaption):
        captions.add(box.pk, text, "en", curator)
    with pytest.raises(BadCaption):
        captions.add(box.pk, "un homme", "fr", curator)


def test_the_same_words_twice_are_refused_in_words(box, curator):
    first, second = draft(box, "a man"), draft(box, "a woman")
    with pytest.raises(CaptionIsThere):
        captions.edit(second.pk, first.text, curator)
    with pytest.raises(CaptionIsThere):
        captions.add(box.pk, first.text, "en", curator)
    assert not Action.objects.exists()


def test_nobody_decides_of_what_they_may_not_see(box, curator):
    one = draft(box, "a man")
    hidden = draft(world.make_box(world.make_image(world.make_dataset("away"))), "a man")
    with pytest.raises(UnknownCaption):
        captions.decide([one.pk, hidden.pk], "approved", curator)
    with pytest.raises(UnknownCaption):
        captions.edit(hidden.pk, "a woman", curator)
    with pytest.raises(UnknownCaption):
        captions.replace([hidden.pk], Replacement(find="man", put="woman"), curator)
    with pytest.raises(UnknownBox):
        captions.add(hidden.box_id, "a woman", "en", curator)
    one.refresh_from_db()
    assert one.review == "unreviewed"


def test_viewers_and_reviewers_change_nothing(box, street):
    one = draft(box, "a man")
    for role in ("viewer", "reviewer"):
        user = world.make_user(role=role)
        world.make_grant(street, user)
        with pytest.raises(MayNotCurate):
            captions.decide([one.pk], "approved", user)
        with pytest.raises(MayNotCurate):
            captions.add(box.pk, "a woman", "en", user)


def test_nothing_too_much_and_nonsense_are_refused(box, curator, monkeypatch):
    one, other = draft(box, "a man"), draft(box, "a woman")
    with pytest.raises(NoCaptions):
        captions.decide([], "approved", curator)
    with pytest.raises(BadCaption):
        captions.decide([one.pk], "loved", curator)
    monkeypatch.setattr(captions, "MOST", 1)
    with pytest.raises(NoCaptions):
        captions.decide([one.pk, other.pk], "approved", curator)


def test_a_replacement_is_seen_before_it_is_made(box, curator):
    one = draft(box, "A gray coat, grayish")
    twice, there = draft(box, "gray hat"), draft(box, "grey hat")
    wanted = Replacement(find="gray", put="grey")
    told = captions.foretell(Caption.objects.all(), wanted)
    assert [(each.caption, each.text, bool(each.problem)) for each in told] == [
        (one, "A grey coat, grayish", False),
        (twice, "grey hat", True),
    ]
    done = captions.replace([one.pk, twice.pk, there.pk], wanted, curator)
    assert (done.changed, [pk for pk, _why in done.left]) == (1, [twice.pk])
    one.refresh_from_db()
    assert (one.text, one.is_draft) == ("A grey coat, grayish", True)
    history.undo(done.actions[0], curator)
    one.refresh_from_db()
    assert one.text == "A gray coat, grayish"


def test_what_is_looked_for_is_words_and_no_pattern(box):
    one = draft(box, "a (big) man. A.man")
    texts = {
        find: Replacement(find=find, put=r"\1", whole_words=False).of(one.text)
        for find in ("(big)", ".", "(a+)+$")
    }
    assert texts == {"(big)": r"a \1 man. A.man", ".": r"a (big) man\1 A\1man", "(a+)+$": one.text}
    assert Replacement(find="A", put="the", match_case=True).of("a man A") == "a man the"
    assert Replacement(find="大衣", put="外套").of("红大衣的女人") == "红外套的女人"


@pytest.mark.parametrize("find", ["", " ", "x" * 201, "a\x00"])
def test_a_replacement_of_nothing_is_refused(find):
    with pytest.raises(BadCaption):
        Replacement(find=find, put="b")


def test_boxes_that_lack_a_language_are_known(box, street):
    world.make_caption(box, "a man")
    world.make_caption(box, "男人", language="zh", review="hidden")
    world.make_caption(box, "man, coat", kind="attributes")
    bare = world.make_box(world.make_image(street))
    assert list(captions.lacking(street, ["en"])) == [bare]
    assert set(captions.lacking(street, ["zh"])) == {box, bare}


def test_captions_are_narrowed_by_what_they_are(box):
    one = draft(box, "a man")
    other = world.make_caption(box, "女人", language="zh", review="approved")
    rows = Caption.objects.order_by("pk")
    assert list(Narrow(source="drafted").of(rows)) == [one]
    assert list(Narrow(language="zh", review="approved").of(rows)) == [other]
    assert list(Narrow(words="MAN").of(rows)) == [one]
