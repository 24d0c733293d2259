"""Drafts say what is typed or certainly seen, and never stand in for what people wrote."""

import io

import numpy as np
import pytest
from django.core.management import call_command

from gallery import history, snapshots
from gallery.errors import MayNotCurate, UnknownDataset
from gallery.models import Action, Box, Caption
from gallery.synthetic.attributes import FIELDS
from gallery.synthetic.stated import of_phrases
from pedsite.jobs import work
from search import phrases
from search.drafting import drafts, reading
from search.drafting.drafts import Wish
from search.drafting.errors import BadDraft, NoPeople
from search.drafting.reading import Field, Reader
from search.errors import NotEnrolled
from tests import world
from tests.search import rows

pytestmark = pytest.mark.django_db
CLEAR = ("gender", "upper_colour", "bag", "lower_colour")


def field(name, place, dim=64):
    """A field whose values each have a direction of their own, from `place` on."""
    values = FIELDS[name]
    vectors = np.eye(dim, dtype=np.float32)[place : place + len(values)]
    zeros = np.zeros(len(values))
    return Field(name, values, vectors, zeros, 1.0, 20.0, zeros)


def eye():
    fields, place = [], 0
    for name in CLEAR:
        fields.append(field(name, place))
        place += len(FIELDS[name])
    return Reader(tuple(fields))


def vector(read, **looks):
    """Of a box that shows these values, half as sure of each more."""
    total = np.zeros(read.fields[0].vectors.shape[1], np.float32)
    for each in read.fields:
        if each.name in looks:
            total += each.vectors[each.values.index(looks[each.name])]
    return total / max(np.linalg.norm(total), 1)


@pytest.fixture
def curator():
    return world.make_user("carla", role="curator")


@pytest.fixture
def street(curator):
    return world.make_dataset("street", visible_to=curator)


@pytest.fixture
def read(monkeypatch):
    made = eye()
    monkeypatch.setattr(drafts, "reader", lambda version, beat: made)
    return made


def make_seen(street, read, *looks):
    """Enrolled boxes of a serving version that show these looks."""
    version = rows.make_serving(dim=64)
    vectors = np.stack([vector(read, **look) for look in looks])
    return rows.make_known(street, version.image_encoder, vectors).box_ids.tolist()


def make_typed(street, attributes, **fields):
    box = world.make_box(world.make_image(street))
    world.make_caption(box, attributes, kind=Caption.Kind.ATTRIBUTES, **fields)
    return box


def draft(street, user=None, **wish):
    job = drafts.request(street, Wish(**wish), user, queue=False)
    job = work.run_here(job, drafts.step, io.StringIO())
    assert job.state == "done", job.error
    return job


def made():
    return Caption.objects.filter(source="drafted").order_by("pk")


def stated(text):
    return dict(of_phrases(phrases.split(text)).facts)


def test_typed_attributes_become_a_caption_in_each_language_without_any_model(street):
    make_typed(street, "woman, red coat, black backpack")
    job = draft(street)
    assert job.result["drafted"] == 2
    assert {(one.language, one.drafted_by, one.review) for one in made()} == {
        ("en", "attributes", "unreviewed"),
        ("zh", "attributes", "unreviewed"),
    }
    facts = {"upper": "coat", "upper_colour": "red", "bag": "backpack", "bag_colour": "black"}
    for caption in made():
        assert (
            facts.items()
            >= {k: v for k, v in stated(caption.text).items() if k != "gender"}.items()
        )


def test_a_prompt_is_read_phrase_by_phrase(street):
    box = world.make_box(world.make_image(street))
    text = "A woman in a red coat with a black backpack"
    world.make_caption(box, text, kind=Caption.Kind.PROMPT)
    draft(street, languages=["en"])
    assert stated(made().get().text).get("upper_colour", "red") == "red"


def test_what_the_model_sees_for_certain_is_told_and_the_rest_is_not(street, read):
    look = {"gender": "woman", "upper_colour": "green", "bag": "suitcase"}
    make_seen(street, read, look)
    draft(street, languages=["en"])
    caption = made().get()
    assert caption.drafted_by == "tiny"
    assert set(stated(caption.text).items()) <= set(look.items())
    assert "bottom" not in caption.text


def test_of_whom_too_little_is_known_nothing_is_said(street, read):
    make_seen(street, read, {"gender": "man"}, {})
    job = draft(street)
    assert job.result["silent"] == 2
    assert not made().exists()


def test_what_is_typed_wins_over_what_is_seen(street, read):
    (box,) = make_seen(street, read, {"gender": "man", "upper_colour": "green", "bag": "backpack"})
    world.make_caption(Box.objects.get(pk=box), "woman, blue coat, no bag", kind="attributes")
    draft(street, languages=["en"])
    facts = stated(made().get().text)
    assert facts.get("gender", "woman") == "woman"
    assert facts.get("upper_colour", "blue") == "blue"
    assert facts.get("bag", "none") == "none"


def test_a_box_that_people_described_is_left_alone(street):
    box = make_typed(street, "woman, red coat")
    world.make_caption(box, "a lady")
    approved = world.make_caption(box, "女士", language="zh", source="drafted", review="approved")
    assert draft(street, again=True).result.get("drafted", 0) == 0
    approved.refresh_from_db()
    assert approved.text == "女士"


def test_drafting_twice_writes_nothing_twice_and_another_seed_other_words(street):
    for _ in range(4):
        make_typed(street, "woman, red coat, blue jeans, black backpack, white sneakers")
    draft(street)
    before = list(made().values_list("text", flat=True))
    assert len(before) == 8
    assert draft(street).result.get("drafted", 0) == 0
    draft(street, again=True)
    assert list(made().values_list("text", flat=True)) == before
    draft(street, again=True, seed=7)
    after = list(made().values_list("text", flat=True))
    assert len(after) == 8
    assert len(set(after) & set(before)) < 3


def test_what_was_rejected_does_not_come_back_with_the_same_seed(street):
    make_typed(street, "woman, red coat, blue jeans")
    draft(street)
    made().update(review="hidden")
    draft(street)
    assert made().count() == 2
    assert not made().exclude(review="hidden").exists()


def test_drafts_stay_out_of_snapshots_until_they_are_approved(street):
    make_typed(street, "woman, red coat")
    before = snapshots.freeze(street)
    draft(street)
    assert snapshots.freeze(street).pk == before.pk
    made().update(review="approved")
    assert snapshots.freeze(street).caption_count == before.caption_count + 2


def test_drafts_are_an_action_of_whoever_asked_and_undone_as_one(street, curator):
    make_typed(street, "woman, red coat")
    draft(street, curator)
    action = Action.objects.get()
    assert (action.made_by, action.kind, action.rows) == (curator, drafts.KIND, 2)
    history.undo(action, curator)
    assert not made().exists()


def test_a_job_goes_on_where_it_was_cut(street, monkeypatch):
    monkeypatch.setattr(drafts, "CHUNK", 2)
    for _ in range(5):
        make_typed(street, "woman, red coat")
    job = drafts.request(street, Wish(languages=["en"]), queue=False)
    calls = []

    def once(at):
        calls.append(drafts.step(at))
        return False

    work.run_here(job, once, io.StringIO())
    assert (made().count(), calls) == (2, [True])
    draft(street, languages=["en"])
    assert made().count() == 5


def test_hidden_boxes_are_not_described(street):
    box = make_typed(street, "woman, red coat")
    Box.objects.filter(pk=box.pk).update(review="hidden")
    assert draft(street).total == 0


def test_viewers_may_not_ask_and_strangers_do_not_know_of_it(street):
    with pytest.raises(MayNotCurate):
        drafts.request(street, Wish(), _granted(street, "viewer"))
    with pytest.raises(UnknownDataset):
        drafts.request(street, Wish(), world.make_user(role="curator"))


def _granted(street, role):
    user = world.make_user(role=role)
    world.make_grant(street, user)
    return user


def test_what_makes_no_sense_is_refused(street):
    with pytest.raises(BadDraft):
        drafts.request(street, Wish(languages=["fr"]))
    with pytest.raises(BadDraft):
        drafts.request(street, Wish(languages=[]))
    for certainty in (0.2, 1.0, float("nan")):
        with pytest.raises(BadDraft):
            drafts.request(street, Wish(certainty=certainty))
    with pytest.raises(BadDraft):
        drafts.request(street, Wish(seed=-1))
    with pytest.raises(NoPeople):
        drafts.request(world.make_dataset("cars", kind="car"), Wish())
    with pytest.raises(NotEnrolled):
        drafts.request(street, Wish(version=world.make_version()))


def test_the_command_says_what_it_drafted_and_what_it_could_not_read(street, capsys):
    make_typed(street, "woman, red coat, holding phone")
    call_command("draft_captions", "--dataset", "street", "--language", "en")
    said = capsys.readouterr().out
    assert "1 captions drafted for 1 boxes" in said
    assert "holding phone" in said


def test_a_reader_learns_from_drawn_people_what_cosines_are_worth(monkeypatch):
    """The tiny model knows little: what it is not sure of is not said, and the rest is kept."""
    monkeypatch.setattr(reading, "CROPS", 24)
    monkeypatch.setattr(reading, "FIELDS", {name: FIELDS[name] for name in ("gender", "bag")})
    version = world.make_version()
    scale = reading.measure(version)
    assert scale.crops == 8
    assert scale.statements >= scale.right
    found = reading.reader(version)
    assert [each.name for each in found.fields] == ["gender", "bag"]
    assert version.attribute_scale == scale


def test_a_fit_is_surer_the_clearer_a_field_shows():
    read = eye()
    clear = vector(read, gender="woman")
    blurred = clear + 0.9 * vector(read, gender="man")
    both = np.stack([clear, blurred / np.linalg.norm(blurred)])
    assert [len(facts) for facts in read.facts(both)] == [1, 0]
