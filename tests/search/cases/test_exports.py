"""A case as a file: complete, checkable, and only for those who may see all of it."""

import hashlib
import io
import json
import zipfile

import pytest
from django.core.files.storage import default_storage
from django.urls import reverse
from PIL import Image

from pedsite.jobs import work
from search.cases import casework, exports
from search.cases.errors import ExportGone
from search.review import asked, judging
from tests.world import make_box, make_image, make_user

pytestmark = pytest.mark.django_db


def export(case, user):
    job = exports.request(case, user, queue=False)
    done = work.run_here(job, exports.step, io.StringIO())
    assert done.state == "done"
    return case.exports.get(pk=done.result["export"])


def unpacked(made) -> dict[str, bytes]:
    with default_storage.open(made.file) as file:
        data = file.read()
    assert hashlib.sha256(data).hexdigest() == made.sha256
    assert len(data) == made.byte_size
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_the_manifest_names_every_other_file_with_its_hash(filled, user):
    files = unpacked(export(filled, user))
    manifest = json.loads(files.pop("manifest.json"))
    assert {one["path"]: one["sha256"] for one in manifest["files"]} == {
        path: hashlib.sha256(data).hexdigest() for path, data in files.items()
    }
    assert {one["path"]: one["bytes"] for one in manifest["files"]} == {
        path: len(data) for path, data in files.items()
    }


def test_an_export_holds_crops_searches_notes_and_who_did_what(filled, user, boxes):
    query = asked.of_words("a red coat", None, user)
    filled.hits.update(query=query)
    judging.judge(query, [boxes[0].pk], "confirmed", user)
    files = unpacked(export(filled, user))
    told = json.loads(files["case.json"])
    assert (told["title"], told["reference"], told["exported_by"]) == (
        "The red coat", "F-17", "ming",
    )  # fmt: skip
    first, second = told["hits"]
    assert [one["verdict"] for one in first["judgements"]] == ["confirmed"]
    assert (first["image_sha256"], second["judgements"]) == (boxes[0].image.sha256, [])
    crop = Image.open(io.BytesIO(files[first["crop"]]))
    assert (crop.format, crop.size) == ("JPEG", (64, 64))
    assert files[first["crop"]] != boxes[0].image.file.open().read()
    assert files["searches.txt"].decode() == "a red coat\t/search/?q=a+red+coat\n"
    assert "Seen at the gate." in files["notes.txt"].decode()
    assert "ming added_note" in files["history.txt"].decode()


def test_what_a_member_may_not_see_is_not_in_their_export(filled, granted, boxes):
    made = export(filled, granted)
    files = unpacked(made)
    told = json.loads(files["case.json"])["hits"]
    assert "crop" in told[0]
    assert set(told[1]) == {"box", "by", "at", "missing"}
    assert len([name for name in files if name.endswith(".jpg")]) == 1
    assert made.datasets == [boxes[0].image.dataset_id]


def test_an_export_is_given_only_to_those_who_may_see_all_of_it(filled, user, granted, boxes):
    whole, part = export(filled, user), export(filled, granted)
    assert exports.offered(filled, granted) == [part]
    with pytest.raises(ExportGone):
        exports.find(filled, whole.pk, granted)
    assert exports.find(filled, part.pk, user) == part
    boxes[1].image.dataset.delete()
    with pytest.raises(ExportGone):
        exports.find(filled, whole.pk, user)


def test_an_export_tells_of_boxes_that_are_gone_and_pictures_that_do_not_open(filled, user, boxes):
    default_storage.delete(boxes[1].image.file.name)
    boxes[0].delete()
    job = exports.request(filled, user, queue=False)
    done = work.run_here(job, exports.step, io.StringIO())
    assert done.failures.get().item == f"box {boxes[1].pk}"
    told = json.loads(unpacked(filled.exports.get())["case.json"])["hits"]
    assert told[0]["missing"] == "The box was deleted."
    assert "missing" in told[1]


def test_a_result_that_was_added_since_is_exported_and_counted(filled, user, boxes):
    job = exports.request(filled, user, queue=False)
    late = make_box(make_image(boxes[0].image.dataset))
    casework.add_hits(filled, [late.pk], user)
    done = work.run_here(job, exports.step, io.StringIO())
    assert (done.total, done.done) == (3, 3)
    told = json.loads(unpacked(filled.exports.get())["case.json"])["hits"]
    assert [hit["box"] for hit in told] == [boxes[0].pk, boxes[1].pk, late.pk]


def test_a_message_delivered_twice_exports_once(filled, user):
    export(filled, user)
    made = filled.exports.get()
    again = work.Work(made.job, "")
    assert exports.step(again) is False
    assert filled.exports.count() == 1


def test_a_download_is_noted_and_is_nobody_elses(client, filled, user, granted):
    made = export(filled, user)
    page = reverse("search:review:case-download", args=[filled.pk, made.pk])
    program = reverse("api:case-export-file", args=[filled.pk, made.pk])
    for stranger in (granted, make_user(role="reviewer"), make_user(role="viewer")):
        client.force_login(stranger)
        assert client.get(page).status_code in (403, 404)
        assert client.get(program).status_code in (403, 404)
    client.force_login(user)
    for path in (page, program):
        response = client.get(path)
        assert hashlib.sha256(b"".join(response.streaming_content)).hexdigest() == made.sha256
        assert response["X-Content-Type-Options"] == "nosniff"
    assert filled.events.filter(what="downloaded", user=user, detail=made.sha256).count() == 2


def test_a_user_who_lost_the_case_gets_no_export(filled, user, granted):
    job = exports.request(filled, granted, queue=False)
    casework.unshare(filled, "lan", user)
    assert work.run_here(job, exports.step, io.StringIO()).state == "failed"
    assert not filled.exports.exists()
