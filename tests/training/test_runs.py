"""Asking for a training: what is frozen, what is refused, and in which words."""

import pytest
from django.core.management import CommandError, call_command

from gallery.errors import UnknownDataset
from gallery.models import Snapshot
from pedsite.jobs import work
from pedsite.jobs.models import Job
from tests.world import make_box, make_caption, make_dataset, make_image, make_version
from training import runs
from training.errors import (
    AlreadyTraining,
    BadSetting,
    BadTrainingData,
    BadVersionName,
    NameTaken,
    UnknownRecipe,
)
from training.management.commands import train
from training.models import TrainingRun

pytestmark = pytest.mark.django_db


def ask(dataset="people", settings=None, **options):
    return runs.request("clip", dataset, settings, **{"queue": False} | options)


def test_a_request_freezes_the_data_and_every_setting(people):
    run = ask(settings={"steps": 7})
    assert run.snapshot == Snapshot.objects.get(dataset=people)
    assert (run.snapshot.box_count, run.snapshot.caption_count) == (18, 36)
    assert run.config["steps"] == 7
    assert run.config["height"] == 160
    assert run.version_name == f"clip-{run.job_id}"


def test_what_is_added_later_does_not_reach_a_frozen_run(people):
    run = ask()
    make_caption(make_box(make_image(people)), "somebody who came too late")
    run.refresh_from_db()
    assert run.snapshot.box_count == 18
    assert ask(name="second").snapshot.box_count == 19


def test_drawn_people_need_no_rows():
    run = ask("drawn:7:400")
    assert (run.drawn, run.snapshot, run.source) == ("drawn:7:400", None, "drawn:7:400")


def test_a_run_waits_on_the_training_queue(people):
    job = ask(queue=False).job
    assert (job.queue, job.task, job.state) == ("training", "training.train", "queued")


@pytest.mark.parametrize("name", ["drawn:", "drawn:a:100", "drawn:1", "drawn:1:1", "drawn:1:2:3"])
def test_a_malformed_drawn_name_is_refused(name):
    with pytest.raises(BadTrainingData, match="drawn:"):
        ask(name)


def test_an_unknown_dataset_is_named():
    with pytest.raises(UnknownDataset, match="“nobody”"):
        ask("nobody")


@pytest.mark.parametrize(("recipe", "captions"), [("clip", 3), ("gem", 0)])
def test_a_dataset_with_too_little_to_learn_from_is_refused_at_once(recipe, captions):
    dataset = make_dataset("few")
    for number in range(3):
        box = make_box(make_image(dataset))
        if number < captions:
            make_caption(box, f"number {number}")
    with pytest.raises(BadTrainingData, match=r"boxes to train on and .* too few"):
        runs.request(recipe, "few", {}, queue=False)
    assert not Job.objects.exists()
    assert not Snapshot.objects.exists()


def test_a_dataset_without_captions_cannot_train():
    make_box(make_image(make_dataset("mute")))
    with pytest.raises(BadTrainingData, match="“mute” has no captions"):
        ask("mute")


def test_a_refused_request_leaves_nothing(people):
    with pytest.raises(BadVersionName):
        ask(name="not a name")
    assert not Job.objects.exists()
    assert not Snapshot.objects.exists()


def test_an_unknown_setting_is_refused_with_the_nearest_one(people):
    with pytest.raises(BadSetting, match=r"'stepps' \(did you mean steps"):
        ask(settings={"stepps": 3})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"steps": "many"}, "steps must be int"),
        ({"steps": 2.5}, "steps must be int"),
        ({"steps": True}, "steps must be int"),
        ({"augment": "perhaps"}, "augment must be bool"),
        ({"batch": 1}, "batch must be at least 2"),
        ({"lr": -1}, "lr must be above 0"),
        ({"lr": float("inf")}, "lr must be a number, not inf"),
        ({"gem_p": float("nan")}, "gem_p must be a number, not nan"),
        ({"precision": "fp8"}, "precision must be one of"),
    ],
)
def test_a_setting_of_the_wrong_kind_is_refused(people, settings, message):
    with pytest.raises(BadSetting, match=message):
        ask(settings=settings)


def test_too_few_dimensions_for_drawn_people_are_refused_at_once(db):
    with pytest.raises(BadTrainingData, match="need dim=147 or more, not 64; with attribute_w"):
        runs.request("clip", "drawn:1:100", {"dim": 64})
    assert runs.request("clip", "drawn:1:100", {"dim": 64, "attribute_weight": 0.0}, queue=False)


def test_an_unknown_recipe_is_refused_with_the_nearest_one(people):
    with pytest.raises(UnknownRecipe, match="Did you mean “clip”"):
        runs.request("clipp", "people")


def test_words_of_the_command_line_become_typed_settings():
    words = ["steps=7", "lr=1e-3", "augment=False", "precision=bf16", "text-layers=2"]
    assert runs.parse_settings([*words, 'backbone={"model_type": "resnet"}', "pretrained=a=b"]) == {
        "steps": 7,
        "lr": 0.001,
        "augment": False,
        "precision": "bf16",
        "text_layers": 2,
        "backbone": {"model_type": "resnet"},
        "pretrained": "a=b",
    }


@pytest.mark.parametrize("words", [["steps"], ["=3"], ["steps=1", "steps=2"]])
def test_a_word_that_is_no_setting_is_refused(words):
    with pytest.raises(BadSetting):
        runs.parse_settings(words)


def test_a_name_that_a_version_has_is_refused(people):
    make_version("mine")
    with pytest.raises(NameTaken, match="mine"):
        ask(name="mine")


def test_a_name_that_a_run_will_give_is_refused_until_that_run_is_over(people):
    first = ask(name="mine")
    with pytest.raises(NameTaken, match="mine"):
        ask(name="mine", settings={"seed": 2})
    work.cancel(first.job)
    assert ask(name="mine", settings={"seed": 2}).version_name == "mine"


def test_the_same_training_twice_at_once_is_refused(people):
    first = ask(name="first")
    with pytest.raises(AlreadyTraining, match="“first”"):
        ask(name="second")
    assert ask(name="other", settings={"seed": 2}).pk != first.pk


def test_the_same_training_after_a_cancelled_one_finds_its_folder(people):
    first = ask()
    work.cancel(first.job)
    assert runs.folder(ask()) == runs.folder(first)
    assert runs.folder(ask(settings={"seed": 2})) != runs.folder(first)


def test_the_command_queues_a_run(people, capsys):
    words = ["clip", "--dataset", "people", "--set", "steps=3", "batch=8", "--set", "lr=0.01"]
    parsed = train.Command().create_parser("manage.py", "train").parse_args(words)
    assert parsed.settings is None  # Django's own option, which names a module
    call_command("train", *words, "--queue")
    run = TrainingRun.objects.get()
    assert [run.config[key] for key in ("steps", "batch", "lr")] == [3, 8, 0.01]
    assert run.job.sent_at is not None
    assert f"Job {run.job_id} queued" in capsys.readouterr().out


def test_the_command_says_what_is_wrong(people):
    with pytest.raises(CommandError, match="did you mean steps"):
        call_command("train", "clip", dataset="people", pairs=["stepps=3"])
