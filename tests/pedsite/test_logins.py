"""Sessions and passwords: what an attacker would have to get past."""

import pytest
from django.contrib.auth import authenticate
from django.test import Client
from django.urls import reverse

from tests import world

pytestmark = pytest.mark.django_db
PASSWORD = "a-long-password"
NEW = "another-quite-long-one"


@pytest.fixture
def user():
    return world.make_user("vera", email="vera@vera.example")


def log_in(client: Client) -> None:
    client.post(reverse("login"), {"username": "vera", "password": PASSWORD})


def change(client: Client, new: str, old: str = PASSWORD):
    asked = {"old_password": old, "new_password1": new, "new_password2": new}
    return client.post(reverse("accounts:password"), asked)


def test_a_session_that_was_planted_is_not_the_one_that_is_logged_in(user):
    """Session fixation: whoever knows the id from before the login has nothing."""
    client, attacker = Client(), Client()
    session = client.session
    session["planted"] = True
    session.save()
    planted = session.session_key
    client.cookies["sessionid"] = attacker.cookies["sessionid"] = planted
    log_in(client)
    assert client.session.session_key != planted
    assert client.get("/jobs/").status_code == 200
    assert attacker.get("/jobs/").status_code == 302


def test_the_cookie_of_a_session_is_out_of_reach_of_scripts_and_of_other_sites(user):
    client = Client()
    log_in(client)
    cookie = client.cookies["sessionid"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"


def test_another_name_than_ones_own_locks_nobody_else_out(user, settings):
    settings.AXES_FAILURE_LIMIT = 2
    client = Client()
    for _ in range(3):
        client.post(reverse("login"), {"username": "someone", "password": "wrong"})
    log_in(client)
    assert client.get("/jobs/").status_code == 200


@pytest.mark.parametrize("weak", ["short-one", "qwerty123456", "482957103846", "vera.example"])
def test_weak_passwords_are_refused(user, weak):
    client = Client()
    log_in(client)
    assert change(client, weak).context["form"].errors
    user.refresh_from_db()
    assert user.check_password(PASSWORD)


def test_a_new_password_ends_the_other_sessions(user):
    client, elsewhere = Client(), Client()
    log_in(client)
    log_in(elsewhere)
    assert change(client, NEW).status_code == 302
    assert client.get("/account/password/set/").status_code == 200
    assert elsewhere.get("/jobs/").status_code == 302
    user.refresh_from_db()
    assert user.check_password(NEW)


def test_a_new_password_needs_the_old_one_and_a_login(user):
    client = Client()
    assert change(client, NEW).status_code == 302
    log_in(client)
    assert change(client, NEW, old="wrong").status_code == 200
    user.refresh_from_db()
    assert user.check_password(PASSWORD)


def test_who_may_not_log_in_any_more_is_not_let_in(user, rf):
    user.is_active = False
    user.save()
    assert authenticate(rf.post("/login/"), username="vera", password=PASSWORD) is None
