"""What the page shows of phrases, filters that are typed, mixes, and confidence."""

import numpy as np
import pytest

from pedsite.accounts.models import User
from search import calibration
from tests.search import rows
from tests.search.pages.asked import Page, text_of
from tests.world import make_box, make_image, plain_crop
from training.models import ModelVersion

pytestmark = pytest.mark.django_db


def html(browser, **query) -> str:
    return browser.get("/search/", query).content.decode()


def test_each_hit_has_a_bar_for_each_phrase(browser, people):
    page = html(browser, q="red, blue -green")
    assert "Looked for" in page
    assert "must not show" in page
    bars = Page(page).all("meter", max="100")
    assert len(bars) == 3 * len(Page(page).boxes)


def test_a_phrase_is_weighted_required_and_excluded_by_a_click(browser, people):
    links = {
        a["href"] for a in Page(html(browser, q="red, blue")).all("a", **{"class": "menu__item"})
    }
    for expected in ("?q=red%5E2+,+blue", "?q=red,+blue+%2Bred", "?q=blue+-red"):
        assert any(link.startswith(expected) for link in links), (expected, links)
    excluded = Page(html(browser, q="blue -red"))
    assert people["red"].pk not in excluded.boxes
    # What is so already is marked, and can be taken back.
    current = [
        a["href"] for a in excluded.all("a", **{"aria-current": "true"}) if "q=" in a["href"]
    ]
    assert "?q=blue+-red" in current


def test_tokens_become_chips_that_can_be_taken_away(browser, people):
    page = Page(html(browser, q="red dataset:square time:8-10"))
    chips = [a["href"] for a in page.all("a", **{"class": "chip"})]
    assert chips == ["?q=red+time%3A8-10", "?q=red+dataset%3Asquare"]


def test_filters_that_are_picked_become_chips_too(browser, people):
    query = {"q": "red", "from": "08:00", "until": "18:00", "identity": "unknown"}
    response = browser.get("/search/", query)
    text = text_of(response)
    for words in ("Hours from 08:00", "Hours to 18:00", "Identity: unknown"):
        assert words in text
    assert "0 boxes searched" in text  # none has a time
    chips = Page(response.content.decode()).all("a", **{"class": "chip"})
    assert chips[0]["href"] == "?q=red&until=18%3A00&identity=unknown"


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ({"q": "camra:3 red"}, "There is no filter “camra:”"),
        ({"q": "after:soon red"}, "after:2026-11-01"),
        ({"q": "red", "from": "noon"}, "08:30"),
        ({"q": "red", "identity": "bob"}, "known or unknown"),
        ({"q": "red", "far": "9"}, "1 in 10"),
        ({"q": "red", "mix": "7"}, "0.2 to 5"),
    ],
)
def test_what_cannot_be_read_is_told(browser, people, query, says):
    response = browser.get("/search/", query)
    assert response.status_code == 400
    assert says in text_of(response)


def test_words_and_a_box_are_one_question_with_a_mix(browser, people):
    query = {"q": "red", "box": people["blue"].pk}
    page = html(browser, **query)
    assert "Similar to box" in page
    assert Page(page).all("select", name="mix")
    assert Page(html(browser, mix="0.2", **query)).boxes[0] == people["red"].pk
    assert people["blue"].pk not in Page(page).boxes
    assert not Page(html(browser, q="red")).all("select", name="mix")


def test_without_a_calibration_the_page_says_what_scores_are(browser, people, user):
    told_to_a_viewer = html(browser, q="red")
    assert "manage.py" not in told_to_a_viewer
    assert "An operator can measure it." in told_to_a_viewer
    user.role = User.Role.OPERATOR
    user.save()
    assert "manage.py calibrate tiny-square" in html(browser, q="red")
    calibration.request(ModelVersion.objects.get(), calibration.DRAWN)
    assert "is being measured just now" in html(browser, q="red")


@pytest.fixture
def calibrated(people):
    def calibrate(scores: np.ndarray) -> None:
        measured = rows.measured(scores)
        calibration.store(ModelVersion.objects.get(), measured, "test")

    return calibrate


def test_confidence_is_told_for_each_hit_and_for_the_gallery(browser, people, calibrated):
    calibrated(np.random.default_rng(0).normal(size=200_000) - 9)
    text = text_of(browser.get("/search/", {"q": "red", "far": "2"}))
    assert "under 1 in 10,000" in text
    assert "At 1 false accept in 100, expect about 0.06 false hits among the 6 boxes" in text
    assert "No confident match" not in text


def test_filters_alone_are_no_question(browser, people):
    response = browser.get("/search/", {"q": "identity:unknown"})
    assert response.status_code == 400
    assert "Describe a person as well: only filters are given." in text_of(response)


def test_a_mix_of_words_and_a_picture_claims_no_rate(browser, people, calibrated):
    calibrated(np.random.default_rng(0).normal(size=200_000) - 9)
    text = text_of(browser.get("/search/", {"q": f"red box:{people['blue'].pk}"}))
    assert "1 in 10,000" not in text
    assert "known of words and of pictures, not of both at once" in text
    assert "1 in 10,000" in text_of(browser.get("/search/", {"q": "red"}))


def test_after_the_last_page_that_is_shown_there_is_no_next(browser, people, monkeypatch):
    monkeypatch.setattr("search.views.PAGE_SIZE", 3)
    assert "Next page" in text_of(browser.get("/search/", {"q": "red"}))
    monkeypatch.setattr("search.retrieval.MAX_HITS", 3)
    text = text_of(browser.get("/search/", {"q": "red"}))
    assert "No more results than these are shown." in text
    assert "Next page" not in text


def test_when_nobody_is_sure_the_page_says_so_and_shows_the_nearest(browser, people, calibrated):
    calibrated(np.random.default_rng(0).normal(size=200_000) + 9)
    response = browser.get("/search/", {"q": "red", "far": "2"})
    assert "No confident match: nobody here scores so high" in text_of(response)
    assert len(Page(response.content.decode()).boxes) == len(people)


def test_a_line_divides_the_sure_from_the_rest(browser, people, calibrated):
    make_box(make_image(people["red"].image.dataset, plain_crop("red", 40, 20)))
    calibrated(np.random.default_rng(0).normal(size=200_000))
    text = text_of(browser.get("/search/", {"q": "red", "far": "1"}))
    assert text.count("From here on no confident match at 1 in 10") == 1


def test_what_words_deny_can_be_left_out_by_a_click_and_claims_no_rate(browser, people, calibrated):
    calibrated(np.random.default_rng(0).normal(size=200_000) - 9)
    page = html(browser, q="red without a blue coat dataset:square")
    assert "1 in 10,000" not in page
    assert "is not claimed for words that deny something" in page
    links = [a["href"] for a in Page(page).all("a") if "href" in a]
    assert "?q=red+dataset%3Asquare+-%22blue+coat%22" in links
    told = html(browser, q='red -"blue coat"')
    assert "1 in 10,000" in told
    assert "may not hear" not in told


def test_rates_that_were_measured_on_drawn_people_say_so(browser, people):
    for source, says in (("drawn:5:900", True), ("square", False)):
        measured = rows.measured(np.random.default_rng(0).normal(size=200_000) - 9)
        calibration.store(ModelVersion.objects.get(), measured, source)
        assert ("measured on drawn people" in html(browser, q="red")) is says
