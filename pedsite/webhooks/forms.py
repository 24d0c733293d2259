from django import forms
from django.utils.translation import gettext_lazy as _

from pedsite.webhooks.models import ASKED
from pedsite.webhooks.reach import LONGEST


class WebhookForm(forms.Form):
    """Where to send messages, and about what."""

    url = forms.CharField(
        label=_("Address"),
        max_length=LONGEST,
        widget=forms.URLInput(attrs={"placeholder": "https://", "autocomplete": "url"}),
    )
    events = forms.MultipleChoiceField(
        label=_("When"),
        choices=[(each.value, each.label) for each in ASKED],
        widget=forms.CheckboxSelectMultiple,
        initial=[each.value for each in ASKED],
        error_messages={"required": _("Choose at least one event.")},
    )
