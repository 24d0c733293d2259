"""How the gallery's rows read on a page."""

from typing import Any

from django import template
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from gallery.intake import OWN_KEY
from gallery.models import Box, Caption, Identity

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
