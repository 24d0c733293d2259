"""Thresholds as a page or a program gives them."""

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.utils.translation import gettext_lazy as _

from gallery.quality import Thresholds

_USUAL = Thresholds()


class ThresholdsForm(forms.Form):
    """What is not given, or is no number, is as usual."""

    shorter = forms.IntegerField(
        label=_("Shorter side below, pixels"), min_value=0, max_value=100_000, required=False
    )
    sharpness = forms.FloatField(
        label=_("Sharpness below"), min_value=0, max_value=1000, required=False
    )
    covered = forms.FloatField(
        label=_("Covered by others above, share"), min_value=0, max_value=1, required=False
    )
    whole = forms.BooleanField(label=_("Not whom the picture's edge cuts"), required=False)

    def __init__(self, given: Any = None) -> None:
        usual = {name: getattr(_USUAL, name) for name in ("shorter", "sharpness", "covered")}
        wanted = {**usual, **{name: given[name] for name in self.base_fields if given.get(name)}}
        super().__init__(wanted)
        for name in usual:
            self.fields[name].widget.attrs.update({"class": "input", "step": "any"})

    def limits(self) -> Thresholds:
        self.is_valid()
        given = self.cleaned_data
        return Thresholds(
            cut=not given.get("whole"),
            **{name: given.get(name, getattr(_USUAL, name)) for name in self.numbers},
        )

    numbers = ("shorter", "sharpness", "covered")

    def address(self) -> str:
        """The query string of these thresholds."""
        limits = self.limits()
        wanted = {name: getattr(limits, name) for name in self.numbers}
        return urlencode(wanted if limits.cut else {**wanted, "whole": 1})
