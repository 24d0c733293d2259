"""Two versions on the same questions: what changed, who was lost, how sure it is, who prefers."""

import io

import pytest
from django.core.management import call_command

from gallery.models import Box
from pedsite.jobs import work
from search import comparisons, gates
from search.errors import BadComparison, BlankQuery, ImageOnlyVersion, MayNotSwitch, NotEnrolled
from search.models import Comparison, SavedSearch
from tests import world
from tests.search import rows

pytestmark = pytest.mark.django_db

COLOURS = ["red", "green", "blue", "yellow", "black", "white"]


@pytest.fixture
def dataset():
    """Somebody of each colour, with a caption that says so."""
    dataset = world.make_dataset("street")
    for colour, box in world.make_coloured_people(dataset).items():
        Box.objects.filter(pk=box.pk).update(identity=world.make_identity(dataset, colour))
        world.make_caption(box, colour)
    return dataset


@pytest.fixture
def old(dataset):
    version = world.make_version("old")
    rows.enroll(dataset, version)
    return version


@pytest.fixture
def new(dataset, old):
    version = world.make_version("new", seed=1)
    rows.enroll(dataset, version)
    return version


def compared(old, new, texts=(), user=None) -> Comparison:
    made = comparisons.request(old, new, texts, user, queue=False)
    work.run_here(made.job, comparisons.step, io.StringIO())
    made.refresh_from_db()
    return made


def test_both_versions_answer_every_question_of_captions_or_of_a_list(old, new, monkeypatch):
    monkeypatch.setattr(comparisons, "CHUNK", 4)
    made = compared(old, new)
    assert sorted(question["text"] for question in made.questions) == sorted(COLOURS)
    assert made.job.state == "done"
    assert made.job.done == made.job.total == 6
    for question in made.questions:
        assert len(question["old"]) == len(question["new"]) == 6
        assert question["person"] is not None
    listed = compared(old, new, ["red", " red ", "", "a purple hat"])
    assert [question["text"] for question in listed.questions] == ["red", "a purple hat"]
    assert listed.questions[1]["person"] is None


def test_saved_searches_are_asked_before_captions(dataset, old, new):
    mine, other = world.make_user(role="admin"), world.make_user()
    for owner, query in (
        (mine, "q=camera:3+a+man+in+a+purple+hat+-umbrella&sort=newest"),
        (mine, "box=3"),
        (mine, "q=nosuchfilter:3"),
        (other, "q=a+striped+dress"),
    ):
        SavedSearch.objects.create(owner=owner, name=query, query=query)
    asked = [question["text"] for question in compared(old, new, user=mine).questions]
    assert asked[0] == "a man in a purple hat"
    assert sorted(asked[1:]) == sorted(COLOURS)
    everyone = [question["text"] for question in compared(old, new).questions]
    assert "a striped dress" in everyone


def test_what_both_find_alike_is_told_as_alike(old, new):
    report = comparisons.report(compared(old, new))
    assert (report.first.old, report.first.new, report.first.questions) == (1, 1, 6)
    assert report.first.interval == (0, 0)
    assert report.reciprocal.difference == 0
    assert report.overlap == 0.6  # six of ten places, all there are
    assert report.lost == []
    assert report.preferred is None


def test_who_was_lost_is_named_with_the_ranks(old, new):
    made = compared(old, new, ["red", "blue"])
    red = Box.objects.get(image__name="red.png").pk
    fill = [[10**9 + n, 0.5] for n in range(49)]
    made.questions[0] |= {"old": [[red, 0.9], *fill], "new": [*fill[:20], [red, 0.4], *fill[20:]]}
    made.save()
    report = comparisons.report(made)
    (lost,) = report.lost
    assert (lost.text, lost.found_old, lost.found_new) == ("red", 1, 21)
    assert lost.lost == [(red, 21)]
    assert lost.gained == [(fill[9][0], 11)]
    assert lost.kept == 9
    assert (report.first.old, report.first.new) == (1.0, 0.5)
    assert report.reciprocal.new == pytest.approx((1 + 1 / 21) / 2)
    assert not report.first.is_worse  # two questions prove nothing


def test_the_interval_is_paired_and_tells_a_worse_version(dataset, old, new):
    made = compared(old, new, ["red"])
    red = made.questions[0]
    right, wrong = red["old"], list(reversed(red["old"]))
    # On each question where the old is wrong the new is too: alone their intervals overlap.
    made.questions = [
        red | {"old": right if n % 2 else wrong, "new": right if n % 4 == 1 else wrong}
        for n in range(60)
    ]
    made.save()
    report = comparisons.report(made)
    assert (report.first.old, report.first.new) == (0.5, 0.25)
    low, high = report.first.interval
    assert low < -0.25 < high < 0
    assert report.first.is_worse
    is_worse, words = comparisons.verdict(old, new)
    assert is_worse
    assert "0.500 → 0.250" in words
    check = gates.checks(new, "person", enrolled=6, missing=0)[1]
    assert (check.result, check.detail) == ("failed", words)
    assert comparisons.verdict(new, old) is None


def test_nobody_who_judges_can_tell_whose_list_is_whose(old, new, client):
    made = compared(old, new, COLOURS)
    orders = {comparisons.sides(made, number) for number in range(40)}
    assert orders == {("old", "new"), ("new", "old")}
    assert comparisons.sides(made, 3) == comparisons.sides(made, 3)

    user = world.make_user(role="admin")
    client.force_login(user)
    url = f"/comparisons/{made.pk}/judge/"
    for number in range(6):
        page = client.get(url)
        text = page.content.decode()
        assert f'value="{number}"' in text
        main = text[text.index("<main") :]
        assert "old" not in main.replace("bold", "").replace("threshold", "")
        assert ">new<" not in main
        # Always the new one, wherever it stands.
        side = "left" if comparisons.sides(made, number)[0] == "new" else "right"
        assert client.post(url, {"number": number, "side": side}).status_code == 302
    assert client.get(url).url == made.get_absolute_url()
    report = comparisons.report(made)
    assert (report.preferred.old, report.preferred.new) == (0, 1)
    # To think again is to change one's mind, not to vote twice.
    comparisons.prefer(made, 0, "same", user)
    assert made.preferences.count() == 6
    assert comparisons.report(made).preferred.new == pytest.approx(5 / 6)
    with pytest.raises(BadComparison):
        comparisons.prefer(made, 6, "left", user)
    with pytest.raises(BadComparison):
        comparisons.prefer(made, 0, "new", user)


def test_what_cannot_be_compared_is_refused_in_words(dataset, old, new):
    eyes = world.make_version("eyes", image_only=True, seed=2)
    bare = world.make_version("bare", seed=3)
    with pytest.raises(BadComparison, match="different"):
        comparisons.request(old, old)
    with pytest.raises(ImageOnlyVersion):
        comparisons.request(old, eyes)
    with pytest.raises(NotEnrolled):
        comparisons.request(old, bare)
    with pytest.raises(MayNotSwitch):
        comparisons.request(old, new, user=world.make_user())
    with pytest.raises(BadComparison, match="At most 500"):
        comparisons.request(old, new, [f"person {n}" for n in range(501)])
    dataset.delete()
    with pytest.raises((BadComparison, NotEnrolled, BlankQuery)):
        comparisons.request(old, new)


def test_an_operator_sees_comparisons_of_what_was_granted_alone(dataset, old, new, client):
    operator = world.make_user(role="operator")
    world.make_grant(dataset, operator)
    made = compared(old, new, ["red"], operator)
    over_all = compared(old, new, ["red"])
    assert set(comparisons.visible_to(operator)) == {made, over_all}
    secret = world.make_dataset("secret")
    world.make_coloured_people(secret, ["red"])
    rows.enroll(secret, old)
    rows.enroll(secret, new)
    hidden = compared(old, new, ["red"])
    assert set(comparisons.visible_to(operator)) == {made, over_all}
    client.force_login(operator)
    assert client.get(made.get_absolute_url()).status_code == 200
    assert client.get(hidden.get_absolute_url()).status_code == 404
    assert client.get(f"/api/v1/comparisons/{hidden.pk}").status_code == 404


def test_the_command_reads_questions_from_a_file(old, new, tmp_path):
    file = tmp_path / "questions.txt"
    file.write_text("red\nblue\n\n", "utf-8")
    out = io.StringIO()
    call_command(
        "compare_versions", "old", "new", "--queries", str(file), stdout=out, stderr=io.StringIO()
    )
    said = out.getvalue()
    assert said.startswith("2 questions: 0.600 of the first 10 stayed, a hit moved 0.")
    assert "first hit right: 1.0000 -> 1.0000" in said
    assert "on 2 questions" in said
