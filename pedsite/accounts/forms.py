from datetime import timedelta

from django import forms
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from pedsite.accounts.models import User
from pedsite.accounts.scopes import Scope


class KeyForm(forms.Form):
    """Name, scopes and life time of a new API key."""

    LIVES = [("30", _("30 days")), ("365", _("A year")), ("", _("No end"))]

    name = forms.CharField(label=_("Name"), max_length=80, strip=True)
    scopes = forms.MultipleChoiceField(
        label=_("May"),
        choices=Scope.choices,
        initial=[Scope.SEARCH, Scope.READ],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose what the key may do.")},
    )
    days = forms.ChoiceField(label=_("Valid for"), choices=LIVES, required=False, initial="365")

    def __init__(self, user: User, data: QueryDict | None = None) -> None:
        super().__init__(data)
        self.user = user

    def clean_name(self) -> str:
        # Also when the page that showed the secret is loaded again.
        name: str = self.cleaned_data["name"]
        if any(key.is_valid for key in self.user.api_keys.filter(name=name)):
            raise forms.ValidationError(
                _("You have a key “%(name)s” already. Revoke it, or choose another name."),
                params={"name": name},
            )
        return name

    def expires_at(self):
        """The moment after which a key of this valid form is refused; None for never."""
        days = self.cleaned_data["days"]
        return timezone.now() + timedelta(days=int(days)) if days else None
