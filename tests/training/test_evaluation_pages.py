"""The pages and the API of evaluations."""

import csv
import io
import json
import re

import pytest
from django.test import Client
from django.urls import reverse

from gallery import snapshots
from pedsite.jobs.models import Job
from tests.training.measured import make_split, measure
from tests.world import make_user, make_version
from training import evaluations
from training.models import Evaluation, Teacher

pytestmark = pytest.mark.django_db


def client_of(**fields) -> Client:
    client = Client()
    client.force_login(make_user(**fields))
    return client


@pytest.fixture
def viewer():
    return make_user("vera")


@pytest.fixture
def reader(viewer):
    client = Client()
    client.force_login(viewer)
    return client


@pytest.fixture
def operator():
    return client_of(role="operator", username="otto")


@pytest.fixture
def measured(viewer):
    return measure(make_split(visible_to=viewer))


def addresses(evaluation):
    names = ["evaluation", "evaluation-json", "evaluation-csv", "evaluation-curve"]
    pages = [reverse(f"training:{name}", args=[evaluation.pk]) for name in names]
    return [*pages, f"/api/v1/evaluations/{evaluation.pk}"]


def test_the_page_shows_every_number_both_curves_and_the_worst_pairs(reader, measured):
    page = reader.get(measured.get_absolute_url()).content.decode()
    for words in ("Words find pictures", "Pictures find words", "R@10", "mINP", "first look"):
        assert words in page
    for key in ("roc", "det", "scores"):
        assert f'data-chart="{key}"' in page
    assert "FRR at FAR 10⁻³" in page
    boxes = {pair["picture"] for pair in measured.details["false_accepts"]}
    for box in boxes:
        assert reverse("gallery:crop", args=[box]) in page
    assert page.count('class="tile pair"') == 15 + len(measured.details["false_rejects"])


def test_an_evaluation_is_shown_to_those_who_may_see_its_dataset_alone(reader, measured, operator):
    stranger = client_of()
    for address in addresses(measured):
        assert reader.get(address).status_code == 200
        assert stranger.get(address).status_code == 404
        # An operator starts work for everyone, but is no exception from grants.
        assert operator.get(address).status_code == 404
    shown = "crowd"
    assert shown in reader.get(reverse("training:evaluation-list")).content.decode()
    assert shown not in stranger.get(reverse("training:evaluation-list")).content.decode()
    assert stranger.get("/api/v1/evaluations").json()["results"] == []


def test_the_address_chooses_the_operating_point(reader, measured):
    level = measured.metrics["verification"]["frr_at_far"]["1e-03"]
    page = reader.get(f"{measured.get_absolute_url()}?threshold={level['threshold']}")
    found = re.search(r"data-threshold>([^<]+)<", page.content.decode())
    assert found
    assert found[1] == f"{level['threshold']:.4f}"


@pytest.mark.parametrize("threshold", ["", "nan", "inf", "9e99", "<b>"])
def test_a_threshold_that_is_none_shows_the_equal_error_rate(reader, measured, threshold):
    page = reader.get(measured.get_absolute_url(), {"threshold": threshold}).content.decode()
    eer = measured.metrics["verification"]["eer"]["threshold"]
    assert f"data-threshold>{eer:.4f}<" in page


def test_downloads_are_the_numbers_that_the_command_writes(reader, measured):
    answer = reader.get(reverse("training:evaluation-json", args=[measured.pk]))
    assert answer["Content-Disposition"].startswith("attachment")
    assert json.loads(answer.content) == measured.metrics
    answer = reader.get(reverse("training:evaluation-csv", args=[measured.pk]))
    rows = list(csv.reader(io.StringIO(answer.content.decode())))
    assert rows[0] == ["group", "metric", "value", "low", "high", "threshold"]
    assert not any(cell.startswith("=") for row in rows for cell in row)
    answer = reader.get(reverse("training:evaluation-curve", args=[measured.pk]))
    rows = list(csv.reader(io.StringIO(answer.content.decode())))
    assert len(rows) == 1 + len(measured.details["curve"])


def test_a_later_look_at_the_test_split_is_marked(reader, measured):
    second = measure(measured.snapshot.dataset, version=measured.version, language="en")
    page = reader.get(second.get_absolute_url()).content.decode()
    assert "no longer a test" in page
    assert "look 2" in page
    assert "no longer a test" not in reader.get(measured.get_absolute_url()).content.decode()


def test_an_evaluation_that_waits_shows_its_progress_until_it_is_over(reader, viewer):
    dataset = make_split(visible_to=viewer)
    waiting = evaluations.request(make_version(), dataset, "test", user=viewer)
    page = reader.get(waiting.get_absolute_url()).content.decode()
    assert 'hx-trigger="every 2s"' in page
    assert reader.get(reverse("training:evaluation-csv", args=[waiting.pk])).status_code == 404
    part = reader.get(waiting.get_absolute_url(), headers={"HX-Request": "true"})
    assert b"<html" not in part.content
    Job.objects.filter(pk=waiting.job_id).update(state="queued")
    Job.objects.cancel_unheld(waiting.job_id)
    over = reader.get(waiting.get_absolute_url(), headers={"HX-Request": "true"})
    assert over["HX-Refresh"] == "true"


def test_only_operators_start_evaluations(reader, operator):
    make_split(visible_to=operator_of(operator))
    make_version("tiny")
    address = reverse("training:evaluation-new")
    wanted = {
        "version": "tiny",
        "dataset": "crowd",
        "split": "validation",
        "protocol": "all_pairs",
        "language": "",
    }
    for client in (reader, client_of(role="curator")):
        assert client.get(address).status_code == 403
        assert client.post(address, wanted).status_code == 403
        answer = client.post("/api/v1/evaluations", wanted, content_type="application/json")
        assert answer.status_code == 403
    assert not Evaluation.objects.exists()
    answer = operator.post(address, wanted)
    made = Evaluation.objects.get()
    assert answer.url == made.get_absolute_url()
    assert (made.split, made.job.created_by.username) == ("validation", "otto")


def operator_of(client):
    from pedsite.accounts.models import User

    return User.objects.get(pk=client.session["_auth_user_id"])


def test_a_dataset_that_is_not_shared_cannot_be_measured(operator):
    make_split("secret")
    make_version("tiny")
    page = operator.get(reverse("training:evaluation-new")).content.decode()
    assert "secret" not in page
    wanted = {"version": "tiny", "dataset": "secret", "split": "test", "protocol": "all_pairs"}
    answer = operator.post(reverse("training:evaluation-new"), wanted)
    assert answer.status_code == 422
    answer = operator.post("/api/v1/evaluations", wanted, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown-dataset")
    assert not Evaluation.objects.exists()


def test_a_refusal_of_the_form_says_why(operator):
    make_split(visible_to=operator_of(operator))
    make_version("tiny")
    wanted = {"version": "tiny", "dataset": "crowd", "split": "train", "protocol": "all_pairs"}
    answer = operator.post(reverse("training:evaluation-new"), wanted)
    assert answer.status_code == 422
    assert "fewer than two people" in answer.content.decode()


def test_the_api_starts_an_evaluation_and_shows_it(operator):
    make_split(visible_to=operator_of(operator))
    make_version("tiny")
    wanted = {"version": "tiny", "dataset": "crowd", "split": "test"}
    first = operator.post("/api/v1/evaluations", wanted, content_type="application/json")
    assert first.status_code == 202
    body = first.json()
    assert (body["state"], body["look"], body["protocol"]) == ("queued", 1, "all_pairs")
    again = operator.post("/api/v1/evaluations", wanted, content_type="application/json")
    assert again.json()["id"] == body["id"]
    assert operator.get(body["url"]).json()["metrics"] == {}
    listed = operator.get("/api/v1/evaluations?version=tiny&split=test").json()["results"]
    assert [one["id"] for one in listed] == [body["id"]]
    assert operator.get("/api/v1/evaluations?version=other").json()["results"] == []


def test_the_api_names_the_field_that_is_wrong(operator):
    wanted = {"version": "tiny", "dataset": "crowd", "split": "all"}
    answer = operator.post("/api/v1/evaluations", wanted, content_type="application/json")
    assert answer.status_code == 400
    assert set(answer.json()["errors"]) == {"split"}


def test_the_list_costs_the_same_number_of_queries_for_any_number(
    reader, measured, django_assert_max_num_queries
):
    for language in ("en",):
        measure(measured.snapshot.dataset, version=measured.version, language=language)
    with django_assert_max_num_queries(9):
        reader.get(reverse("training:evaluation-list"))


def test_no_page_of_evaluations_carries_inline_code(measured):
    from tests.search.pages.asked import Page

    admin = client_of(role="admin")
    for address in (
        reverse("training:evaluation-list"),
        reverse("training:evaluation-new"),
        measured.get_absolute_url(),
    ):
        assert Page(admin.get(address).content.decode()).inline == [], address


def test_pages_of_evaluations_need_a_log_in(client, measured):
    for address in [reverse("training:evaluation-list"), *addresses(measured)[:4]]:
        assert client.get(address).url.startswith(reverse("login"))


def test_the_admin_shows_an_evaluation_and_changes_none(admin_client, measured):
    page = admin_client.get(reverse("admin:training_evaluation_changelist")).content.decode()
    assert "crowd" in page
    address = reverse("admin:training_evaluation_change", args=[measured.pk])
    assert admin_client.get(address).status_code == 200
    assert admin_client.post(address, {"look": 1}).status_code == 403


def teacher_of(dataset, name="large") -> Teacher:
    """A store of vectors, as far as pages read of it."""
    return Teacher.objects.create(
        name=name,
        snapshot=snapshots.freeze(dataset),
        model="maker/large",
        dim=4,
        files={"image": {"name": "x", "sha256": "0" * 64, "size": 1}},
    )


def test_what_a_teacher_measured_is_shown_under_its_name(reader, measured):
    teacher = teacher_of(measured.snapshot.dataset)
    job = Job.objects.create(kind="evaluate", task="training.evaluate")
    made = Evaluation.objects.create(
        job=job,
        teacher=teacher,
        snapshot=measured.snapshot,
        split="validation",
        protocol="all_pairs",
        metrics=measured.metrics,
        details=measured.details,
    )
    for address in (reverse("training:evaluation-list"), made.get_absolute_url()):
        assert "large" in reader.get(address).content.decode()
    body = reader.get(f"/api/v1/evaluations/{made.pk}").json()
    assert (body["version"], body["teacher"]) == (None, "large")


def test_teachers_of_shared_datasets_are_offered(operator):
    teacher_of(make_split(visible_to=operator_of(operator)), "mine")
    teacher_of(make_split("secret"), "theirs")
    page = operator.get(reverse("training:evaluation-new")).content.decode()
    assert 'value="teacher:mine"' in page
    assert "theirs" not in page
    wanted = {"teacher": "theirs", "dataset": "crowd", "split": "test"}
    answer = operator.post("/api/v1/evaluations", wanted, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown-teacher")
    wanted |= {"teacher": "mine", "version": "tiny"}
    answer = operator.post("/api/v1/evaluations", wanted, content_type="application/json")
    assert answer.status_code == 400
