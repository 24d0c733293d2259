from django import forms
from django.utils.translation import gettext_lazy as _

from search.forgetting.models import RetentionRule
from search.forgetting.retention import MOST_DAYS


class RuleForm(forms.Form):
    """How long pictures of a dataset are kept; no days is for ever."""

    days = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=MOST_DAYS,
        error_messages={"invalid": _("Give a whole number of days, or none.")},
    )
    since = forms.ChoiceField(choices=RetentionRule.Since.choices)


class ForgetForm(forms.Form):
    """The word typed to confirm, and why."""

    typed = forms.CharField(max_length=250, required=False)
    purpose = forms.CharField(max_length=200, required=False)
