"""What may be asked for on the pages of trainings and evaluations."""

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from gallery.models import Caption, Dataset
from pedsite.accounts.models import User
from training.models import Evaluation, ModelVersion, Teacher

# Before the name of a teacher; no version's name has a colon.
TEACHER = "teacher:"
LANGUAGES = [("", _("all languages"))] + [one for one in Caption.Language.choices if one[0]]


class EvaluationForm(forms.Form):
    """A version or a teacher, and the split to measure it on, of what the user may see."""

    version = forms.ChoiceField(label=_("Version or teacher"))
    dataset = forms.ModelChoiceField(
        Dataset.objects.none(), to_field_name="name", label=_("Dataset"), empty_label=None
    )
    split = forms.ChoiceField(
        choices=Evaluation.Split.choices,
        initial=Evaluation.Split.VALIDATION,
        label=_("Split"),
        help_text=_(
            "Choose by validation. The test split is for the last look: every look is counted."
        ),
    )
    protocol = forms.ChoiceField(
        choices=Evaluation.Protocol.choices,
        initial=Evaluation.Protocol.ALL_PAIRS,
        label=_("Pairs"),
        help_text=_(
            "All pairs, or each sample against earlier ones only, as older reports count them."
        ),
    )
    language = forms.ChoiceField(
        choices=LANGUAGES, required=False, label=_("Language of the captions")
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        shown = Dataset.objects.visible_to(user)
        self.fields["dataset"].queryset = shown.order_by("name")
        self.teachers = Teacher.objects.ready().filter(snapshot__dataset__in=shown)
        versions = ModelVersion.objects.order_by("-pk").values_list("name", flat=True)
        teachers = self.teachers.order_by("name").values_list("name", flat=True)
        self.fields["version"].choices = [
            (_("Versions"), [(name, name) for name in versions]),
            (_("Teachers"), [(f"{TEACHER}{name}", name) for name in teachers]),
        ]

    def clean_version(self) -> ModelVersion | Teacher:
        chosen = self.cleaned_data["version"]
        if chosen.startswith(TEACHER):
            return self.teachers.get(name=chosen.removeprefix(TEACHER))
        return ModelVersion.objects.get(name=chosen)


class EvaluationsForm(forms.Form):
    """Which evaluations a list shows; what it does not know is ignored."""

    version = forms.CharField(required=False, max_length=100)
    dataset = forms.CharField(required=False, max_length=200)

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        seen = Evaluation.objects.visible_to(user)
        named = seen.filter(version__isnull=False).order_by("version__name")
        names = named.values_list("version__name", flat=True)
        sets = seen.order_by("snapshot__dataset__name").values_list(
            "snapshot__dataset__name", flat=True
        )
        self.versions = list(names.distinct())
        self.datasets = list(sets.distinct())

    def narrow(self, found: QuerySet[Evaluation]) -> QuerySet[Evaluation]:
        if not self.is_valid():
            return found
        if version := self.cleaned_data["version"]:
            found = found.filter(version__name=version)
        if dataset := self.cleaned_data["dataset"]:
            found = found.filter(snapshot__dataset__name=dataset)
        return found
