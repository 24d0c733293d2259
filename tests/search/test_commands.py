"""enroll, search, serve and fingerprint as a shell sees them."""

import io
import json

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from pedsite.jobs.models import Job
from search import enrollment, serving
from search.models import Embedding
from tests import world
from tests.search import rows

pytestmark = pytest.mark.django_db


@pytest.fixture
def version():
    return world.make_version()


@pytest.fixture
def people():
    return world.make_coloured_people(world.make_dataset("street"))


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command(*arguments, stdout=out, stderr=io.StringIO())
    return out.getvalue()


def test_a_dataset_is_enrolled_and_searched(version, people):
    said = run("enroll", "--dataset", "street")
    assert "6 new vectors of tiny" in said
    assert "0 failed" in said
    answer = json.loads(run("search", "red", "--top", "2", "--json"))
    box = people["red"]
    assert set(answer) == {"version", "searched", "waiting", "failed", "hits"}
    assert (answer["version"], answer["searched"], len(answer["hits"])) == ("tiny", 6, 2)
    assert answer["hits"][0] == {
        "rank": 1,
        "score": pytest.approx(1, abs=0.05),
        "box": box.pk,
        "image": "red.png",
        "bbox": [0, 0, box.right, box.bottom],
        "dataset": "street",
        "false_accept_rate": None,
        "phrases": {"red": pytest.approx(1, abs=0.05)},
    }


def test_lines_are_separated_by_tabs(version, people):
    run("enroll", "--dataset", "street")
    lines = run("search", "蓝", "--dataset", "street", "--top", "3").splitlines()
    assert len(lines) == 3
    rank, score, box, dataset, image, bounds = lines[0].split("\t")
    assert (rank, int(box), dataset, image) == ("1", people["blue"].pk, "street", "blue.png")
    assert float(score) > 0.9
    assert bounds == ",".join(map(str, people["blue"].bounds))


def test_a_picture_is_searched_for(version, people, tmp_path):
    run("enroll", "--dataset", "street")
    path = tmp_path / "someone.png"
    world.Picture.fromarray(world.plain_crop("green", 70, 30)).save(path)
    answer = json.loads(run("search", "--image", str(path), "--json"))
    assert answer["hits"][0]["box"] == people["green"].pk


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["search"], "Give words"),
        (["search", "red", "--from", "x.txt"], "Give words"),
        (["search", "red", "--image", "x.png", "--image-weight", "99"], "0.1 to 10"),
        (["search", "--from", "/no/such/file.txt"], "/no/such/file.txt"),
        (["search", "camra:3"], "camra"),
        (["search", "picture:abc"], "picture:abc"),
        (["search", " "], "empty"),
        (["search", "red", "--dataset", "nowhere"], "nowhere"),
        (["search", "red", "--model", "nobody"], "nobody"),
        (["search", "red", "--top", "0"], "from 1 to"),
        (["search", "--image", "/no/such/file.png"], "/no/such/file.png"),
        (["search", "--image", __file__], "Not a picture"),
        (["enroll", "--dataset", "nowhere"], "nowhere"),
        (["enroll", "--dataset", "street", "--model", "nobody"], "nobody"),
        (["serve", "nobody"], "nobody"),
        (["serve", "tiny"], "has not enrolled"),
        (["fingerprint", "--dataset", "nowhere"], "nowhere"),
    ],
)
def test_a_bad_call_is_refused_in_words(version, people, arguments, words):
    with pytest.raises(CommandError, match=words):
        run(*arguments)


def test_enroll_without_a_model_says_so(people):
    with pytest.raises(CommandError, match="train or register"):
        run("enroll", "--dataset", "street")


def test_an_enrollment_may_be_left_to_the_workers(version, people):
    said = run("enroll", "--dataset", "street", "--model", "tiny", "--queue")
    job = Job.objects.get()
    assert str(job.pk) in said
    assert (job.state, job.queue, job.task) == ("queued", "enroll", enrollment.TASK)
    assert not Embedding.objects.exists()


def test_a_version_is_put_in_charge_of_what_it_can_answer(version, people):
    eyes = world.make_version("eyes", image_only=True, seed=1)
    for each in (version, eyes):
        rows.enroll(people["red"].image.dataset, each)
    with pytest.raises(CommandError, match="--yes switches"):
        run("serve", "eyes")
    run("serve", "eyes", "--yes")
    assert (serving.current("text"), serving.current("picture")) == (version, eyes)
    run("serve", "tiny", "--for", "picture", "--yes")
    assert serving.current("picture") == version
    with pytest.raises(CommandError, match="pictures only"):
        run("serve", "eyes", "--for", "text")


def test_a_fingerprint_tells_rows_and_their_digest(version, people):
    run("enroll", "--dataset", "street")
    digest, count = run("fingerprint", "--dataset", "street").split()
    assert (len(digest), count) == (64, "6")
    assert run("fingerprint", "--dataset", "street", "--model", "tiny").split()[0] == digest
    row = Embedding.objects.first()
    Embedding.objects.filter(pk=row.pk).update(vector=list(np.negative(row.vector)))
    assert run("fingerprint", "--dataset", "street").split()[0] != digest


def test_queries_of_a_file_are_answered_one_by_one_past_bad_ones(version, people, tmp_path):
    run("enroll", "--dataset", "street")
    file = tmp_path / "queries.txt"
    file.write_text("red\n\ncamra:3\n蓝 -red\n", "utf-8")
    out, told = io.StringIO(), io.StringIO()
    with pytest.raises(CommandError, match="1 of 3 queries"):
        call_command("search", "--from", str(file), "--top", "1", stdout=out, stderr=told)
    lines = [line.split("\t") for line in out.getvalue().splitlines()]
    assert [(line[0], int(line[3])) for line in lines] == [
        ("1", people["red"].pk),
        ("4", people["blue"].pk),
    ]
    assert "line 3: There is no filter" in told.getvalue()
    file.write_text("red\nblue\n", "utf-8")
    answers = [
        json.loads(line) for line in run("search", "--from", str(file), "--json").splitlines()
    ]
    assert [(each["line"], each["query"]) for each in answers] == [(1, "red"), (2, "blue")]
    assert answers[0]["hits"][0]["phrases"] == {"red": pytest.approx(1, abs=0.1)}
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CommandError, match="UTF-8"):
        run("search", "--from", str(file))


def test_words_are_weighed_against_a_picture(version, people, tmp_path):
    run("enroll", "--dataset", "street")
    path = tmp_path / "someone.png"
    world.Picture.fromarray(world.plain_crop("green", 70, 30)).save(path)
    mixed = ("search", "red", "--image", str(path), "--json", "--image-weight")
    assert json.loads(run(*mixed, "5"))["hits"][0]["box"] == people["green"].pk
    assert json.loads(run(*mixed, "0.2"))["hits"][0]["box"] == people["red"].pk
