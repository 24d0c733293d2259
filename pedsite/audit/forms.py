from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from pedsite.audit.models import Entry


class LookUpForm(forms.Form):
    """What to look up in the log; every field narrows."""

    who = forms.CharField(label=_("User or key"), required=False, max_length=150)
    action = forms.ChoiceField(
        label=_("Did"), required=False, choices=[("", _("anything")), *Entry.Action.choices]
    )
    words = forms.CharField(label=_("Words"), required=False, max_length=200)
    purpose = forms.CharField(label=_("Purpose"), required=False, max_length=200)
    after = forms.DateField(
        label=_("From"),
        required=False,
        input_formats=["%Y-%m-%d"],
        widget=forms.DateInput({"type": "date"}),
        error_messages={"invalid": _("“From” has to be a day, such as 2026-03-14.")},
    )
    before = forms.DateField(
        label=_("To"),
        required=False,
        input_formats=["%Y-%m-%d"],
        widget=forms.DateInput({"type": "date"}),
        error_messages={"invalid": _("“To” has to be a day, such as 2026-03-14.")},
    )

    def clean(self) -> dict[str, Any]:
        # PostgreSQL takes no NUL, and nothing in the log has one.
        cleaned = super().clean()
        return {k: v.replace("\0", "�") if isinstance(v, str) else v for k, v in cleaned.items()}
