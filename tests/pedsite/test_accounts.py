"""Users, roles, logging in, API keys."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from pedsite.accounts import keys
from pedsite.accounts.models import ApiKey, User

pytestmark = pytest.mark.django_db
PASSWORD = "a-long-password"


@pytest.fixture
def user() -> User:
    return User.objects.create_user("vera", password=PASSWORD)


def ask(secret: str):
    return Client(headers={"authorization": f"Bearer {secret}"}).get("/api/v1/jobs")


def test_a_new_user_is_a_viewer_and_an_administrator_sees_everything(user):
    assert user.role == "viewer"
    assert not user.sees_everything
    user.role = User.Role.ADMIN
    assert user.sees_everything


def test_a_key_lets_a_program_in_as_its_user(user):
    key, secret = keys.issue(user, "report")
    assert ask(secret).status_code == 200
    key.refresh_from_db()
    assert key.last_used_at is not None


def test_only_a_digest_of_the_secret_is_stored(user):
    _key, secret = keys.issue(user, "report")
    row = ApiKey.objects.values().get()
    assert not any(secret.rsplit("_", 1)[1] in str(value) for value in row.values())
    assert len(row["digest"]) == 64


def test_other_secrets_are_refused(user):
    _key, secret = keys.issue(user, "report")
    for wrong in (secret[:-1] + "~", "ped_00000000_x", "ped_", "", "no key at all"):
        answer = ask(wrong)
        assert answer.status_code == 401
        assert answer["WWW-Authenticate"] == "Bearer"


def test_a_key_ends_when_revoked_expired_or_when_its_user_leaves(user):
    _old, expired = keys.issue(user, "old", timezone.now() - timedelta(seconds=1))
    assert ask(expired).status_code == 401
    key, secret = keys.issue(user, "report", timezone.now() + timedelta(days=1))
    assert ask(secret).status_code == 200
    keys.revoke(key)
    assert ask(secret).status_code == 401
    _key, secret = keys.issue(user, "another")
    User.objects.update(is_active=False)
    assert ask(secret).status_code == 401


def test_the_page_shows_a_new_secret_once(user):
    client = Client()
    client.force_login(user)
    asked = {"name": "report", "days": "30", "scopes": ["read"]}
    answer = client.post(reverse("accounts:keys"), asked)
    key = ApiKey.objects.get()
    assert key.expires_at.date() == (timezone.now() + timedelta(days=30)).date()
    secret = answer.context["secret"]
    assert secret in answer.content.decode()
    assert ask(secret).status_code == 200
    again = client.get(reverse("accounts:keys"))
    assert secret not in again.content.decode()
    assert f"ped_{key.prefix}" in again.content.decode()
    assert "no-store" in again["Cache-Control"]


def test_the_page_loaded_again_makes_no_second_key(user):
    client = Client()
    client.force_login(user)
    asked = {"name": "report", "days": "30", "scopes": ["read"]}
    for _time in range(2):
        answer = client.post(reverse("accounts:keys"), asked)
    assert "already" in answer.context["form"].errors["name"][0]
    assert answer.context["secret"] == ""
    keys.revoke(ApiKey.objects.get())
    assert client.post(reverse("accounts:keys"), asked).context["secret"]


def test_a_key_needs_a_name(user):
    client = Client()
    client.force_login(user)
    client.post(reverse("accounts:keys"), {"name": "  ", "days": "30", "scopes": ["read"]})
    assert not ApiKey.objects.exists()


def test_users_revoke_their_own_keys_and_no_others(user):
    other = User.objects.create_user("otto")
    theirs, _secret = keys.issue(other, "theirs")
    own, _secret = keys.issue(user, "own")
    client = Client()
    client.force_login(user)
    assert client.post(reverse("accounts:key-revoke", args=[theirs.pk])).status_code == 404
    client.post(reverse("accounts:key-revoke", args=[own.pk]))
    theirs.refresh_from_db()
    own.refresh_from_db()
    assert theirs.revoked_at is None
    assert own.revoked_at is not None


def test_the_command_prints_a_working_key(user, capsys):
    call_command("create_api_key", "vera", "--days", "7")
    assert ask(capsys.readouterr().out.strip()).status_code == 200


def test_the_command_refuses_a_key_that_has_ended_already(user):
    with pytest.raises(CommandError, match="-5 days"):
        call_command("create_api_key", "vera", "--days", "-5")
    assert not ApiKey.objects.exists()


def test_logging_in_leads_to_the_site_and_out_again(user):
    client = Client()
    answer = client.post(reverse("login"), {"username": "vera", "password": PASSWORD})
    assert answer.status_code == 302
    assert client.get(reverse("jobs:list")).status_code == 200
    client.post(reverse("logout"))
    assert client.get(reverse("jobs:list")).status_code == 302


def test_guessing_passwords_locks_the_name_for_that_address(user, settings):
    settings.AXES_FAILURE_LIMIT = 3
    client = Client()
    for _ in range(3):
        client.post(reverse("login"), {"username": "vera", "password": "wrong"})
    locked = client.post(reverse("login"), {"username": "vera", "password": PASSWORD})
    assert locked.status_code == 429
    assert "_auth_user_id" not in client.session


def test_the_admin_lists_users_and_keys_without_their_digests(admin_client, user):
    key, _secret = keys.issue(user, "report")
    for url in (
        reverse("admin:accounts_user_changelist"),
        reverse("admin:accounts_user_change", args=[user.pk]),
        reverse("admin:accounts_user_add"),
        reverse("admin:accounts_apikey_changelist"),
        reverse("admin:accounts_apikey_change", args=[key.pk]),
    ):
        answer = admin_client.get(url)
        assert answer.status_code == 200
        assert key.digest not in answer.content.decode()
    assert admin_client.get(reverse("admin:accounts_apikey_add")).status_code == 403


@pytest.mark.parametrize(
    ("role", "operates"),
    [("viewer", False), ("reviewer", False), ("curator", False), ("operator", True)],
)
def test_operators_and_administrators_operate(user, role, operates):
    user.role = role
    assert user.operates is operates
    user.role = User.Role.ADMIN
    assert user.operates
