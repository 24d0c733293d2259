"""What the pages of captions are asked with."""

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.utils.translation import gettext_lazy as _

from gallery.captions import MOST_FOUND, Narrow
from gallery.models import Caption, Review

REVIEWS = [
    (Review.UNREVIEWED.value, _("unreviewed")),
    (Review.APPROVED.value, _("approved")),
    (Review.HIDDEN.value, _("rejected")),
]
SPOKEN = [(value, words) for value, words in Caption.Language.choices if value]
_ANY = [("", _("any"))]


class NarrowForm(forms.Form):
    """Filters; what names none of the choices is as if it were not there."""

    language = forms.ChoiceField(label=_("Language"), choices=[*_ANY, *SPOKEN], required=False)
    source = forms.ChoiceField(
        label=_("Source"), choices=[*_ANY, *Caption.Source.choices], required=False
    )
    review = forms.ChoiceField(label=_("Review"), choices=[*_ANY, *REVIEWS], required=False)
    kind = forms.ChoiceField(
        label=_("Kind"), choices=[*_ANY, *Caption.Kind.choices], required=False
    )
    words = forms.CharField(label=_("Has the words"), max_length=MOST_FOUND, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs["class"] = "input"

    def narrow(self) -> Narrow:
        self.is_valid()
        return Narrow(**{name: self.cleaned_data.get(name, "") for name in self.fields})

    def address(self) -> str:
        """The query string of what is asked for, empty for all."""
        wanted = vars(self.narrow())
        return urlencode({name: value for name, value in wanted.items() if value})


class ReplaceForm(forms.Form):
    find = forms.CharField(label=_("Find"), max_length=MOST_FOUND, strip=False)
    put = forms.CharField(label=_("Replace with"), max_length=2000, required=False, strip=False)
    match_case = forms.BooleanField(label=_("Match capitals"), required=False)
    any_part = forms.BooleanField(label=_("Also inside words"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("find", "put"):
            self.fields[name].widget.attrs["class"] = "input"
