"""What an operator does with trainings and evaluations, done in a browser."""

import re

import pytest
from playwright.sync_api import Page, expect

from pedsite.jobs.models import Job
from tests.training.measured import make_split, measure
from training.models import MetricPoint, TrainingRun

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def user(user):
    user.role = "operator"
    user.save()
    return user


def shown(page: Page) -> tuple[float, str, str]:
    read = page.locator("#operating")
    return (
        float(read.locator("[data-threshold]").inner_text()),
        read.locator("[data-far]").inner_text(),
        read.locator("[data-frr]").inner_text(),
    )


def test_the_operating_point_moves_by_key_by_click_and_by_the_table(page, user):
    evaluation = measure(make_split(visible_to=user))
    page.goto(evaluation.get_absolute_url())
    slider = page.get_by_role("slider", name="Threshold")
    before = shown(page)
    mark = page.locator('[data-chart="det"] [data-mark]')
    stood = mark.get_attribute("cx"), mark.get_attribute("cy")
    slider.focus()
    page.keyboard.press("Home")
    lowest = shown(page)
    # Everything is accepted at the lowest threshold.
    assert lowest[0] < before[0]
    assert (lowest[1], lowest[2]) == ("100%", "0%")
    assert (mark.get_attribute("cx"), mark.get_attribute("cy")) != stood
    expect(slider).to_have_attribute("aria-valuetext", re.compile("FAR 100%, FRR 0%"))
    expect(page).to_have_url(re.compile(rf"\?threshold={lowest[0]:.4f}"))

    page.keyboard.press("End")
    highest = shown(page)
    page.locator('[data-chart="scores"] .chart__sheet').click(position={"x": 60, "y": 60})
    assert shown(page)[0] < highest[0]
    page.get_by_role("link", name="EER").click()
    eer = evaluation.metrics["verification"]["eer"]["threshold"]
    assert shown(page)[0] == pytest.approx(eer, abs=1e-4)
    page.reload()
    assert shown(page)[0] == pytest.approx(eer, abs=1e-4)


def test_a_value_is_read_off_a_curve_with_the_arrow_keys(page, user):
    page.goto(measure(make_split(visible_to=user)).get_absolute_url())
    chart = page.locator('[data-chart="roc"]')
    chart.locator(".chart__sheet").focus()
    page.keyboard.press("ArrowRight")
    expect(chart.locator("[data-reading]")).to_have_text(re.compile(r"%: .*%"))
    page.keyboard.press("Tab")
    expect(chart.locator("[data-reading]")).to_have_text("")


def test_a_training_is_started_followed_and_cancelled(page, user):
    page.goto("/runs/")
    page.get_by_role("link", name="Start a training").first.click()
    page.get_by_role("link", name="cmpm").click()
    page.get_by_label("Steps", exact=True).fill("40")
    page.get_by_label("Name of the version").fill("night-shift")
    page.get_by_label("Batch", exact=True).fill("1")
    page.get_by_role("button", name="Start").click()
    expect(page.locator(".field__error")).to_contain_text("2")
    page.get_by_label("Batch", exact=True).fill("8")
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_role("heading", name="night-shift")).to_be_visible()
    expect(page.locator("#live")).to_contain_text("Number 1 in the queue")

    run = TrainingRun.objects.get()
    assert (run.recipe, run.config["steps"], run.config["batch"]) == ("cmpm", 40, 8)
    # What a worker writes meanwhile appears without a reload.
    MetricPoint.objects.bulk_create(
        MetricPoint(run=run, step=20 * n, name="loss", value=3 / n) for n in (1, 2)
    )
    line = page.locator('[data-chart="loss"] [data-points]')
    expect(line).to_have_attribute("data-name", "loss")
    assert "1.5" in line.get_attribute("data-points")

    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#live .badge")).to_have_text("Cancelled")
    assert Job.objects.get(pk=run.job_id).state == "cancelled"
    expect(page.get_by_role("button", name="Resume")).to_be_visible()
    assert page.locator("#live").get_attribute("hx-trigger") is None
