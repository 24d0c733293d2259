"""One shape for every refusal, an API description that works offline, safe headers."""

import json
import logging

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from rest_framework import exceptions

from pedsite.accounts import keys
from pedsite.accounts.models import User
from pedsite.api import DomainError, handle_exception
from pedsite.logs import JsonFormatter
from tests.world import make_user


def test_a_domain_error_keeps_its_code_status_and_words():
    class TooLong(DomainError):
        code = "too-long"
        status = 422

    answer = handle_exception(TooLong("600 characters, 500 are allowed."), {})
    assert answer.status_code == 422
    assert answer.content_type == "application/problem+json"
    assert answer.data == {
        "type": "urn:pedsite:problem:too-long",
        "title": "Unprocessable Entity",
        "status": 422,
        "detail": "600 characters, 500 are allowed.",
        "code": "too-long",
    }


def test_a_validation_error_names_its_field_and_keeps_all_of_them():
    exc = exceptions.ValidationError({"limit": ["Too large."], "text": ["Too long."]})
    answer = handle_exception(exc, {})
    assert answer.status_code == 400
    assert answer.data["detail"] == "limit: Too large."
    assert set(answer.data["errors"]) == {"limit", "text"}


def test_a_validation_error_within_a_list_names_its_field_too():
    exc = exceptions.ValidationError({"datasets": {"1": ["May not be blank."]}})
    assert handle_exception(exc, {}).data["detail"] == "datasets.1: May not be blank."


def test_what_nobody_foresaw_is_a_500_in_the_same_shape_and_logged(caplog):
    answer = handle_exception(ZeroDivisionError("by nought"), {})
    assert (answer.status_code, answer.data["code"]) == (500, "failed")
    assert "nought" not in str(answer.data)
    assert "by nought" in caplog.text


@pytest.mark.django_db
def test_without_a_key_the_api_answers_401_in_the_same_shape():
    answer = Client().get("/api/v1/jobs")
    assert answer.status_code == 401
    assert answer["Content-Type"] == "application/problem+json"
    assert set(answer.json()) == {"type", "title", "status", "detail", "code"}


@pytest.mark.django_db
def test_a_broken_body_and_a_wrong_method_answer_in_the_same_shape():
    _key, secret = keys.issue(User.objects.create(username="vera"), "test")
    client = Client(headers={"authorization": f"Bearer {secret}"})
    broken = client.post("/api/v1/search", data="{", content_type="application/json")
    assert (broken.status_code, broken.json()["code"]) == (400, "parse_error")
    deep = client.post("/api/v1/search", data="[" * 100_000, content_type="application/json")
    assert (deep.status_code, deep.json()["code"]) == (400, "parse_error")
    wrong = client.delete("/api/v1/jobs")
    assert (wrong.status_code, wrong.json()["code"]) == (405, "method_not_allowed")


@pytest.mark.django_db
def test_the_schema_describes_every_operation():
    answer = Client().get(reverse("api-schema"), headers={"accept": "application/json"})
    paths = set(json.loads(answer.content)["paths"])
    assert {"/api/v1/jobs", "/api/v1/jobs/{job_id}", "/api/v1/jobs/{job_id}/cancel"} <= paths
    assert {"/api/v1/search", "/api/v1/datasets", "/api/v1/boxes/{box_id}"} <= paths


@pytest.mark.django_db
def test_the_documentation_page_loads_nothing_from_elsewhere():
    text = Client().get(reverse("api-docs")).content.decode()
    assert "/static/drf_spectacular_sidecar/" in text
    assert "https://" not in text
    assert "//cdn" not in text


@pytest.mark.django_db
def test_pages_run_no_inline_script():
    answer = Client().get(reverse("login"))
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "<script>" not in answer.content.decode()
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["X-Frame-Options"] == "DENY"


@pytest.mark.django_db
def test_the_admin_has_a_policy_of_its_own_that_still_keeps_to_this_site():
    policy = Client().get("/admin/login/")["Content-Security-Policy"]
    assert "'unsafe-eval'" in policy
    assert "http" not in policy


def test_the_health_page_answers_without_a_database():
    assert Client().get("/health/live").content == b"ok\n"


def test_json_logs_are_one_object_a_line_with_what_was_passed_along():
    record = logging.makeLogRecord(
        {"name": "pedsite", "levelname": "INFO", "msg": "searched %s", "args": ("红衣",), "hits": 5}
    )
    entry = json.loads(JsonFormatter().format(record))
    assert (entry["message"], entry["hits"], entry["level"]) == ("searched 红衣", 5, "INFO")


def test_json_logs_carry_tracebacks():
    try:
        raise KeyError("x")
    except KeyError as exc:
        record = logging.makeLogRecord(
            {"msg": "no", "exc_info": (type(exc), exc, exc.__traceback__)}
        )
    assert "KeyError: 'x'" in json.loads(JsonFormatter().format(record))["traceback"]


def test_the_description_is_valid_and_every_part_has_a_name_of_its_own(tmp_path):
    call_command("spectacular", file=str(tmp_path / "api.yaml"), validate=True, fail_on_warn=True)


def test_an_unknown_address_of_the_api_answers_in_the_same_shape(client):
    answer = client.get("/api/v1/nothing-here", headers={"accept": "text/html"})
    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "not_found"
    assert client.get("/nothing-here")["Content-Type"].startswith("text/html")


def test_a_refusal_is_one_line_in_the_log(client, db, caplog):
    client.force_login(User.objects.create_user("viewer"))
    assert client.get("/runs/new/").status_code == 403
    (record,) = [one for one in caplog.records if one.name == "django.request"]
    assert record.getMessage() == "Forbidden (Permission denied): /runs/new/"
    assert record.exc_info is None


def test_a_browser_that_asks_for_a_page_gets_json(db, client):
    client.force_login(make_user())
    answer = client.get("/api/v1/searches", headers={"accept": "text/html"})
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
