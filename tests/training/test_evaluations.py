"""Evaluations: asked for, measured on real pictures, looked at."""

import io
import json

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from gallery.models import Box
from pedsite.jobs import work
from pedsite.jobs.models import Job
from tests.world import (
    make_box,
    make_camera,
    make_caption,
    make_dataset,
    make_identity,
    make_image,
    make_version,
    plain_crop,
)
from training import evaluations
from training.errors import NothingToEvaluate
from training.models import Evaluation

pytestmark = pytest.mark.django_db
COLOURS = ("red", "green", "blue", "yellow")


@pytest.fixture
def split(db):
    """Test split of dataset "people": four colours, two pictures each; one person trains."""
    dataset = make_dataset("people")
    camera = make_camera(dataset, "gate")
    rng = np.random.default_rng(0)
    for colour in (*COLOURS, "black"):
        identity = make_identity(dataset, colour, split="train" if colour == "black" else "test")
        for number in range(2):
            noise = rng.integers(-9, 10, (32, 16, 3))
            pixels = np.clip(plain_crop(colour).astype(int) + noise, 0, 255).astype(np.uint8)
            image = make_image(dataset, pixels, camera=camera if number else None)
            box = make_box(image, identity=identity)
            make_caption(box, colour)
    return dataset


def evaluate(version, dataset, split="test", **options):
    evaluation = evaluations.request(version, dataset, split, queue=False, **options)
    job = work.run_here(evaluation.job, evaluations.step, io.StringIO())
    assert job.state == Job.State.DONE, job.error
    return evaluations.get(evaluation.pk)


def test_the_command_measures_the_split_and_writes_the_numbers(split, tmp_path, capsys):
    make_version("tiny")
    file = tmp_path / "numbers.json"
    words = ["--dataset", "people", "--split", "test", "--json", str(file)]
    call_command("evaluate", "tiny", *words)
    found = json.loads(file.read_text("utf-8"))
    for direction in ("t2i", "i2t"):
        assert found[direction]["r1"]["value"] == 1  # each colour's word finds its colour
        assert set(found[direction]) == {"r1", "r5", "r10", "map", "minp"}
        assert all(len(of["interval"]) == 2 for of in found[direction].values())
    assert found["boxes"] == 8  # the person who trains is not among them
    checked = found["verification"]
    assert checked["pairs"] == {"genuine": 16, "impostor": 48, "ignored": 0}
    assert set(checked["frr_at_far"]) == {"1e-03", "1e-04", "1e-05", "1e-06", "0"}
    assert {"value", "threshold", "interval"} <= set(checked["eer"])
    assert found["look"] == 1
    names = {(one["by"], one["name"]) for one in found["slices"]}
    assert names == {("camera", "gate"), ("height", "< 64 px")}
    assert "t2i\tr1\t1.0000 [1.0000, 1.0000]" in capsys.readouterr().out


def test_a_folder_that_is_not_there_is_refused_before_anything_is_measured(split, tmp_path):
    make_version("tiny")
    words = ["tiny", "--dataset", "people", "--split", "test"]
    for option in ("--json", "--predictions", "--recall-json"):
        with pytest.raises(
            CommandError, match=r"There is no folder .*nowhere to write a.json into"
        ):
            call_command("evaluate", *words, option, str(tmp_path / "nowhere" / "a.json"))
    assert not Evaluation.objects.exists()


def test_the_same_measurement_is_not_made_twice(split):
    version = make_version()
    first = evaluate(version, split)
    assert evaluations.request(version, split, "test", queue=False) == first
    assert Evaluation.objects.count() == 1
    assert first.is_first_look


def test_another_look_at_the_test_split_is_marked(split, capsys):
    version = make_version("tiny")
    evaluate(version, split)
    second = evaluate(version, split, language="en")
    assert (second.look, second.is_first_look) == (2, False)
    call_command("evaluate", "tiny", "--dataset", "people", "--split", "test", "--language", "en")
    assert "no longer a test" in capsys.readouterr().out


def test_the_sequential_protocol_adds_the_binned_report(split):
    found = evaluate(make_version(), split, protocol="sequential")
    checked = found.metrics["verification"]
    # Eight pictures in order: 28 earlier ones, 4 of them of the same person.
    assert checked["pairs"]["genuine"] == 8
    assert checked["pairs"]["impostor"] == 24
    assert checked["layout"].startswith("        EER      FAR=1e-3  FAR=1e-4")
    assert "Verify Count=32. Score in [" in checked["layout"]
    assert "Top-8 False Rejected:" in checked["layout"]


def test_an_image_only_version_is_measured_picture_against_picture(split):
    found = evaluate(make_version("eyes", image_only=True), split)
    assert found.metrics["i2i"]["r1"]["value"] == 1
    assert "t2i" not in found.metrics
    assert found.metrics["verification"]["pairs"]["genuine"] == 4
    assert found.metrics["map_at_20"]["found"] == 1
    # Two pictures of each: none can be held out where classes of fewer than seven are minor.
    assert "held_out" not in found.metrics["map_at_20"]
    assert {part["name"] for part in found.metrics["slices"]} == {"gate", "< 64 px"}


def test_words_of_another_person_that_are_the_same_are_ignored(split):
    for box in split.images.first().boxes.all():
        make_caption(box, "green")
    found = evaluate(make_version(), split)
    # "green" of red's picture, with green's own "green" in it: ignored both ways.
    assert found.metrics["verification"]["pairs"]["ignored"] >= 2


def test_the_worst_pairs_name_boxes_of_the_split(split):
    found = evaluate(make_version(), split)
    worst = found.details["false_accepts"]
    assert len(worst) == 15
    assert worst == sorted(worst, key=lambda one: -one["score"])
    assert all(one["picture"] != one["of"] for one in worst)


def test_a_split_without_people_or_words_is_refused(split):
    version = make_version("tiny")
    with pytest.raises(NothingToEvaluate, match="two people"):
        evaluations.request(version, split, "train", queue=False)
    with pytest.raises(CommandError, match="in “zh”"):
        call_command(
            "evaluate", "tiny", "--dataset", "people", "--split", "test", "--language", "zh"
        )
    assert not Job.objects.exists()


def test_a_picture_that_cannot_be_read_is_left_out_and_named(split):
    image = split.images.filter(boxes__identity__key="red").first()
    image.file.storage.delete(image.file.name)
    evaluation = evaluations.request(make_version(), split, "test", queue=False)
    job = work.run_here(evaluation.job, evaluations.step, io.StringIO())
    assert job.state == Job.State.DONE
    assert [failure.item for failure in job.failures.all()] == [f"box {image.boxes.get().pk}"]
    assert evaluations.get(evaluation.pk).metrics["boxes"] == 7


def test_an_evaluation_that_was_cut_off_goes_on(split, monkeypatch):
    monkeypatch.setattr(evaluations, "BATCH", 3)
    monkeypatch.setattr(evaluations, "STEP_S", 0)
    evaluation = evaluations.request(make_version(), split, "test", queue=False)
    calls = []

    def once(work):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return evaluations.step(work)

    work.run_here(evaluation.job, once, io.StringIO())
    Job.objects.filter(pk=evaluation.job_id).update(
        state="queued", cancel_requested=False, finished_at=None
    )
    evaluation.job.refresh_from_db()
    job = work.run_here(evaluation.job, evaluations.step, io.StringIO())
    assert job.state == Job.State.DONE
    assert (job.done, job.total) == (12, 12)
    assert evaluations.get(evaluation.pk).metrics["boxes"] == 8


def test_pictures_of_each_class_are_held_out_and_minor_classes_masked(split):
    rng = np.random.default_rng(1)
    for colour, count in (("red", 5), ("green", 6)):
        identity = split.identities.get(key=colour)
        for _ in range(count):
            noise = rng.integers(-9, 10, (32, 16, 3))
            pixels = np.clip(plain_crop(colour).astype(int) + noise, 0, 255).astype(np.uint8)
            make_box(make_image(split, pixels), identity=identity)
    version = make_version("eyes", image_only=True)
    near = evaluate(version, split).metrics["map_at_20"]["held_out"]
    # Seven of red, eight of green: one of each asks; blue and yellow are minor.
    assert (near["queries"], near["database"], near["smallest_class"]) == (2, 13, 7)
    assert near["found"] == near["class_size"] == 1
    fewer = evaluate(version, split, smallest_class=8).metrics["map_at_20"]["held_out"]
    assert (fewer["queries"], fewer["database"]) == (1, 7)


def test_the_drop_when_clauses_change_order_is_measured(split):
    for box in split.images.filter(boxes__identity__key="red").values_list("boxes", flat=True):
        make_caption(Box.objects.get(pk=box), "red, blue, blue")
    found = evaluate(make_version(), split).metrics["order"]
    assert found["captions"] == 2
    # The tiny tower reads a bag of letters: another order finds the same.
    assert found["r1"]["drop"] == 0
    assert found["first_hit_the_same"] == 1
    assert set(found["map"]) == {"before", "after", "drop", "interval"}


def test_slices_have_an_eer_of_their_own(split):
    slices = evaluate(make_version(), split).metrics["slices"]
    assert all(0 <= part["eer"]["value"] <= 1 for part in slices)


def test_predictions_and_the_recall_report_are_what_chinese_clip_reads(split, tmp_path):
    for number in range(10):
        noise = np.random.default_rng(number).integers(0, 255, (32, 16, 3)).astype(np.uint8)
        box = make_box(make_image(split, noise), identity=split.identities.get(key="red"))
        make_caption(box, f"red {number}")
    make_version("tiny")
    words = ["evaluate", "tiny", "--dataset", "people", "--split", "test"]
    files = ["--predictions", str(tmp_path / "p.jsonl"), "--recall-json", str(tmp_path / "r.json")]
    call_command(*words, *files)

    def rows(name):
        return [json.loads(line) for line in (tmp_path / name).read_text("utf-8").splitlines()]

    right = {row["text_id"]: row for row in rows("p.answers.jsonl")}
    red = next(row for row in right.values() if row["text"] == "red")
    assert len(red["image_ids"]) == 2
    hits = 0
    for row in rows("p.jsonl"):
        assert len(set(row["image_ids"])) == 10
        hits += not set(right[row["text_id"]]["image_ids"]).isdisjoint(row["image_ids"][:1])
    report = json.loads((tmp_path / "r.json").read_text())
    assert report["success"]
    assert report["scoreJson"]["r1"] == pytest.approx(100 * hits / len(right))
    assert {"image_id", "text_ids"} == set(rows("p.tr.jsonl")[0])
    assert json.loads((tmp_path / "r.tr.json").read_text())["success"]
    # Asked for again: the measurement that is there is enough.
    call_command(*words, "--predictions", str(tmp_path / "again.jsonl"))
    assert rows("again.jsonl") == rows("p.jsonl")


def test_a_version_without_words_predicts_nothing(split, tmp_path):
    make_version("eyes", image_only=True)
    words = ["--dataset", "people", "--split", "test", "--predictions", str(tmp_path / "p")]
    with pytest.raises(CommandError, match="answers no words"):
        call_command("evaluate", "eyes", *words)
