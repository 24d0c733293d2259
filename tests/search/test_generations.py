"""A new version beside the one that serves: the gate, the switch, the way back, the end."""

import io
import threading

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.db import connections
from django.test import Client

from gallery import snapshots
from gallery.models import Box
from pedsite.jobs import work
from pedsite.jobs.models import Job
from search import enrollment, gates, generations, index, retrieval, serving
from search.errors import (
    BeingDeleted,
    MayNotSwitch,
    NotEnrolled,
    NothingBefore,
    NothingWaits,
    StillServes,
    Unconfirmed,
)
from search.generations import State
from search.models import Embedding, IndexTuning, ServingVersion
from tests import towers as tiny
from tests import world
from tests.search import rows
from training import artifacts
from training.models import Evaluation

pytestmark = pytest.mark.django_db


@pytest.fixture
def dataset():
    dataset = world.make_dataset("street")
    world.make_coloured_people(dataset)
    return dataset


@pytest.fixture
def old(dataset):
    version = world.make_version("old")
    rows.enroll(dataset, version)
    return version


@pytest.fixture
def new(old):
    return world.make_version("new", seed=1)


def run_all() -> None:
    """What the workers do: every job that is queued."""
    steps = {enrollment.KIND: enrollment.step, generations.KIND: generations.step}
    for job in Job.objects.unfinished().order_by("pk"):
        work.execute(job.pk, steps[job.kind])
        job.refresh_from_db()
        assert job.state == "done", job.error


def results(version) -> dict[str, str]:
    return {check.title: str(check.result) for check in generations.gate(version)}


def test_a_version_goes_from_new_to_ready_to_serving_to_retired(dataset, old, new):
    assert generations.of(old).state == State.SERVING
    assert generations.of(new).state == State.NEW
    (job,) = generations.enroll(new)
    assert job.params["dataset"] == dataset.pk
    assert generations.of(new).state == State.ENROLLING
    with pytest.raises(NothingWaits):
        generations.enroll(new)
    run_all()
    found = generations.of(new)
    assert (found.state, found.percent, found.boxes) == (State.READY, 100, 6)
    generations.switch(new, confirmed=True)
    assert generations.of(new).state == State.SERVING
    assert generations.of(old).state == State.RETIRED
    assert [one.version for one in generations.each()] == [new, old]
    world.make_coloured_people(world.make_dataset("lane"), ["red"])
    assert generations.of(new).state == State.SERVING
    assert not generations.of(new).is_complete


def test_text_and_pictures_are_switched_together_or_not_at_all(dataset, old, new, monkeypatch):
    rows.enroll(dataset, new)
    original = serving.switch_to

    def broken(version, query_kind, *rest):
        if query_kind == "picture":
            raise RuntimeError("the server stops")
        return original(version, query_kind, *rest)

    monkeypatch.setattr(serving, "switch_to", broken)
    with pytest.raises(RuntimeError):
        generations.switch(new, confirmed=True)
    assert serving.current("text") == serving.current("picture") == old
    monkeypatch.undo()
    generations.switch(new, confirmed=True)
    assert serving.current("text") == serving.current("picture") == new


def test_what_stands_against_a_switch_has_to_be_confirmed(dataset, old, new):
    with pytest.raises(NotEnrolled):
        generations.switch(new, confirmed=True)
    rows.enroll(dataset, new)
    world.make_coloured_people(world.make_dataset("lane"), ["red"])
    assert results(new) == {
        "Self-test": "passed",
        "Not worse": "unknown",
        "Coverage": "failed",
        "Vector index": "passed",
    }
    with pytest.raises(Unconfirmed, match="6 of 7 boxes"):
        generations.switch(new)
    assert serving.current("text") == old
    assert len(generations.switch(new, confirmed=True)) == 2


def test_a_version_that_fails_its_self_test_takes_over_with_no_confirmation(
    dataset, old, new, tmp_path
):
    rows.enroll(dataset, new)
    path = tiny.image_tower(tmp_path / "flat.onnx", scale=0)
    sha256 = artifacts.sha256_of(path)
    new.image_encoder.file = artifacts.keep(path, sha256, ".onnx")
    new.image_encoder.sha256 = sha256
    new.image_encoder.save()
    assert results(new)["Self-test"] == "failed"
    with pytest.raises(Unconfirmed, match="one vector"):
        generations.switch(new, confirmed=True)
    assert serving.current("text") == old


def measured(version, dataset, snapshot, **numbers):
    ranked = {name: {"value": numbers[name]} for name in ("r1", "map")}
    metrics = {"t2i": ranked, "verification": {"eer": {"value": numbers["eer"]}}}
    job = work.request("evaluate", task="training.evaluate", params={}, queue=False)
    return Evaluation.objects.create(
        job=job, version=version, snapshot=snapshot, split="validation", metrics=metrics
    )


def test_measurements_of_the_same_pictures_decide_whether_it_is_worse(dataset, old, new):
    rows.enroll(dataset, new)
    snapshot = snapshots.freeze(dataset, None)
    assert results(new)["Not worse"] == "unknown"
    measured(old, dataset, snapshot, r1=0.8, map=0.7, eer=0.1)
    assert results(new)["Not worse"] == "unknown"
    for numbers, result in (
        ({"r1": 0.797, "map": 0.7, "eer": 0.1}, "passed"),
        ({"r1": 0.9, "map": 0.9, "eer": 0.2}, "failed"),
        ({"r1": 0.9, "map": 0.6, "eer": 0.1}, "failed"),
        ({"r1": 0.7, "map": 0.7, "eer": 0.1}, "failed"),
        ({"r1": 0.9, "map": 0.8, "eer": 0.05}, "passed"),
    ):
        measured(new, dataset, snapshot, **numbers)
        assert results(new)["Not worse"] == result, numbers
    assert "R@1 0.800 → 0.900" in gates.checks(new, "person", enrolled=6, missing=0)[1].detail
    generations.switch(new)
    assert serving.current("text") == new


def test_the_first_version_needs_no_comparison(dataset):
    version = world.make_version()
    rows.make_known(dataset, version.image_encoder, rows.unit_vectors(1, 16))
    assert results(version)["Not worse"] == "passed"


def test_the_way_back_is_one_step_and_asks_nothing(dataset, old, new):
    with pytest.raises(NothingBefore):
        generations.roll_back(old)
    rows.enroll(dataset, new)
    generations.switch(new, confirmed=True)
    assert {row.version for row in generations.roll_back(new)} == {old}
    assert serving.current("text") == serving.current("picture") == old
    with pytest.raises(NothingBefore):
        generations.roll_back(new)
    # Each kind of query goes back to what it was answered by.
    eyes = world.make_version("eyes", image_only=True, seed=2)
    rows.enroll(dataset, eyes)
    generations.switch(eyes, confirmed=True)
    generations.roll_back(eyes)
    assert (serving.current("text"), serving.current("picture")) == (old, old)


def test_vectors_are_deleted_only_of_what_answers_nothing(dataset, old, new, monkeypatch):
    monkeypatch.setattr(generations, "CHUNK", 4)
    with pytest.raises(StillServes):
        generations.request_deletion(old)
    rows.enroll(dataset, new)
    generations.switch(new, confirmed=True)
    IndexTuning.objects.create(
        encoder=old.image_encoder, rows=6, asked_with="text", questions=5, curve=[], exact_ms=1,
        ef_fast=40, ef_thorough=40,
    )  # fmt: skip
    job = generations.request_deletion(old)
    for act in (generations.request_deletion, generations.enroll, generations.switch):
        with pytest.raises(BeingDeleted):
            act(old)
    with pytest.raises(BeingDeleted):
        generations.roll_back(new)
    assert generations.of(old).state == State.DELETING

    # A search that began just before the switch still finds its rows.
    monkeypatch.setattr(generations, "WAIT_S", 0)
    at = work.Work(Job.objects.get(pk=job.pk), "key")
    Job.objects.claim(job.pk, "key")
    assert generations.step(at)
    assert Embedding.objects.filter(encoder=old.image_encoder).count() == 6
    Job.objects.release(job.pk, "key")

    ServingVersion.objects.update(set_at="2026-01-01T00:00:00Z")
    run_all()
    assert not Embedding.objects.filter(encoder=old.image_encoder).exists()
    assert not IndexTuning.objects.exists()
    assert Embedding.objects.filter(encoder=new.image_encoder).count() == 6
    assert generations.of(old).state == State.NEW
    assert Job.objects.get(pk=job.pk).done == 6
    with pytest.raises(NotEnrolled):
        generations.roll_back(new)


def test_a_version_that_shares_its_image_tower_keeps_it(dataset, old, new):
    twin = world.make_version("twin", space=old.space.name)
    assert twin.image_encoder == old.image_encoder
    with pytest.raises(StillServes):
        generations.request_deletion(twin)


def test_only_operators_do_any_of_it(dataset, old, new):
    viewer = world.make_user()
    for act in (
        generations.enroll,
        generations.switch,
        generations.roll_back,
        generations.request_deletion,
    ):
        with pytest.raises(MayNotSwitch):
            act(new, viewer)


def test_the_commands_switch_and_go_back(dataset, old, new):
    rows.enroll(dataset, new)
    with pytest.raises(CommandError, match="--yes"):
        call_command("serve", "new")
    out = io.StringIO()
    call_command("serve", "new", "--yes", stdout=out)
    assert out.getvalue().splitlines() == [
        "new answers text queries about “person”.",
        "new answers picture queries about “person”.",
    ]
    call_command("roll_back", "new", stdout=out)
    assert serving.current("text") == old
    with pytest.raises(CommandError, match="no way back"):
        call_command("roll_back", "new")
    ServingVersion.objects.update(set_at="2026-01-01T00:00:00Z")
    call_command("delete_vectors", "new", stdout=out, stderr=io.StringIO())
    assert "6 vectors of new deleted." in out.getvalue()


@pytest.mark.django_db(transaction=True)
def test_a_client_that_searches_all_the_while_gets_each_answer_from_one_version(
    dataset, old, new, monkeypatch
):
    """Through enrollment, switch, way back, second switch, new index and deletion of the old."""
    monkeypatch.setattr(generations, "GRACE_S", 0.5)
    monkeypatch.setattr(generations, "WAIT_S", 0.1)
    noise = np.random.default_rng(0).integers(0, 256, (96, 96, 3), dtype=np.uint8)
    image = world.make_image(dataset, noise)
    Box.objects.bulk_create(
        Box(image=image, left=n % 48, top=n // 48, right=96 - n // 4, bottom=96, source="annotated")
        for n in range(200)
    )
    run = rows.enroll(dataset, old)
    assert run.state == "done"
    user = world.make_user(role="admin")
    answers, errors, over = [], [], threading.Event()

    def search() -> None:
        client = Client()
        client.force_login(user)
        try:
            while not over.is_set():
                answer = client.post(
                    "/api/v1/search", {"text": "red", "limit": 30}, content_type="application/json"
                )
                if answer.status_code != 200:
                    errors.append(answer.content)
                    return
                answers.append(answer.json())
        except Exception as exc:
            errors.append(repr(exc))
        finally:
            connections.close_all()

    def seen(version: str) -> None:
        start, until = len(answers), threading.Event()
        for _ in range(600):
            if any(answer["version"] == version for answer in answers[start:]) or errors:
                return
            until.wait(0.05)
        raise AssertionError(f"{version} never answered")

    clients = [threading.Thread(target=search) for _ in range(2)]
    for client in clients:
        client.start()
    try:
        seen("old")
        generations.enroll(new)
        run_all()
        expected = {
            name: [
                (hit.box.pk, round(hit.score, 6))
                for hit in retrieval.by_text("red", user=None, version=name, limit=30).hits
            ]
            for name in ("old", "new")
        }
        generations.switch(new, confirmed=True)
        seen("new")
        generations.roll_back(new)
        seen("old")
        generations.switch(new, confirmed=True)
        seen("new")
        generations.request_deletion(old)
        run_all()
        seen("new")
    finally:
        over.set()
        for client in clients:
            client.join()
    assert errors == []
    assert expected["old"] != expected["new"]
    assert {answer["version"] for answer in answers} == {"old", "new"}
    for answer in answers:
        got = [(hit["box"], hit["score"]) for hit in answer["hits"]]
        assert got == expected[answer["version"]]
    assert not Embedding.objects.filter(encoder=old.image_encoder).exists()
    assert not index.exists(old.image_encoder)
