"""Which code trained a model."""

import subprocess

import pytest

from training import revision


@pytest.fixture(autouse=True)
def forgotten():
    revision.current.cache_clear()
    yield
    revision.current.cache_clear()


@pytest.fixture
def checkout(tmp_path, settings):
    settings.BASE_DIR = tmp_path
    settings.PEDSITE_REVISION = ""

    def git(*words):
        who = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
        command = ["git", "-C", str(tmp_path), *who, *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    git("init", "-q")
    (tmp_path / "code.py").write_text("1\n")
    git("add", "code.py")
    git("commit", "-qm", "one")
    return git


def test_the_commit_is_named(checkout):
    assert revision.current() == checkout("rev-parse", "--short=12", "HEAD")


def test_changed_code_is_marked(checkout, tmp_path):
    (tmp_path / "code.py").write_text("2\n")
    assert revision.current().endswith("+")


def test_a_tag_does_not_hide_the_commit(checkout):
    checkout("tag", "-a", "v1", "-m", "v1")
    assert revision.current() == checkout("rev-parse", "--short=12", "HEAD")


def test_an_install_without_history_may_name_it(tmp_path, settings):
    settings.BASE_DIR = tmp_path
    settings.PEDSITE_REVISION = ""
    assert revision.current() == ""
    revision.current.cache_clear()
    settings.PEDSITE_REVISION = "2026.3"
    assert revision.current() == "2026.3"
