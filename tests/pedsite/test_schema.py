"""The description of the API: version 3.1, an example of every body, each of them allowed by it."""

import json
from typing import Any

import jsonschema
import pytest
from django.test import Client
from django.urls import reverse

from pedsite.accounts import keys
from tests.world import make_user


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    answer = Client().get(reverse("api-schema"), headers={"accept": "application/json"})
    return json.loads(answer.content)


def bodies(schema):
    """(operation, where, media) of every JSON body."""
    for operations in schema["paths"].values():
        for operation in operations.values():
            parts = {"request": operation.get("requestBody", {}), **operation["responses"]}
            for where, part in parts.items():
                for kind, media in part.get("content", {}).items():
                    if kind == "application/json" and media.get("schema"):
                        yield operation["operationId"], where, media


def moved(part: Any) -> Any:
    """A part of the description as a schema of its own, components under $defs."""
    if isinstance(part, list):
        return [moved(each) for each in part]
    if not isinstance(part, dict):
        return part
    return {
        name: each.replace("#/components/schemas", "#/$defs") if name == "$ref" else moved(each)
        for name, each in part.items()
    }


@pytest.mark.django_db
def test_every_body_has_an_example_that_its_schema_allows(schema):
    assert schema["openapi"].startswith("3.1")
    parts = moved(schema["components"]["schemas"])
    seen = 0
    for operation, where, media in bodies(schema):
        values = [each["value"] for each in media.get("examples", {}).values()]
        values += [media["example"]] if "example" in media else []
        assert values, f"{operation}, {where}: no example"
        check = jsonschema.Draft202012Validator({**moved(media["schema"]), "$defs": parts})
        for value in values:
            wrong = next(check.iter_errors(value), None)
            assert wrong is None, f"{operation}, {where}: {wrong.message} at {list(wrong.path)}"
            seen += 1
    assert seen > 100


@pytest.mark.django_db
def test_every_operation_tells_how_it_refuses(schema):
    for operations in schema["paths"].values():
        for operation in operations.values():
            content = operation["responses"]["default"]["content"]
            assert "application/problem+json" in content


@pytest.mark.django_db
def test_lists_answer_as_they_are_described(schema):
    """Every list without an id in its address, asked by an administrator of an empty site."""
    _key, secret = keys.issue(make_user("anna", role="admin", is_superuser=True), "test")
    client = Client(headers={"authorization": f"Bearer {secret}"})
    parts = moved(schema["components"]["schemas"])
    seen = 0
    for path, operations in schema["paths"].items():
        if "get" not in operations or "{" in path:
            continue
        answer = client.get(path)
        if answer.status_code == 400:  # it wants a parameter
            continue
        assert answer.status_code == 200, path
        described = operations["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        check = jsonschema.Draft202012Validator(
            {**moved(described), "$defs": parts}, format_checker=jsonschema.FormatChecker()
        )
        wrong = next(check.iter_errors(answer.json()), None)
        assert wrong is None, f"{path}: {wrong.message}"
        seen += 1
    assert seen > 12
