"""What an investigator does, done in a browser."""

import base64
import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import PASSWORD
from tests.world import make_version

pytestmark = pytest.mark.django_db(transaction=True)


def search_for(page: Page, words: str) -> None:
    page.goto("/search/")
    page.get_by_label("Description of the person").fill(words)
    page.get_by_role("button", name="Search", exact=True).click()
    expect(page.locator("[data-hits]")).to_be_visible()


def shown_boxes(page: Page) -> list[int]:
    return [
        int(hit.get_attribute("data-box")) for hit in page.locator("[data-hits] [data-box]").all()
    ]


def test_log_in_search_open_a_result_and_find_similar(window, street, user):
    page = window.new_page()
    page.goto("/")
    page.get_by_label("User name").fill(user.username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.get_by_label("Description of the person").fill("red")
    page.keyboard.press("Enter")

    first = page.locator("[data-hits] [data-box]").first
    expect(first).to_have_attribute("data-box", str(street["red"].pk))
    expect(page).to_have_url(re.compile(r"/search/\?q=red$"))
    expect(page.locator(".line")).to_contain_text("4 boxes searched")

    first.get_by_role("link", name="Person found, rank 1").click()
    drawer = page.get_by_role("dialog")
    expect(drawer.get_by_role("heading", name=f"Box {street['red'].pk}")).to_be_visible()
    expect(drawer).to_contain_text("a person in red")
    expect(drawer.locator(".frame__box")).to_have_count(2)

    drawer.locator("[data-similar]").click()
    expect(page).to_have_url(re.compile(rf"/search/\?box={street['red'].pk}$"))
    assert street["red"].pk not in shown_boxes(page)
    assert len(shown_boxes(page)) == 3


def test_the_back_button_returns_to_the_search_before(page, street):
    search_for(page, "red")
    page.get_by_label("Description of the person").fill("blue")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"q=blue$"))
    expect(page.locator("[data-hits] [data-box]").first).to_have_attribute(
        "data-box", str(street["blue"].pk)
    )
    page.go_back()
    expect(page.get_by_label("Description of the person")).to_have_value("red")
    expect(page.locator("[data-hits] [data-box]").first).to_have_attribute(
        "data-box", str(street["red"].pk)
    )


def test_a_filter_acts_at_once_and_its_chip_takes_it_back(page, street):
    search_for(page, "red")
    page.get_by_label("From").fill("2026-03-02")
    expect(page).to_have_url(re.compile(r"q=red&after=2026-03-02$"))
    expect(page.locator("[data-hits] [data-box]")).to_have_count(2)
    assert set(shown_boxes(page)) == {street["blue"].pk, street["yellow"].pk}
    page.get_by_role("link", name="Remove From 2026-03-02").click()
    expect(page).to_have_url(re.compile(r"\?q=red$"))
    expect(page.locator("[data-hits] [data-box]")).to_have_count(4)


def test_a_dataset_is_chosen_from_the_list(page, street):
    search_for(page, "red")
    page.locator(".filter summary").first.click()
    page.get_by_label("The street").check()
    expect(page).to_have_url(re.compile(r"q=red&dataset=street$"))
    expect(page.locator(".filter__count").first).to_have_text("1")


def test_a_press_on_the_words_of_a_filter_ticks_it(page, street):
    search_for(page, "red")
    page.locator(".filter").first.locator("summary").click()
    page.locator(".filter").first.get_by_text("The street").click()
    expect(page).to_have_url(re.compile(r"q=red&dataset=street$"))
    expect(page.get_by_role("checkbox", name="The street")).to_be_checked()


def test_a_word_as_long_as_the_box_admits_keeps_within_the_page(page, street):
    page.set_viewport_size({"width": 390, "height": 844})
    search_for(page, "x" * 300)
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_a_sheet_of_filters_closes_when_it_is_left_by_tab(page, street):
    page.goto("/search/")
    sheet = page.locator(".filter").first
    sheet.locator("summary").press("Enter")
    expect(page.get_by_label("The street")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_label("The street")).to_be_focused()
    page.keyboard.press("Tab")
    expect(sheet).not_to_have_attribute("open", "")


def test_words_join_the_picture_until_it_is_left(page, street, red_picture):
    shown_picture(page, red_picture)
    page.get_by_role("link", name="Whole picture").click()
    expect(page.locator("[data-asked]")).to_be_visible()
    page.get_by_label("Description of the person").fill("blue")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/search/\?q=blue&picture=[\w-]+&crop=[\d,]+$"))
    page.get_by_label("Words or picture").select_option("0.2")
    expect(page).to_have_url(re.compile(r"&mix=0\.2$"))
    expect(page.locator("[data-hits] [data-box]").first).to_have_attribute(
        "data-box", str(street["blue"].pk)
    )
    page.get_by_role("link", name="Leave this picture").click()
    expect(page.locator("[data-asked]")).to_have_count(0)
    expect(page).to_have_url(re.compile(r"/search/\?q=blue$"))
    page.locator("#picture").set_input_files(red_picture)
    expect(page).to_have_url(re.compile(r"/search/\?q=blue&picture=[\w-]+$"))
    # Other words, typed before anybody is picked: the picture stays, and so do its tools.
    page.get_by_label("Description of the person").fill("foo:bar")
    page.keyboard.press("Enter")
    expect(page.get_by_text("There is no filter “foo:”")).to_be_visible()
    expect(page.get_by_role("button", name="Draw a region")).to_be_visible()
    page.get_by_role("link", name="Search by the picture alone").click()
    expect(page).to_have_url(re.compile(r"/search/\?picture=[\w-]+$"))


def test_the_table_of_models_fits_a_phone(page, street):
    page.set_viewport_size({"width": 360, "height": 740})
    make_version("a-name-of-a-version-that-is-as-long-as-some-are", seed=5, space="x" * 60)
    page.goto("/models/")
    wide = "[...document.querySelectorAll('.table-wrap')].map((e) => e.scrollWidth - e.clientWidth)"
    assert page.evaluate(wide) == [0]
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    expect(page.get_by_role("link", name="a-name-of-a-version")).to_be_in_viewport()


def test_keys_step_through_the_results(page, street):
    search_for(page, "red")
    ids = shown_boxes(page)
    page.get_by_role("link", name="Person found, rank 1").click()
    drawer = page.get_by_role("dialog")
    expect(drawer.get_by_role("heading", name=f"Box {ids[0]}")).to_be_visible()
    expect(drawer.get_by_role("link", name="Previous result")).to_be_hidden()
    page.keyboard.press("ArrowRight")
    expect(drawer.get_by_role("heading", name=f"Box {ids[1]}")).to_be_visible()
    page.keyboard.press("ArrowLeft")
    expect(drawer.get_by_role("heading", name=f"Box {ids[0]}")).to_be_visible()
    page.keyboard.press("Escape")
    expect(drawer).to_be_hidden()
    expect(page.get_by_role("link", name="Person found, rank 1")).to_be_focused()
    page.keyboard.press("/")
    expect(page.get_by_label("Description of the person")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("?")
    expect(page.get_by_role("heading", name="Keys")).to_be_visible()


def test_s_finds_people_like_the_open_one(page, street):
    search_for(page, "blue")
    page.get_by_role("link", name="Person found, rank 1").click()
    expect(page.get_by_role("dialog").get_by_role("heading", name="Box")).to_be_visible()
    page.keyboard.press("s")
    expect(page).to_have_url(re.compile(rf"box={street['blue'].pk}$"))


def test_a_box_in_the_frame_opens_by_keyboard(page, street):
    search_for(page, "red")
    page.get_by_role("link", name="Person found, rank 1").click()
    other = page.get_by_role("dialog").locator(".frame__box:not([aria-current])")
    expect(other).to_have_attribute("aria-label", re.compile(f"Box {street['green'].pk}"))
    other.focus()
    page.keyboard.press("Enter")
    heading = page.get_by_role("dialog").get_by_role("heading", name=f"Box {street['green'].pk}")
    expect(heading).to_be_visible()


def test_the_page_of_a_box_steps_through_the_results_too(page, street):
    search_for(page, "red")
    ids = shown_boxes(page)
    page.goto(f"/boxes/{ids[1]}/?q=red")
    page.keyboard.press("ArrowRight")
    expect(page).to_have_url(re.compile(rf"/boxes/{ids[2]}/\?q=red$"))
    page.get_by_role("link", name="Back to the results").click()
    expect(page).to_have_url(re.compile(r"/search/\?q=red$"))


def test_a_chosen_picture_leads_to_people_like_it(page, street, red_picture):
    page.goto("/search/")
    page.get_by_label("Search by a picture").set_input_files(red_picture)
    expect(page).to_have_url(re.compile(r"/search/\?picture=[\w-]+$"))
    page.get_by_role("link", name="Whole picture").click()
    expect(page.locator("[data-hits] [data-box]").first).to_have_attribute(
        "data-box", str(street["red"].pk)
    )
    expect(page.locator("[data-asked]")).to_contain_text("Similar to your picture")
    page.reload()
    expect(page.locator("[data-hits] [data-box]")).to_have_count(4)


@pytest.mark.parametrize("how", ["drop", "paste"])
def test_a_dropped_or_pasted_picture_is_shown_to_pick_from(page, street, red_picture, how):
    page.goto("/search/")
    data = base64.b64encode(red_picture.read_bytes()).decode()
    page.evaluate(
        """([data, how]) => {
          const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
          const transfer = new DataTransfer();
          transfer.items.add(new File([bytes], "shown.png", { type: "image/png" }));
          const common = { bubbles: true, cancelable: true };
          const event = how === "drop"
            ? new DragEvent("drop", { dataTransfer: transfer, ...common })
            : new ClipboardEvent("paste", { clipboardData: transfer, ...common });
          document.body.dispatchEvent(event);
        }""",
        [data, how],
    )
    expect(page).to_have_url(re.compile(r"/search/\?picture=[\w-]+$"))
    expect(page.locator("[data-pick] img")).to_be_visible()


def test_a_region_is_drawn_on_the_picture(page, street, red_picture):
    page.goto("/search/")
    page.get_by_label("Search by a picture").set_input_files(red_picture)
    frame = page.locator("[data-pick]")
    expect(frame).to_be_visible()
    page.wait_for_load_state("networkidle")
    at = frame.bounding_box()
    middle, centre = at["x"] + at["width"] / 2, at["y"] + at["height"] / 2
    page.mouse.move(middle - 30, centre - 60)
    page.mouse.down()
    page.mouse.move(middle + 30, centre + 60, steps=4)
    page.mouse.up()
    expect(page).to_have_url(re.compile(r"crop=\d+,\d+,\d+,\d+$"))
    expect(page.locator("[data-hits] [data-box]").first).to_have_attribute(
        "data-box", str(street["red"].pk)
    )


def shown_picture(page: Page, path: Path) -> Locator:
    page.goto("/search/")
    page.get_by_label("Search by a picture").set_input_files(path)
    frame = page.locator("[data-pick]")
    expect(frame).to_be_visible()
    page.wait_for_load_state("networkidle")
    return frame


def test_a_region_is_set_and_searched_by_keys(page, street, red_picture):
    frame = shown_picture(page, red_picture)
    width, height = (int(frame.get_attribute(f"data-{side}")) for side in ("width", "height"))
    page.get_by_role("button", name="Draw a region").press("Enter")
    region = page.get_by_role("application", name="Region to search by")
    expect(region).to_be_focused()

    def bounds() -> list[int]:
        return [
            int(number) for number in re.findall(r"\d+", page.locator("[data-bounds]").inner_text())
        ]

    first = bounds()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    step = bounds()[0] - first[0]
    assert step > 0
    assert bounds() == [number + step for number in first]
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Shift+ArrowUp")
    assert bounds() == [first[0] + step, first[1] + step, first[2] + 2 * step, first[3]]
    for _ in range(60):
        page.keyboard.press("ArrowLeft")
        page.keyboard.press("Shift+ArrowDown")
    left, _top, right, bottom = bounds()
    # It keeps its size and stays within the picture.
    assert (left, right, bottom) == (0, first[2] - first[0] + step, height)
    assert right < width
    crop = ",".join(map(str, bounds()))
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"crop={crop}$"))
    expect(page.locator("[data-hits] [data-box]").first).to_have_attribute(
        "data-box", str(street["red"].pk)
    )


def test_escape_leaves_the_drawing_of_a_region(page, street, red_picture):
    shown_picture(page, red_picture)
    button = page.get_by_role("button", name="Draw a region")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Escape")
    expect(page.locator("[data-drawn]")).to_be_hidden()
    expect(button).to_have_attribute("aria-pressed", "false")
    expect(button).to_be_focused()


def test_a_finger_draws_a_region_after_asking_for_it(
    chromium, client, user, live_server, street, red_picture
):
    client.force_login(user)
    context = chromium.new_context(
        base_url=live_server.url,
        viewport={"width": 390, "height": 700},
        has_touch=True,
        is_mobile=True,
    )
    cookie = {"name": "sessionid", "value": client.cookies["sessionid"].value}
    context.add_cookies([cookie | {"url": live_server.url}])
    page = context.new_page()
    frame = shown_picture(page, red_picture)
    touch = context.new_cdp_session(page)

    def drag(by: int) -> None:
        frame.scroll_into_view_if_needed()
        at = frame.bounding_box()
        x, y = at["x"] + at["width"] / 2 - by / 2, max(at["y"], 0) + 100
        for name, far in [("touchStart", 0), *(("touchMove", n) for n in range(1, 5))]:
            point = {"x": x + far * by / 4, "y": y + far * by / 2}
            touch.send("Input.dispatchTouchEvent", {"type": name, "touchPoints": [point]})
        touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        # A tap at once would be taken for one that stops the swing of the drag.
        page.wait_for_timeout(800)

    drag(40)  # scrolls, and draws nothing
    expect(page.locator("[data-drawn]")).to_be_hidden()
    page.get_by_role("button", name="Draw a region").tap()
    before = page.locator("[data-bounds]").inner_text()
    frame.scroll_into_view_if_needed()
    scrolled = page.evaluate("scrollY")
    drag(40)
    expect(page.locator("[data-bounds]")).not_to_have_text(before)
    assert page.evaluate("scrollY") == scrolled
    page.get_by_role("link", name="Search by this region").tap()
    expect(page).to_have_url(re.compile(r"crop=\d+,\d+,\d+,\d+$"))
    expect(page.locator("[data-hits] [data-box]").first).to_have_attribute(
        "data-box", str(street["red"].pk)
    )
    context.close()


def test_a_file_that_is_no_picture_is_refused_in_words(page, street, tmp_path):
    path = tmp_path / "shown.jpg"
    path.write_bytes(b"<html><script>alert(1)</script></html>")
    page.goto("/search/")
    page.get_by_label("Search by a picture").set_input_files(path)
    expect(page.get_by_role("alert").first).to_contain_text("Not a picture")


def test_words_and_filters_stay_when_a_picture_is_refused(page, street, tmp_path):
    path = tmp_path / "shown.jpg"
    path.write_bytes(b"no picture")
    page.goto("/search/?dataset=street")
    page.get_by_label("Description of the person").fill("typed, not yet asked")
    page.get_by_label("From").fill("2026-03-02")
    page.get_by_label("Search by a picture").set_input_files(path)
    expect(page.get_by_role("alert").first).to_contain_text("Not a picture")
    expect(page.get_by_label("Description of the person")).to_have_value("typed, not yet asked")
    expect(page.get_by_label("From")).to_have_value("2026-03-02")
    expect(page.locator(".filter__count").first).to_have_text("1")


def test_the_language_changes_and_the_search_stays(page, street):
    search_for(page, "red")
    page.get_by_role("button", name="中文").click()
    expect(page.locator("html")).to_have_attribute("lang", "zh-hans")
    expect(page).to_have_url(re.compile(r"/search/\?q=red$"))
    expect(page.locator(".hit__similar").first).to_contain_text("查找相似")
    page.get_by_role("button", name="EN", exact=True).click()
    expect(page.locator(".hit__similar").first).to_contain_text("Find similar")


def test_the_theme_is_remembered(page, street):
    page.goto("/search/")
    dark = "getComputedStyle(document.body).backgroundColor"
    before = page.evaluate(dark)
    page.get_by_role("button", name="Light or dark").click()
    after = page.evaluate(dark)
    assert before != after
    page.reload()
    assert page.evaluate(dark) == after


def test_nothing_scrolls_sideways_on_a_phone(page, street):
    page.set_viewport_size({"width": 360, "height": 740})
    red = street["red"].pk
    for path in ["/search/", "/search/?q=red", f"/search/?box={red}", f"/boxes/{red}/?q=red"]:
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") == 360, path
        expect(page.get_by_role("navigation", name="Main")).to_be_in_viewport()
    page.goto("/search/?q=red")
    page.get_by_role("link", name="Person found, rank 1").click()
    expect(page.get_by_role("dialog").get_by_role("heading", name=f"Box {red}")).to_be_visible()
    assert page.evaluate("document.getElementById('viewer').scrollWidth") <= 360


def test_the_search_works_without_scripts(chromium, client, user, live_server, street):
    client.force_login(user)
    context = chromium.new_context(base_url=live_server.url, java_script_enabled=False)
    cookie = {"name": "sessionid", "value": client.cookies["sessionid"].value}
    context.add_cookies([cookie | {"url": live_server.url}])
    page = context.new_page()
    search_for(page, "red")
    page.get_by_role("link", name="Person found, rank 1").click()
    expect(page.get_by_role("heading", name=f"Box {street['red'].pk}")).to_be_visible()
    page.get_by_role("link", name="Back to the results").click()
    expect(page.locator("[data-hits] [data-box]")).to_have_count(4)
    context.close()
