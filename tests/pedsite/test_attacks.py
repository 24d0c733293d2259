"""What attackers try everywhere, tried on every route, as the routes say, so that none is missed.

Attacks on one place stand with that place: archives and uploads under gallery, logins and keys
beside this file, webhooks in a folder of their own.
"""

import json
import re
import socket
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from drf_spectacular.generators import SchemaGenerator

from pedsite.accounts import keys
from pedsite.accounts.models import User
from pedsite.jobs import work
from pedsite.webhooks import hooks
from tests import world

# One value for each kind of place in an address; nobody has such rows.
UUID = "0b0ea7a5-4b7e-4c8c-a3a5-6b8b6f1f4a10"
PLACES = {"int": "1", "str": "x", "uuid": UUID, "slug": "x"}
# Others' pages, with protection of their own and tests of theirs.
FOREIGN = ("admin/", "i18n/", "api/")
LEAKS = [
    "user__password__startswith",
    "owner__password__startswith",
    "created_by__password__startswith",
    "user__api_keys__digest__startswith",
    "dataset__grants__user__username",
    "pk__gte",
    "id",
    "ordering",
    "order_by",
    "fields",
]
NASTY: list[Any] = [
    None,
    -1,
    2**70,
    1e308,
    "",
    "\x00",
    "‮" + "x" * 5000,
    "'; DROP TABLE gallery_box; --",
    "../../../etc/passwd",
    ["x", None, {}],
    {"$gt": ""},
    True,
]


def pages(patterns: Any = None, before: str = ""):
    """Every address of a page, with values in its places."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            if not route.startswith(FOREIGN):
                yield from pages(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern) and "(?P" not in route and "^" not in route:
            yield re.sub(r"<(\w+):\w+>", lambda at: PLACES[at[1]], route)


@pytest.fixture(scope="module")
def operations() -> list[tuple[str, str, dict[str, Any]]]:
    schema = SchemaGenerator().get_schema(request=None, public=True)
    return [
        (re.sub(r"\{(\w+)\}", "1", path.replace("{delivery_id}", UUID)), verb, operation)
        for path, verbs in schema["paths"].items()
        for verb, operation in verbs.items()
    ]


@pytest.fixture
def program(db) -> Client:
    """A key of a superuser, who is refused nothing for want of a right."""
    _key, secret = keys.issue(world.make_user("anna", role="admin", is_superuser=True), "test")
    return Client(headers={"authorization": f"Bearer {secret}"})


def test_csrf_no_page_changes_anything_without_the_token(db):
    client = Client(enforce_csrf_checks=True)
    client.force_login(world.make_user("anna", role="admin", is_superuser=True))
    addresses = sorted(set(pages()))
    assert len(addresses) > 60
    for address in addresses:
        answer = client.post(f"/{address}", {"queue": "enroll", "name": "x"})
        assert answer.status_code in (403, 404, 405, 413), f"{address}: {answer.status_code}"


def test_csrf_no_operation_takes_a_session_without_the_token(db, operations):
    client = Client(enforce_csrf_checks=True)
    client.force_login(world.make_user("anna", role="admin", is_superuser=True))
    for path, verb, _operation in operations:
        if verb != "get":
            answer = client.generic(verb, path, "{}", content_type="application/json")
            assert answer.status_code == 403, f"{verb} {path}: {answer.status_code}"


def test_no_operation_is_open_to_strangers(db, operations):
    client = Client()
    for path, verb, _operation in operations:
        answer = client.generic(verb, path, "{}", content_type="application/json")
        assert answer.status_code in (401, 429), f"{verb} {path}: {answer.status_code}"


def test_orm_leak_no_list_can_be_filtered_or_sorted_by_what_it_does_not_name(program, operations):
    """A look-up of Django's in the address changes nothing of what a list answers."""
    User.objects.filter(username="anna").update(password="hash-of-anna")
    user = User.objects.get(username="anna")
    world.make_dataset("mall", visible_to=user)
    work.request("count", task="tests.count", params={}, user=user, queue=False)
    asked = {"+".join(LEAKS): {name: "zzz" for name in LEAKS}}
    seen = 0
    for path, verb, operation in operations:
        if verb != "get" or path.endswith("/1") or "/audit" in path:
            continue
        plain = program.get(path)
        if plain.status_code != 200 or plain["Content-Type"] != "application/json":
            continue
        named = {each["name"] for each in operation.get("parameters", [])}
        assert not named & set(LEAKS) - {"id"}, path
        for query in asked.values():
            leaked = program.get(path, query)
            assert leaked.status_code == 200, path
            assert leaked.json() == plain.json(), path
        seen += 1
    assert seen > 10


def test_no_operation_fails_at_a_nasty_value(program, operations, settings):
    """Each field of each body, and each parameter, with what nobody expects: never a 500."""
    settings.PEDSITE_WEBHOOK_ALLOW = ["public"]
    program.raise_request_exception = False
    wrong = []
    for number, (path, verb, operation) in enumerate(operations):
        if operation["operationId"] in ("revoke_key", "change_user"):
            continue
        value = NASTY[number % len(NASTY)]
        other = NASTY[(number + 5) % len(NASTY)]
        query = [p["name"] for p in operation.get("parameters", []) if p["in"] == "query"]
        address = path + "?" + "&".join(f"{name}=%00{str(other)[:20]!r}" for name in query)
        example = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
        body = example.get("example")
        if body is None and example.get("examples"):
            body = next(iter(example["examples"].values()))["value"]
        fields = list(body) if isinstance(body, dict) else []
        bodies = [{**body, name: value} for name in fields] if fields else [{}]
        for each in [*bodies, value]:
            answer = program.generic(
                verb, address.rstrip("?"), json.dumps(each), content_type="application/json"
            )
            if answer.status_code >= 500:
                wrong.append((verb, address, str(each)[:200]))
    assert wrong == []


def test_no_address_fails_at_a_number_that_is_too_large(program, operations):
    program.raise_request_exception = False
    for path, verb, _operation in operations:
        if "/1" in path and verb == "get":
            answer = program.get(path.replace("/1", f"/{2**70}"))
            assert answer.status_code < 500, path


def test_ssrf_no_picture_is_fetched_from_an_address(program, monkeypatch):
    opened = []
    monkeypatch.setattr(socket.socket, "connect", lambda self, at: opened.append(at))
    asked = {"image": "http://169.254.169.254/latest/meta-data"}
    for kind in ("application/json", None):
        sent = {"content_type": kind} if kind else {}
        assert program.post("/api/v1/search", asked, **sent).status_code == 400
    assert [at for at in opened if isinstance(at, tuple) and "169.254" in str(at)] == []


def test_an_oversized_body_is_refused_before_it_is_read(program, settings):
    settings.MAX_PICTURE_BYTES = 1000
    too_large = b"x" * (2**20 + 5000)
    for path in ("/api/v1/search", "/search/", "/login/"):
        answer = program.generic("POST", path, too_large, content_type="multipart/form-data")
        assert answer.status_code == 413, path


def test_idor_what_is_anothers_is_not_there_by_any_verb(db, settings, operations):
    """Jobs, webhooks, saved searches and keys of one user, asked for by another."""
    settings.PEDSITE_WEBHOOK_ALLOW = ["public"]
    theirs = world.make_user("otto")
    job = work.request("count", task="tests.count", params={}, user=theirs, queue=False)
    hook, _secret = hooks.make(theirs, "https://hooks.example/")
    key, _secret = keys.issue(theirs, "theirs")
    _key, secret = keys.issue(world.make_user("vera", role="reviewer"), "test")
    client = Client(headers={"authorization": f"Bearer {secret}"})
    ids = {"jobs": job.pk, "webhooks": hook.pk, "keys": key.pk, "users": theirs.pk}
    seen = 0
    for path, verb, _operation in operations:
        noun = path.split("/")[3]
        if noun in ids and f"/{noun}/1" in path:
            address = path.replace(f"/{noun}/1", f"/{noun}/{ids[noun]}", 1)
            answer = client.generic(verb, address, "{}", content_type="application/json")
            assert answer.status_code in (403, 404), f"{verb} {address}: {answer.status_code}"
            seen += 1
    assert seen >= 12
