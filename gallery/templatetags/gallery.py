"""How the gallery's rows read on a page."""

from typing import Any

from django import template
from django.db.models import Field
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from gallery.changes import MODELS
from gallery.intake import OWN_KEY
from gallery.models import Box, Caption, Change, Identity

register = template.Library()


@register.filter
def grouped(number: int) -> str:
    """A count with thousands apart: 12,345."""
    return f"{number:,}"


@register.filter
def of(boxes: dict[int, list[Box]], pk: int) -> list[Box]:
    return boxes.get(pk, [])


@register.filter
def person_name(identity: Identity) -> str:
    """The key of a named person; someone known by one picture only has no name to show."""
    if identity.key.startswith(OWN_KEY):
        return _("Unnamed")
    return _("Person %(key)s") % {"key": identity.key}


@register.filter
def caption_kind(row: dict[str, Any]) -> str:
    """What a row of caption counts counts: "captions, English"."""
    kinds = {
        Caption.Kind.CAPTION: _("captions"),
        Caption.Kind.ATTRIBUTES: _("attribute strings"),
        Caption.Kind.PROMPT: _("prompts"),
    }
    kind = kinds[row["kind"]]
    if not row["language"]:
        return kind
    language = Caption.Language(row["language"]).label
    return pgettext("kind of captions, language", "%(kind)s, %(language)s") % {
        "kind": kind,
        "language": language,
    }


@register.filter
def split_name(row: dict[str, Any]) -> str:
    return str(Identity.Split(row["split"]).label)


@register.filter
def shape(box: Box) -> str:
    """What makes the address of a crop another one when the box is moved."""
    return "&v=" + "-".join(map(str, box.bounds))


@register.filter
def row_name(change: Change) -> str:
    """What a change is about: "box 17"."""
    return f"{MODELS[change.model]._meta.verbose_name} {change.row}"


@register.filter
def told(state: dict[str, Any] | None, change: Change) -> list[tuple[str, Any]] | None:
    """What a change keeps of a row, by the names of its fields."""
    if state is None:
        return None
    fields = {each.attname: each for each in MODELS[change.model]._meta.concrete_fields}
    return [
        (str(field.verbose_name), "–" if state[name] in (None, "") else _said(field, state[name]))
        for name, field in fields.items()
        if name in state
    ]


def _said(field: Field, value: Any) -> Any:
    return dict(field.flatchoices).get(value, value) if field.choices else value


@register.filter
def split_label(name: str) -> str:
    return str(Identity.Split(name).label)
