"""What the pages of curation are asked: filters, bulk actions, bounds."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from gallery import browse, pages
from gallery.browse import NO_SPLIT, Wanted
from gallery.formats.records import MAX_KEY
from gallery.models import Box, Dataset, Identity, Review

LARGEST = 2**31 - 1
SPLITS = [
    (Identity.Split.TRAIN.value, _("train")),
    (Identity.Split.VALIDATION.value, _("validation")),
    (Identity.Split.TEST.value, _("test")),
]


def _choice(label: Any, choices: list[tuple[str, Any]]) -> forms.ChoiceField:
    return forms.ChoiceField(
        label=label, choices=[("", pgettext_lazy("filter", "any")), *choices], required=False
    )


class BrowseForm(forms.Form):
    """The filters of a dataset's page."""

    review = _choice(
        _("Review"),
        [*((each.value, each.label) for each in Review), ("any", _("hidden ones too"))],
    )
    source = _choice(_("Source"), Box.Source.choices)
    camera = forms.CharField(label=_("Camera"), max_length=200, required=False)
    identity = _choice(_("Person"), [("known", _("known")), ("unknown", _("unknown"))])
    split = _choice(_("Split"), [*SPLITS, (NO_SPLIT, _("none"))])
    words = forms.CharField(label=_("Words in a caption"), max_length=200, required=False)
    least = forms.IntegerField(
        label=_("Height from, pixels"), min_value=0, max_value=LARGEST, required=False
    )
    most = forms.IntegerField(
        label=_("Height up to, pixels"), min_value=0, max_value=LARGEST, required=False
    )

    def __init__(self, *args: Any, dataset: Dataset, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = [camera.name for camera in dataset.cameras.all()]
        self.fields["review"].choices[0] = ("", _("all but hidden"))
        choices = [("", pgettext_lazy("filter", "any")), *((name, name) for name in names)]
        self.fields["camera"].widget = forms.Select(choices=choices)
        for field in self.fields.values():
            field.widget.attrs["class"] = "input"

    def wanted(self) -> Wanted:
        """The filters, once the form is valid."""
        return Wanted(**self.cleaned_data)


class Ids(forms.TypedMultipleChoiceField):
    """Whatever ids: whether there are such rows is asked where they are changed."""

    def __init__(self) -> None:
        super().__init__(coerce=int, required=False)

    def valid_value(self, value: str) -> bool:
        return pages.number(value) is not None


class BulkForm(forms.Form):
    """One action on many boxes: those ticked, or all that the filters leave."""

    ACTIONS = [
        *(each.value for each in Review), "delete", "assign", "unassign", "split",
    ]  # fmt: skip

    action = forms.ChoiceField(choices=[(name, name) for name in ACTIONS])
    scope = forms.ChoiceField(choices=[("selected", ""), ("all", "")], required=False)
    box = Ids()
    key = forms.CharField(max_length=MAX_KEY, required=False)
    split = forms.ChoiceField(choices=[("", ""), *SPLITS], required=False)

    def clean(self) -> dict[str, Any]:
        given = super().clean()
        if given.get("action") == "assign" and not given.get("key", "").strip():
            self.add_error("key", _("Say who it is."))
        return given

    @property
    def problem(self) -> str:
        """The first thing that is wrong."""
        return next(iter(self.errors.values()))[0]


class PeopleForm(forms.Form):
    """The filters of the people of a dataset."""

    split = _choice(_("Split"), [*SPLITS, (NO_SPLIT, _("none"))])
    key = forms.CharField(label=_("Name contains"), max_length=MAX_KEY, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs["class"] = "input"


class SharesForm(forms.Form):
    """How people are shared out over the splits."""

    train = forms.FloatField(label=_("train"), min_value=0, max_value=1e6, initial=70)
    validation = forms.FloatField(label=_("validation"), min_value=0, max_value=1e6, initial=10)
    test = forms.FloatField(label=_("test"), min_value=0, max_value=1e6, initial=20)
    seed = forms.IntegerField(label=_("Seed"), min_value=0, max_value=LARGEST, initial=0)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs["class"] = "input"


class PersonForm(forms.Form):
    """What is changed of one person."""

    ACTIONS = ("rename", "split", "merge", "part", "unassign", "assign")

    action = forms.ChoiceField(choices=[(name, name) for name in ACTIONS])
    key = forms.CharField(max_length=MAX_KEY, required=False)
    split = forms.ChoiceField(choices=[("", ""), *SPLITS], required=False)
    # In which the one is to be who several become.
    agreed = forms.ChoiceField(choices=[("", ""), *SPLITS], required=False)
    person = Ids()
    box = Ids()

    @property
    def problem(self) -> str:
        """The first thing that is wrong."""
        return next(iter(self.errors.values()))[0]


class BoundsForm(forms.Form):
    """The bounds of a box in pixels, and what is to be done with it."""

    box = forms.IntegerField(min_value=1, max_value=2**62, required=False)
    left = forms.IntegerField(label=_("left"), min_value=0, max_value=LARGEST, required=False)
    top = forms.IntegerField(label=_("top"), min_value=0, max_value=LARGEST, required=False)
    right = forms.IntegerField(label=_("right"), min_value=0, max_value=LARGEST, required=False)
    bottom = forms.IntegerField(label=_("bottom"), min_value=0, max_value=LARGEST, required=False)
    key = forms.CharField(label=_("Person"), max_length=MAX_KEY, required=False)
    action = forms.ChoiceField(
        choices=[(name, name) for name in ("save", "delete", "assign", *Review.values)]
    )

    def clean(self) -> dict[str, Any]:
        given = super().clean()
        missing = [name for name in ("left", "top", "right", "bottom") if given.get(name) is None]
        if given.get("action") == "save" and missing and not self.errors:
            self.add_error(missing[0], _("Give all four bounds."))
        if given.get("action") != "save" and not given.get("box") and not self.errors:
            self.add_error("box", _("Choose a box."))
        return given

    @property
    def bounds(self) -> tuple[int, int, int, int]:
        given = self.cleaned_data
        return given["left"], given["top"], given["right"], given["bottom"]

    @property
    def problem(self) -> str:
        name, messages = next(iter(self.errors.items()))
        return f"{self.fields[name].label or name}: {messages[0]}"


def people_of(form: PeopleForm, dataset: Dataset, user: Any) -> Any:
    """The people that a form asks for; nobody where it is wrong."""
    if not form.is_valid():
        return Identity.objects.none()
    return browse.people(user, dataset=dataset, **form.cleaned_data)
