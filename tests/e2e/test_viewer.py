"""The drawer that a result opens in, in the address and past the end of a page."""

import re

from playwright.sync_api import Page, expect

from search import views
from tests.e2e.test_search import search_for, shown_boxes

BOX = re.compile(r"#box-\d+$")


def open_first(page: Page) -> None:
    page.locator("[data-hits] [data-viewer]").first.click()
    expect(page.get_by_role("dialog")).to_be_visible()


def test_back_closes_the_drawer_and_leaves_the_results_as_they_are(page, street):
    search_for(page, "red")
    results = page.url
    page.evaluate("document.querySelector('[data-hits]').dataset.kept = 'yes'")
    open_first(page)
    expect(page).to_have_url(BOX)
    page.keyboard.press("ArrowRight")
    expect(page).to_have_url(re.compile(rf"#box-{shown_boxes(page)[1]}$"))
    page.go_back()
    expect(page.get_by_role("dialog")).to_be_hidden()
    assert page.url == results
    expect(page.locator("[data-hits][data-kept]")).to_be_visible()
    page.go_forward()
    expect(page.get_by_role("dialog")).to_be_visible()


def test_closing_the_drawer_takes_the_box_out_of_the_address(page, street):
    search_for(page, "red")
    results = page.url
    open_first(page)
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page).to_have_url(results)
    # One step back is what was before the search.
    page.go_back()
    expect(page).not_to_have_url(results)


def test_the_address_of_an_open_box_opens_it_again(page, street):
    search_for(page, "red")
    open_first(page)
    box = shown_boxes(page)[0]
    page.reload()
    drawer = page.get_by_role("dialog")
    expect(drawer.get_by_role("heading", name=f"Box {box}")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page).not_to_have_url(BOX)


def test_stepping_goes_on_with_the_next_page_and_says_where_it_ends(page, street, monkeypatch):
    monkeypatch.setattr(views, "PAGE_SIZE", 3)
    search_for(page, "red")
    first = shown_boxes(page)
    assert len(first) == 3
    page.locator("[data-hits] [data-viewer]").last.click()
    drawer = page.get_by_role("dialog")
    expect(drawer.get_by_role("heading", name=f"Box {first[2]}")).to_be_visible()
    expect(drawer.get_by_text("There are no further results.")).to_be_hidden()
    page.keyboard.press("ArrowRight")
    expect(drawer.get_by_role("heading", name=f"Box {first[2]}")).to_be_hidden()
    expect(drawer.get_by_text("#4")).to_be_visible()
    expect(drawer.get_by_text("There are no further results.")).to_be_visible()
    expect(drawer.get_by_role("link", name="Next result")).to_be_hidden()
