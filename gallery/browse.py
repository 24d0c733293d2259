"""Which boxes and people of the gallery are asked for: the filters that pages and programs have."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from gallery.models import Box, Caption, Dataset, Identity, Review

if TYPE_CHECKING:
    from pedsite.accounts.models import User

_CHINESE = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
NO_SPLIT = "none"


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What boxes are narrowed to; empty means all but hidden ones."""

    review: str = ""  # a Review, or "any" for hidden ones too
    source: str = ""
    camera: str = ""  # its name
    identity: str = ""  # "known" or "unknown"
    split: str = ""  # one of Identity.Split, or "none" for people without one
    words: str = ""  # that some caption has
    least: int | None = None  # pixels of height, inclusive
    most: int | None = None

    @property
    def narrow(self) -> bool:
        return self != Wanted()


def boxes(user: "User", wanted: Wanted, dataset: Dataset | None = None) -> QuerySet[Box]:
    """Boxes that a user may see, of one dataset or all, as they are asked for."""
    rows = Box.objects.visible_to(user)
    if dataset is not None:
        rows = rows.filter(image__dataset=dataset)
    if wanted.review != "any":
        shown = Q(review=wanted.review) if wanted.review else ~Q(review=Review.HIDDEN)
        rows = rows.filter(shown)
    if wanted.source:
        rows = rows.filter(source=wanted.source)
    if wanted.camera:
        rows = rows.filter(image__camera__name=wanted.camera)
    if wanted.identity:
        rows = rows.filter(identity__isnull=wanted.identity == "unknown")
    if wanted.split:
        split = "" if wanted.split == NO_SPLIT else wanted.split
        rows = rows.filter(identity__split=split)
    if wanted.words:
        rows = rows.filter(has_words(wanted.words))
    if wanted.least is not None:
        rows = rows.filter(bottom__gte=F("top") + wanted.least)
    if wanted.most is not None:
        rows = rows.filter(bottom__lte=F("top") + wanted.most)
    return rows


def people(
    user: "User", *, dataset: Dataset | None = None, split: str = "", key: str = ""
) -> QuerySet[Identity]:
    """People of the datasets that a user may see, by split and by what the key contains."""
    rows = Identity.objects.filter(dataset__in=Dataset.objects.visible_to(user))
    if dataset is not None:
        rows = rows.filter(dataset=dataset)
    if split:
        rows = rows.filter(split="" if split == NO_SPLIT else split)
    return rows.filter(key__icontains=key) if key else rows


def has_words(words: str) -> Q:
    """Boxes of which a caption that is not hidden has these words.

    Whole words where words have ends: "cap" is not in "captain".
    """
    is_chinese = _CHINESE.search(words) is not None
    whole = re.escape(words) if is_chinese else rf"\m{re.escape(words)}\M"
    captions = Caption.objects.filter(box=OuterRef("pk"), text__iregex=whole)
    return Q(Exists(captions.exclude(review=Review.HIDDEN)))
