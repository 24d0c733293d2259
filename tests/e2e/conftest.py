"""A real browser against a real server.

Without a browser these tests are skipped, or fail where REQUIRE_BROWSER is set, as .ci/run does.
"""

import io
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from pedsite.jobs import work
from search import enrollment
from tests.world import (
    make_box,
    make_camera,
    make_caption,
    make_dataset,
    make_image,
    make_user,
    make_version,
    plain_crop,
)

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
PASSWORD = "a-long-password"
# Generous: the suite may share two cores with a training. Only a failing test waits so long.
PATIENCE_MS = 30_000
expect.set_options(timeout=PATIENCE_MS)
COLOURS = ("red", "green", "blue", "yellow")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    if not Path(CHROMIUM).exists() and not os.environ.get("REQUIRE_BROWSER"):
        pytest.skip(f"there is no browser at {CHROMIUM}; CHROMIUM names another")
    # Playwright runs an event loop in this thread; the ORM of the tests is used beside it.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture
def user(transactional_db):
    return make_user("ming", password=PASSWORD)


@pytest.fixture
def street(user):
    """Frames of two people side by side, each a colour, enrolled: what there is to find."""
    dataset = make_dataset("street", title="The street", visible_to=user)
    camera = make_camera(dataset, "north gate")
    boxes = {}
    for number, pair in enumerate([("red", "green"), ("blue", "yellow")]):
        crops = [plain_crop(colour) for colour in pair]
        height, width = crops[0].shape[:2]
        image = make_image(
            dataset,
            np.concatenate(crops, axis=1),
            name=f"frame{number}.png",
            camera=camera,
            taken_at=f"2026-03-0{number + 1}T08:15:30Z",
        )
        for place, colour in enumerate(pair):
            box = make_box(image, (place * width, 0, (place + 1) * width, height))
            make_caption(box, f"a person in {colour}")
            boxes[colour] = box
    job = enrollment.request(dataset, make_version(), queue=False)
    work.run_here(job, enrollment.step, io.StringIO())
    return boxes


@pytest.fixture
def window(chromium, live_server) -> Iterator[BrowserContext]:
    context = chromium.new_context(
        base_url=live_server.url, viewport={"width": 1280, "height": 800}
    )
    context.set_default_timeout(PATIENCE_MS)
    yield context
    context.close()


@pytest.fixture
def page(window, client, user, live_server) -> Iterator[Page]:
    """A page of someone who has logged in; a script error on it fails the test."""
    client.force_login(user)
    cookie = {"name": "sessionid", "value": client.cookies["sessionid"].value}
    window.add_cookies([cookie | {"url": live_server.url}])
    page = window.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on(
        "console",
        lambda message: (
            errors.append(message.text) if "Content Security Policy" in message.text else None
        ),
    )
    yield page
    assert errors == []


@pytest.fixture
def red_picture(tmp_path) -> Path:
    from PIL import Image

    path = tmp_path / "shown.png"
    Image.fromarray(plain_crop("red")).save(path)
    return path
