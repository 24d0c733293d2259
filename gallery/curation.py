"""What people do with boxes: draw, move, review, delete, say who it is. All of it can be undone.

A box is hidden rather than deleted where anybody has said something of it, and detection finds
a deleted one again.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from gallery import changes
from gallery.changes import Act
from gallery.errors import (
    BadBounds,
    BoxIsThere,
    NothingSelected,
    TooManySelected,
    UnknownBox,
    UnknownImage,
    UnknownReview,
)
from gallery.history import Left
from gallery.models import Action, Box, Caption, Identity, Image, Review
from gallery.people import check_key, drop_empty
from gallery.querysets import unreferenced
from pedsite.accounts.models import User
from pedsite.api import DomainError

Bounds = tuple[int, int, int, int]
# Boxes of one action: some seconds of work at most.
MOST = 10_000
# Pixels of the picture; less shows nobody.
LEAST_SIDE = 8

DRAW = gettext_noop("draw a box")
MOVE = gettext_noop("move a box")
DELETE = gettext_noop("delete boxes")
ASSIGN = gettext_noop("say who it is")
UNASSIGN = gettext_noop("say that it is nobody known")
REVIEWS = {
    Review.APPROVED: gettext_noop("approve boxes"),
    Review.HIDDEN: gettext_noop("hide boxes"),
    Review.UNREVIEWED: gettext_noop("make boxes unreviewed"),
}


class Kept(DomainError):
    """A box that is not deleted; the message says why."""

    code = "kept"
    status = 409


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What a bulk did: an action in each dataset, and what was left as it is and why."""

    actions: list[Action] = field(default_factory=list)
    changed: int = 0
    left: list[Left] = field(default_factory=list)


def draw(image_id: int, bounds: Bounds, user: User | None) -> tuple[Box, Action]:
    """A new box on a picture.

    Raises:
        UnknownImage: there is none, or the user may not see it.
        BadBounds, BoxIsThere, MayNotCurate
    """
    image = _images(user).filter(pk=image_id).select_related("dataset").first()
    if image is None:
        raise UnknownImage(image_id)
    with changes.acting(image.dataset, user, DRAW) as act:
        act.hold(Image, [image_id])
        _check(image, bounds)
        left, top, right, bottom = bounds
        box = Box(
            image=image, left=left, top=top, right=right, bottom=bottom, source=Box.Source.ANNOTATED
        )
        act.create([box])
    return box, act.action


def move(box_id: int, bounds: Bounds, user: User | None) -> tuple[Box, Action | None]:
    """Give a box other bounds: it is a person's from then on, and waits for a vector.

    Returns: the box, and the action; None where the bounds are those that it has.
    Raises:
        UnknownBox, BadBounds, BoxIsThere, MayNotCurate
    """
    (dataset,) = _chosen([box_id], user)
    with changes.acting(dataset, user, MOVE) as act:
        (box,) = act.hold(Box, [box_id])
        if box.bounds != tuple(bounds):
            _check(box.image, bounds, box)
            names = ("left", "top", "right", "bottom")
            drawn = {"source": Box.Source.ANNOTATED, "score": None}
            act.update(Box, [box_id], **dict(zip(names, bounds, strict=True)), **drawn)
    box.refresh_from_db()
    return box, act.action


def review(boxes: Sequence[int], verdict: str, user: User | None) -> Outcome:
    """Approve or hide boxes, or make them unreviewed again.

    Raises:
        UnknownReview, NothingSelected, TooManySelected, MayNotCurate
        UnknownBox: one that there is not, or that the user may not see; nothing is changed.
    """
    if verdict not in Review.values:
        raise UnknownReview

    def work(act: Act, ids: list[int], done: Outcome) -> None:
        done.changed += act.update(Box, ids, review=verdict)

    return _bulk(boxes, user, REVIEWS[Review(verdict)], work)


def delete(boxes: Sequence[int], user: User | None) -> Outcome:
    """Remove boxes with their captions; one that was found, judged or put into a case stays.

    Raises: as `review`.
    """

    def work(act: Act, ids: list[int], done: Outcome) -> None:
        held = act.hold(Box, ids)
        free = Box.objects.filter(pk__in=ids).filter(unreferenced(Box, {Caption}))
        going = set(free.values_list("pk", flat=True))
        done.left += [
            Left(
                model="box", row=pk, reason=_("Somebody judged it or put it into a case: hide it.")
            )
            for pk in ids
            if pk not in going
        ]
        people = {box.identity_id for box in held if box.pk in going} - {None}
        act.delete(Box, going)
        drop_empty(act, people)
        done.changed += len(going)

    return _bulk(boxes, user, DELETE, work)


def assign(boxes: Sequence[int], key: str, user: User | None) -> Outcome:
    """Say who boxes are, by the key of a person; "" for nobody known.

    A key that the dataset does not have yet is a new person; somebody of whom no box is left goes.

    Raises: as `review`, and BadKey.
    """
    key = check_key(key) if key else ""

    def work(act: Act, ids: list[int], done: Outcome) -> None:
        people = {box.identity_id for box in act.hold(Box, ids)} - {None}
        wanted = None
        if key:
            found = Identity.objects.filter(dataset=act.dataset, key=key).first()
            if found is None:
                found = Identity(dataset=act.dataset, key=key)
                act.create([found])
            wanted = found.pk
        done.changed += act.update(Box, ids, identity_id=wanted)
        drop_empty(act, people - {wanted})

    return _bulk(boxes, user, ASSIGN if key else UNASSIGN, work)


def _bulk(
    boxes: Sequence[int],
    user: User | None,
    kind: str,
    work: Callable[[Act, list[int], Outcome], None],
) -> Outcome:
    done = Outcome()
    with transaction.atomic():
        for dataset, ids in _chosen(boxes, user).items():
            with changes.acting(dataset, user, kind) as act:
                work(act, ids, done)
            if act.action is not None:
                done.actions.append(act.action)
    return done


def _chosen(boxes: Iterable[int], user: User | None):
    """The chosen boxes by dataset, all of which the user sees."""
    wanted = set(boxes)
    if not wanted:
        raise NothingSelected
    if len(wanted) > MOST:
        raise TooManySelected(MOST)
    visible = Box.objects.all() if user is None else Box.objects.visible_to(user)
    found = visible.filter(pk__in=wanted).values_list("pk", flat=True)
    if missing := wanted - set(found):
        raise UnknownBox(min(missing))
    grouped = changes.by_dataset(Box, wanted)
    # Several are held one after the other: always in one order.
    return dict(sorted(grouped.items(), key=lambda pair: pair[0].pk))


def _images(user: User | None):
    return Image.objects.all() if user is None else Image.objects.visible_to(user)


def _check(image: Image, bounds: Bounds, moved: Box | None = None) -> None:
    """Raises: BadBounds, BoxIsThere."""
    left, top, right, bottom = bounds
    if not (0 <= left < right <= image.width and 0 <= top < bottom <= image.height):
        size = f"{image.width} × {image.height}"
        raise BadBounds(
            _("The box %(box)s does not lie inside the picture, which has %(size)s pixels.")
            % {"box": f"{left}, {top} – {right}, {bottom}", "size": size}
        )
    least = min(LEAST_SIDE, image.width, image.height)
    if right - left < least or bottom - top < least:
        raise BadBounds(_("A box is at least %(least)d pixels wide and high.") % {"least": least})
    there = Box.objects.filter(image=image, left=left, top=top, right=right, bottom=bottom)
    other = there.exclude(pk=moved.pk if moved else None).first()
    if other is not None:
        raise BoxIsThere(other.pk)
