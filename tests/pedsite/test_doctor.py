"""What the doctor finds, and that it ends with an error when searches cannot be right."""

import io

import pytest
from django.core.management import CommandError, call_command
from django.db.migrations.recorder import MigrationRecorder

from pedsite import doctor
from search.models import CompactIndex, IndexTuning
from tests import world
from tests.search import rows
from training.models import Encoder

pytestmark = pytest.mark.django_db

DIM = 16


@pytest.fixture(autouse=True)
def _hurry(monkeypatch):
    monkeypatch.setattr(doctor, "WORKERS_S", 0.05)


@pytest.fixture
def version():
    version = rows.make_serving(dim=DIM)
    rows.make_known(world.make_dataset("street"), version.image_encoder, rows.unit_vectors(5, DIM))
    return version


def examined(*arguments: str) -> dict[str, tuple[str, str]]:
    out = io.StringIO()
    try:
        call_command("doctor", *arguments, stdout=out)
    except CommandError as exc:
        out.write(f"error    end: {exc}\n")
    found = {}
    for line in out.getvalue().splitlines():
        state, rest = line.split(maxsplit=1)
        what, detail = rest.split(": ", 1)
        found[what] = (state, detail)
    return found


def test_a_sound_deployment_passes(version):
    found = examined()
    assert {what: state for what, (state, _) in found.items() if state != "ok"} == {
        "workers": "warning"
    }
    assert "12 golden crops as exported" in found["tiny self-test"][1] or (
        "6 golden captions as exported" in found["tiny self-test"][1]
    )
    assert found["tiny coverage"] == ("ok", "5 of 5 boxes have a vector")
    assert found["tiny index"] == ("ok", "none needed: every search is exact")
    assert "pgvector 0.8" in found["PostgreSQL"][1]


def test_a_tower_that_fails_its_self_test_is_an_error(version):
    Encoder.objects.filter(pk=version.image_encoder_id).update(
        golden_sha256="0" * 64, golden="nowhere.npz"
    )
    found = examined()
    assert found["tiny self-test"][0] == "error"
    assert found["end"][1] == "1 of these keep searches from being right."


def test_versions_that_do_not_serve_are_tested_when_they_are_named(version):
    world.make_version("other", seed=1)
    assert "other self-test" not in examined()
    assert examined("--model", "other")["other self-test"][0] == "ok"
    assert examined("--all")["other self-test"][0] == "ok"
    assert "unheard" in examined("--model", "unheard")["end"][1]


def test_what_is_not_covered_is_named(version):
    world.make_coloured_people(world.make_dataset("lane"), ["red"])
    state, detail = examined()["tiny coverage"]
    assert state == "warning"
    assert detail == "5 of 6 boxes have a vector; enroll lane"


def test_an_index_that_is_missing_is_named(version, settings):
    settings.PEDSITE_EXACT_ROWS = 3
    state, detail = examined()["tiny index"]
    assert state == "warning"
    assert "run tune_index" in detail
    assert not IndexTuning.objects.exists()


def test_codes_that_stand_in_for_the_index_are_no_trouble(version, settings):
    settings.PEDSITE_EXACT_ROWS = 0
    CompactIndex.objects.create(
        encoder=version.image_encoder, file="x", sha256="x", rows=1200, newest=1, code_bytes=4,
        cells=2, byte_size=1, replaces_index=True,
    )  # fmt: skip
    assert examined()["tiny index"] == ("ok", "compact codes of 1,200 vectors stand in for it")


def test_a_migration_that_was_not_applied_is_an_error(version):
    MigrationRecorder.Migration.objects.filter(app="search").delete()
    state, detail = examined()["migrations"]
    assert state == "error"
    assert "search.0001_initial" in detail


def test_a_queue_that_does_not_answer_is_an_error(version, settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    found = examined()
    assert found["Redis"][0] == "error"
    assert found["pedsite.E006"][0] == "error"


def test_without_a_version_that_answers_there_is_a_warning(db):
    assert examined()["models"][0] == "warning"
