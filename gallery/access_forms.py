from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from gallery.models import Dataset
from pedsite.accounts.models import User

ROLE = "role:"


class NewUserForm(forms.Form):
    username = forms.CharField(label=_("User name"), max_length=150)
    email = forms.EmailField(label=_("E-mail"), required=False)
    role = forms.ChoiceField(label=_("Role"), choices=User.Role.choices)
    password = forms.CharField(
        label=_("First password"),
        max_length=128,
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
        help_text=_("At least 12 characters; to be changed by them."),
    )


class GrantForm(forms.Form):
    """Who may see a dataset: a user by name, or everyone of a role."""

    dataset = forms.ModelChoiceField(
        label=_("Dataset"), queryset=Dataset.objects.none(), to_field_name="name"
    )
    to = forms.CharField(label=_("User, or a role"), max_length=150)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["dataset"].queryset = Dataset.objects.all()

    def clean_to(self) -> User | str:
        """The user, or the role by its slug; a role is written `role:viewer`."""
        text: str = self.cleaned_data["to"].strip()
        if text.startswith(ROLE):
            role = text.removeprefix(ROLE)
            if role in User.Role.values:
                return role
        else:
            user = User.objects.filter(username=text).first()
            if user is not None:
                return user
        raise forms.ValidationError(_("There is no user or role “%(name)s”.") % {"name": text})
