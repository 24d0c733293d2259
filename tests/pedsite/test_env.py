"""Typed readers of environment variables."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from pedsite import env


@pytest.fixture
def given(monkeypatch):
    return lambda value: monkeypatch.setenv("THING", value)


def test_a_missing_variable_without_a_default_is_named(monkeypatch):
    monkeypatch.delenv("THING", raising=False)
    with pytest.raises(ImproperlyConfigured, match="THING is not set"):
        env.text("THING")


def test_a_word_outside_the_choices_is_refused(given):
    given("xml")
    with pytest.raises(ImproperlyConfigured, match="THING is 'xml', it must be one of text, json"):
        env.text("THING", choices=("text", "json"))


@pytest.mark.parametrize(
    ("word", "meaning"), [("1", True), ("Yes", True), ("off", False), ("", False)]
)
def test_a_flag_understands_the_usual_words(given, word, meaning):
    given(word)
    assert env.flag("THING", not meaning) is meaning


def test_a_flag_refuses_other_words(given):
    given("perhaps")
    with pytest.raises(ImproperlyConfigured, match="THING"):
        env.flag("THING", False)


@pytest.mark.parametrize("word", ["many", "1.5", "0"])
def test_an_integer_refuses_what_is_not_whole_or_too_small(given, word):
    given(word)
    with pytest.raises(ImproperlyConfigured, match="THING"):
        env.integer("THING", 5, least=1)


def test_a_listing_drops_blanks(given):
    given(" a.example, ,b.example,")
    assert env.listing("THING") == ["a.example", "b.example"]


def test_a_relative_path_counts_from_the_working_directory(given, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    given("media")
    assert env.path("THING", tmp_path) == tmp_path / "media"


def test_the_file_adds_what_the_environment_does_not_set(tmp_path, monkeypatch):
    file = tmp_path / "settings"
    file.write_text("# a comment\n\nTHING='from the file'\nexport OTHER=two\n")
    monkeypatch.setenv("ENV_FILE", str(file))
    monkeypatch.setenv("OTHER", "one")
    monkeypatch.setenv("THING", "")
    monkeypatch.delenv("THING")
    env.load_file()
    assert env.text("THING") == "from the file"
    assert env.text("OTHER") == "one"
    monkeypatch.delenv("THING")


def test_a_line_of_the_file_that_is_no_assignment_is_named(tmp_path, monkeypatch):
    file = tmp_path / "settings"
    file.write_text("GOOD_ONE=1\nno assignment\n")
    monkeypatch.setenv("ENV_FILE", str(file))
    monkeypatch.setenv("GOOD_ONE", "1")
    with pytest.raises(ImproperlyConfigured, match="line 2"):
        env.load_file()
