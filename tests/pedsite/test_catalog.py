"""The Chinese catalog: everything that the interface says is in it.

When a test here fails: `manage.py makemessages -l zh_Hans --no-wrap --no-obsolete --add-location
file -i .venv -i var -i tests`, translate what is new, `manage.py compilemessages -i .venv`.
"""

import ast
import gettext
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.utils.translation.template import templatize

CATALOG = settings.BASE_DIR / "pedsite/locale/zh_Hans/LC_MESSAGES"
MARKERS = {"_", "gettext", "gettext_lazy", "gettext_noop", "ngettext", "ngettext_lazy"}
LITERAL = r"""u?("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')"""
CALL = re.compile(rf"\b(_|n?gettext|n?pgettext)\(\s*{LITERAL}(?:\s*,\s*{LITERAL})?")
PLACEHOLDER = re.compile(r"%(?:\(\w+\))?[-0-9.]*[sdr]")


def said_in_python(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        first = node.args[0]
        if name in MARKERS and isinstance(first, ast.Constant) and isinstance(first.value, str):
            yield first.value


def said_in_template(path: Path) -> Iterator[str]:
    for name, first, second in CALL.findall(templatize(path.read_text(), origin=str(path))):
        text = ast.literal_eval(first)
        # In the catalog a context stands before its text, with an EOT between them.
        yield f"{text}\x04{ast.literal_eval(second)}" if "pgettext" in name else text


@pytest.fixture(scope="module")
def catalog() -> dict[str, str]:
    with (CATALOG / "django.mo").open("rb") as file:
        entries = gettext.GNUTranslations(file)._catalog
    # A plural is stored under (text, form).
    return {key if isinstance(key, str) else key[0]: text for key, text in entries.items()}


@pytest.mark.parametrize("place", ["gallery", "pedsite", "search", "training", "templates"])
def test_whatever_is_said_is_translated(catalog, place):
    folder = settings.BASE_DIR / place
    said = {text: path for path in folder.rglob("*.py") for text in said_in_python(path)}
    said |= {text: path for path in folder.rglob("*.html") for text in said_in_template(path)}
    assert said
    missing = {text: str(path) for text, path in said.items() if text and not catalog.get(text)}
    assert missing == {}


def test_translations_keep_the_placeholders(catalog):
    for source, text in catalog.items():
        if source:
            wanted = sorted(PLACEHOLDER.findall(source.split("\x04")[-1]))
            assert sorted(PLACEHOLDER.findall(text)) == wanted, source


def test_the_compiled_catalog_is_the_one_in_the_source(catalog):
    source = (CATALOG / "django.po").read_text()
    assert "#, fuzzy" not in source
    written = re.findall(r'^msgid((?:\s*"(?:\\.|[^"\\])*")+)', source, re.MULTILINE)
    texts = {"".join(map(ast.literal_eval, re.findall(LITERAL, text))) for text in written}
    assert texts == {key.split("\x04")[-1] for key in catalog}
