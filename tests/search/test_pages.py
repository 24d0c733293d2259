"""The pages of search as a browser without scripts gets them."""

import io
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation
from django.views.defaults import server_error
from PIL import Image

from gallery.models import Review
from pedsite.jobs import work
from search import enrollment, shown
from tests.world import (
    make_box,
    make_camera,
    make_caption,
    make_coloured_people,
    make_dataset,
    make_image,
    make_user,
    make_version,
    plain_crop,
)

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true", "HX-Target": "results"}


class Page(HTMLParser):
    """What a test asks of a page: its elements as (tag, attributes), and inline code in it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.inline: list[str] = []
        self._open = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        self.elements.append((tag, attributes))
        self._open = tag if tag in ("script", "style") else ""
        self.inline += [
            f"{tag} {name}" for name in attributes if re.match(r"on|style$|hx-on", name)
        ]
        for name in ("href", "src", "action"):
            if (attributes.get(name) or "").startswith("javascript:"):
                self.inline.append(f"{tag} {name}")

    def handle_data(self, data: str) -> None:
        if self._open and data.strip():
            self.inline.append(f"{self._open}: {data.strip()[:40]}")

    def handle_endtag(self, tag: str) -> None:
        self._open = ""

    def all(self, tag: str, **wanted: str) -> list[dict[str, str | None]]:
        return [
            attributes
            for name, attributes in self.elements
            if name == tag and all(attributes.get(k) == v for k, v in wanted.items())
        ]

    @property
    def boxes(self) -> list[int]:
        """Ids of the boxes shown as results, in their order."""
        return [int(a["data-box"]) for _, a in self.elements if a.get("data-box")]


@pytest.fixture
def user():
    return make_user("ming")


@pytest.fixture
def browser(client, user):
    client.force_login(user)
    return client


@pytest.fixture
def people(user):
    """One enrolled box a colour, in a dataset that the user may see."""
    dataset = make_dataset("square", title="The square", visible_to=user)
    people = make_coloured_people(dataset)
    enroll(dataset)
    return people


def enroll(dataset) -> None:
    job = enrollment.request(dataset, make_version(f"tiny-{dataset.name}"), queue=False)
    work.run_here(job, enrollment.step, io.StringIO())


def png(pixels: np.ndarray | None = None) -> io.BytesIO:
    out = io.BytesIO()
    Image.fromarray(plain_crop("red") if pixels is None else pixels).save(out, "PNG")
    out.seek(0)
    out.name = "shown.png"
    return out


def text_of(response) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", response.content.decode()).split())


# Who may see what


@pytest.mark.parametrize("path", ["/search/", "/boxes/1/", "/search/pictures/abc/"])
def test_pages_need_a_login(client, path):
    response = client.get(path)
    assert response.status_code == 302
    assert response.url == f"{reverse('login')}?next={path}"


def test_showing_a_picture_needs_a_login(client):
    assert client.post("/search/picture/", {"picture": png()}).status_code == 302


def test_results_come_only_from_shared_datasets(browser, people):
    other = make_dataset("secret")
    hidden_box = make_coloured_people(other, ["red"])["red"]
    enroll(other)
    page = Page(browser.get("/search/", {"q": "red"}).content.decode())
    assert hidden_box.pk not in page.boxes
    assert set(page.boxes) == {box.pk for box in people.values()}


@pytest.mark.parametrize("path", ["/boxes/{}/", "/search/?box={}"])
def test_a_box_of_a_dataset_without_grant_is_not_found(browser, path):
    box = make_box(make_image(make_dataset("secret")))
    assert browser.get(path.format(box.pk)).status_code == 404


@pytest.mark.parametrize("path", ["/boxes/{}/", "/search/?box={}"])
def test_a_hidden_box_is_not_found(browser, people, path):
    box = people["red"]
    box.review = Review.HIDDEN
    box.save()
    assert browser.get(path.format(box.pk)).status_code == 404


def test_a_hidden_box_is_not_drawn_in_its_frame(browser, user):
    image = make_image(make_dataset(visible_to=user))
    shown_box = make_box(image, (0, 0, 20, 40))
    hidden = make_box(image, (30, 0, 50, 40), review=Review.HIDDEN)
    html = browser.get(f"/boxes/{shown_box.pk}/").content.decode()
    assert f"/boxes/{shown_box.pk}/" in html
    assert f"/boxes/{hidden.pk}/" not in html


# What is found


def test_words_find_the_person_they_describe(browser, people):
    page = Page(browser.get("/search/", {"q": "red"}).content.decode())
    assert page.boxes[0] == people["red"].pk


def test_the_line_says_how_many_were_searched_and_what_waits(browser, people, user):
    make_box(make_image(people["red"].image.dataset))
    text = text_of(browser.get("/search/", {"q": "red"}))
    assert "6 boxes searched" in text
    assert "1 waiting to be enrolled" in text
    assert "tiny-square" in text
    assert re.search(r"\d\.\d\d s\b", text)


def test_a_box_finds_others_like_it_and_not_itself(browser, people):
    response = browser.get("/search/", {"box": people["red"].pk})
    page = Page(response.content.decode())
    assert set(page.boxes) == {b.pk for c, b in people.items() if c != "red"}
    assert f"Similar to box {people['red'].pk}" in text_of(response)


def test_pages_go_on_where_the_one_before_ended(browser, people, monkeypatch):
    monkeypatch.setattr("search.views.PAGE_SIZE", 4)
    first = Page(browser.get("/search/", {"q": "red"}).content.decode())
    (link,) = first.all("a", rel="next")
    second = Page(browser.get("/search/" + link["href"]).content.decode())
    assert len(first.boxes) == 4
    assert len(second.boxes) == 2
    assert set(first.boxes + second.boxes) == {box.pk for box in people.values()}


def test_a_stale_page_offers_the_first_one(browser, people):
    response = browser.get("/search/", {"q": "red", "cursor": "nonsense"})
    assert response.status_code == 400
    assert Page(response.content.decode()).all("a", href="?q=red")


def test_the_day_to_which_one_searches_is_included(browser, user):
    dataset = make_dataset("days", visible_to=user)
    taken = "2026-03-02T23:30:00Z"
    late = make_box(make_image(dataset, plain_crop("red"), taken_at=taken))
    make_box(make_image(dataset, plain_crop("blue"), taken_at="2026-03-03T00:00:00Z"))
    enroll(dataset)
    query = {"q": "red", "after": "2026-03-02", "before": "2026-03-02"}
    assert Page(browser.get("/search/", query).content.decode()).boxes == [late.pk]


def test_tiles_say_when_and_where(browser, user):
    dataset = make_dataset("square", title="The square", visible_to=user)
    camera = make_camera(dataset, "north gate")
    image = make_image(dataset, plain_crop("red"), camera=camera, taken_at="2026-03-02T08:15:30Z")
    make_box(image)
    enroll(dataset)
    text = text_of(browser.get("/search/", {"q": "red"}))
    assert "2026-03-02 08:15:30" in text
    assert "north gate The square" in text


# The address


def test_the_form_shows_what_the_address_says(browser, people):
    query = {"q": "red", "dataset": "square", "after": "2026-03-01", "before": "2026-03-02"}
    page = Page(browser.get("/search/", query).content.decode())
    assert page.all("input", name="q", value="red")
    assert page.all("input", name="after", value="2026-03-01")
    assert page.all("input", name="before", value="2026-03-02")
    assert "checked" in page.all("input", name="dataset", value="square")[0]


def test_htmx_gets_the_results_alone_and_the_address_to_show(browser, people):
    response = browser.get("/search/", {"camera": "", "q": "red"}, headers=HTMX)
    assert response["HX-Push-Url"] == "/search/?q=red"
    assert "HX-Request" in response["Vary"]
    page = Page(response.content.decode())
    assert page.boxes[0] == people["red"].pk
    assert not page.all("body")
    assert page.all("title")


def test_links_out_of_the_results_keep_the_filters(browser, people):
    page = Page(browser.get("/search/", {"q": "red", "dataset": "square"}).content.decode())
    first = page.boxes[0]
    assert page.all("a", href=f"/search/?box={first}&dataset=square")
    assert page.all("a", href=f"/boxes/{first}/?q=red&dataset=square")


def test_the_box_page_leads_back_to_the_results(browser, people):
    page = Page(browser.get(f"/boxes/{people['red'].pk}/?q=red+coat").content.decode())
    assert page.all("a", href="/search/?q=red+coat")


# What is wrong is said


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_a_blank_question_gets_advice(browser, people, headers):
    response = browser.get("/search/", {"q": "  "}, headers=headers)
    assert response.status_code == 400
    assert "Describe a person: the query is empty." in text_of(response)
    assert "Write a caption, not keywords" in text_of(response)


def test_a_question_that_is_too_long_says_the_limit(browser, people):
    response = browser.get("/search/", {"q": "red " * 200})
    assert response.status_code == 400
    assert "at most 500 are read" in text_of(response)


def test_words_to_a_version_that_reads_pictures_only_are_refused(browser, user):
    from search.models import ServingVersion

    dataset = make_dataset("square", visible_to=user)
    make_coloured_people(dataset, ["red"])
    version = make_version("pictures-only", image_only=True)
    ServingVersion.objects.create(version=version, query_kind="text")
    response = browser.get("/search/", {"q": "red"})
    assert response.status_code == 400
    assert "“pictures-only” reads pictures only" in text_of(response)


def test_an_unknown_dataset_is_named(browser, people):
    response = browser.get("/search/", {"q": "red", "dataset": "elsewhere"})
    assert response.status_code == 400
    assert "There is no dataset “elsewhere” that you may see." in text_of(response)


def test_an_empty_gallery_says_what_to_do(browser, people, user):
    empty = make_dataset("empty", visible_to=user)
    text = text_of(browser.get("/search/", {"q": "red", "dataset": empty.name}))
    assert "No enrolled box lies within these filters" in text


def test_nothing_that_serves_is_said(browser):
    response = browser.get("/search/", {"q": "red"})
    assert response.status_code == 409
    assert "No model version answers" in text_of(response)


# Pictures that are shown


def test_a_picture_leads_to_a_choice_and_then_to_people_like_it(browser, people):
    pick = browser.post("/search/picture/", {"picture": png()}, follow=True)
    ((address, _),) = pick.redirect_chain
    assert re.fullmatch(r"/search/\?picture=[\w-]+", address)
    page = Page(pick.content.decode())
    (whole,) = [a["href"] for a in page.all("a", **{"class": "button"}) if "crop=0,0" in a["href"]]
    found = Page(browser.get("/search/" + whole).content.decode())
    assert found.boxes[0] == people["red"].pk


def test_the_filters_stay_when_a_picture_is_shown(browser, people):
    response = browser.post(
        "/search/picture/", {"picture": png(), "filters": "dataset=square&q=x&next=//evil"}
    )
    assert re.fullmatch(r"/search/\?dataset=square&picture=[\w-]+", response.url)


def test_a_picture_shown_is_served_as_jpeg_to_its_owner_alone(browser, client, user):
    kept = shown.keep(png().read(), user)
    response = browser.get(f"/search/pictures/{kept.token}/?crop=0,0,5,10")
    assert response["Content-Type"] == "image/jpeg"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert "private" in response["Cache-Control"]
    assert Image.open(io.BytesIO(response.content)).size == (5, 10)
    client.force_login(make_user())
    assert client.get(f"/search/pictures/{kept.token}/").status_code == 404


def test_a_picture_that_is_gone_says_so(browser, people):
    response = browser.get("/search/", {"picture": "abc", "crop": "0,0,5,5"})
    assert response.status_code == 404
    assert "This picture is no longer kept. Show it again." in text_of(response)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"<html><script>alert(1)</script></html>", "Not a picture"),
        (png().read()[:60], "damaged"),
        (b"%PDF-1.7 not a picture at all", "Not a picture"),
    ],
)
def test_a_bad_upload_is_refused_in_words(browser, data, words):
    file = io.BytesIO(data)
    file.name = "shown.jpg"
    response = browser.post("/search/picture/", {"picture": file})
    assert response.status_code in (400, 422)
    alerts = re.findall(r'role="alert">([^<]+)<', response.content.decode())
    assert any(words in alert for alert in alerts), alerts


def test_a_picture_of_too_many_pixels_is_refused_unread(browser):
    out = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(out, "PNG")
    out.seek(0)
    out.name = "bomb.png"
    response = browser.post("/search/picture/", {"picture": out})
    assert response.status_code == 422
    assert "megapixels" in text_of(response)


def test_a_form_without_a_picture_is_refused_in_words(browser):
    response = browser.post("/search/picture/")
    assert response.status_code == 400
    assert "No picture came with the form." in text_of(response)


# Safe to show


@pytest.fixture
def hostile(user):
    """A box whose every word is an attempt to run something."""
    evil = "<script>alert('x')</script>"
    dataset = make_dataset("evil", title=f"t{evil}", visible_to=user)
    image = make_image(
        dataset, plain_crop("red"), name=f'"{evil}.png', camera=make_camera(dataset, f"c{evil}")
    )
    box = make_box(image)
    make_caption(box, evil)
    enroll(dataset)
    return box


def test_words_from_outside_are_escaped(browser, hostile):
    for path, query in [
        ("/search/", {"q": "<script>alert('x')</script> red"}),
        (f"/boxes/{hostile.pk}/", {"q": "'><script>alert('x')</script>"}),
    ]:
        html = browser.get(path, query).content.decode()
        assert "<script>alert" not in html
        assert "&lt;script&gt;alert" in html


def test_no_page_carries_inline_code(browser, client, hostile, user):
    kept = shown.keep(png().read(), user)
    paths = [
        "/search/",
        "/search/?q=red",
        "/search/?q=",
        f"/search/?box={hostile.pk}",
        f"/search/?picture={kept.token}",
        f"/search/?picture={kept.token}&crop={kept.whole}",
        f"/boxes/{hostile.pk}/?q=red",
        "/no-such-page/",
    ]
    for path in paths:
        response = browser.get(path)
        assert Page(response.content.decode()).inline == [], path
        assert "'unsafe" not in response["Content-Security-Policy"]
    client.logout()
    assert Page(client.get("/login/").content.decode()).inline == []


def test_every_control_has_a_name(browser, hostile):
    for path in ("/search/?q=red", f"/boxes/{hostile.pk}/?q=red", "/login/"):
        if path == "/login/":
            browser.logout()
        html = browser.get(path).content.decode()
        page = Page(html)
        labelled = {label.get("for") for label in page.all("label")}
        for attributes in page.all("input"):
            if attributes.get("type") in ("hidden", "checkbox", "date"):
                continue
            assert attributes.get("aria-label") or attributes.get("id") in labelled, attributes
        for attributes in page.all("img"):
            assert "alt" in attributes, attributes
        assert page.all("html")[0]["lang"] == "en"
        assert page.all("a", href="#content", **{"class": "skip"})


# Language


def test_the_interface_speaks_chinese(browser, people):
    browser.post("/i18n/setlang/", {"language": "zh-hans"})
    # A request leaves its language active in this thread.
    with translation.override("en"):
        response = browser.get("/search/", {"q": "red"})
    assert Page(response.content.decode()).all("html", lang="zh-hans")
    text = text_of(response)
    assert "查找相似" in text
    assert "Find similar" not in text


# Pages that only say something


def test_a_fault_is_answered_without_a_request(rf):
    response = server_error(rf.get("/"))
    assert response.status_code == 500
    html = response.content.decode()
    assert "Something broke" in html
    assert Page(html).inline == []


def test_an_address_that_leads_nowhere_says_so(browser):
    response = browser.get("/no-such-page/")
    assert response.status_code == 404
    assert "Nothing here" in text_of(response)
    assert Page(response.content.decode()).all("nav", **{"class": "rail"})


def test_too_many_wrong_passwords_are_answered_in_words(client, user, settings):
    settings.AXES_FAILURE_LIMIT = 2
    wrong = {"username": user.username, "password": "not-the-password"}
    responses = [client.post("/login/", wrong) for _ in range(3)]
    assert "Please enter a correct username" in text_of(responses[0])
    assert responses[-1].status_code == 429
    assert "Too many attempts" in text_of(responses[-1])


def test_a_form_without_its_token_says_that_it_expired(user):
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    response = client.post("/search/picture/", {"picture": png()})
    assert response.status_code == 403
    assert "The form has expired" in text_of(response)
