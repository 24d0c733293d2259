"""What a training bought: paired, by person, whatever its sign."""

import pytest
from django.utils import timezone

from gallery import snapshots
from pedsite.jobs.models import Job
from tests.training import measured
from tests.world import make_version
from training import evaluations, gains, runs
from training.errors import NothingToWeigh
from training.models import Evaluation, TrainingRun

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("work_folder")]


@pytest.fixture
def crowd():
    return measured.make_split()


def frozen(crowd):
    """Reviewers judged two test boxes: red is red, and green is not."""
    box = {image.name: image.boxes.get() for image in crowd.images.all()}
    by_person = {one.identity.key: one.pk for one in box.values()}
    said = {
        by_person["red"]: snapshots.Verdicts(confirmed=("a red coat",)),
        by_person["green"]: snapshots.Verdicts(rejected=("a red coat",)),
        by_person["blue"]: snapshots.Verdicts(rejected=("a red coat",)),
    }
    return snapshots.freeze(
        crowd, judged=snapshots.Judged(of=said, split_of=lambda box: box.identity.split)
    )


def trained(crowd, snapshot, new, start="tiny"):
    """A run that went on from one version and gave another."""
    job = Job.objects.create(
        kind="train", task="training.train", params={}, state="done", finished_at=timezone.now()
    )
    config = runs.freeze("clip", {}).to_dict() | {"start": start}
    return TrainingRun.objects.create(
        job=job, recipe="clip", config=config, snapshot=snapshot, version=new, version_name="new"
    )


def test_both_versions_are_measured_on_the_people_of_the_test_alone(crowd):
    tiny, other = make_version("tiny"), make_version("other", seed=4)
    snapshot = frozen(crowd)
    run = trained(crowd, snapshot, other)
    asked = gains.request(run, queue=False)
    assert asked.is_asked_for
    assert not asked.is_done
    for version in (tiny, other):
        measured.measure(crowd, version=version, snapshot=snapshot)
    assert Evaluation.objects.count() == 2  # those that were asked for
    found = {measure.name: measure for measure in gains.of(run).measures}
    assert set(found) == {"first_hit", "reciprocal", "judged"}
    first = found["first_hit"]
    assert (first.before, first.questions, first.people) == (1.0, 4, 4)
    assert first.difference == pytest.approx(first.after - first.before)
    assert found["judged"].before == 1.0
    assert found["judged"].questions == 1


def answers(snapshot, hits, judged=()):
    """A finished evaluation with these ten best boxes of each text."""
    job = Job.objects.create(
        kind="evaluate",
        task="training.evaluate",
        params={},
        state="done",
        finished_at=timezone.now(),
    )
    version = make_version(f"v{job.pk}", seed=job.pk)
    told = {"texts": [[text, [box]] for text, box, _hits in hits], "t2i": [of for *_, of in hits]}
    return Evaluation.objects.create(
        job=job,
        version=version,
        snapshot=snapshot,
        split="test",
        protocol="all_pairs",
        look=1,
        metrics={"done": True},
        details={"judged": judged},
        predictions=told,
    )


@pytest.fixture
def eight(crowd):
    """Snapshot, and the test's boxes by person: two each of four."""
    snapshot = snapshots.freeze(crowd)
    boxes = {}
    for subject in evaluations.subjects(snapshot, "test", ""):
        boxes.setdefault(subject.person, []).append(subject.box)
    return snapshot, boxes


def test_the_difference_is_told_with_its_sign_and_an_interval_by_person(eight):
    snapshot, boxes = eight
    texts = [(f"{who} {n}", box) for who, own in boxes.items() for n, box in enumerate(own)]
    other = {who: boxes[min(set(boxes) - {who})][0] for who in boxes}
    right = [(text, box, [box]) for text, box in texts]
    wrong = [(text, box, [other[text.split()[0]], box]) for text, box in texts]
    worse = {
        one.name: one for one in gains.compare(answers(snapshot, right), answers(snapshot, wrong))
    }
    assert (worse["first_hit"].before, worse["first_hit"].after) == (1.0, 0.0)
    assert worse["first_hit"].interval == [-1.0, -1.0]
    assert worse["first_hit"].verdict == "worse"
    assert worse["reciprocal"].difference == pytest.approx(-0.5)
    assert "judged" not in worse
    half = [
        one if one[0].startswith(("red", "blue")) else two
        for one, two in zip(right, wrong, strict=True)
    ]
    mixed = gains.compare(answers(snapshot, wrong), answers(snapshot, half))[0]
    assert (mixed.difference, mixed.questions, mixed.people) == (0.5, 8, 4)
    # Four people, of whom two gained all: drawn again, between none and all of them are such.
    assert mixed.interval == [0.0, 1.0]
    assert mixed.verdict == "open"


def test_judged_pairs_are_in_order_where_what_was_refused_scores_less(eight):
    snapshot, boxes = eight
    one, other = boxes["red"][0], boxes["blue"][0]
    before = answers(snapshot, [], [["x", one, True, 0.2], ["x", other, False, 0.2]])
    after = answers(snapshot, [], [["x", one, True, 0.3], ["x", other, False, 0.1]])
    (found,) = gains.compare(before, after)
    assert (found.name, found.before, found.after) == ("judged", 0.5, 1.0)
    assert found.interval is None  # of one person nothing can be drawn again
    assert found.verdict == "open"


def test_only_a_training_that_went_on_from_a_version_can_be_weighed(crowd):
    make_version("tiny")
    snapshot = frozen(crowd)
    with pytest.raises(NothingToWeigh):
        gains.request(trained(crowd, snapshot, make_version("new", seed=2), start=""))
    with pytest.raises(NothingToWeigh):
        gains.request(trained(crowd, snapshot, None))
    gains.request_if_any(trained(crowd, snapshot, None), None)
    assert not Evaluation.objects.exists()
    assert len(gains.on(snapshot)) == 2
