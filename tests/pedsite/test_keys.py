"""What a key may do, how long guessing at keys goes well, and keys for programs."""

import uuid
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.test import Client
from django.urls import get_resolver, reverse
from django.urls.converters import UUIDConverter
from django.utils import timezone

from pedsite.accounts import keys, scopes
from pedsite.accounts.errors import BadScopes
from pedsite.accounts.models import ApiKey
from pedsite.audit.models import Entry
from tests import world

pytestmark = pytest.mark.django_db
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


@pytest.fixture
def user():
    return world.make_user(role="admin")


@pytest.fixture(autouse=True)
def _no_guesses():
    cache.clear()
    yield
    cache.clear()


def ask(secret: str, path: str = "/api/v1/datasets", method: str = "GET", address: str = ""):
    client = Client(headers={"authorization": f"Bearer {secret}"})
    return client.generic(method, path, REMOTE_ADDR=address or "127.0.0.1")


def operations():
    """Every operation of the API: (address, method, view)."""
    for pattern in get_resolver().url_patterns:
        if getattr(pattern, "namespace", None) != "api":
            continue
        for each in pattern.url_patterns:
            address = reverse(f"api:{each.name}", kwargs=_any(each))
            for method in METHODS:
                if hasattr(each.callback.cls, method.lower()):
                    yield address, method, each.callback.cls


def _any(pattern) -> dict[str, object]:
    """Something for each part of an address that names a row."""
    kinds = pattern.pattern.converters
    return {
        name: uuid.UUID(int=1) if isinstance(kinds.get(name), UUIDConverter) else 1
        for name in pattern.pattern.regex.groupindex
    }


def test_no_operation_lets_a_key_in_beyond_its_scopes(user):
    """Each scope alone, on every address of the API, also those that are made tomorrow."""
    found = list(operations())
    assert len(found) > 60
    secrets = {scope: keys.issue(user, scope, scopes=[scope])[1] for scope in scopes.Scope.values}
    for address, method, view in found:
        needed = scopes.needed(view, method)
        assert needed
        for scope in set(scopes.Scope.values) - set(needed):
            answer = ask(secrets[scope], address, method)
            assert (answer.status_code, answer.json()["code"]) == (403, "scope"), (address, scope)
            assert needed[0] in answer.json()["detail"]


@pytest.mark.parametrize(
    ("path", "method", "scope"),
    [
        ("/api/v1/search", "POST", "search"),
        ("/api/v1/datasets", "GET", "read"),
        ("/api/v1/searches", "POST", "write"),
        ("/api/v1/runs", "POST", "operate"),
        ("/api/v1/audit", "GET", "operate"),
        ("/api/v1/generations/x/switch", "POST", "operate"),
    ],
)
def test_a_key_with_the_scope_is_let_in(user, path, method, scope):
    _key, secret = keys.issue(user, "one", scopes=[scope])
    answer = ask(secret, path, method)
    assert answer.status_code != 401
    assert answer.status_code == 200 or answer.json()["code"] != "scope"


def test_pictures_are_for_keys_that_search_or_read(user):
    box = world.make_box(world.make_image(world.make_dataset()))
    for scope, status in (("search", 200), ("read", 200), ("write", 403)):
        _key, secret = keys.issue(user, scope, scopes=[scope])
        assert ask(secret, f"/pictures/boxes/{box.pk}.jpg").status_code == status


def test_a_scope_gives_nothing_that_the_user_may_not():
    _key, secret = keys.issue(world.make_user(role="operator"), "all")
    assert ask(secret, "/api/v1/audit").json()["code"] == "permission_denied"


@pytest.mark.parametrize("wrong", [[], ["everything"], ["read", "root"]])
def test_a_key_needs_scopes_that_there_are(user, wrong):
    with pytest.raises(BadScopes):
        keys.issue(user, "one", scopes=wrong)
    assert not ApiKey.objects.exists()


def test_guessing_at_a_key_is_stopped(user, settings):
    settings.KEY_FAILURE_LIMIT = 3
    key, secret = keys.issue(user, "one")
    guess = f"ped_{key.prefix}_wrong"
    assert [ask(guess).status_code for _ in range(5)] == [401, 401, 401, 429, 429]
    # Nor is the right one looked at from there, or the guess that hits would be known.
    refused = ask(secret)
    assert refused.status_code == 429
    assert 0 < int(refused["Retry-After"]) <= 900
    assert ask(secret, address="192.0.2.9").status_code == 200


def test_guessing_at_any_keys_stops_the_address_but_not_who_worked_there(user, settings):
    settings.KEY_FAILURE_LIMIT = 3
    _key, known = keys.issue(user, "known")
    assert ask(known).status_code == 200
    tried = [ask(f"ped_{number:08x}_x").status_code for number in range(4)]
    assert tried == [401, 401, 401, 429]
    assert ask(known).status_code == 200
    assert ask(keys.issue(user, "new")[1]).status_code == 429
    told = Entry.objects.filter(action="refused")
    assert [entry.about for entry in told] == ["an API key that does not work"]


def test_pictures_do_not_help_guessing(settings):
    settings.KEY_FAILURE_LIMIT = 2
    statuses = [ask("ped_1_x", "/pictures/boxes/1.jpg").status_code for _ in range(3)]
    assert statuses == [401, 401, 429]


# For programs


@pytest.fixture
def client_of(user):
    client = Client()
    client.force_login(user)
    return client


def make(client, **asked):
    asked = {"name": "one", "scopes": ["read"], "days": 7} | asked
    return client.post("/api/v1/keys", asked, content_type="application/json")


def test_a_program_makes_lists_and_revokes_keys(client_of):
    made = make(client_of)
    assert made.status_code == 201
    secret = made.json()["secret"]
    assert ask(secret).status_code == 200
    (listed,) = client_of.get("/api/v1/keys").json()
    assert listed["scopes"] == ["read"]
    assert "secret" not in listed
    assert client_of.delete(f"/api/v1/keys/{listed['id']}").status_code == 204
    assert ask(secret).status_code == 401
    assert make(client_of, scopes=["root"]).status_code == 400
    assert make(client_of, scopes=[]).status_code == 400


def test_the_keys_of_others_are_not_there(client_of):
    theirs, _secret = keys.issue(world.make_user(), "theirs")
    assert client_of.get("/api/v1/keys").json() == []
    assert client_of.delete(f"/api/v1/keys/{theirs.pk}").status_code == 404
    theirs.refresh_from_db()
    assert theirs.is_valid


def test_a_key_makes_none_that_may_more_or_lives_longer(user):
    ends = timezone.now() + timedelta(days=1)
    _key, secret = keys.issue(user, "small", ends, ["read", "write"])
    client = Client(headers={"authorization": f"Bearer {secret}"})
    assert make(client, scopes=["read", "operate"]).json()["code"] == "bad-scopes"
    assert make(client, days=None).status_code == 201
    assert ApiKey.objects.get(name="one").expires_at == ends


def test_the_page_shows_what_a_key_may_and_makes_none_that_may_nothing(client_of):
    page = client_of.post(reverse("accounts:keys"), {"name": "one", "days": "30"})
    assert page.context["secret"] == ""
    assert "Choose what the key may do." in page.content.decode()
    asked = {"name": "one", "days": "30", "scopes": ["search"]}
    page = client_of.post(reverse("accounts:keys"), asked)
    assert "search, and see what is found" in page.content.decode()
    assert ApiKey.objects.get().scopes == ["search"]


def test_the_command_gives_the_scopes_that_are_named(user, capsys):
    call_command("create_api_key", user.username, "--scope", "search", "--scope", "read")
    assert ApiKey.objects.get().scopes == ["search", "read"]


def test_making_and_revoking_a_key_is_told_to_the_log(user):
    key, _secret = keys.issue(user, "one", scopes=["read"])
    keys.revoke(key, user)
    keys.revoke(key, user)
    told = Entry.objects.filter(action="change").order_by("pk")
    assert [entry.about for entry in told] == [f"key {key.pk} issued", f"key {key.pk} revoked"]
    assert told[0].detail["scopes"] == ["read"]
