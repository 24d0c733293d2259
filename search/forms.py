"""The search page's query string, read and written."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django import forms
from django.http import QueryDict
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from gallery.models import Camera, Dataset
from search.models import Mode
from search.retrieval import Filters

if TYPE_CHECKING:
    from pedsite.accounts.models import User

FILTER_FIELDS = ("dataset", "camera", "after", "before")
# In this order in every address that the page writes, so that equal searches have equal ones.
FIELDS = ("q", "box", "picture", "crop", *FILTER_FIELDS, "mode", "cursor")
ISO_DAY = ["%Y-%m-%d"]
# Shown in the language that they are asked in, whatever the language of the page.
EXAMPLES = {
    "en": (
        "a woman in a red coat with a black backpack",
        "a man in a pink sweater and jeans, with a suitcase",
        "someone in a yellow jacket under an umbrella",
    ),
    "zh": (
        "一个穿红色大衣、背黑色双肩包的女人",
        "穿白色T恤和蓝色牛仔裤的短发男人",
        "撑着伞、穿黄色外套的人",
    ),
}


class SearchForm(forms.Form):
    """What is asked, within which datasets, cameras and days.

    One thing is asked at a time: words win over a picture, a picture over a box. The choices
    of the filters are what the user may see, so that a name from elsewhere is unknown here.
    """

    q = forms.CharField(required=False)
    box = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1)
    picture = forms.RegexField(
        r"^[A-Za-z0-9_-]{1,64}$",
        required=False,
        error_messages={"invalid": _("The address of this picture is damaged. Show it again.")},
    )
    crop = forms.RegexField(
        r"^\d{1,5},\d{1,5},\d{1,5},\d{1,5}$",
        required=False,
        error_messages={"invalid": _("The region has to be given as left,top,right,bottom.")},
    )
    dataset = forms.MultipleChoiceField(
        required=False,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"invalid_choice": _("There is no dataset “%(value)s” that you may see.")},
    )
    camera = forms.MultipleChoiceField(
        required=False,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"invalid_choice": _("There is no camera “%(value)s” that you may see.")},
    )
    after = forms.DateField(
        required=False,
        input_formats=ISO_DAY,
        error_messages={"invalid": _("“From” has to be a day, such as 2026-03-14.")},
    )
    before = forms.DateField(
        required=False,
        input_formats=ISO_DAY,
        error_messages={"invalid": _("“To” has to be a day, such as 2026-03-14.")},
    )
    mode = forms.ChoiceField(
        required=False,
        choices=Mode.choices,
        error_messages={"invalid_choice": _("“%(value)s” is no way to search.")},
    )
    cursor = forms.CharField(required=False, max_length=500)

    def __init__(self, data: QueryDict, *, user: "User") -> None:
        super().__init__(_without_blanks(data))
        seen = Dataset.objects.visible_to(user)
        self.fields["dataset"].choices = [
            (name, title or name) for name, title in seen.values_list("name", "title")
        ]
        cameras = Camera.objects.filter(dataset__in=seen).order_by("name")
        self.fields["camera"].choices = [
            (name, name) for name in cameras.values_list("name", flat=True).distinct()
        ]

    def clean_crop(self) -> tuple[int, int, int, int] | None:
        """Left, top, right, bottom in pixels of the picture shown; None for all of it."""
        text = self.cleaned_data["crop"]
        if not text:
            return None
        left, top, right, bottom = (int(part) for part in text.split(","))
        if left >= right or top >= bottom:
            raise forms.ValidationError(_("The region is empty. Choose another one."))
        return left, top, right, bottom

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        after, before = cleaned.get("after"), cleaned.get("before")
        if after and before and after > before:
            raise forms.ValidationError(_("The first day lies after the last one."))
        return cleaned

    @property
    def examples(self) -> list[tuple[str, tuple[str, ...]]]:
        """What could be asked, as (language, descriptions); the page's own language first."""
        own = (get_language() or "en")[:2]
        return sorted(EXAMPLES.items(), key=lambda each: each[0] != own)

    @property
    def asks(self) -> str:
        """What is asked: "words", "picture", "box", or "" when the page is merely opened."""
        cleaned = getattr(self, "cleaned_data", {})
        if cleaned.get("q"):
            return "words"
        if cleaned.get("picture"):
            return "picture"
        if cleaned.get("box"):
            return "box"
        return "words" if "q" in self.data else ""

    def filters(self) -> Filters:
        """The filters of a valid form, for retrieval; both days are inclusive."""
        cleaned = self.cleaned_data
        return Filters(
            datasets=cleaned["dataset"],
            cameras=cleaned["camera"],
            after=cleaned["after"],
            before=cleaned["before"],
        )

    def query(self, *, drop: Iterable[str] = (), **changes: Any) -> str:
        """The query string of what this form says, in its one canonical order.

        Args:
            drop: fields to leave out.
            changes: fields with another value than the form's; a list repeats the field.
        """
        pairs = []
        # What lost against the words is no part of what is asked.
        beside = ("box", "picture", "crop") if self.asks == "words" else ()
        for field in FIELDS:
            if field in drop or (field in beside and field not in changes):
                continue
            values = changes.get(field, self.data.getlist(field))
            if not isinstance(values, list):
                values = [values]
            pairs += [(field, value) for value in values if value not in (None, "")]
        return urlencode(pairs, safe=",")

    @property
    def unfiltered_query(self) -> str:
        """The query string of what is asked, everywhere and at any time."""
        return self.query(drop=(*FILTER_FIELDS, "cursor"))

    @property
    def filter_query(self) -> str:
        """The query string of the filters alone."""
        return self.query(drop=("q", "box", "picture", "crop", "mode", "cursor"))

    def active_filters(self) -> list[tuple[str, str]]:
        """What narrows the search: (words, query string without it), one for each value."""
        named = {
            "dataset": _("Dataset: %s"),
            "camera": _("Camera: %s"),
            "after": _("From %s"),
            "before": _("To %s"),
        }
        active = []
        for field, words in named.items():
            values = self.data.getlist(field)
            shown = dict(getattr(self.fields[field], "choices", ()))
            for value in values:
                rest = [other for other in values if other != value]
                active.append(
                    (words % shown.get(value, value), self.query(**{field: rest, "cursor": None}))
                )
        return active


def _without_blanks(data: QueryDict) -> QueryDict:
    """What a form without scripts sends for fields left alone goes; a blank question stays."""
    said = QueryDict(mutable=True)
    for name, values in data.lists():
        said.setlist(name, [value for value in values if value] or ([""] if name == "q" else []))
    return said
