"""Pages and API of captions, quality and duplicates: what they do, and for whom."""

import io

import pytest
from django.urls import reverse

from gallery import quality
from gallery.models import Action, Box, Caption
from pedsite.jobs import work
from pedsite.jobs.models import Job
from tests import world
from tests.gallery.test_quality import blurred, street_crop

pytestmark = pytest.mark.django_db
PAGES = ("captions", "caption-one", "captions-missing", "captions-replace", "quality", "duplicates")
POSTS = (
    "captions-change", "captions-edit", "captions-add", "captions-replaced", "quality-measure",
    "quality-hide", "duplicates-keep",
)  # fmt: skip


@pytest.fixture
def curator():
    return world.make_user("carla", role="curator")


@pytest.fixture
def street(curator):
    return world.make_dataset("street", visible_to=curator)


@pytest.fixture
def box(street):
    return world.make_box(world.make_image(street, street_crop()))


@pytest.fixture
def browser(client, curator):
    client.force_login(curator)
    return client


@pytest.fixture
def stranger(client):
    """A curator of another dataset."""
    client.force_login(world.make_user("stan", role="curator"))
    return client


def at(name, *args):
    return reverse(f"gallery:{name}", args=args or ["street"])


def draft(box, text="a man in red", **fields):
    return world.make_caption(box, text, source="drafted", drafted_by="tiny", **fields)


def measured(dataset):
    job = quality.request(dataset, queue=False)
    assert work.run_here(job, quality.step, io.StringIO()).state == "done"


@pytest.mark.parametrize("name", PAGES)
def test_pages_open_for_curators_who_see_the_dataset_alone(name, box, street, client, curator):
    draft(box)
    assert client.get(at(name)).status_code == 302
    client.force_login(curator)
    assert client.get(at(name)).status_code == 200
    reviewer = world.make_user(role="reviewer")
    world.make_grant(street, reviewer)
    client.force_login(reviewer)
    assert client.get(at(name)).status_code == 403
    client.force_login(world.make_user(role="curator"))
    assert client.get(at(name)).status_code == 404


@pytest.mark.parametrize("name", POSTS)
def test_nothing_is_posted_to_a_dataset_that_is_not_shared(name, box, stranger):
    one = draft(box)
    given = {
        "caption": one.pk, "box": box.pk, "group": box.pk, "verdict": "approved", "text": "no",
        "language": "en", "find": "man", "put": "cat",
    }  # fmt: skip
    assert stranger.post(at(name), given).status_code == 404
    assert stranger.post(reverse("search:drafting:start", args=["street"])).status_code == 404
    one.refresh_from_db()
    assert (one.text, one.review, Box.objects.get().review) == (
        "a man in red", "unreviewed", "unreviewed",
    )  # fmt: skip
    assert not Action.objects.exists()
    assert not Job.objects.exists()


@pytest.mark.parametrize("name", ["captions-change", "captions-edit", "captions-add"])
def test_rows_of_another_dataset_are_not_reached_through_ones_own(name, browser, street):
    away = world.make_box(world.make_image(world.make_dataset("away")))
    one = draft(away)
    given = {"caption": one.pk, "box": away.pk, "verdict": "approved", "text": "x"}
    browser.post(at(name), given)
    browser.post(at("quality-hide"), {"box": away.pk})
    browser.post(at("duplicates-keep"), {"group": away.pk})
    one.refresh_from_db()
    away.refresh_from_db()
    assert (one.text, one.review, away.review) == ("a man in red", "unreviewed", "unreviewed")
    assert away.captions.count() == 1


def test_captions_are_narrowed_and_decided_as_the_filters_leave_them(browser, box):
    first, second = draft(box), draft(box, "一个女人", language="zh")
    page = browser.get(at("captions"), {"language": "zh"}).content.decode()
    assert second.text in page
    assert first.text not in page
    given = {"scope": "all", "verdict": "approved"}
    answer = browser.post(at("captions-change") + "?language=zh", given, follow=True)
    assert "1 caption was changed." in answer.content.decode()
    assert Caption.objects.get(review="approved") == second
    browser.post(at("captions-change"), {"caption": [first.pk], "verdict": "hidden"})
    first.refresh_from_db()
    assert first.review == "hidden"
    assert Action.objects.count() == 2


def test_one_by_one_goes_on_with_the_next_after_each_verdict(browser, box):
    first, second = draft(box), draft(box, "a man in blue")
    address = at("caption-one") + "?review=unreviewed"
    page = browser.get(address)
    assert page.context["caption"] == first
    for key in ('data-key="a"', 'data-key="r"', 'data-key="e"', 'data-key="n"'):
        assert key in page.content.decode()
    given = {
        "caption": first.pk, "verdict": "approved", "quietly": "1",
        "next": f"{address}&after={first.pk}",
    }  # fmt: skip
    page = browser.post(at("captions-change"), given, follow=True)
    assert page.context["caption"] == second
    given = {"caption": second.pk, "text": "a man in navy", "next": address}
    page = browser.post(at("captions-edit"), given, follow=True)
    assert page.context["caption"] is None
    second.refresh_from_db()
    assert (second.text, second.source, second.review) == ("a man in navy", "typed", "approved")


def test_a_box_that_lacks_a_language_is_listed_and_gets_words(browser, box):
    world.make_caption(box, "a man")
    assert browser.get(at("captions-missing"), {"language": "en"}).context["boxes"] == []
    page = browser.get(at("captions-missing"), {"language": "zh"})
    assert page.context["boxes"] == [box]
    browser.post(at("captions-add"), {"box": box.pk, "text": "男人", "language": "zh"})
    assert Caption.objects.get(language="zh").source == "typed"


def test_a_replacement_is_shown_first_and_then_done(browser, box):
    one = draft(box, "a gray coat")
    page = browser.get(at("captions-replace"), {"find": "gray", "put": "grey"})
    assert "a grey coat" in page.content.decode()
    one.refresh_from_db()
    assert one.text == "a gray coat"
    browser.post(at("captions-replaced"), {"find": "gray", "put": "grey"})
    one.refresh_from_db()
    assert one.text == "a grey coat"
    assert browser.get(at("captions-replace"), {"find": " ", "put": "x"}).status_code == 422


def test_words_of_captions_are_shown_as_text(browser, box):
    draft(box, "<script>alert(1)</script>")
    for name in ("captions", "caption-one", "captions-missing"):
        assert b"<script>alert" not in browser.get(at(name)).content
    page = browser.get(at("captions-replace"), {"find": "alert", "put": "<b>x</b>"})
    assert b"<b>x</b>" not in page.content


def test_filters_that_make_no_sense_are_as_if_they_were_not_there(browser, box):
    draft(box)
    for query in (
        "review=loved",
        "language=fr&after=x",
        "words=\x00",
        "before=99999999999999999999",
    ):
        assert browser.get(f"{at('captions')}?{query}").status_code == 200
    for query in ("shorter=x", "sharpness=nan", "covered=7", "reason=ugly"):
        assert browser.get(f"{at('quality')}?{query}").status_code == 200
    assert browser.get(at("duplicates"), {"kind": "odd", "page": "-3"}).status_code == 200


def test_flagged_boxes_are_a_grid_and_hidden_only_when_told(browser, street):
    small = world.make_box(world.make_image(street, street_crop(1)), (10, 10, 20, 20))
    good = world.make_box(world.make_image(street, street_crop(2)))
    page = browser.get(at("quality"))
    assert page.context["waiting"] == 2
    measured(street)
    page = browser.get(at("quality"), {"reason": "small"})
    assert [row.box for row in page.context["rows"]] == [small]
    assert 'value="32"' in page.content.decode()
    assert not Box.objects.filter(review="hidden").exists()
    browser.post(at("quality-hide") + "?reason=small", {"scope": "all"})
    assert Box.objects.get(review="hidden") == small
    browser.post(at("quality-hide"), {"box": good.pk})
    assert Box.objects.filter(review="hidden").count() == 2
    assert Action.objects.filter(kind="hide boxes").count() == 2


def test_a_group_keeps_the_suggested_box_or_the_chosen_one(browser, street):
    groups = []
    for seed in (1, 5):
        crop = street_crop(seed)
        clear = world.make_box(world.make_image(street, crop))
        soft = world.make_box(world.make_image(street, blurred(crop, 2)))
        groups.append((clear, soft))
    measured(street)
    page = browser.get(at("duplicates"))
    assert [group.keep for group in page.context["groups"]] == [pair[0] for pair in groups]
    (first, first_soft), (second, second_soft) = groups
    browser.post(
        at("duplicates-keep"),
        {"group": [first.pk, second.pk], f"keep-{second.pk}": second_soft.pk},
    )
    hidden = set(Box.objects.filter(review="hidden"))
    assert hidden == {first_soft, second}
    assert Action.objects.get().rows == 2


def test_a_choice_from_another_group_leaves_nobody_out(browser, street):
    crop = street_crop(1)
    clear = world.make_box(world.make_image(street, crop))
    soft = world.make_box(world.make_image(street, blurred(crop, 2)))
    other = world.make_box(world.make_image(street, street_crop(9)))
    measured(street)
    browser.post(at("duplicates-keep"), {"only": clear.pk, f"keep-{clear.pk}": other.pk})
    assert set(Box.objects.filter(review="hidden")) == {soft}


def test_the_buttons_start_jobs_once(browser, street, box):
    for _ in range(2):
        answer = browser.post(at("quality-measure"))
        assert answer.status_code == 302
    assert Job.objects.filter(kind=quality.KIND).count() == 1
    answer = browser.post(
        reverse("search:drafting:start", args=["street"]), {"language": ["en"], "certainty": "0.9"}
    )
    job = Job.objects.get(kind="draft captions")
    assert answer.url == reverse("jobs:detail", args=[job.pk])
    assert (job.params["languages"], job.params["certainty"]) == (["en"], 0.9)
    bad = {"language": ["en"], "certainty": "sure"}
    page = browser.post(reverse("search:drafting:start", args=["street"]), bad, follow=True)
    assert "are numbers" in page.content.decode()


def api(client, method, path, **body):
    return getattr(client, method)(f"/api/v1/{path}", body or None, content_type="application/json")


def test_the_api_lists_adds_edits_and_decides(browser, box):
    one = draft(box)
    listed = browser.get("/api/v1/captions", {"dataset": "street", "source": "drafted"}).json()
    assert [(row["id"], row["drafted_by"]) for row in listed["results"]] == [(one.pk, "tiny")]
    made = api(browser, "post", "captions", box=box.pk, text="一个男人")
    assert (made.status_code, made.json()["language"]) == (201, "zh")
    edited = api(browser, "patch", f"captions/{one.pk}", text="a man in navy")
    assert edited.json()["text"] == "a man in navy"
    done = api(browser, "post", "captions/decide", captions=[one.pk], review="hidden").json()
    assert done["changed"] == 1
    assert Action.objects.filter(pk__in=done["actions"]).exists()
    told = api(browser, "post", "captions/replace", dataset="street", find="navy", put="red").json()
    assert told["would"][0]["after"] == "a man in red"
    done = api(
        browser, "post", "captions/replace",
        dataset="street", find="navy", put="red", dry_run=False,
    ).json()  # fmt: skip
    assert done["done"]["changed"] == 1


def test_the_api_starts_drafts_and_measures_and_tells_of_them(browser, box, street):
    for path, more in (("captions/draft", {"seed": 3}), ("quality/measure", {})):
        answer = api(browser, "post", path, dataset="street", **more)
        assert answer.status_code == 202
        assert answer["Location"] == answer.json()["url"]
    measured(street)
    listed = browser.get("/api/v1/quality", {"dataset": "street", "shorter": 5000}).json()
    assert [row["reasons"][0] for row in listed["results"]] == ["small"]
    assert browser.get("/api/v1/duplicates", {"dataset": "street"}).json()["results"] == []
    bad = api(browser, "post", "captions/draft", dataset="street", certainty=0.1)
    assert (bad.status_code, bad.json()["code"]) == (400, "invalid")


def test_the_api_knows_nothing_of_what_is_not_shared(stranger, box):
    one = draft(box)
    for answer in (
        api(stranger, "get", f"captions/{one.pk}"),
        api(stranger, "patch", f"captions/{one.pk}", text="no"),
        api(stranger, "post", "captions", box=box.pk, text="no", language="en"),
        api(stranger, "post", "captions/decide", captions=[one.pk], review="hidden"),
        api(stranger, "post", "captions/replace", dataset="street", find="a", put="b"),
        api(stranger, "post", "captions/draft", dataset="street"),
        api(stranger, "post", "quality/measure", dataset="street"),
        stranger.get("/api/v1/captions?dataset=street"),
        stranger.get("/api/v1/quality?dataset=street"),
        stranger.get("/api/v1/duplicates?dataset=street"),
    ):
        assert answer.status_code == 404, answer.content
    assert stranger.get("/api/v1/captions").json()["results"] == []


def test_the_api_is_for_curators(client, box, street):
    reviewer = world.make_user(role="reviewer")
    world.make_grant(street, reviewer)
    client.force_login(reviewer)
    for path in ("captions", "quality?dataset=street", "duplicates?dataset=street"):
        assert client.get(f"/api/v1/{path}").status_code == 403
    assert api(client, "post", "captions/draft", dataset="street").status_code == 403


def test_the_admin_decides_as_the_pages_do(client, street, box):
    admin = world.make_user("ada", role="admin", is_staff=True, is_superuser=True)
    client.force_login(admin)
    one = draft(box)
    given = {"action": "approve_captions", "_selected_action": [one.pk]}
    client.post(reverse("admin:gallery_caption_changelist"), given)
    one.refresh_from_db()
    assert one.review == "approved"
    assert Action.objects.get().made_by == admin
    given = {"text": "a man in navy", "review": "approved"}
    client.post(reverse("admin:gallery_caption_change", args=[one.pk]), given)
    one.refresh_from_db()
    assert (one.text, one.source) == ("a man in navy", "typed")
    assert Action.objects.count() == 2
