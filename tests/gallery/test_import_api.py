"""Imports through the API: pieces, check, confirm, undo; and what is not another's."""

import io
import json
import zipfile

import pytest
from django.urls import reverse

from gallery import imports, ingest, undo, uploads
from gallery.models import Box, Image, Import, Upload
from pedsite.accounts import keys
from pedsite.jobs import work
from pedsite.jobs.models import Job
from tests import world
from tests.gallery.files import coded, folder_of, pixels

STEPS = {imports.KIND: imports.Checker, ingest.KIND: ingest.Importer, undo.KIND: lambda: undo.step}


@pytest.fixture
def curator(db):
    return world.make_user("curator", role="curator")


@pytest.fixture
def root(tmp_path, settings):
    (tmp_path / "open").mkdir()
    settings.PEDSITE_IMPORT_ROOTS = [str(tmp_path / "open")]
    return folder_of(tmp_path / "open" / "in", 3).parent


@pytest.fixture
def call(client):
    """A request of a user by key: status, body, headers."""

    def ask(user, method, name, *args, data=None, piece=None, query=None, **headers):
        _key, secret = keys.issue(user, "test")
        headers = {"Authorization": f"Bearer {secret}"} | {
            name.replace("_", "-"): str(value) for name, value in headers.items()
        }
        kind = "application/json" if piece is None else "application/octet-stream"
        response = client.generic(
            method.upper(),
            reverse(f"api:{name}", args=args, query=query),
            data=json.dumps(data or {}) if piece is None else piece,
            content_type=kind,
            headers=headers,
        )
        if response.streaming:
            return response.status_code, b"".join(response.streaming_content).decode(), response
        return response.status_code, response.json() if response.content else None, response

    return ask


def done(body, field):
    """Do the job that an answer names."""
    job = Job.objects.get(pk=body[field]["id"])
    return work.run_here(job, STEPS[job.kind](), io.StringIO())


def packed(count=3):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for n in range(count):
            archive.writestr(f"{n}.jpg", coded(pixels(seed=n)))
    return out.getvalue()


def test_a_program_uploads_checks_confirms_and_undoes(call, curator, monkeypatch):
    monkeypatch.setattr(uploads, "PIECE", 1000)
    data = packed()
    status, upload, _ = call(curator, "post", "uploads", data={"name": "a.zip", "size": len(data)})
    assert (status, upload["received"], upload["piece"]) == (201, 0, 1000)
    while not upload["is_whole"]:
        at = upload["received"]
        status, upload, _ = call(
            curator, "patch", "upload", upload["id"], piece=data[at : at + 1000], Upload_Offset=at
        )
        assert status == 200
    wish = {"upload": upload["id"], "dataset": "street"}
    status, body, response = call(curator, "post", "imports", data=wish)
    assert (status, body["stage"]) == (202, "checking")
    assert response["Location"] == body["check_job"]["url"]
    done(body, "check_job")
    status, body, _ = call(curator, "get", "import", body["id"])
    assert (body["stage"], body["format"], body["report"]["images"]) == ("checked", "folder", 3)
    assert len(body["report"]["rows"]) == 3
    status, body, response = call(curator, "post", "import-confirm", body["id"])
    assert (status, response["Location"]) == (202, body["job"]["url"])
    done(body, "job")
    assert Image.objects.count() == 3
    status, text, _ = call(curator, "get", "import-result", body["id"], query={"as": "csv"})
    assert text.count("imported") == 3
    status, told, _ = call(curator, "get", "import-undo", body["id"])
    assert (told["images"], told["kept_boxes"]) == (3, 0)
    status, body, response = call(curator, "post", "import-undo", body["id"])
    assert (status, response["Location"]) == (202, body["undo_job"]["url"])
    done(body, "undo_job")
    assert Box.objects.count() == Image.objects.count() == 0
    assert call(curator, "get", "import", body["id"])[1]["stage"] == "undone"


def test_the_server_says_how_far_an_interrupted_upload_is(call, curator):
    upload = uploads.begin(curator, "a", 10)
    call(curator, "patch", "upload", upload.pk, piece=b"12345", Upload_Offset=0)
    assert call(curator, "get", "upload", upload.pk)[1]["received"] == 5
    status, body, _ = call(curator, "patch", "upload", upload.pk, piece=b"12345", Upload_Offset=0)
    assert (status, body["code"]) == (409, "wrong-offset")
    assert "byte 5" in body["detail"]
    status, body, _ = call(curator, "patch", "upload", upload.pk, piece=b"67890", Upload_Offset=5)
    assert (status, body["is_whole"]) == (200, True)


@pytest.mark.parametrize("offset", ["", "-1", "x", "1" * 30])
def test_a_piece_says_where_it_begins(call, curator, offset):
    upload = uploads.begin(curator, "a", 10)
    status, body, _ = call(curator, "patch", "upload", upload.pk, piece=b"1", Upload_Offset=offset)
    assert (status, body["code"]) == (422, "bad-upload")


def test_an_oversized_piece_is_refused_by_its_length(call, curator, monkeypatch):
    monkeypatch.setattr(uploads, "PIECE", 100)
    upload = uploads.begin(curator, "a", 1000)
    status, body, _ = call(curator, "patch", "upload", upload.pk, piece=bytes(101), Upload_Offset=0)
    assert (status, body["code"]) == (413, "upload-too-large")
    assert Upload.objects.get().received == 0


def test_a_slow_piece_is_given_up_and_counts_nothing(call, curator, monkeypatch):
    monkeypatch.setattr("gallery.import_api.PATIENCE_S", -1)
    upload = uploads.begin(curator, "a", 10)
    status, body, _ = call(curator, "patch", "upload", upload.pk, piece=b"12345", Upload_Offset=0)
    assert (status, body["code"]) == (422, "bad-upload")
    assert Upload.objects.get().received == 0


def test_an_import_cannot_be_confirmed_before_its_check_nor_twice(call, curator, root):
    wish = {"folder": "in", "dataset": "street"}
    _status, body, _ = call(curator, "post", "imports", data=wish)
    assert call(curator, "post", "import-confirm", body["id"])[0] == 409
    done(body, "check_job")
    assert call(curator, "post", "import-undo", body["id"])[0] == 409
    assert call(curator, "post", "import-confirm", body["id"])[0] == 202
    assert call(curator, "post", "import-confirm", body["id"])[0] == 409


@pytest.mark.parametrize("folder", ["../x", "/etc", "missing"])
def test_a_folder_outside_the_roots_is_refused(call, curator, root, folder):
    wish = {"folder": folder, "dataset": "street"}
    status, body, _ = call(curator, "post", "imports", data=wish)
    assert (status, body["code"]) == (422, "bad-folder")


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"folder": "in", "upload": 1}, 400),
        ({}, 400),
        ({"folder": "in", "format": "drawn"}, 400),
        ({"folder": "in", "format": "folder", "options": {"fps": 2}}, 422),
        ({"folder": "in", "format": "video", "options": {"fps": "fast"}}, 400),
        ({"folder": "in", "dataset": "../x"}, 422),
        ({"folder": "in", "images": "/etc"}, 422),
        ({"folder": "a\u0000b"}, 400),
    ],
)
def test_what_cannot_be_imported_is_refused_at_once(call, curator, root, more, status):
    assert call(curator, "post", "imports", data={"dataset": "x", **more})[0] == status
    assert Import.objects.count() == 0


@pytest.mark.parametrize("role", ["viewer", "reviewer"])
def test_only_curators_and_those_above_them_may_import(call, db, root, role):
    user = world.make_user(role=role)
    assert call(user, "post", "imports", data={"folder": "in", "dataset": "x"})[0] == 403
    assert call(user, "post", "uploads", data={"name": "a", "size": 5})[0] == 403
    assert call(user, "get", "imports")[0] == 403


def test_nobody_reaches_the_uploads_and_imports_of_another(call, curator, root):
    other = world.make_user(role="operator")
    upload = uploads.begin(other, "a", 5)
    found = imports.begin(other, imports.Wish(dataset="theirs", folder="in"))
    work.run_here(found.check_job, imports.Checker(), io.StringIO())
    for method in ("get", "delete"):
        assert call(curator, method, "upload", upload.pk)[0] == 404
        assert call(curator, method, "import", found.pk)[0] == 404
    assert call(curator, "patch", "upload", upload.pk, piece=b"12345", Upload_Offset=0)[0] == 404
    assert call(curator, "get", "import-result", found.pk)[0] == 404
    assert call(curator, "get", "import-undo", found.pk)[0] == 404
    for name in ("import-confirm", "import-undo"):
        assert call(curator, "post", name, found.pk)[0] == 404
    assert call(curator, "post", "import-check", found.pk, data={"dataset": "x"})[0] == 404
    wish = {"upload": upload.pk, "dataset": "x"}
    assert call(curator, "post", "imports", data=wish)[0] == 404
    assert call(curator, "get", "imports")[1]["results"] == []
    assert Upload.objects.get().received == 0


def test_a_dataset_of_another_is_refused(call, curator, root):
    world.make_dataset("theirs")
    status, body, _ = call(curator, "post", "imports", data={"folder": "in", "dataset": "theirs"})
    assert (status, body["code"]) == (403, "not-your-dataset")


def test_a_script_on_a_page_needs_the_token_of_the_form(client, curator, db):
    client = type(client)(enforce_csrf_checks=True)
    client.force_login(curator)
    data = {"name": "a", "size": 5}
    assert client.post(reverse("api:uploads"), data, "application/json").status_code == 403
    upload = uploads.begin(curator, "a", 5)
    response = client.patch(
        reverse("api:upload", args=[upload.pk]),
        b"12345",
        "application/octet-stream",
        headers={"Upload-Offset": "0"},
    )
    assert response.status_code == 403
    assert Upload.objects.get().received == 0
