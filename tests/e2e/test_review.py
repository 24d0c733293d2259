"""The review by keys: search, confirm, undo, and the queue."""

from django.urls import reverse
from playwright.sync_api import expect

from search.review.models import Finding
from tests.e2e.test_search import search_for


def test_a_result_is_judged_by_keys_taken_back_and_judged_in_the_queue(page, user, street):
    user.role = "reviewer"
    user.save()

    search_for(page, "red")
    page.locator("[data-hits] [data-viewer]").first.click()
    drawer = page.get_by_role("dialog")
    said = drawer.locator('[data-verdict="confirmed"]')
    expect(said).to_have_attribute("aria-pressed", "false")
    page.keyboard.press("c")
    expect(said).to_have_attribute("aria-pressed", "true")
    finding = Finding.objects.get()
    assert finding.judgements.get().verdict == "confirmed"

    page.goto(reverse("search:review:one") + "?state=confirmed")
    expect(page.get_by_role("heading", name="red")).to_be_visible()
    page.keyboard.press("z")
    expect(page.get_by_text("The decision is undone.")).to_be_visible()
    assert finding.judgements.get().verdict == "unreviewed"
    page.goto(reverse("search:review:one"))
    page.keyboard.press("c")
    expect(page.locator(".empty")).to_be_visible()  # of the queue, which goes on by itself
    assert finding.judgements.get().verdict == "confirmed"
