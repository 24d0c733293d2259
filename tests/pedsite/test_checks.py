"""What the system checks find."""

import socket

import pytest
from django.core.checks import run_checks

from pedsite import checks
from search.models import Mirror


def ids(found) -> list[str]:
    return [message.id for message in found]


def test_the_suite_itself_passes_every_check(db):
    assert ids(run_checks(databases=["default"])) == []


@pytest.mark.parametrize("key", ["short", "x" * 60, "change-me-" + "abcdefghij" * 4])
def test_a_secret_key_that_others_can_guess_is_refused(settings, key):
    settings.SECRET_KEY = key
    assert ids(checks.secret_key(None)) == ["pedsite.E001"]


@pytest.mark.parametrize(
    ("https", "proxies", "told"),
    [(False, 0, []), (True, 0, ["pedsite.W011"]), (True, 1, [])],
)
def test_a_proxy_that_hides_all_addresses_is_told(settings, https, proxies, told):
    settings.HTTPS, settings.PEDSITE_PROXIES = https, proxies
    assert ids(checks.addresses_known(None)) == told


def test_a_media_folder_that_cannot_be_made_is_refused(settings, monkeypatch, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "missing" / "media"
    assert checks.media_writable(None) == []
    monkeypatch.setattr(checks.os, "access", lambda *args: False)
    assert ids(checks.media_writable(None)) == ["pedsite.E002"]


def test_an_old_pgvector_is_refused(db, monkeypatch):
    monkeypatch.setattr(checks, "PGVECTOR_LEAST", (99, 0))
    found = checks.pgvector(None, databases=["default"])
    assert ids(found) == ["pedsite.E004"]
    assert "halfvec" in found[0].msg


def test_a_redis_that_does_not_answer_is_refused(settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    assert ids(checks.redis_reachable(None, databases=["default"])) == ["pedsite.E006"]


def test_services_are_not_asked_where_none_are_needed(settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    assert run_checks() == []


def test_milvus_has_to_be_named_and_spoken_to(settings, monkeypatch):
    assert checks.engine(None) == []
    settings.PEDSITE_ENGINE = "milvus"
    found = checks.engine(None)
    assert ids(found) == ["pedsite.E007"]
    assert "MILVUS_URI" in found[0].hint
    settings.MILVUS_URI = "http://milvus.example:19530"
    assert checks.engine(None) == []
    monkeypatch.setattr(checks, "find_spec", lambda name: None)
    assert ids(checks.engine(None)) == ["pedsite.E007"]


def test_a_milvus_that_does_not_answer_is_refused_and_a_forgotten_one_told(db, settings):
    settings.MILVUS_URI = "http://127.0.0.1:1"
    assert ids(checks.milvus_reachable(None, databases=["default"])) == ["pedsite.E008"]
    assert checks.milvus_reachable(None) == []
    with socket.create_server(("127.0.0.1", 0)) as server:
        settings.MILVUS_URI = f"http://127.0.0.1:{server.getsockname()[1]}"
        assert checks.milvus_reachable(None, databases=["default"]) == []
    settings.MILVUS_URI = ""
    assert checks.milvus_reachable(None, databases=["default"]) == []
    Mirror.objects.create(encoder_id=1)
    assert ids(checks.milvus_reachable(None, databases=["default"])) == ["pedsite.W010"]
