"""Users and grants in the hands of administrators, in force at once."""

import json

import pytest
from django.core.cache import cache
from django.test import Client

from gallery import datasets
from gallery.models import Dataset, DatasetGrant
from pedsite.accounts import keys
from pedsite.accounts.models import User
from pedsite.audit.models import Entry
from tests import world

pytestmark = pytest.mark.django_db
PASSWORD = "four-words-are-best"
PAGES = ["/users/", "/users/{}/", "/users/grants/"]
POSTS = ["/users/new/", "/users/{}/change/", "/users/grants/", "/users/grants/{}/remove/"]
API = [
    ("GET", "/api/v1/users"),
    ("POST", "/api/v1/users"),
    ("GET", "/api/v1/users/{}"),
    ("PATCH", "/api/v1/users/{}"),
    ("GET", "/api/v1/grants"),
    ("POST", "/api/v1/grants"),
    ("DELETE", "/api/v1/grants/{}"),
]


@pytest.fixture
def ada():
    return world.make_user("ada", role="admin")


@pytest.fixture
def vera():
    return world.make_user("vera")


@pytest.fixture
def admin(ada):
    client = Client()
    client.force_login(ada)
    return client


@pytest.fixture
def session(vera):
    client = Client()
    client.force_login(vera)
    return client


@pytest.fixture
def program(vera):
    cache.clear()
    return Client(headers={"authorization": f"Bearer {keys.issue(vera, 'one')[1]}"})


def sends(client: Client, method: str, path: str, **sent):
    return client.generic(method, path, json.dumps(sent), "application/json")


@pytest.mark.parametrize("role", ["viewer", "reviewer", "curator", "operator"])
def test_nobody_but_administrators_gets_at_users_and_grants(role, ada):
    grant = world.make_grant(world.make_dataset(), ada)
    client = Client()
    client.force_login(user := world.make_user(role=role))
    for path in PAGES:
        assert client.get(path.format(ada.pk)).status_code == 403
    for path in POSTS:
        sent = {"act": "role", "role": "admin", "username": "eve", "password": PASSWORD}
        for pk in (user.pk, grant.pk):
            assert client.post(path.format(pk), sent).status_code == 403
    for method, path in API:
        for pk in (user.pk, grant.pk):
            assert sends(client, method, path.format(pk), role="admin").status_code == 403
    user.refresh_from_db()
    assert user.role == role
    assert DatasetGrant.objects.get() == grant
    assert User.objects.count() == 2


@pytest.mark.parametrize("path", PAGES)
def test_the_pages_need_a_login(client, path):
    assert client.get(path.format(1)).status_code == 302


def test_an_administrator_makes_a_user_who_can_log_in(admin):
    sent = {"username": "nora", "email": "n@example.org", "role": "curator", "password": PASSWORD}
    assert admin.post("/users/new/", sent).status_code == 302
    nora = User.objects.get(username="nora")
    assert (nora.role, nora.email, nora.is_staff) == ("curator", "n@example.org", False)
    client = Client()
    client.post("/login/", {"username": "nora", "password": PASSWORD})
    assert client.get("/jobs/").status_code == 200
    assert PASSWORD not in "".join(map(str, Entry.objects.values_list("detail", flat=True)))


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ({"username": "vera"}, "already exists"),
        ({"username": "a b/c"}, "valid username"),
        ({"password": "short"}, "too short"),
        ({"password": "nora-the-user", "username": "nora-the-user"}, "too similar"),
        ({"role": "king"}, "Select a valid choice"),
    ],
)
def test_a_user_who_cannot_be_is_refused_in_words(admin, vera, sent, told):
    usual = {"username": "nora", "role": "viewer", "password": PASSWORD}
    answer = admin.post("/users/new/", usual | sent)
    assert answer.status_code == 400
    assert told in answer.content.decode()
    assert not User.objects.filter(username__startswith="nora").exists()


def test_who_is_shut_out_is_out_with_the_next_request(admin, vera, session, program):
    assert session.get("/datasets/").status_code == 200
    assert program.get("/api/v1/datasets").status_code == 200
    admin.post(f"/users/{vera.pk}/change/", {"act": "shut-out"})
    assert session.get("/datasets/").status_code == 302
    assert program.get("/api/v1/datasets").status_code == 401
    admin.post(f"/users/{vera.pk}/change/", {"act": "let-in"})
    assert program.get("/api/v1/datasets").status_code == 200


def test_a_role_is_in_force_with_the_next_request(admin, vera, session, program):
    assert session.get("/imports/").status_code == 403
    admin.post(f"/users/{vera.pk}/change/", {"act": "role", "role": "curator"})
    assert session.get("/imports/").status_code == 200
    assert program.get("/api/v1/imports").status_code == 200
    admin.post(f"/users/{vera.pk}/change/", {"act": "role", "role": "viewer"})
    assert session.get("/imports/").status_code == 403
    assert program.get("/api/v1/imports").status_code == 403


@pytest.mark.parametrize("to", ["vera", "role:viewer"])
def test_a_grant_is_in_force_and_gone_with_the_next_request(admin, vera, session, program, to):
    box = world.make_box(world.make_image(world.make_dataset("street")))

    def sees() -> list[int]:
        found = [session.get("/datasets/street/"), session.get(f"/pictures/boxes/{box.pk}.jpg")]
        found.append(session.get(f"/pictures/images/{box.image_id}.jpg"))
        return [one.status_code for one in [*found, program.get(f"/api/v1/boxes/{box.pk}")]]

    assert sees() == [404] * 4
    assert admin.post("/users/grants/", {"dataset": "street", "to": to}).status_code == 302
    assert sees() == [200] * 4
    grant = DatasetGrant.objects.get()
    admin.post(f"/users/grants/{grant.pk}/remove/")
    assert sees() == [404] * 4


def test_a_grant_to_a_role_is_for_that_role_alone(vera):
    dataset = world.make_dataset("street")
    datasets.grant(dataset, "reviewer")
    datasets.grant(dataset, "reviewer")
    assert DatasetGrant.objects.count() == 1
    assert not Dataset.objects.visible_to(vera).exists()
    vera.role = "reviewer"
    assert Dataset.objects.visible_to(vera).get() == dataset


def test_a_new_password_from_an_administrator_ends_the_sessions(admin, vera, session):
    admin.post(f"/users/{vera.pk}/change/", {"act": "password", "password": "easy"})
    assert session.get("/datasets/").status_code == 200
    admin.post(f"/users/{vera.pk}/change/", {"act": "password", "password": PASSWORD})
    assert session.get("/datasets/").status_code == 302


def test_an_administrator_revokes_the_key_of_another(admin, vera, program):
    key = vera.api_keys.get()
    admin.post(f"/users/{vera.pk}/change/", {"act": "revoke", "key": key.pk})
    assert program.get("/api/v1/datasets").status_code == 401
    other, _secret = keys.issue(world.make_user(), "other")
    sent = {"act": "revoke", "key": other.pk}
    assert admin.post(f"/users/{vera.pk}/change/", sent).status_code == 404


def test_nobody_changes_themselves_or_a_superuser_above_them(admin, ada):
    root = world.make_user("root", is_superuser=True)
    for user in (ada, root):
        for sent in ({"act": "role", "role": "viewer"}, {"act": "shut-out"}):
            admin.post(f"/users/{user.pk}/change/", sent)
        user.refresh_from_db()
        assert user.is_active
    assert ada.role == "admin"
    assert sends(admin, "PATCH", f"/api/v1/users/{ada.pk}", role="viewer").status_code == 409
    assert sends(admin, "PATCH", f"/api/v1/users/{root.pk}", is_active=False).status_code == 403


def test_pages_show_users_grants_and_what_is_wrong(admin, vera):
    dataset = world.make_dataset("street", visible_to=vera)
    datasets.grant(dataset, "viewer")
    assert "vera" in admin.get("/users/?q=VER").content.decode()
    assert "No user has" in admin.get("/users/?q=%00zz").content.decode()
    page = admin.get(f"/users/{vera.pk}/").content.decode()
    assert "street" in page
    assert "by the role" in page
    assert "everyone with the role Viewer" in admin.get("/users/grants/").content.decode()
    answer = admin.post("/users/grants/", {"dataset": "street", "to": "nobody"})
    assert answer.status_code == 400
    assert "There is no user or role “nobody”." in answer.content.decode()
    assert admin.get("/users/999999/").status_code == 404
    assert admin.post(f"/users/{vera.pk}/change/", {"act": "explode"}).status_code == 404


def test_programs_make_change_and_grant(admin, vera):
    sent = {"username": "nora", "role": "viewer", "password": PASSWORD}
    made = sends(admin, "POST", "/api/v1/users", **sent)
    assert made.status_code == 201
    assert "password" not in made.json()
    pk = made.json()["id"]
    assert (
        sends(admin, "PATCH", f"/api/v1/users/{pk}", role="reviewer").json()["role"] == "reviewer"
    )
    world.make_dataset("street")
    grant = sends(admin, "POST", "/api/v1/grants", dataset="street", user="nora").json()
    assert (grant["dataset"], grant["user"]) == ("street", "nora")
    assert admin.get("/api/v1/grants").json()["results"] == [grant]
    assert sends(admin, "DELETE", f"/api/v1/grants/{grant['id']}").status_code == 204
    both = {"dataset": "street", "user": "nora", "role": "viewer"}
    assert sends(admin, "POST", "/api/v1/grants", **both).status_code == 400
    wrong = {"dataset": "nowhere", "user": "nora"}
    assert sends(admin, "POST", "/api/v1/grants", **wrong).status_code == 404
    names = [user["username"] for user in admin.get("/api/v1/users?limit=2").json()["results"]]
    assert names == ["nora", "vera"]


def test_each_change_is_told_to_the_log(admin, ada, vera):
    admin.post(f"/users/{vera.pk}/change/", {"act": "role", "role": "curator"})
    admin.post(f"/users/{vera.pk}/change/", {"act": "role", "role": "curator"})
    entry = Entry.objects.get(about__startswith="user ")
    assert (entry.username, entry.about) == ("ada", f"user {vera.pk} role")
    assert entry.detail == {"before": "viewer", "after": "curator"}
