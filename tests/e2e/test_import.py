"""Someone brings a zip in a browser: it comes in pieces, is checked, imported and undone."""

import io
import zipfile

import pytest
from playwright.sync_api import expect

from gallery import imports, ingest, undo, uploads
from gallery.models import Image, Import, Upload
from pedsite.jobs import work
from tests.gallery.files import coded, pixels
from tests.world import make_user

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def user(transactional_db):
    return make_user("ming", password="a-long-password", role="curator")


@pytest.fixture
def archive(tmp_path):
    path = tmp_path / "gate.zip"
    with zipfile.ZipFile(path, "w") as out:
        for number in range(5):
            out.writestr(f"gate/{number}.jpg", coded(pixels(60, 120, number)))
        out.writestr("gate/broken.jpg", b"no picture")
    return path


def do(job, step):
    work.run_here(job, step, io.StringIO())


def test_an_archive_is_sent_in_pieces_goes_on_after_a_break_and_is_imported_and_undone(
    page, archive, monkeypatch, settings, tmp_path
):
    settings.MEDIA_ROOT = tmp_path / "media"
    monkeypatch.setattr(uploads, "PIECE", 1024)
    monkeypatch.setattr(work, "send", lambda job: None)
    page.goto("/datasets/")
    page.get_by_role("link", name="Import", exact=True).click()
    page.set_input_files("input[type=file]", archive)
    page.fill("input[name=dataset]", "gate")
    broken = []

    def breaks(route):
        offset = int(route.request.headers["upload-offset"])
        if offset >= 2048 and not broken:
            broken.append(offset)
            route.abort()
        else:
            route.continue_()

    page.route(
        "**/api/v1/uploads/*",
        lambda route: breaks(route) if route.request.method == "PATCH" else route.continue_(),
    )
    page.get_by_role("button", name="Check it").click()
    expect(page.get_by_text("Being checked")).to_be_visible()
    assert broken == [2048]
    assert Upload.objects.get().is_whole
    found = Import.objects.get()
    do(found.check_job, imports.Checker())
    expect(page.get_by_text("It would make the dataset gate")).to_be_visible()
    expect(page.get_by_text("1 record refused")).to_be_visible()
    assert page.locator(".rows__picture").count() == 5
    page.get_by_role("button", name="Import it").click()
    expect(page.get_by_text("Being imported")).to_be_visible()
    found.refresh_from_db()
    do(found.job, ingest.Importer())
    expect(page.get_by_text("What was added")).to_be_visible()
    assert Image.objects.count() == 5
    page.get_by_role("link", name="Undo…").click()
    page.get_by_role("button", name="Undo the import").click()
    expect(page.get_by_text("Being undone")).to_be_visible()
    found.refresh_from_db()
    do(found.undo_job, undo.step)
    expect(page.get_by_text("What was taken away")).to_be_visible()
    assert Image.objects.count() == 0
