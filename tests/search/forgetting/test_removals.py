"""Who may remove, what has to be typed, and how long pictures are kept."""

import datetime as dt
import json

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from gallery.models import Addition, Box, Image
from pedsite.audit.models import Entry
from pedsite.jobs.models import Job
from search.cases import casework, exports
from search.forgetting import removal, retention
from search.forgetting.errors import MayNotRemove, NotConfirmed, NotForgettable
from search.forgetting.models import Removal, RetentionRule
from search.templatetags.forgetting import PLACES
from tests import world
from tests.search.forgetting.conftest import KEY, boxes_there, forget, run

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(ada):
    client = Client()
    client.force_login(ada)
    return client


@pytest.mark.parametrize("role", ["viewer", "reviewer", "curator", "operator"])
def test_nobody_but_administrators_gets_at_removals(person, street, ada, role):
    made = forget(person, ada)
    retention.set_rule(street, 3, user=ada)
    client = Client()
    client.force_login(user := world.make_user(role=role))
    world.make_grant(street, user)
    box = person.alone.pk
    for path in ("/removals/", f"/removals/{made.pk}/", f"/boxes/{box}/forget/"):
        assert client.get(path).status_code == 403
    for path in (
        f"/removals/{made.pk}/again/",
        "/removals/rules/street/",
        "/removals/rules/street/apply/",
        f"/boxes/{box}/forget/",
    ):
        assert client.post(path, {"typed": KEY, "days": 1, "since": "taken"}).status_code == 403
    for method, path in (
        ("GET", "/api/v1/removals"),
        ("POST", "/api/v1/removals"),
        ("GET", f"/api/v1/removals/{made.pk}"),
        ("POST", f"/api/v1/removals/{made.pk}/again"),
        ("GET", "/api/v1/retention"),
        ("PUT", "/api/v1/retention"),
    ):
        sent = json.dumps({"box": box, "confirm": KEY, "dataset": "street", "days": 1})
        assert client.generic(method, path, sent, "application/json").status_code == 403
    with pytest.raises(MayNotRemove):
        forget(person, user)
    assert Removal.objects.count() == 1
    assert RetentionRule.objects.get().days == 3
    assert "/forget/" not in client.get(f"/boxes/{box}/").content.decode()


@pytest.mark.parametrize("path", ["/removals/", "/removals/1/", "/boxes/1/forget/"])
def test_the_pages_need_a_login(client, path):
    assert client.get(path).status_code == 302


def test_the_page_tells_what_goes_and_wants_the_word(admin, person):
    path = f"/boxes/{person.alone.pk}/forget/"
    assert path in admin.get(f"/boxes/{person.alone.pk}/").content.decode()
    page = admin.get(path).content.decode()
    assert "2 boxes in street show them." in page
    assert KEY in page
    refused = admin.post(path, {"typed": "street"})
    assert refused.status_code == 400
    assert "there is no way back" in refused.content.decode()
    assert not Removal.objects.exists()
    answer = admin.post(path, {"typed": f" {KEY} ", "purpose": "asked on 2026-03-14"})
    made = Removal.objects.get()
    assert answer.url == f"/removals/{made.pk}/"
    assert made.purpose == "asked on 2026-03-14"
    assert "on its way" in admin.get(answer.url).content.decode()
    assert admin.get("/boxes/999999/forget/").status_code == 404
    assert admin.get("/removals/999999/").status_code == 404


def test_the_report_is_shown_and_the_log_names_nobody(admin, person, ada):
    _job, made = run(forget(person, ada))
    page = admin.get(f"/removals/{made.pk}/").content.decode()
    assert "none left" in page
    assert "frames painted over" in page
    named = [*made.report["removed"], *made.report["held"]]
    named += [check["what"] for check in made.report["checks"]]
    # Every place has words, but those of models that others add later.
    assert {name for name in named if name not in PLACES} <= {"judgement"}
    assert KEY not in page
    told = Entry.objects.filter(action="forget").order_by("pk")
    assert [entry.about for entry in told] == [
        f"removal {made.pk} requested",
        f"removal {made.pk} done",
    ]
    assert KEY not in str([(entry.text, entry.about, entry.detail) for entry in told])
    assert KEY not in str(Job.objects.latest("pk").params)


def test_what_is_done_or_on_its_way_is_not_asked_for_again(person, ada):
    made = forget(person, ada)
    with pytest.raises(NotForgettable):
        removal.again(made, ada)
    _job, made = run(made)
    with pytest.raises(NotForgettable):
        removal.again(made, ada)


def test_exports_that_are_being_written_are_stopped(person, ada):
    case = casework.start(ada, "A case")
    casework.add_hits(case, [person.alone.pk], ada)
    waiting = exports.request(case, ada, queue=False)
    other = exports.request(casework.start(ada, "Another"), ada, queue=False)
    run(forget(person, ada))
    waiting.refresh_from_db()
    other.refresh_from_db()
    assert (waiting.state, other.state) == ("cancelled", "queued")


def test_programs_forget_and_read_the_report(admin, person):
    def send(**sent):
        return admin.post("/api/v1/removals", sent, content_type="application/json")

    box = person.alone.pk
    assert send(box=box, confirm="yes").json()["code"] == "not-confirmed"
    assert send(box=999999, confirm="yes").json()["code"] == "not-forgettable"
    made = send(box=box, confirm=KEY)
    assert made.status_code == 202
    run(Removal.objects.get())
    told = admin.get(f"/api/v1/removals/{made.json()['id']}").json()
    assert (told["state"], told["report"]["removed"]["boxes"]) == ("done", 2)
    assert [one["id"] for one in admin.get("/api/v1/removals").json()["results"]] == [told["id"]]
    assert admin.get("/api/v1/removals/999999").status_code == 404
    assert admin.post(f"/api/v1/removals/{told['id']}/again").status_code == 400


def test_the_command_forgets_and_prints_the_report(person, capsys):
    with pytest.raises(CommandError, match="confirm"):
        call_command("forget", "--box", person.alone.pk)
    call_command("forget", "--box", person.alone.pk, "--confirm", KEY)
    assert json.loads(capsys.readouterr().out)["removed"]["boxes"] == 2
    assert boxes_there() == {person.other.pk}
    with pytest.raises(NotConfirmed):
        removal.forget(person.other.pk, None, typed="")


# How long pictures are kept


@pytest.fixture
def aged(street):
    """Taken and imported so many days ago."""
    now = timezone.now()

    def image(taken: int | None, imported: int) -> Image:
        made = world.make_image(
            street, taken_at=None if taken is None else now - dt.timedelta(days=taken)
        )
        Image.objects.filter(pk=made.pk).update(created_at=now - dt.timedelta(days=imported))
        world.make_box(made)
        return made

    return [image(40, 1), image(None, 40), image(1, 40), image(None, 1)]


@pytest.mark.parametrize(("since", "old"), [("taken", [0, 1]), ("imported", [1, 2])])
def test_a_rule_goes_by_the_time_that_it_names(street, ada, aged, since, old):
    rule = retention.set_rule(street, 30, since, ada)
    due = retention.due(rule)
    assert (due.images, due.boxes) == (2, 2)
    assert Image.objects.count() == 4
    _job, made = run(retention.apply(rule, queue=False))
    assert made.is_proven
    left = set(Image.objects.values_list("pk", flat=True))
    assert left == {image.pk for n, image in enumerate(aged) if n not in old}
    assert retention.apply(rule) is None


def test_a_picture_without_boxes_is_not_kept_longer(street, ada):
    image = world.make_image(street)
    Image.objects.update(created_at=timezone.now() - dt.timedelta(days=9))
    run(retention.apply(retention.set_rule(street, 8, user=ada), queue=False))
    assert not Image.objects.exists()
    assert not image.file.storage.exists(image.file.name)


def test_what_is_noted_of_people_who_stay_is_kept(street, ada, person):
    """An old picture goes; its person is in another, and an import of them can still be undone."""
    job = Job.objects.create(kind="import", task="none")
    for kind, row in (("identity", person.identity.pk), ("box", person.alone.pk)):
        Addition.objects.create(job=job, kind=kind, row=row, state="as it was")
    old = timezone.now() - dt.timedelta(days=9)
    Image.objects.filter(pk=person.alone.image_id).update(taken_at=old)
    _job, made = run(retention.apply(retention.set_rule(street, 8, user=ada), queue=False))
    assert made.is_proven
    assert boxes_there() == {person.beside.pk, person.other.pk}
    assert Addition.objects.get().row == person.identity.pk


def test_other_datasets_and_the_day_itself_are_left_alone(street, ada, aged):
    other = world.make_image(world.make_dataset("lane"), taken_at=timezone.now() - dt.timedelta(99))
    rule = retention.set_rule(street, 41, user=ada)
    assert retention.due(rule).images == 0
    assert retention.apply(rule) is None
    assert Image.objects.filter(pk=other.pk).exists()


def test_the_dry_run_counts_and_removes_nothing(street, aged, capsys):
    call_command("retain", "--dataset", "street", "--days", "30", "--dry-run")
    assert "street: 2 pictures with 2 boxes are older than 30 days." in capsys.readouterr().out
    assert Box.objects.count() == 4
    assert not Removal.objects.exists()
    call_command("retain")
    assert "is done" in capsys.readouterr().out
    assert Box.objects.count() == 2
    call_command("retain", "--dataset", "street", "--days", "0")
    assert not RetentionRule.objects.exists()
    with pytest.raises(CommandError):
        call_command("retain", "--days", "x")


def test_workers_apply_every_rule_once_a_day(street, ada, aged, settings):
    assert settings.CELERY_BEAT_SCHEDULE["search-retain"]["task"] == "search.retain"
    retention.set_rule(street, 30, user=ada)
    retention.apply_all()
    retention.apply_all()
    made = Removal.objects.get()
    assert (made.why, made.purpose) == ("retention", "30 days, taken")


def test_the_page_and_programs_set_rules(admin, street, aged):
    page = "/removals/rules/street/"
    admin.post(page, {"days": "30", "since": "imported"})
    rule = RetentionRule.objects.get()
    assert (rule.days, rule.since) == (30, "imported")
    assert "2 pictures, 2 boxes" in admin.get("/removals/").content.decode()
    for wrong in ("0", "-3", "x", "99999999"):
        admin.post(page, {"days": wrong, "since": "taken"})
    assert RetentionRule.objects.get() == rule
    admin.post("/removals/rules/street/apply/")
    assert Removal.objects.get().plan["images"]
    admin.post(page, {"days": "", "since": "taken"})
    assert not RetentionRule.objects.exists()
    assert admin.post("/removals/rules/nowhere/", {"days": "1"}).status_code == 404

    def put(**sent):
        return admin.put("/api/v1/retention", sent, content_type="application/json")

    told = put(dataset="street", days=30).json()
    assert (told["days"], told["images_due"], told["boxes_due"]) == (30, 2, 2)
    assert admin.get("/api/v1/retention").json() == [told]
    assert put(dataset="street", days=None).json()["days"] is None
    assert put(dataset="nowhere", days=3).status_code == 404
    assert put(dataset="street", days=0).status_code == 400
