"""The form that starts a training: the settings that a recipe reads, with its defaults."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import Field, dataclass
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from gallery.errors import UnknownSnapshot
from gallery.models import Dataset
from pedsite.accounts.models import User
from training.errors import (
    BadSetting,
    BadTrainingData,
    BadVersionName,
    NameTaken,
    UnknownTeacher,
)
from training.ml import config
from training.ml.recipes import RECIPES
from training.models import ModelVersion, Teacher

# What a recipe is for, in a line.
RECIPE_WORDS = {
    "clip": gettext_lazy("Pictures and their captions against all others of the batch."),
    "distill": gettext_lazy("Both small towers into the likeness of a larger teacher."),
    "distill_text": gettext_lazy("A text tower alone into a teacher's space, in two languages."),
    "cmpm": gettext_lazy("Projection matching and classification of people."),
    "gem": gettext_lazy("Pictures alone: people, or classes of anything."),
}
# What most people set; the rest is folded away in groups.
MAIN = (
    "teacher",
    "pair_with",
    "start",
    "model",
    "pretrained",
    "pretrained_licence",
    "steps",
    "batch",
    "lr",
)
GROUPS = (
    (
        gettext_lazy("Pictures and image tower"),
        "towers height width normalize backbone pooling gem_p parts detail detail_maps dim",
    ),
    (
        gettext_lazy("Text tower"),
        "text_tower byte_width text_width text_layers text_heads text_stride lower least "
        "word_width hidden bidirectional pieces bert max_tokens",
    ),
    (gettext_lazy("What is minimized"), ""),
    (
        gettext_lazy("Optimization"),
        "seed texts sampling each accumulate optimizer weight_decay warmup clip_norm ema_decay "
        "freeze augment text_first image_first text_last gallery patience",
    ),
    (
        gettext_lazy("Computing and progress"),
        "precision memory_format compile threads log_every validate_every checkpoint_every",
    ),
)
OBJECTIVE = 2
LABELS = {
    "teacher": gettext_lazy("Teacher"),
    "pair_with": gettext_lazy("Paired with the image tower of"),
    "start": gettext_lazy("Goes on from"),
    "model": gettext_lazy("Both towers from"),
    "pretrained": gettext_lazy("Image tower from"),
    "pretrained_licence": gettext_lazy("Licence of these weights"),
    "steps": gettext_lazy("Steps"),
    "batch": gettext_lazy("Batch"),
    "lr": gettext_lazy("Learning rate"),
}
HELP = {
    "model": gettext_lazy("A folder or an id of the hub, to fine-tune; empty to begin anew."),
    "pretrained": gettext_lazy("A folder or an id of the hub; empty to begin anew."),
    "freeze": gettext_lazy("Names of weights that stay as they are, such as image.backbone.*"),
    "threads": gettext_lazy("0 takes what the machine has."),
    "patience": gettext_lazy("Validations without a better one that end it; 0 for none."),
}
# A drawing of more takes days.
MOST_DRAWN = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Group:
    """Fields that are shown together; open if one of them is wrong."""

    title: str
    fields: list[forms.BoundField]

    @property
    def is_open(self) -> bool:
        return any(field.errors for field in self.fields)


class RunForm(forms.Form):
    """A recipe, what it learns from, and its settings. Limits and defaults are the config's own."""

    dataset = forms.ModelChoiceField(
        Dataset.objects.none(),
        to_field_name="name",
        required=False,
        label=gettext_lazy("Dataset"),
        empty_label=gettext_lazy("drawn people"),
        help_text=gettext_lazy("It is frozen as it is now; its test split takes no part."),
    )
    snapshot = forms.IntegerField(
        min_value=1,
        max_value=2**31 - 1,
        required=False,
        label=gettext_lazy("Snapshot"),
        help_text=gettext_lazy(
            "The number of one, to learn from what reviewers said too; empty to freeze the "
            "dataset now."
        ),
    )
    drawn_people = forms.IntegerField(
        min_value=2,
        max_value=MOST_DRAWN,
        required=False,
        initial=2000,
        label=gettext_lazy("Drawn people"),
        help_text=gettext_lazy("How many are drawn for it, where no dataset is chosen."),
    )
    drawn_seed = forms.IntegerField(
        min_value=0,
        max_value=2**31 - 1,
        required=False,
        initial=1,
        label=gettext_lazy("Seed of the drawing"),
    )
    name = forms.CharField(
        max_length=100,
        required=False,
        label=gettext_lazy("Name of the version"),
        help_text=gettext_lazy("Empty for the recipe and a number."),
    )
    licence = forms.CharField(
        max_length=200, required=False, label=gettext_lazy("Licence of the version")
    )

    def __init__(self, *args: Any, recipe: str, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.recipe = recipe
        self.fields["dataset"].queryset = Dataset.objects.visible_to(user).order_by("name")
        self.defaults = config.defaults_of(recipe)
        self.known = config.settings_of(recipe)
        for name, entry in self.known.items():
            self.fields[name] = _field(entry, self.defaults[name])
        for name in ("teacher", "pair_with", "start"):
            if name in self.fields:
                self.fields[name] = _choice_of(name, _named(name, user))

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        if not found.get("dataset") and not found.get("drawn_people"):
            self.add_error("dataset", _("Choose a dataset, or say how many people to draw."))
        if found.get("snapshot") and not found.get("dataset"):
            self.add_error("dataset", _("Choose the dataset that the snapshot is of."))
        if "teacher" in self.known and not found.get("teacher"):
            self.add_error("teacher", _("This recipe learns from a teacher: choose one."))
        return found

    @property
    def source(self) -> str:
        """What `runs.request` takes as dataset."""
        found = self.cleaned_data
        if found["dataset"]:
            return found["dataset"].name
        return f"drawn:{found['drawn_seed'] or 0}:{found['drawn_people']}"

    @property
    def settings(self) -> dict[str, Any]:
        """What differs from the recipe's defaults."""
        found = {name: self.cleaned_data[name] for name in self.known}
        return {name: value for name, value in found.items() if value != self.defaults[name]}

    def refuse(self, error: Exception) -> None:
        """Puts what the domain refused beside the field that it is about."""
        field: str | None = None
        if isinstance(error, BadSetting):
            field = setting_in(str(error))
        elif isinstance(error, BadVersionName | NameTaken):
            field = "name"
        elif isinstance(error, BadTrainingData):
            field = "dataset"
        elif isinstance(error, UnknownSnapshot):
            field = "snapshot"
        elif isinstance(error, UnknownTeacher):
            field = "teacher"
        self.add_error(field if field in self.fields else None, str(error))

    def main(self) -> list[forms.BoundField]:
        return [self[name] for name in MAIN if name in self.known]

    def groups(self) -> list[Group]:
        """The other settings; one that no group names is among those of the objective."""
        placed = {name for _title, names in GROUPS for name in names.split()} | set(MAIN)
        made = []
        for number, (title, names) in enumerate(GROUPS):
            wanted = names.split()
            if number == OBJECTIVE:
                wanted = [name for name in self.known if name not in placed]
            shown = [self[name] for name in wanted if name in self.known]
            if shown:
                made.append(Group(title=str(title), fields=shown))
        return made


def setting_in(message: str) -> str | None:
    """The setting that a refusal begins with: "Batch must be …" is about `batch`."""
    word = message.split(" ", 1)[0].strip(",:").lower()
    return word if word in config.TrainConfig.__dataclass_fields__ else None


class Above:
    """Refuses a number that is not above a bound."""

    def __init__(self, bound: float) -> None:
        self.bound = bound

    def __call__(self, value: float) -> None:
        if not value > self.bound:
            raise ValidationError(_("Give a number above %(bound)g.") % {"bound": self.bound})


class Indented(json.JSONEncoder):
    """JSON that a person edits."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs | {"indent": 2})


class JSONObject(forms.JSONField):
    """A JSON object: a `transformers` config."""

    def to_python(self, value: Any) -> Any:
        found = super().to_python(value)
        if not isinstance(found, dict):
            raise ValidationError(_("Give a JSON object."))
        return found


def _field(entry: Field[Any], default: Any) -> forms.Field:
    limits = entry.metadata
    common: dict[str, Any] = {
        "label": LABELS.get(entry.name, entry.name),
        "help_text": HELP.get(entry.name, "") or _limits(entry),
        "initial": default,
    }
    low, high, above = limits.get("low"), limits.get("high"), limits.get("above")
    if limits.get("choices"):
        return forms.ChoiceField(choices=[(one, one) for one in limits["choices"]], **common)
    if entry.type is bool:
        return forms.BooleanField(required=False, **common)
    if entry.type is int:
        least = low if above is None else int(above) + 1
        return forms.IntegerField(min_value=least, max_value=high, **common)
    if entry.type is float:
        checks = [] if above is None else [Above(above)]
        widget = forms.NumberInput(attrs={"step": "any"})
        return forms.FloatField(
            min_value=low, max_value=high, validators=checks, widget=widget, **common
        )
    if entry.type is str:
        return forms.CharField(required=False, max_length=500, **common)
    return JSONObject(
        encoder=Indented, widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false"}), **common
    )


def _limits(entry: Field[Any]) -> str:
    """What may be given, in words; empty where there is nothing to say."""
    low, high, above = (entry.metadata.get(name) for name in ("low", "high", "above"))
    if above is not None and entry.type is int:
        low, above = above + 1, None
    ends = {"low": f"{low if above is None else above:,}"} if (low, above) != (None, None) else {}
    ends |= {} if high is None else {"high": f"{high:,}"}
    if above is not None:
        said = _("Above %(low)s, at most %(high)s") if high is not None else _("Above %(low)s")
    elif low is not None:
        said = _("Between %(low)s and %(high)s") if high is not None else _("At least %(low)s")
    else:
        return ""
    return said % ends


def _choice_of(name: str, names: Iterable[str]) -> forms.ChoiceField:
    empty = {
        "teacher": _("none"),
        "pair_with": _("the teacher"),
        "start": _("nothing: from random weights"),
    }[name]
    choices = [("", empty), *((one, one) for one in names)]
    return forms.ChoiceField(choices=choices, required=False, label=LABELS[name])


def _named(name: str, user: User) -> Iterator[str]:
    """Stores of teachers' vectors on datasets that the user may see, and versions."""
    if name == "teacher":
        shown = Dataset.objects.visible_to(user)
        stores = Teacher.objects.ready().filter(snapshot__dataset__in=shown)
        yield from stores.order_by("name").values_list("name", flat=True)
    found = ModelVersion.objects.order_by("-pk")
    if name == "start":
        found = found.filter(text_encoder__characters__endswith=".npy")
    yield from found.values_list("name", flat=True)


def recipes() -> list[tuple[str, str]]:
    """Each recipe with a line on what it is for."""
    return [(name, str(RECIPE_WORDS.get(name, ""))) for name in RECIPES]
