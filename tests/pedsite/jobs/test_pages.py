"""The pages and the API of jobs."""

import pytest
from django.test import Client
from django.urls import reverse

from pedsite.accounts import keys
from pedsite.accounts.models import User
from pedsite.jobs import failures, work
from pedsite.jobs.models import Job, JobFailure
from pedsite.jobs.templatetags.jobs import parameters

pytestmark = pytest.mark.django_db


@pytest.fixture
def viewer() -> User:
    return User.objects.create_user("vera", password="a-long-password")


@pytest.fixture
def page(viewer: User) -> Client:
    client = Client()
    client.force_login(viewer)
    return client


@pytest.fixture
def program(viewer: User) -> Client:
    _key, secret = keys.issue(viewer, "test")
    return Client(headers={"authorization": f"Bearer {secret}"})


def make_job(user: User | None, **fields) -> Job:
    job = work.request(
        "import", task="gallery.import_dataset", params={}, user=user, queue=False, total=10
    )
    Job.objects.filter(pk=job.pk).update(**fields)
    job.refresh_from_db()
    return job


def finish(job: Job, failed: dict[str, str]) -> Job:
    def step(at):
        at.advance(10 - len(failed), failures=list(failed.items()))
        return False

    return work.execute(job.pk, step)


def test_the_pages_ask_a_stranger_to_log_in():
    for name, args in (("jobs:list", []), ("jobs:detail", [1])):
        answer = Client().get(reverse(name, args=args))
        assert answer.status_code == 302
        assert answer.url.startswith(reverse("login"))


def test_a_viewer_sees_their_own_jobs_and_an_operator_all(page, viewer):
    own, other = make_job(viewer), make_job(None)
    text = page.get(reverse("jobs:list")).content.decode()
    assert f'id="job-{own.pk}"' in text
    assert f'id="job-{other.pk}"' not in text
    assert page.get(reverse("jobs:detail", args=[other.pk])).status_code == 404
    viewer.role = User.Role.OPERATOR
    viewer.save()
    assert f'id="job-{other.pk}"' in page.get(reverse("jobs:list")).content.decode()


def test_the_list_can_be_narrowed_to_a_state(page, viewer):
    running, queued = make_job(viewer, state="running"), make_job(viewer)
    text = page.get(reverse("jobs:list"), {"state": "running"}).content.decode()
    assert f'id="job-{running.pk}"' in text
    assert f'id="job-{queued.pk}"' not in text


def test_a_running_card_polls_and_one_that_is_over_stops(page, viewer):
    job = make_job(viewer)
    card = page.get(reverse("jobs:card", args=[job.pk]))
    assert card.status_code == 200
    assert b"every 2s" in card.content
    finish(job, {})
    card = page.get(reverse("jobs:card", args=[job.pk]))
    assert card.status_code == 286
    assert b"every 2s" not in card.content


def test_the_detail_page_groups_failures_by_reason(page, viewer):
    failed = {f"{n}.jpg": "The file ends too early." for n in range(4)} | {"x.txt": "Not an image."}
    job = finish(make_job(viewer), failed)
    groups = failures.grouped(job)
    assert [(group.count, group.reason) for group in groups] == [
        (4, "The file ends too early."),
        (1, "Not an image."),
    ]
    assert groups[0].items == ["0.jpg", "1.jpg", "2.jpg"]
    text = page.get(reverse("jobs:detail", args=[job.pk])).content.decode()
    assert "The file ends too early." in text
    assert "Retry the 5 failed items" in text


def test_asked_by_htmx_the_detail_page_answers_with_the_changing_part(page, viewer):
    job = make_job(viewer)
    answer = page.get(reverse("jobs:detail", args=[job.pk]), headers={"hx-request": "true"})
    assert answer.status_code == 200
    assert b"<html" not in answer.content
    work.cancel(job)
    answer = page.get(reverse("jobs:detail", args=[job.pk]), headers={"hx-request": "true"})
    assert answer.status_code == 286


def test_names_of_items_are_shown_as_text(page, viewer):
    job = finish(make_job(viewer), {"<script>alert(1)</script>.jpg": "<b>bad</b>"})
    text = page.get(reverse("jobs:detail", args=[job.pk])).content.decode()
    assert "<script>alert" not in text
    assert "&lt;b&gt;bad" in text


def test_the_buttons_cancel_and_retry(page, viewer):
    job = make_job(viewer)
    page.post(reverse("jobs:cancel", args=[job.pk]))
    job.refresh_from_db()
    assert job.state == "cancelled"
    job = finish(make_job(viewer), {"a.jpg": "empty"})
    answer = page.post(reverse("jobs:retry", args=[job.pk]))
    again = Job.objects.get(retry_of=job)
    assert answer.url == reverse("jobs:detail", args=[again.pk])
    assert again.created_by == viewer


def test_cancel_and_retry_refuse_a_get(page, viewer):
    job = make_job(viewer)
    assert page.get(reverse("jobs:cancel", args=[job.pk])).status_code == 405
    assert page.get(reverse("jobs:retry", args=[job.pk])).status_code == 405


def test_the_api_shows_one_job(program, viewer):
    job = make_job(viewer, state="running", done=4, failed=1, busy_s=2.5)
    body = program.get(f"/api/v1/jobs/{job.pk}").json()
    assert (body["id"], body["state"], body["done"], body["total"]) == (job.pk, "running", 4, 10)
    assert (body["rate"], body["eta"]) == (2.0, 2.5)
    assert body["url"].endswith(f"/api/v1/jobs/{job.pk}")


def test_the_api_hides_the_jobs_of_others(program):
    job = make_job(None)
    answer = program.get(f"/api/v1/jobs/{job.pk}")
    assert answer.status_code == 404
    assert answer.json()["code"] == "not_found"


def test_the_api_lists_jobs_page_by_page(program, viewer):
    made = [make_job(viewer).pk for _ in range(3)]
    first = program.get("/api/v1/jobs", {"limit": 2}).json()
    assert [job["id"] for job in first["results"]] == made[:0:-1]
    second = program.get(first["next"]).json()
    assert [job["id"] for job in second["results"]] == made[:1]
    assert second["next"] is None


def test_the_api_refuses_an_unknown_state(program):
    answer = program.get("/api/v1/jobs", {"state": "asleep"})
    assert answer.status_code == 400
    assert "state" in answer.json()["errors"]


def test_the_api_cancels_once(program, viewer):
    job = make_job(viewer)
    assert program.post(f"/api/v1/jobs/{job.pk}/cancel").json()["state"] == "cancelled"
    again = program.post(f"/api/v1/jobs/{job.pk}/cancel")
    assert (again.status_code, again.json()["code"]) == (409, "job-is-over")


def test_the_api_retries_failed_items_and_tells_them(program, viewer):
    job = finish(make_job(viewer), {"a.jpg": "empty"})
    rows = program.get(f"/api/v1/jobs/{job.pk}/failures").json()["results"]
    assert [(row["item"], row["reason"]) for row in rows] == [("a.jpg", "empty")]
    answer = program.post(f"/api/v1/jobs/{job.pk}/retry")
    assert answer.status_code == 202
    assert answer.json()["params"]["only"] == ["a.jpg"]


def test_the_admin_shows_jobs_and_changes_none(admin_client, viewer):
    job = finish(make_job(viewer), {"a.jpg": "empty"})
    assert JobFailure.objects.count() == 1
    for model in ("job", "jobfailure"):
        assert admin_client.get(reverse(f"admin:jobs_{model}_changelist")).status_code == 200
    assert admin_client.get(reverse("admin:jobs_job_change", args=[job.pk])).status_code == 200
    assert admin_client.get(reverse("admin:jobs_job_add")).status_code == 403
    assert admin_client.post(reverse("admin:jobs_job_delete", args=[job.pk])).status_code == 403


def test_the_bar_shows_the_share_that_failed(page, viewer):
    job = make_job(viewer)
    finish(job, {f"item {n}": "damaged" for n in range(7)})
    text = page.get(reverse("jobs:detail", args=[job.pk])).content.decode()
    assert 'class="progress__well progress__well--done" width="30.0"' in text
    assert 'class="progress__ill" x="30.0" width="70.0"' in text
    assert 'aria-valuetext="3 of 10 done, 7 failed"' in text
    assert "<progress" not in text


def test_a_share_that_failed_is_seen_however_small(page, viewer):
    job = make_job(viewer, total=100_000, done=99_999, failed=1)
    assert (job.percent_done, job.percent_failed) == (99, 1)
    job = make_job(viewer, total=100_000, done=50_000, failed=1)
    assert (job.percent_done, job.percent_failed) == (50, 1)


def test_a_bar_of_what_went_well_is_whole(page, viewer):
    job = make_job(viewer)
    finish(job, {})
    text = page.get(reverse("jobs:detail", args=[job.pk])).content.decode()
    assert "progress--done" in text
    assert "progress__ill" not in text


def test_where_the_work_goes_on_from_is_told_to_nobody():
    kept = {"mark": [1, 2], "after": {"1": 5}, "loads": {"1": 0}, "noted": 0, "images": 3}
    assert [value for _name, value in parameters(kept)] == ["3"]


def test_large_counts_are_grouped(page, viewer):
    job = make_job(viewer, total=2_592_763, done=2_592_763, result={"images": 1168, "mark": 9999})
    text = page.get(reverse("jobs:detail", args=[job.pk])).content.decode()
    assert "2,592,763 of 2,592,763 done" in text
    assert "1,168" in text
    assert "9999" not in text
