"""Inspections: what is asked among what, the numbers, the command, and who may ask for one."""

import io
import json

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from gallery.models import Box, Image
from pedsite.jobs import work
from search import index, inspections, trials
from search.errors import BadInspection, ImageOnlyVersion, MayNotSwitch
from search.models import Embedding, Inspection
from tests import world
from tests.search import rows
from tests.search.test_index import _drop_indexes, index_names  # noqa: F401 (a fixture)
from training.ml import ranking

pytestmark = pytest.mark.django_db

DIM, PEOPLE = 16, 30
EACH = 16


@pytest.fixture
def version():
    return rows.make_serving(dim=DIM)


@pytest.fixture
def dataset(version):
    """Thirty people, sixteen times each, by two cameras; vectors lie around one for each person."""
    dataset = world.make_dataset("street")
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(PEOPLE, DIM))
    cameras = [world.make_camera(dataset, name) for name in ("gate", "hall")]
    people = [world.make_identity(dataset, f"p{n:02}") for n in range(PEOPLE)]
    for camera in cameras:
        noisy = np.repeat(centres, EACH // 2, axis=0)
        noisy = noisy + 0.9 * rng.normal(size=noisy.shape)
        unit = (noisy / np.linalg.norm(noisy, axis=1, keepdims=True)).astype(np.float32)
        image = rows.make_image_row(dataset, camera)
        known = rows.make_known(dataset, version.image_encoder, unit, image)
        Embedding.objects.filter(box__in=known.box_ids.tolist()).update(camera=camera)
        for n, box in enumerate(known.box_ids.tolist()):
            Box.objects.filter(pk=box).update(identity=people[n // (EACH // 2)])
    return dataset


def inspected(version, dataset, **options) -> Inspection:
    options = {"queries": 40, "lengths": [4], "reranked": 50} | options
    made = inspections.request(version, dataset, queue=False, **options)
    job = work.run_here(made.job, inspections.step, io.StringIO())
    assert job.state == "done", job.error
    made.refresh_from_db()
    return made


def by_name(made: Inspection, name: str, *, reranked: bool = False, served: bool = False) -> dict:
    return next(
        one
        for one in made.numbers["methods"]
        if (one["name"], one["reranked"], bool(one.get("served"))) == (name, reranked, served)
    )


def test_every_way_is_measured_and_kept_with_the_first_hits(version, dataset):
    made = inspected(version, dataset)
    names = [(one["name"], one["reranked"]) for one in made.numbers["methods"]]
    codes = [(name, again) for name in ("pq", "opq", "lopq") for again in (False, True)]
    assert names == [("exact", False), ("hnsw", False), *codes, ("exact", False)]
    assert (made.numbers["vectors"], made.numbers["queries"], made.numbers["judged"]) == (
        480,
        40,
        40,
    )
    assert made.numbers["is_whole"]
    assert by_name(made, "exact")["recall"] == {"1": 1, "10": 1, "20": 1}
    assert by_name(made, "lopq", reranked=True)["recall"]["10"] > 0.8
    # The database finds what the plain loop finds, but for cosines of lengths that half precision
    # has rounded.
    served = by_name(made, "exact", served=True)
    assert served["recall"]["20"] == 1
    assert served["map"]["class_size"] == pytest.approx(
        by_name(made, "exact")["map"]["class_size"], abs=5e-3
    )
    # As a row of halfvec has it: more than the vector, less than twice that and a header.
    assert 2 * DIM < served["bytes"] < 4 * DIM + 100

    question = made.questions[0]
    person = Box.objects.get(pk=question["box"]).identity_id
    assert question["person"] == person
    found = question["found"]["exact"]
    assert len(found) == 20
    assert question["box"] not in [box for box, _score in found]
    assert [score for _box, score in found] == sorted((s for _b, s in found), reverse=True)
    whose = dict(Box.objects.values_list("pk", "identity_id"))
    hit = np.array([[whose[box] == person for box, _score in found]])
    expected = ranking.average_precision_at(hit, 20, np.array([EACH - 1]))
    assert question["precision"]["exact"] == pytest.approx(float(expected[0]), abs=1e-4)


def test_the_same_seed_asks_the_same_and_another_seed_asks_others(version, dataset):
    first, again = (inspected(version, dataset, seed=1) for _time in range(2))
    other = inspected(version, dataset, seed=2)
    assert first.questions == again.questions
    boxes = [[question["box"] for question in made.questions] for made in (first, other)]
    assert boxes[0] != boxes[1]
    for one, two in zip(first.numbers["methods"], again.numbers["methods"], strict=True):
        assert (one["recall"], one["map"]) == (two["recall"], two["map"])


def test_by_other_cameras_only_nobody_is_found_by_their_own(version, dataset):
    made = inspected(version, dataset, protocol="other_cameras")
    cameras = dict(Box.objects.values_list("pk", "image__camera"))
    whose = dict(Box.objects.values_list("pk", "identity_id"))
    for question in made.questions:
        for box, _score in question["found"]["exact"]:
            same = whose[box] == question["person"]
            assert not (same and cameras[box] == cameras[question["box"]])
    assert by_name(made, "exact", served=True)["recall"]["20"] == 1
    alone = inspected(version, dataset)
    assert by_name(made, "exact")["map"] != by_name(alone, "exact")["map"]


def test_who_was_seen_by_one_camera_cannot_be_looked_for_by_others(version, dataset):
    Image.objects.update(camera=None)
    Embedding.objects.update(camera=None)
    made = inspections.request(version, dataset, protocol="other_cameras", queue=False)
    job = work.run_here(made.job, inspections.step, io.StringIO())
    assert (job.state, "two cameras" in job.error) == ("failed", True)


def test_held_out_is_the_protocol_of_the_gem_system(version, dataset):
    made = inspected(version, dataset, protocol="held_out", queries=1000)
    stored = Embedding.objects.order_by("box_id")
    people = np.array(stored.values_list("box__identity_id", flat=True))
    vectors = np.array([np.asarray(v, np.float32) for v in stored.values_list("vector", flat=True)])
    asking, masked = ranking.held_out(people, trials.RATIO, inspections.SMALLEST_CLASS)
    queries = vectors[asking], vectors, people[asking], people, masked, 20
    assert made.numbers["queries"] == asking.sum() == 2 * PEOPLE
    assert made.numbers["vectors"] == (~masked).sum()
    told = by_name(made, "exact")["map"]
    assert told["found"] == pytest.approx(ranking.masked_map_at(*queries), abs=1e-5)
    assert told["class_size"] == pytest.approx(
        ranking.masked_map_at(*queries, by_class_size=True), abs=1e-5
    )


def test_captions_ask_for_whom_they_were_said_of(version, dataset):
    boxes = list(Box.objects.order_by("pk"))
    hidden = boxes[3]
    for box, text in ((boxes[0], "red"), (boxes[8], "blue"), (hidden, "green")):
        world.make_caption(box, text)
    world.make_caption(boxes[9], "红", language="zh")
    Box.objects.filter(pk=hidden.pk).update(review="hidden")
    Box.objects.filter(pk=boxes[8].pk).update(identity=None)
    made = inspected(version, dataset, asked_with="text")
    asked = {question["text"]: question for question in made.questions}
    assert set(asked) == {"red", "blue", "红"}
    assert made.numbers["vectors"] == 479
    assert asked["red"]["person"] == boxes[0].identity_id
    # Said of nobody known: the box itself is right, and nothing else.
    assert asked["blue"]["person"] is None
    place = [box for box, _score in asked["blue"]["found"]["exact"]]
    expected = 1 / (place.index(boxes[8].pk) + 1) if boxes[8].pk in place else 0
    assert asked["blue"]["precision"]["exact"] == pytest.approx(expected, abs=1e-4)
    chinese = inspected(version, dataset, asked_with="text", language="zh")
    assert [question["text"] for question in chinese.questions] == ["红"]


def test_where_nobody_is_known_recall_is_measured_and_map_is_not(version, dataset):
    Box.objects.update(identity=None)
    made = inspected(version, dataset)
    assert made.numbers["judged"] == 0
    assert "map" not in by_name(made, "exact")
    assert made.questions[0]["precision"] == {"exact": None, "lopq": None}


def test_what_cannot_be_measured_is_refused(version, dataset):
    with pytest.raises(BadInspection, match="1 to 16"):
        inspections.request(version, dataset, lengths=[17])
    with pytest.raises(BadInspection, match="questions"):
        inspections.request(version, dataset, queries=0)
    with pytest.raises(BadInspection, match="Texts"):
        inspections.request(version, dataset, asked_with="text", protocol="held_out")
    with pytest.raises(MayNotSwitch):
        inspections.request(version, dataset, user=world.make_user())
    eyes = world.make_version("eyes", image_only=True, space="eyes")
    with pytest.raises(ImageOnlyVersion):
        inspections.request(eyes, dataset, asked_with="text")
    empty = inspections.request(eyes, dataset, queue=False)
    job = work.run_here(empty.job, inspections.step, io.StringIO())
    assert "0 vectors of eyes" in job.error


def test_of_a_large_dataset_a_part_is_looked_at_and_said_to_be_one(version, dataset, monkeypatch):
    monkeypatch.setattr(trials, "MOST", 400)
    made = inspected(version, dataset)
    assert (made.numbers["vectors"], made.numbers["is_whole"]) == (400, False)
    assert not any(one.get("served") for one in made.numbers["methods"])


def test_the_command_prints_a_table_and_writes_all_numbers(version, dataset, tmp_path):
    out, file = io.StringIO(), tmp_path / "numbers.json"
    call_command(
        "evaluate_search", version.name, "--dataset", "street", "--bytes", "2,4", "--queries", "20",
        "--json", str(file), stdout=out, stderr=io.StringIO(),
    )  # fmt: skip
    text = out.getvalue()
    assert "480 vectors of 16 numbers, 20 boxes ask" in text
    assert "the largest inner product is the cosine's" in text
    lines = {line.split("  ")[0]: line for line in text.splitlines()}
    assert lines["exact (MIPS)"].split()[2:5] == ["1.000", "1.000", "1.000"]
    for name in ("HNSW", "PQ 2", "OPQ 4 + re-ranked 400", "LOPQ 2", "served: exact"):
        assert name in lines, name
    numbers = json.loads(file.read_text())
    assert (numbers["dataset"], numbers["queries"], numbers["code_bytes"]) == ("street", 20, [2, 4])
    assert len(numbers["methods"]) == 2 + 12 + 1


def test_the_command_refuses_in_words(version, dataset):
    for arguments in (["nobody", "--dataset", "street"], [version.name, "--dataset", "nowhere"]):
        with pytest.raises(CommandError, match=r"nobody|nowhere"):
            call_command("evaluate_search", *arguments)
    with pytest.raises(CommandError, match="invalid literal"):
        call_command("evaluate_search", version.name, "--dataset", "street", "--bytes", "x")


@pytest.mark.django_db(transaction=True)
def test_with_an_index_every_mode_of_serving_is_measured(version, dataset, settings):
    settings.PEDSITE_EXACT_ROWS = 100
    index.ensure(version.image_encoder)
    made = inspected(version, dataset)
    served = [one["name"] for one in made.numbers["methods"] if one.get("served")]
    assert served == ["exact", "fast", "thorough"]
    fast, exact = (by_name(made, mode, served=True) for mode in ("fast", "exact"))
    assert fast["recall"]["20"] > 0.9
    assert fast["bytes"] > exact["bytes"]
    assert index.byte_size(version.image_encoder) > 480 * 2 * DIM
