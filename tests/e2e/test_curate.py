"""The editor of a frame, by mouse and by keys."""

import numpy as np
from playwright.sync_api import Page, expect

from gallery.models import Action, Box
from tests.world import make_box, make_dataset, make_image

PIXELS = 2  # how far a dragged corner may be off


def at(page: Page, x: float, y: float) -> tuple[float, float]:
    """Where a pixel of the picture is on the screen."""
    svg = page.locator("[data-editor] svg")
    place = svg.bounding_box()
    size = [float(number) for number in svg.get_attribute("viewBox").split()[2:]]
    return place["x"] + x * place["width"] / size[0], place["y"] + y * place["height"] / size[1]


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    page.mouse.move(*at(page, *start))
    page.mouse.down()
    page.mouse.move(*at(page, *end), steps=4)
    page.mouse.up()


def test_a_box_is_drawn_moved_resized_deleted_and_taken_back(page, user):
    user.role = "curator"
    user.save()
    pixels = np.full((200, 300, 3), 120, dtype=np.uint8)
    frame = make_image(make_dataset("street", visible_to=user), pixels)
    make_box(frame, (20, 20, 80, 160))
    width, height = frame.width, frame.height
    page.goto(f"/frames/{frame.pk}/")
    drag(page, (width * 0.6, height * 0.25), (width * 0.9, height * 0.75))
    # The page has come again, and the new box is chosen.
    expect(page.locator(".frame__handle")).to_have_count(8)
    box = Box.objects.latest("pk")
    wanted = (width * 0.6, height * 0.25, width * 0.9, height * 0.75)
    assert all(abs(a - b) <= PIXELS for a, b in zip(box.bounds, wanted, strict=True))

    status = page.get_by_role("status").filter(has_text="Saved.")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Shift+ArrowUp")
    expect(status).to_be_visible()
    left, top, right, bottom = box.bounds
    box.refresh_from_db()
    assert box.bounds == (left - 1, top - 10, right - 1, bottom - 10)

    corner = box.bounds[2:]
    drag(page, corner, (corner[0] - 5, corner[1] - 20))
    expect(page.get_by_label("bottom", exact=True)).to_have_value(str(box.bottom - 20))
    with page.expect_navigation():
        page.keyboard.press("Delete")
    assert not Box.objects.filter(pk=box.pk).exists()
    with page.expect_navigation():
        page.get_by_role("button", name="Undo “delete boxes”").click()
    box.refresh_from_db()
    assert box.right == corner[0] - 5
    assert [action.rows for action in Action.objects.all()] == [1] * 5
