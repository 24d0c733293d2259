from datetime import timedelta

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class KeyForm(forms.Form):
    """Name and life time of a new API key."""

    LIVES = [("30", _("30 days")), ("365", _("A year")), ("", _("No end"))]

    name = forms.CharField(label=_("Name"), max_length=80, strip=True)
    days = forms.ChoiceField(label=_("Valid for"), choices=LIVES, required=False, initial="365")

    def expires_at(self):
        """The moment after which a key of this valid form is refused; None for never."""
        days = self.cleaned_data["days"]
        return timezone.now() + timedelta(days=int(days)) if days else None
