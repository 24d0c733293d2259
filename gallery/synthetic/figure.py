"""A whole figure: every part laid in the right order for its turn."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from gallery.synthetic import headwear, legwear
from gallery.synthetic.attributes import NONE, Person
from gallery.synthetic.belongings import Belongings
from gallery.synthetic.body import Body
from gallery.synthetic.canvas import Bytes, Canvas
from gallery.synthetic.collars import Collar
from gallery.synthetic.garments import Upper
from gallery.synthetic.head import Head
from gallery.synthetic.look import Look
from gallery.synthetic.parts import Part

PARTS = max(Part) + 1


@dataclass(frozen=True)
class Figure:
    """One drawn person.

    rgba: uint8 [H, W, 4], premultiplied. labels: uint8 [H, W] of Part. foot: x, y of the point on
    the ground below the body. scale: pixels of the body's height. box: the tight
    (left, top, right, bottom), exclusive, of what is drawn. head_turn: cosine of the face's turn
    from the viewer. front: cosine of the chest's turn.
    """

    person: Person
    rgba: Bytes
    labels: Bytes
    foot: tuple[float, float]
    scale: float
    box: tuple[int, int, int, int]
    head_turn: float
    front: float
    plain_strap: bool

    def counts(self) -> NDArray[np.int64]:
        """Pixels of each part."""
        return count(self.labels)


def count(labels: Bytes) -> NDArray[np.int64]:
    """Pixels of each Part in a label map."""
    return cv2.calcHist([labels], [0], None, [PARTS], [0, PARTS])[:, 0].astype(np.int64)


def draw(person: Person, rng: np.random.Generator, *, scale: float, light: float) -> Figure:
    """Draw a person `scale` pixels tall on an empty canvas, lit from `light` (-1 left, 1 right)."""
    umbrella = person.umbrella_colour != NONE
    height = int(scale * (1.3 if umbrella else 1.16))
    width = int(scale * (1.1 if umbrella else 0.86))
    canvas = Canvas(height, width, light, rng)
    foot = (width / 2, height - 0.09 * scale)
    look = Look.of(person)
    body = Body(person, rng, scale=scale, origin=foot)
    things = Belongings(canvas, body, person, look, rng)
    things.hold()
    upper = Upper(canvas, body, person, look, rng)
    collar = Collar(canvas, body, person, look)
    head = Head(canvas, body, person, look)
    far, near = 1 - body.near, body.near

    things.behind_body()
    head.back_hair()
    behind = [side for side in (far, near) if _hidden_arm(body, side)]
    for side in behind:
        upper.arm(side)
    _legs(canvas, body, person, look, far, near)
    _trunk(body, person, upper, collar, head)
    things.on_body()
    for side in (far, near):
        if side not in behind:
            upper.arm(side)
    head.hair()
    if not body.facing:
        collar.lay()
        if person.hair in ("long", "ponytail"):
            head.hair()
    headwear.hat(head)
    headwear.glasses(head)
    things.before_body()
    things.umbrella()
    return Figure(
        person=person,
        rgba=canvas.rgba,
        labels=canvas.labels,
        foot=foot,
        scale=scale,
        box=_tight(canvas.rgba),
        head_turn=head.cos,
        front=body.cos,
        plain_strap=_alike(look.bag, look.upper),
    )


def _tight(rgba: Bytes) -> tuple[int, int, int, int]:
    alpha = np.ascontiguousarray(rgba[..., 3])
    x, y, w, h = cv2.boundingRect(cv2.threshold(alpha, 60, 255, cv2.THRESH_BINARY)[1])
    return x, y, x + w, y + h


def _alike(one: tuple[float, float, float], other: tuple[float, float, float]) -> bool:
    return sum(abs(a - b) for a, b in zip(one, other, strict=True)) < 110


def _hidden_arm(body: Body, side: int) -> bool:
    """The trunk stands before this arm."""
    depth = body.near_by((body.elbows[side] + body.hands[side]) / 2)
    if abs(body.cos) > 0.8:
        return depth < -0.06
    return side != body.near


def _trunk(body: Body, person: Person, upper: Upper, collar: Collar, head: Head) -> None:
    """Trunk, neck, collar and skull; from behind the collar comes later, over the hair."""
    if not body.facing:
        upper.neck()
        upper.trunk()
        head.skull()
        return
    upper.trunk()
    upper.neck()
    if person.upper == "sweater":  # the chin is before a roll neck
        collar.lay()
    head.skull()
    if person.upper != "sweater":
        collar.lay()


def _legs(canvas: Canvas, body: Body, person: Person, look: Look, far: int, near: int) -> None:
    ankles = [body.near_by(body.ankles[i]) for i in (0, 1)]
    if not body.profile:
        far, near = (0, 1) if ankles[0] < ankles[1] else (1, 0)
    long_trousers = person.lower in ("jeans", "trousers")
    for side in (far, near):
        if not long_trousers:
            legwear.bare(canvas, body, look, side)
        over = person.shoes == "boots"  # trousers go into boots
        if not over:
            legwear.shoe(canvas, body, look, person, side)
        if long_trousers:
            legwear.trousers(canvas, body, look, side, person.lower, tucked=over)
        elif person.lower == "shorts":
            legwear.shorts(canvas, body, look, side)
        if over:
            legwear.shoe(canvas, body, look, person, side)
    if person.lower == "skirt":
        legwear.skirt(canvas, body, look)
    elif person.lower != NONE:
        legwear.seat(canvas, body, look, person.lower)
