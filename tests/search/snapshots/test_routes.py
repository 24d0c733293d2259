"""Pages and API of snapshots and of decisions: what they show, and to whom."""

import pytest
from django.urls import reverse

from gallery import snapshots
from pedsite.jobs.models import Job
from search import tasks
from search.review import adjudication
from search.snapshots import freezing, views
from tests import world
from tests.search.rows import make_serving
from training.models import Evaluation, TrainingRun
from training.run_form import RunForm

pytestmark = pytest.mark.django_db
YES, NO = "confirmed", "rejected"


@pytest.fixture
def of(client, dataset):
    """A browser of a role, granted the dataset unless it is said otherwise."""

    def log_in(role, granted=True):
        user = world.make_user(role=role)
        if granted:
            world.make_grant(dataset, user)
        client.force_login(user)
        return client

    return log_in


@pytest.fixture
def two(dataset, box_of, say):
    say("a red coat", box_of("1", "train", "words"), YES)
    old = freezing.freeze(dataset)
    say("a red coat", box_of("2", "test", "words"), NO)
    return old, freezing.freeze(dataset)


def pages(old, new):
    return [
        reverse("search:snapshots:detail", args=[new.pk]),
        reverse("search:snapshots:compare") + f"?old={old.pk}&new={new.pk}",
        reverse("api:snapshot", args=[new.pk]),
        reverse("api:snapshot-compare", args=[new.pk]) + f"?old={old.pk}",
    ]


def test_who_may_not_see_the_dataset_finds_none_of_its_snapshots(of, two, dataset):
    stranger = of("operator", granted=False)
    for address in pages(*two):
        assert stranger.get(address).status_code == 404, address
    assert stranger.get(reverse("search:snapshots:list")).context["page"].paginator.count == 0
    assert stranger.get(reverse("api:snapshots")).json()["results"] == []
    freeze = reverse("search:snapshots:freeze")
    assert stranger.post(freeze, {"dataset": "mall"}).status_code == 404
    assert stranger.post(reverse("api:snapshots"), {"dataset": "mall"}).status_code == 404
    measure = reverse("search:snapshots:measure", args=[two[0].pk])
    assert stranger.post(measure, {"run": 1}).status_code == 404
    assert not Job.objects.exists()


def test_viewers_see_nothing_of_it_and_each_role_does_what_it_may(of, two):
    viewer = of("viewer")
    for address in (
        *pages(*two), reverse("search:snapshots:list"), reverse("api:snapshots"),
        reverse("search:review:differing"), reverse("api:adjudications"), reverse("api:differing"),
    ):  # fmt: skip
        assert viewer.get(address).status_code == 403, address
    reviewer = of("reviewer")
    for address in pages(*two):
        assert reviewer.get(address).status_code == 200, address
    freeze, measure = (
        reverse("search:snapshots:freeze"), reverse("search:snapshots:measure", args=[two[0].pk]),
    )  # fmt: skip
    assert reviewer.post(freeze, {"dataset": "mall"}).status_code == 403
    assert reviewer.post(reverse("api:snapshots"), {"dataset": "mall"}).status_code == 403
    curator = of("curator")
    assert curator.post(measure, {"run": 1}).status_code == 403
    assert curator.post(freeze, {"dataset": "mall"}).status_code == 302


def test_a_curator_freezes_through_the_api_and_the_job_names_the_snapshot(of, dataset, box_of, say):
    say("a red coat", box_of("1", "train"), YES)
    answer = of("curator").post(reverse("api:snapshots"), {"dataset": "mall"})
    assert answer.status_code == 202
    tasks.freeze(answer.json()["id"])
    made = dataset.snapshots.get()
    assert Job.objects.get().result == {"snapshot": made.pk, "number": 1}
    told = of("curator").get(reverse("api:snapshot", args=[made.pk])).json()
    assert told["fingerprint"] == made.fingerprint
    assert told["splits"]["train"]["confirmed"] == 1
    assert told["judged"]["findings"] == {"confirmed": 1}


def test_a_snapshot_is_shown_with_its_counts_and_compared(of, two):
    _old, new = two
    browser = of("reviewer")
    page = browser.get(pages(*two)[0])
    assert [str(split) for split, _of in page.context["counts"]] == ["train", "test"]
    assert new.fingerprint in page.content.decode()
    assert "Train on snapshot" not in page.content.decode()  # operators train
    compared = browser.get(pages(*two)[1])
    rows = {str(label): numbers for label, numbers, _sum in compared.context["rows"]}
    assert rows == {"boxes added": [1], "captions added": [1], "rejected, new": [1]}
    through = browser.get(pages(*two)[3]).json()
    assert through["counts"]["test"]["rejected_added"] == 1
    other = snapshots.freeze(world.make_dataset())
    address = reverse("search:snapshots:compare") + f"?old={other.pk}&new={new.pk}"
    assert browser.get(address).status_code == 404
    assert browser.get(reverse("search:snapshots:compare") + "?old=x").status_code == 404


def test_the_button_leads_to_a_form_that_is_filled_in(of, two, dataset):
    serving = make_serving()
    operator = of("operator")
    link = f"{reverse('training:run-new')}?{views.train_query(two[1])}"
    assert link.replace("&", "&amp;") in operator.get(pages(*two)[0]).content.decode()
    form = operator.get(link).context["form"]
    values = {name: form[name].value() for name in ("dataset", "snapshot", "start", "steps", "lr")}
    assert values == {
        "dataset": "mall", "snapshot": "2", "start": serving.name, "steps": "300", "lr": "0.0001",
    }  # fmt: skip
    shown = {name: form[name].value() for name in form.fields}
    sent = {
        name: value for name, value in shown.items() if value is not None and value is not False
    }
    answer = operator.post(link, sent | {"snapshot": 9, "start": "", "dim": 256})
    assert answer.status_code == 422
    assert "no snapshot 9" in str(answer.context["form"].errors["snapshot"])
    bound = RunForm({"snapshot": "1", "drawn_people": "9"}, recipe="clip", user=form_user(operator))
    assert "dataset" in bound.errors


def form_user(browser):
    from pedsite.accounts.models import User

    return User.objects.get(pk=browser.session["_auth_user_id"])


def test_a_gain_is_measured_from_the_page_and_told_with_its_sign(of, two, monkeypatch, settings):
    snapshot = two[1]
    start, made = world.make_version("start"), world.make_version("made", seed=2)
    job = Job.objects.create(kind="train", task="training.train", params={})
    run = TrainingRun.objects.create(
        job=job, recipe="clip", config={"start": "start"}, snapshot=snapshot, version=made,
        version_name="made",
    )  # fmt: skip
    operator = of("operator")
    measure = reverse("search:snapshots:measure", args=[snapshot.pk])
    answer = operator.post(measure, {"run": run.pk}, follow=True)
    assert "fewer than two people" in answer.content.decode()
    tested = max(row["box"] for row in snapshots.read(snapshot))
    for version in (start, made):
        Evaluation.objects.create(
            job=Job.objects.create(kind="evaluate", task="training.evaluate", params={}),
            version=version, snapshot=snapshot, split="test", protocol="all_pairs", look=1,
            metrics={"done": True},
            predictions={
                "texts": [["words", [tested]]],
                "t2i": [[0]] if version == made else [[tested]],
            },
        )  # fmt: skip
    page = operator.get(reverse("search:snapshots:detail", args=[snapshot.pk])).content.decode()
    assert "−1.000" in page
    assert "start → made" in page
    told = operator.get(reverse("api:snapshot", args=[snapshot.pk])).json()["gains"]
    assert (
        told[0]["measures"][0] | {"name": "first_hit", "difference": -1.0} == told[0]["measures"][0]
    )


@pytest.fixture
def differing(reviewers, box_of, say):
    return say("a red coat", box_of("1"), YES, NO)


def test_a_third_decides_on_the_page_without_knowing_who_said_what(client, reviewers, differing):
    client.force_login(reviewers[2])
    page = client.get(reverse("search:review:differing"))
    assert [one.pk for one in page.context["page"]] == [differing.pk]
    assert not {"ming", "lan"} & set(page.content.decode().split())
    decide = reverse("search:review:adjudicate")
    said = {"finding": differing.pk, "verdict": NO, "note": "orange"}
    shown = client.post(decide, said, follow=True).content.decode()
    assert "ming" in shown
    assert "orange" in shown
    made = adjudication.settled(reviewers[2]).get()
    client.post(reverse("search:review:adjudicate-undo"), {"adjudication": made.pk})
    assert adjudication.waiting(reviewers[2]).exists()
    wrong = client.post(decide, {"finding": "x", "verdict": YES}, follow=True)
    assert "no such finding" in wrong.content.decode()


def test_the_api_decides_lists_and_takes_back(client, reviewers, differing):
    client.force_login(reviewers[2])
    assert client.get(reverse("api:differing")).json()["results"][0]["id"] == differing.pk
    given = {"finding": differing.pk, "verdict": YES}
    answer = client.post(reverse("api:adjudications"), given, "application/json")
    assert (answer.status_code, answer.json()["text"]) == (201, "a red coat")
    assert len(client.get(reverse("api:adjudications")).json()["results"]) == 1
    again = client.post(reverse("api:adjudications"), given, "application/json")
    assert (again.status_code, again.json()["code"]) == (409, "not-disputed")
    one = reverse("api:adjudication", args=[answer.json()["id"]])
    client.force_login(reviewers[0])
    assert client.delete(one).status_code == 404
    client.force_login(reviewers[2])
    assert client.delete(one).status_code == 204
    stranger = world.make_user(role="reviewer")
    client.force_login(stranger)
    hidden = client.post(reverse("api:adjudications"), given, "application/json")
    assert hidden.status_code == 404
