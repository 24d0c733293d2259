"""The search page's query string, read and written."""

import datetime as dt
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django import forms
from django.conf import settings
from django.http import QueryDict
from django.utils.functional import cached_property
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from gallery.models import Camera, Dataset
from pedsite.api import DomainError
from search import asking
from search.language import Query, filters_of
from search.models import Mode
from search.records import MAX_PURPOSE
from search.retrieval import Filters

if TYPE_CHECKING:
    from pedsite.accounts.models import User

FILTER_FIELDS = (
    "dataset", "camera", "after", "before", "from", "until", "identity", "caption", "review",
)  # fmt: skip
# In this order in every address that the page writes, so that equal searches have equal ones.
FIELDS = (
    "q",
    "box",
    "picture",
    "crop",
    "mix",
    *FILTER_FIELDS,
    "purpose",
    "far",
    "mode",
    "sort",
    "group",
    "cursor",
)
ISO_DAY = ["%Y-%m-%d"]
CLOCK = ["%H:%M"]
DAY = (dt.time(0), dt.time(23, 59, 59, 999999))
# How much the picture counts against the words, as the slider goes.
# Powers of ten: 3 is one false accept in 1,000.
RATES = ("1", "2", "3", "4", "5")
USUAL_RATE = "3"
SORTS = [("", _("Relevance")), ("oldest", _("Oldest first")), ("newest", _("Newest first"))]
# What a slider or a list says that nobody has touched.
USUAL = {"far": USUAL_RATE, "mix": "1"}
MIXES = ("0.2", "0.5", "1", "2", "5")
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


CLOCKS = {
    "from": _("The first hour has to be a time, such as 08:30."),
    "until": _("The last hour has to be a time, such as 18:00."),
}


class SearchForm(forms.Form):
    """What is asked, within which datasets, cameras, days and hours.

    Words (with the tokens of `search.language` in them) and a picture or a box make one question;
    a picture wins over a box. The choices of the filters are what the user may see, so that a
    name from elsewhere is unknown here.
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
    identity = forms.ChoiceField(
        required=False,
        choices=[("", _("anyone")), ("known", _("known")), ("unknown", _("unknown"))],
        error_messages={"invalid_choice": _("An identity is known or unknown.")},
    )
    caption = forms.CharField(required=False, max_length=100)
    review = forms.ChoiceField(
        required=False,
        choices=[("", _("any")), ("approved", _("approved")), ("unreviewed", _("unreviewed"))],
        error_messages={"invalid_choice": _("A review is approved or unreviewed.")},
    )
    mix = forms.ChoiceField(
        required=False,
        choices=[(each, each) for each in MIXES],
        error_messages={"invalid_choice": _("The mix of words and picture goes from 0.2 to 5.")},
    )
    far = forms.ChoiceField(
        required=False,
        choices=[(each, each) for each in RATES],
        error_messages={"invalid_choice": _("False accepts go from 1 in 10^1 to 1 in 10^5.")},
    )
    sort = forms.ChoiceField(
        required=False,
        choices=SORTS,
        error_messages={"invalid_choice": _("Results go by relevance, oldest or newest.")},
    )
    group = forms.ChoiceField(
        required=False,
        choices=[("person", _("By person"))],
        error_messages={"invalid_choice": _("Results are grouped by person, or not at all.")},
    )
    mode = forms.ChoiceField(
        required=False,
        choices=Mode.choices,
        error_messages={"invalid_choice": _("“%(value)s” is no way to search.")},
    )
    purpose = forms.CharField(
        required=False,
        max_length=MAX_PURPOSE,
        error_messages={"max_length": _("A purpose has at most 200 characters.")},
    )
    cursor = forms.CharField(required=False, max_length=500)

    def __init__(self, data: QueryDict, *, user: "User") -> None:
        super().__init__(_without_blanks(data))
        # "from" is a word of Python.
        for name, message in CLOCKS.items():
            self.fields[name] = forms.TimeField(
                required=False, input_formats=CLOCK, error_messages={"invalid": message}
            )
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

    @cached_property
    def typed(self) -> Query:
        """The words of a valid form, taken apart. Raises: as `asking.parsed`."""
        return asking.parsed(self.cleaned_data.get("q") or "")

    @property
    def readable(self) -> Query | None:
        """As `typed`; None where that is refused."""
        try:
            return self.typed
        except DomainError:
            return None

    @property
    def examples(self) -> list[tuple[str, tuple[str, ...]]]:
        """What could be asked, as (language, descriptions); the page's own language first."""
        own = (get_language() or "en")[:2]
        return sorted(EXAMPLES.items(), key=lambda each: each[0] != own)

    @property
    def asks(self) -> str:
        """What is asked first of all: "words", "picture", "box", or "" on a page merely opened."""
        cleaned = getattr(self, "cleaned_data", {})
        if cleaned.get("q"):
            return "words"
        return self.shows or ("words" if "q" in self.data else "")

    @property
    def shows(self) -> str:
        """What is asked beside words: "picture", "box" or ""."""
        cleaned = getattr(self, "cleaned_data", {})
        return next((name for name in ("picture", "box") if cleaned.get(name)), "")

    @property
    def mixed(self) -> bool:
        """Whether words and a picture or a box are weighed against each other."""
        cleaned = getattr(self, "cleaned_data", {})
        return bool(cleaned.get("q") and (cleaned.get("box") or cleaned.get("crop")))

    @property
    def like_weight(self) -> float:
        """How much the picture counts against the words."""
        return float(self.cleaned_data.get("mix") or 1)

    def filters(self) -> Filters:
        """The filters of a valid form, typed and picked; both days and hours are inclusive."""
        cleaned = self.cleaned_data
        hours = (cleaned["from"] or DAY[0], cleaned["until"] or DAY[1])
        picked = Filters(
            datasets=cleaned["dataset"],
            cameras=cleaned["camera"],
            after=cleaned["after"],
            before=cleaned["before"],
            hours=hours if hours != DAY else None,
            identity=cleaned["identity"],
            captions=[cleaned["caption"]] if cleaned["caption"] else [],
            review=cleaned["review"],
        )
        return filters_of(self.typed, picked)

    def query(self, *, drop: Iterable[str] = (), **changes: Any) -> str:
        """The query string of what this form says, in its one canonical order.

        Args:
            drop: fields to leave out.
            changes: fields with another value than the form's; a list repeats the field.
        """
        pairs = []
        for field in FIELDS:
            if field in drop:
                continue
            values = changes.get(field, self.data.getlist(field))
            if not isinstance(values, list):
                values = [values]
            pairs += [(field, value) for value in values if value not in (None, "")]
        return urlencode(pairs, safe=",")

    @property
    def asks_purpose(self) -> str:
        """Whether the site wants to know why: "off", "optional" or "required"."""
        return settings.PEDSITE_PURPOSE

    @property
    def is_narrowed(self) -> bool:
        """Whether filters are in force, picked or typed."""
        return self.filters().narrow

    @property
    def unfiltered_query(self) -> str:
        """The query string of what is asked, everywhere and at any time."""
        return self.query(drop=(*FILTER_FIELDS, "cursor"))

    @property
    def export_query(self) -> str:
        """The query string of what is asked, from its first result on."""
        return self.query(drop=("cursor", "sort", "group"))

    @property
    def filter_query(self) -> str:
        """The query string of the filters and the purpose alone."""
        return self.query(
            drop=("q", "box", "picture", "crop", "mix", "far", "mode", "sort", "group", "cursor")
        )

    @property
    def has_filters(self) -> bool:
        """Whether filters were picked."""
        return any(self.data.get(name) for name in FILTER_FIELDS)

    @property
    def more_count(self) -> int:
        """How many of the filters that the page keeps folded are in force."""
        return sum(bool(self.data.get(name)) for name in FILTER_FIELDS[4:])

    @property
    def rate_step(self) -> str:
        """Where the slider of false accepts stands."""
        asked = self.data.get("far")
        return asked if asked in RATES else USUAL_RATE

    @property
    def one_in(self) -> int:
        """Of so many boxes that do not fit, one may be accepted."""
        return 10 ** int(self.rate_step)

    @property
    def sorts(self) -> list[tuple[str, str, bool]]:
        """The orders that the shown results may have: (value, words, whether it is in force)."""
        now = self.data.get("sort", "")
        return [(value, words, value == now) for value, words in SORTS]

    @property
    def grouped(self) -> bool:
        """Whether the shown results are put together by person."""
        return self.data.get("group") == "person"

    @property
    def savable(self) -> bool:
        """Whether what is asked can be asked again tomorrow: a picture cannot."""
        return self.shows != "picture" and not any(each.picture for each in self.typed.likenesses)

    @property
    def mixes(self) -> list[tuple[str, str]]:
        """What the slider between words and picture may stand at, in words."""
        told = (_("words most"), _("words more"), _("even"), _("picture more"), _("picture most"))
        return list(zip(MIXES, told, strict=True))

    def active_filters(self) -> list[tuple[str, str]]:
        """What narrows the search: (words, query string without it), one for each value."""
        named = {
            "dataset": _("Dataset: %s"),
            "camera": _("Camera: %s"),
            "after": _("From %s"),
            "before": _("To %s"),
            "from": _("Hours from %s"),
            "until": _("Hours to %s"),
            "identity": _("Identity: %s"),
            "caption": _("Caption has “%s”"),
            "review": _("Review: %s"),
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
        return active + self._typed_filters()

    def _typed_filters(self) -> list[tuple[str, str]]:
        return [
            (f"{token.name}:{token.value}", self.query(q=self.typed.without(token), cursor=None))
            for token in self.typed.tokens
        ]


def _without_blanks(data: QueryDict) -> QueryDict:
    """What a form sends for fields left alone goes; a blank question stays."""
    said = QueryDict(mutable=True)
    for name, values in data.lists():
        told = [value for value in values if value and value != USUAL.get(name)]
        said.setlist(name, told or ([""] if name == "q" else []))
    return said
