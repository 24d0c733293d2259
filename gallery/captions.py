"""What people do with captions: approve, reject, edit, add, replace words. All can be undone."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from gallery import changes
from gallery.caption_errors import BadCaption, CaptionIsThere, NoCaptions, UnknownCaption
from gallery.errors import UnknownBox
from gallery.formats.records import language_of, storable
from gallery.models import MAX_CAPTION, Action, Box, Caption, Dataset, Review
from pedsite.accounts.models import User

# Captions of one action: some seconds of work at most.
MOST = 10_000
MOST_FOUND = 200  # characters that are looked for

APPROVE = gettext_noop("approve captions")
REJECT = gettext_noop("reject captions")
REOPEN = gettext_noop("make captions unreviewed")
EDIT = gettext_noop("edit a caption")
ADD = gettext_noop("add a caption")
REPLACE = gettext_noop("replace words in captions")
KINDS = {Review.APPROVED: APPROVE, Review.HIDDEN: REJECT, Review.UNREVIEWED: REOPEN}


@dataclass(frozen=True, kw_only=True)
class Narrow:
    """Which captions of a dataset are meant; empty means all."""

    language: str = ""
    source: str = ""
    review: str = ""
    kind: str = ""
    words: str = ""  # some text in it, in any case

    def of(self, rows: QuerySet[Caption]) -> QuerySet[Caption]:
        for name in ("language", "source", "review", "kind"):
            if value := getattr(self, name):
                rows = rows.filter(**{name: value})
        return rows.filter(text__icontains=self.words) if self.words else rows


@dataclass(frozen=True, kw_only=True)
class Replacement:
    """Words for words; no pattern, so that nobody's search runs for ever."""

    find: str
    put: str
    match_case: bool = False
    whole_words: bool = True

    def __post_init__(self) -> None:
        """Raises: BadCaption, nothing is looked for, or what is put is no text."""
        if not self.find.strip() or len(self.find) > MOST_FOUND:
            raise BadCaption(
                _("Words to look for have 1 to %(most)d characters.") % {"most": MOST_FOUND}
            )
        if len(self.put) > MAX_CAPTION or not (storable(self.put) and storable(self.find)):
            raise BadCaption(_("What is put instead is too long, or no text."))

    def of(self, text: str) -> str:
        pattern = re.escape(self.find)
        # Chinese has no ends of words to look for.
        if self.whole_words and self.find.isascii():
            pattern = rf"(?<!\w){pattern}(?!\w)"
        flags = 0 if self.match_case else re.IGNORECASE
        changed = re.sub(pattern, lambda found: self.put, text, flags=flags)
        return changed if changed == text else " ".join(changed.split())


@dataclass(frozen=True, slots=True, kw_only=True)
class Replaced:
    """A caption with what would be in it; `problem` says why it stays as it is."""

    caption: Caption
    text: str
    problem: str = ""


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What was done: an action in each dataset, how many captions are other than they were, and
    (caption id, why) of those that stayed.
    """

    actions: list[Action] = field(default_factory=list)
    changed: int = 0
    left: list[tuple[int, str]] = field(default_factory=list)


def lacking(dataset: Dataset, languages: Iterable[str], *, again: bool = False) -> QuerySet[Box]:
    """Boxes without a caption in one of the languages; with `again`, or with drafts alone."""
    shown = Caption.objects.filter(box=OuterRef("pk"), kind=Caption.Kind.CAPTION)
    shown = shown.stated() if again else shown.shown()
    missing = Q()
    for language in languages:
        missing |= ~Exists(shown.filter(language=language))
    boxes = Box.objects.filter(image__dataset=dataset).exclude(review=Review.HIDDEN)
    return boxes.filter(missing)


def decide(ids: Sequence[int], verdict: str, user: User | None) -> Outcome:
    """Approve or reject (hide) captions, or make them unreviewed.

    Raises:
        NoCaptions, MayNotCurate
        BadCaption: the verdict is none.
        UnknownCaption: one that there is not, or that the user may not see; nothing is changed.
    """
    if verdict not in Review.values:
        raise BadCaption(_("A caption is approved, hidden or unreviewed."))

    def work(act: changes.Act, mine: list[int], done: Outcome) -> None:
        done.changed += act.update(Caption, mine, review=verdict)

    return _bulk(ids, user, KINDS[Review(verdict)], work)


def edit(pk: int, text: str, user: User | None) -> Outcome:
    """Give a caption other words: they are a person's from then on, and approved.

    Raises: UnknownCaption, BadCaption, CaptionIsThere, MayNotCurate
    """
    text = checked(text)

    def work(act: changes.Act, mine: list[int], done: Outcome) -> None:
        (caption,) = act.hold(Caption, mine)
        values = {"review": Review.APPROVED}
        if caption.text != text:
            values |= {"text": text, "source": Caption.Source.TYPED}
        done.changed += act.update(Caption, mine, **values)

    with _unless_there():
        return _bulk([pk], user, EDIT, work)


def add(box_id: int, text: str, language: str, user: User | None) -> Caption:
    """A caption that a person wrote; in the language of its letters if none is named.

    Raises: UnknownBox, BadCaption, CaptionIsThere, MayNotCurate
    """
    text = checked(text)
    language = language or language_of(text)
    if language not in Caption.Language.values:
        raise BadCaption(_("Captions are in en or zh."))
    boxes = Box.objects.all() if user is None else Box.objects.visible_to(user)
    box = boxes.filter(pk=box_id).select_related("image__dataset").first()
    if box is None:
        raise UnknownBox(box_id)
    made = Caption(
        box=box,
        text=text,
        language=language,
        source=Caption.Source.TYPED,
        review=Review.APPROVED,
    )
    with _unless_there(), changes.acting(box.image.dataset, user, ADD) as act:
        act.create([made])
    return made


def foretell(rows: QuerySet[Caption], wanted: Replacement) -> list[Replaced]:
    """What a replacement would make of some captions, at most MOST: those that it changes."""
    found = rows.filter(text__icontains=wanted.find).order_by("pk")
    changed = []
    for caption in found.select_related("box__image")[:MOST]:
        text = wanted.of(caption.text)
        if text != caption.text:
            changed.append(Replaced(caption=caption, text=text, problem=_problem(text)))
    taken = _taken([each for each in changed if not each.problem])
    there = _("The box has this caption already.")
    return [
        Replaced(caption=each.caption, text=each.text, problem=there)
        if each.caption.pk in taken
        else each
        for each in changed
    ]


def replace(ids: Sequence[int], wanted: Replacement, user: User | None) -> Outcome:
    """Replace words in captions; what would be empty, too long or twice there stays and is told.

    Drafts stay drafts.

    Raises: NoCaptions, UnknownCaption, MayNotCurate
    """

    def work(act: changes.Act, mine: list[int], done: Outcome) -> None:
        act.hold(Caption, mine)
        told = foretell(Caption.objects.filter(pk__in=mine), wanted)
        good = {each.caption.pk: {"text": each.text} for each in told if not each.problem}
        done.left += [(each.caption.pk, each.problem) for each in told if each.problem]
        done.changed += act.edit(Caption, good)

    return _bulk(ids, user, REPLACE, work)


def checked(text: str) -> str:
    """The text without space around it. Raises: BadCaption, it cannot be a caption."""
    text = text.strip()
    if problem := _problem(text):
        raise BadCaption(problem)
    return text


def _problem(text: str) -> str:
    if not text.strip():
        return _("A caption is not empty.")
    if len(text) > MAX_CAPTION:
        return _("A caption has at most %(most)d characters.") % {"most": MAX_CAPTION}
    return "" if storable(text) else _("A caption holds characters that are no text.")


def _taken(some: list[Replaced]) -> set[int]:
    """Captions whose new text their box has already, or gets twice."""
    rows = Caption.objects.filter(box__in={each.caption.box_id for each in some})
    there = set(rows.values_list("box_id", "kind", "language", "text"))
    taken = set()
    for each in some:
        one = each.caption
        key = (one.box_id, one.kind, one.language, each.text)
        if key in there:
            taken.add(one.pk)
        there.add(key)
    return taken


def _bulk(
    ids: Iterable[int],
    user: User | None,
    kind: str,
    work: Callable[[changes.Act, list[int], Outcome], None],
) -> Outcome:
    wanted = set(ids)
    if not wanted:
        raise NoCaptions(_("No caption is chosen."))
    if len(wanted) > MOST:
        raise NoCaptions(_("At most %(most)d captions go at a time.") % {"most": MOST})
    visible = Caption.objects.all() if user is None else Caption.objects.visible_to(user)
    found = visible.filter(pk__in=wanted).values_list("pk", flat=True)
    if missing := wanted - set(found):
        raise UnknownCaption(min(missing))
    done = Outcome()
    with transaction.atomic():
        # Several datasets are held one after the other: always in one order.
        grouped = changes.by_dataset(Caption, wanted)
        for dataset in sorted(grouped, key=lambda each: each.pk):
            with changes.acting(dataset, user, kind) as act:
                work(act, grouped[dataset], done)
            if act.action is not None:
                done.actions.append(act.action)
    return done


@contextmanager
def _unless_there() -> Iterator[None]:
    """Turns the database's refusal of the same words a second time into one for a user."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as exc:
        raise CaptionIsThere from exc
