"""The pages and the API of trainings."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from pedsite.accounts.models import User
from pedsite.jobs.models import Job
from tests.search.pages.asked import Page
from tests.world import make_grant, make_user, make_version
from training import runs
from training.ml import config
from training.ml.recipes import RECIPES
from training.models import MetricPoint, TrainingRun
from training.run_form import RunForm

pytestmark = pytest.mark.django_db


def client_of(username: str, **fields) -> Client:
    client = Client()
    client.force_login(make_user(username, **fields))
    return client


@pytest.fixture
def operator(people):
    client = client_of("otto", role="operator")
    make_grant(people, User.objects.get(username="otto"))
    return client


@pytest.fixture
def viewer():
    return client_of("vera")


@pytest.fixture
def run(people, tiny):
    return runs.request("clip", "people", tiny, name="first", queue=False)


def learn(run, points=3):
    """Curves as a training writes them."""
    MetricPoint.objects.bulk_create(
        MetricPoint(run=run, step=20 * n, name=name, value=value)
        for n in range(1, points + 1)
        for name, value in {
            "loss": 5 / n,
            "contrastive": 4 / n,
            "lr": 0.001 / n,
            "valid_r1": 0.1 * n,
            "valid_r10": 0.2 * n,
        }.items()
    )


def ended(run, state, error=""):
    Job.objects.filter(pk=run.job_id).update(
        state=state, error=error, finished_at=run.job.created_at, started_at=run.job.created_at
    )
    run.refresh_from_db()
    return run


def wanted(recipe="clip", **changes):
    """What a browser sends when the form stays as it is shown."""
    form = RunForm(recipe=recipe, user=User(role="admin", is_superuser=True))
    sent = {
        name: form[name].value()
        for name in form.fields
        if not (isinstance(form[name].value(), bool) and not form[name].value())
    }
    sent = {name: "" if value is None else value for name, value in sent.items()}
    return sent | changes


def test_the_page_draws_losses_validation_and_learning_rate(operator, run):
    learn(run)
    page = operator.get(run.get_absolute_url()).content.decode()
    for key in ("loss", "valid", "lr"):
        assert f'data-chart="{key}"' in page
    for line in ("loss", "contrastive", "R@1", "R@10", "lr"):
        assert f'data-name="{line}"' in page
    assert run.snapshot.fingerprint in page
    assert "Number 1 in the queue “training”" in page


def test_the_page_asks_again_until_the_training_is_over(operator, run):
    address = run.get_absolute_url()
    assert 'hx-trigger="every 2s"' in operator.get(address).content.decode()
    part = operator.get(address, headers={"HX-Request": "true"})
    assert part.status_code == 200
    assert b"<html" not in part.content
    ended(run, "done")
    over = operator.get(address, headers={"HX-Request": "true"})
    assert over.status_code == 286
    assert "hx-trigger" not in over.content.decode()


def test_a_long_curve_is_thinned_and_keeps_its_end(run):
    MetricPoint.objects.bulk_create(
        MetricPoint(run=run, step=n, name=name, value=n)
        for n in range(1, 1001)
        for name in ("loss", "lr")
    )
    found = run.points.thinned(120).curves()
    assert set(found) == {"loss", "lr"}
    for points in found.values():
        assert 100 <= len(points) <= 120
        assert points[-1] == (1000, 1000.0)
    assert len(run.points.thinned(5000).curves()["loss"]) == 1000


def test_a_failed_run_says_why_shows_its_log_and_can_be_resumed(operator, run, settings, tmp_path):
    settings.PEDSITE_WORK_DIR = tmp_path
    learn(run)
    runs.folder(run).mkdir(parents=True)
    (runs.folder(run) / "last.pt").touch()
    runs.log(run).write_text("\n".join(f"line {n}" for n in range(100)) + "\rbar 1\rbar 2\n")
    ended(run, "failed", "The disk is full: free some room.")
    page = operator.get(run.get_absolute_url()).content.decode()
    assert "The disk is full" in page
    assert "The last checkpoint is kept" in page
    assert "line 98" in page
    assert "bar 2" in page
    assert "bar 1" not in page
    assert "line 20\n" not in page
    before = run.job_id
    answer = operator.post(reverse("training:run-resume", args=[run.pk]))
    assert answer.url == run.get_absolute_url()
    run.refresh_from_db()
    assert run.job_id != before
    assert (run.job.state, run.job.retry_of_id) == ("queued", before)
    assert run.points.filter(name="loss").count() == 3  # the same run, so the same curve


@pytest.mark.parametrize("state", ["queued", "done"])
def test_only_what_was_cut_off_is_resumed(operator, run, state):
    if state == "done":
        ended(run, "done")
    answer = operator.post(f"/api/v1/runs/{run.pk}/resume")
    assert (answer.status_code, answer.json()["code"]) == (409, "nothing-to-resume")
    assert "Resume</button>" not in operator.get(run.get_absolute_url()).content.decode()


def test_a_run_is_resumed_once(operator, run):
    ended(run, "cancelled")
    address = f"/api/v1/runs/{run.pk}/resume"
    assert operator.post(address).status_code == 202
    assert operator.post(address).status_code == 409
    assert Job.objects.filter(kind="train").count() == 2


def test_a_waiting_run_is_cancelled_from_its_page(operator, run):
    operator.post(reverse("training:run-cancel", args=[run.pk]))
    run.job.refresh_from_db()
    assert run.job.state == "cancelled"
    again = operator.post(f"/api/v1/runs/{run.pk}/cancel")
    assert again.status_code == 409


def test_a_run_can_be_told_to_stop_after_its_epoch(operator, run):
    Job.objects.filter(pk=run.job_id).update(state="running", started_at=run.job.created_at)
    assert "Stop after this epoch" in operator.get(run.get_absolute_url()).content.decode()
    operator.post(reverse("training:run-finish", args=[run.pk]))
    run.refresh_from_db()
    assert run.finish_requested
    assert "Stops after this epoch" in operator.get(run.get_absolute_url()).content.decode()
    ended(run, "done")
    assert operator.post(f"/api/v1/runs/{run.pk}/finish").status_code == 409


def test_runs_are_shown_to_operators_and_to_who_asked(operator, viewer, run):
    addresses = [run.get_absolute_url(), f"/api/v1/runs/{run.pk}"]
    for address in addresses:
        assert operator.get(address).status_code == 200
        assert viewer.get(address).status_code == 404
    assert "first" not in viewer.get(reverse("training:run-list")).content.decode()
    assert viewer.get("/api/v1/runs").json()["results"] == []
    Job.objects.filter(pk=run.job_id).update(created_by=User.objects.get(username="vera"))
    for address in addresses:
        assert viewer.get(address).status_code == 200


@pytest.mark.parametrize("role", ["viewer", "reviewer", "curator"])
def test_only_operators_start_resume_and_end_trainings(people, run, role):
    user = make_user("someone", role=role)
    Job.objects.filter(pk=run.job_id).update(created_by=user)
    client = Client()
    client.force_login(user)
    assert client.get(reverse("training:run-new")).status_code == 403
    assert client.post(reverse("training:run-new"), wanted()).status_code == 403
    body = {"recipe": "clip", "dataset": "drawn:1:50"}
    assert client.post("/api/v1/runs", body, content_type="application/json").status_code == 403
    ended(run, "cancelled")
    for verb in ("resume", "finish"):
        assert client.post(reverse(f"training:run-{verb}", args=[run.pk])).status_code == 403
        assert client.post(f"/api/v1/runs/{run.pk}/{verb}").status_code == 403
    assert TrainingRun.objects.count() == 1


@pytest.mark.parametrize("recipe", RECIPES)
def test_the_form_of_a_recipe_asks_for_every_setting_that_it_reads(operator, recipe):
    page = operator.get(reverse("training:run-new"), {"recipe": recipe}).content.decode()
    asked = set(re.findall(r'name="(\w+)"', page))
    assert set(config.settings_of(recipe)) <= asked
    form = RunForm(recipe=recipe, user=User.objects.get(username="otto"))
    shown = [field.name for field in form.main()]
    shown += [field.name for group in form.groups() for field in group.fields]
    assert sorted(shown) == sorted(config.settings_of(recipe))


def test_a_form_that_stays_as_it_is_trains_with_the_recipe_s_defaults(operator):
    answer = operator.post(f"{reverse('training:run-new')}?recipe=cmpm", wanted("cmpm"))
    made = TrainingRun.objects.get()
    assert answer.url == made.get_absolute_url()
    assert made.config == config.TrainConfig.of_recipe("cmpm", {}).to_dict()
    assert (made.drawn, made.job.state, made.job.created_by.username) == (
        "drawn:1:2000",
        "queued",
        "otto",
    )


def test_what_the_form_changes_reaches_the_frozen_config(operator, people):
    sent = wanted(dataset="people", steps="7", lr="0.02", name="mine", augment="")
    operator.post(f"{reverse('training:run-new')}?recipe=clip", sent)
    made = TrainingRun.objects.get()
    assert (made.config["steps"], made.config["lr"], made.config["augment"]) == (7, 0.02, False)
    assert (made.version_name, made.snapshot.dataset) == ("mine", people)


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("batch", "1", "2"),
        ("steps", "many", "whole number"),
        ("lr", "0", "above 0"),
        ("lr", "nan", "number"),
        ("height", "100000", "1024"),
        ("backbone", "[1]", "JSON object"),
        ("backbone", "{", "JSON"),
        ("text_heads", "5", "not a multiple"),
        ("pretrained", "some/model", "pretrained_licence"),
        ("name", "a name", "letters"),
        ("dataset", "secret", "valid choice"),
    ],
)
def test_a_wrong_value_is_told_beside_its_field(operator, field, value, says):
    sent = wanted(**{field: value})
    answer = operator.post(f"{reverse('training:run-new')}?recipe=clip", sent)
    assert answer.status_code == 422
    form = answer.context["form"]
    where = {"text_heads": "text_width"}.get(field, field)
    assert says in " ".join(form.errors[where])
    assert not TrainingRun.objects.exists()


def test_a_group_with_a_wrong_value_is_open(operator):
    answer = operator.post(f"{reverse('training:run-new')}?recipe=clip", wanted(height="-3"))
    assert re.search(r'<details class="card group" open>', answer.content.decode())


def test_a_recipe_with_a_teacher_needs_one(operator):
    answer = operator.post(f"{reverse('training:run-new')}?recipe=distill", wanted("distill"))
    assert "choose one" in " ".join(answer.context["form"].errors["teacher"])


def test_the_api_starts_a_training_and_shows_its_curves(operator, tiny):
    body = {"recipe": "clip", "dataset": "people", "settings": tiny, "name": "mine"}
    answer = operator.post("/api/v1/runs", body, content_type="application/json")
    assert answer.status_code == 202, answer.content
    made = TrainingRun.objects.get()
    assert answer.json()["version_name"] == "mine"
    assert (answer.json()["state"], answer.json()["queue_position"]) == ("queued", 1)
    learn(made)
    body = operator.get(answer.json()["url"]).json()
    assert body["config"]["steps"] == tiny["steps"]
    assert body["curves"]["loss"] == [[20, 5.0], [40, 2.5], [60, pytest.approx(5 / 3)]]
    listed = operator.get("/api/v1/runs?state=queued&recipe=clip").json()["results"]
    assert [one["id"] for one in listed] == [made.pk]
    assert operator.get("/api/v1/runs?state=done").json()["results"] == []


@pytest.mark.parametrize(
    ("changes", "field", "status"),
    [
        ({"settings": {"batch": 1}}, ("settings", "batch"), 400),
        ({"settings": {"lr": "fast"}}, ("settings", "lr"), 400),
        ({"settings": {"stepps": 3}}, ("settings",), 400),
        ({"recipe": "magic"}, ("recipe",), 400),
    ],
)
def test_the_api_names_the_setting_that_is_wrong(operator, changes, field, status):
    body = {"recipe": "clip", "dataset": "people"} | changes
    answer = operator.post("/api/v1/runs", body, content_type="application/json")
    assert answer.status_code == status
    found = answer.json()["errors"]
    for name in field:
        found = found[name]
    assert found
    assert not TrainingRun.objects.exists()


def test_a_dataset_that_is_not_shared_trains_nothing(people):
    client = client_of("olga", role="operator")
    body = {"recipe": "clip", "dataset": "people"}
    answer = client.post("/api/v1/runs", body, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown-dataset")
    assert "people" not in re.findall(
        r'<option value="(\w+)"', client.get(reverse("training:run-new")).content.decode()
    )


def test_compared_runs_show_what_differs_and_curves_over_each_other(operator, run, tiny):
    other = runs.request(
        "clip",
        "drawn:1:40",
        tiny | {"attribute_weight": 0.0, "lr": 0.25},
        name="second",
        queue=False,
    )
    learn(run)
    learn(other, points=5)
    address = reverse("training:run-compare")
    page = operator.get(f"{address}?run={run.pk}&run={other.pk}").content.decode()
    rows = re.findall(r'<tr class="differs"><th scope="row"><code>(.+?)</code>', page)
    assert rows == ["learns from", "attribute_weight", "lr"]
    assert "0.25" in page
    chart = page[page.index('data-chart="loss"') :]
    chart = chart[: chart.index("</figure>")]
    assert f'data-name="first #{run.pk}"' in chart
    assert f'data-name="second #{other.pk}"' in chart
    assert "chart__line--2" in chart


@pytest.mark.parametrize("query", ["", "run=1", "run=x&run=99999999999999999999&run=-1"])
def test_nothing_to_compare_says_so(operator, query):
    answer = operator.get(f"{reverse('training:run-compare')}?{query}")
    assert answer.status_code == 200
    assert "Tick two or more" in answer.content.decode()


def test_runs_of_others_are_not_compared(viewer, run, tiny):
    other = runs.request(
        "clip", "drawn:1:40", tiny | {"attribute_weight": 0.0}, name="second", queue=False
    )
    page = viewer.get(f"{reverse('training:run-compare')}?run={run.pk}&run={other.pk}")
    assert "Tick two or more" in page.content.decode()


def test_the_list_costs_the_same_number_of_queries_for_any_number(
    operator, run, tiny, django_assert_max_num_queries
):
    for number in range(3):
        runs.request(
            "clip",
            f"drawn:{number}:40",
            tiny | {"attribute_weight": 0.0},
            name=f"n{number}",
            queue=False,
        )
    Job.objects.update(state="running", started_at=run.job.created_at)
    with django_assert_max_num_queries(6):
        operator.get(reverse("training:run-list"))


def test_no_page_of_trainings_carries_inline_code(operator, run):
    learn(run)
    run.version_name = "<script>alert(1)</script>"
    run.save()
    other = TrainingRun.objects.get(pk=run.pk)
    for address in (
        reverse("training:run-list"),
        reverse("training:run-new"),
        other.get_absolute_url(),
        f"{reverse('training:run-compare')}?run={run.pk}&run={run.pk}",
    ):
        page = operator.get(address).content.decode()
        assert Page(page).inline == [], address
        assert "<script>alert" not in page


def test_pages_of_trainings_need_a_log_in(client, run):
    for name in ("run-list", "run-new", "run-compare"):
        assert client.get(reverse(f"training:{name}")).url.startswith(reverse("login"))
    assert client.get(run.get_absolute_url()).url.startswith(reverse("login"))


def test_a_version_tells_where_it_comes_from(operator, viewer, run):
    version = make_version("first")
    TrainingRun.objects.filter(pk=run.pk).update(version=version, revision="0123abcd")
    ended(run, "done")
    page = viewer.get(version.get_absolute_url()).content.decode()
    for shown in (run.snapshot.fingerprint, "0123abcd", "checkpoint_every"):
        assert shown in page
    # A viewer learns where it comes from; the training itself is the operators'.
    assert run.get_absolute_url() not in page
    assert run.get_absolute_url() in operator.get(version.get_absolute_url()).content.decode()


def test_the_card_of_a_version_holds_its_lineage(viewer, run):
    version = make_version("first")
    TrainingRun.objects.filter(pk=run.pk).update(version=version, revision="0123abcd")
    answer = viewer.get(reverse("training:model-card", args=["first"]))
    assert answer["Content-Disposition"] == 'attachment; filename="first-card.json"'
    card = answer.json()
    assert card["training"]["fingerprint"] == run.snapshot.fingerprint
    assert card["training"]["revision"] == "0123abcd"
    assert card["training"]["config"] == run.config
    assert [tower["sha256"] for tower in card["towers"]] == [t.sha256 for t in version.towers]


def test_versions_of_one_space_name_each_other(viewer):
    first = make_version("first", space="shared")
    second = make_version("second", space="shared")
    assert "nothing to enroll anew" in viewer.get(first.get_absolute_url()).content.decode()
    assert second.name in viewer.get(first.get_absolute_url()).content.decode()
