"""Which judgements count, and which do not, by the reason why."""

import pytest

from search.review import adjudication, judging
from search.snapshots import verdicts

pytestmark = pytest.mark.django_db
YES, NO, UNSURE = "confirmed", "rejected", "unsure"


def test_what_all_who_decided_say_alike_counts(dataset, box_of, say):
    one, other = box_of(), box_of()
    say("a man in a red coat", one, YES, YES)
    say("a man in a red coat", other, NO)
    say("穿红衣的人", other, YES)
    found = verdicts.agreed(dataset)
    assert found.of[one.pk] == verdicts.Verdicts(confirmed=("a man in a red coat",))
    assert found.of[other.pk] == verdicts.Verdicts(
        confirmed=("穿红衣的人",), rejected=("a man in a red coat",)
    )
    assert found.outcomes == {YES: 2, NO: 1}


def test_what_was_undone_or_is_unsure_or_disputed_does_not_count(dataset, reviewers, box_of, say):
    say("red", box_of(), UNSURE)
    say("red", box_of(), YES, NO)
    say("red", box_of(), YES, UNSURE)
    say("red", box_of(), YES)
    judging.undo(reviewers[0])
    found = verdicts.agreed(dataset)
    assert found.of == {}
    assert found.outcomes == {"disputed": 2, "unsure": 1}


def test_what_a_third_decided_counts_where_two_differ(dataset, reviewers, box_of, say):
    box = box_of()
    finding = say("red", box, YES, NO)
    made = adjudication.decide(finding.pk, NO, reviewers[2])
    assert verdicts.agreed(dataset).of[box.pk].rejected == ("red",)
    adjudication.undo(made.pk, reviewers[2])
    assert verdicts.agreed(dataset).of == {}
    adjudication.decide(finding.pk, UNSURE, reviewers[2])
    assert verdicts.agreed(dataset).outcomes == {"unsure": 1}


def test_a_question_that_is_no_caption_does_not_count(dataset, box_of, say):
    box = box_of()
    say('a man -"red hat"', box, YES)
    say("a man", box, YES, like=box_of())
    assert verdicts.agreed(dataset).of == {}
    assert verdicts.agreed(dataset).outcomes == {"not_plain_words": 1, "with_a_box": 1}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a man in red", "a man in red"),
        ('a man in "blue jeans"^2', "a man in blue jeans"),
        ("a man -umbrella", None),
        ('a man +"red hat"', None),
        ("camera:", None),
    ],
)
def test_only_plain_words_make_a_caption(text, words):
    assert verdicts.caption_of(text) == words


def test_boxes_of_others_and_hidden_ones_are_left_out(dataset, box_of, say):
    box = box_of()
    say("red", box, YES)
    box.review = "hidden"
    box.save()
    assert verdicts.agreed(dataset).outcomes == {}
