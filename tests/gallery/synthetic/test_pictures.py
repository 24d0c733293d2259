"""Drawn people as crops: what is drawn, what is told to be visible, and that it repeats."""

import hashlib
import subprocess
import sys
from dataclasses import replace

import cv2
import numpy as np
import pytest

from gallery.synthetic import crops, figure, palette, visibility
from gallery.synthetic.attributes import COLOURS, FIELDS, NONE, Person, draw_person
from gallery.synthetic.look import Look
from gallery.synthetic.parts import Part

PLAIN = Person(
    gender="woman",
    build="average",
    hair="short",
    hair_colour="brown",
    hat=NONE,
    hat_colour=NONE,
    glasses=NONE,
    upper="t-shirt",
    upper_colour="blue",
    upper_pattern="plain",
    inner_colour=NONE,
    lower="trousers",
    lower_colour="grey",
    shoes="sneakers",
    shoes_colour="black",
    bag=NONE,
    bag_colour=NONE,
    umbrella_colour=NONE,
    pose="standing",
    view="front",
)
HASH = """
import hashlib
import numpy as np
from gallery.synthetic import crops
from gallery.synthetic.attributes import draw_person
digest = hashlib.sha256()
for seed in range(8):
    rng = np.random.default_rng(seed)
    crop = crops.draw(draw_person(rng), rng)
    digest.update(crop.pixels.tobytes() + repr(sorted(crop.visible)).encode())
print(digest.hexdigest())
"""


def drawn(person: Person, seed: int = 0) -> figure.Figure:
    return figure.draw(person, np.random.default_rng(seed), scale=280, light=0.6)


def seen_in(person: Person, count: int = 12) -> list[frozenset[str]]:
    return [crops.draw(person, np.random.default_rng(seed)).visible for seed in range(count)]


def part(person: Person, label: Part, seed: int = 0) -> int:
    return int(drawn(person, seed).counts()[label])


def test_another_process_draws_the_same_bytes():
    digest = hashlib.sha256()
    for seed in range(8):
        rng = np.random.default_rng(seed)
        crop = crops.draw(draw_person(rng), rng)
        digest.update(crop.pixels.tobytes() + repr(sorted(crop.visible)).encode())
    other = subprocess.run([sys.executable, "-c", HASH], capture_output=True, text=True, check=True)
    assert other.stdout.strip() == digest.hexdigest()


def test_what_was_drawn_before_does_not_change_a_crop():
    first = crops.draw(PLAIN, np.random.default_rng(5)).pixels
    crops.draw(draw_person(np.random.default_rng(6)), np.random.default_rng(6))
    assert (crops.draw(PLAIN, np.random.default_rng(5)).pixels == first).all()


@pytest.mark.parametrize(("height", "width"), [(160, 64), (128, 64), (256, 128), (32, 16)])
def test_a_crop_has_the_size_asked_for(height, width):
    crop = crops.draw(PLAIN, np.random.default_rng(1), height, width)
    assert crop.pixels.shape == (height, width, 3)
    assert crop.pixels.dtype == np.uint8
    assert crop.visible <= set(FIELDS)


def test_a_crop_too_small_to_show_anybody_is_refused():
    with pytest.raises(ValueError, match="20 x 10"):
        crops.draw(PLAIN, np.random.default_rng(1), 20, 10)


def test_two_generators_give_two_pictures():
    one, other = (crops.draw(PLAIN, np.random.default_rng(seed)).pixels for seed in (1, 2))
    assert (one != other).any()


@pytest.mark.parametrize("field", FIELDS)
def test_every_value_of_a_field_looks_different(field):
    coloured = {
        "hat_colour": {"hat": "cap"},
        "inner_colour": {"upper": "jacket"},
        "bag_colour": {"bag": "handbag"},
    }
    base = replace(PLAIN, **coloured.get(field, {}))
    pictures = {drawn(replace(base, **{field: value})).rgba.tobytes() for value in FIELDS[field]}
    assert len(pictures) == len(FIELDS[field])


@pytest.mark.parametrize("hat", ["cap", "beanie", "brimmed hat"])
def test_a_hat_sits_on_the_head(hat):
    bare = drawn(PLAIN)
    covered = drawn(replace(PLAIN, hat=hat, hat_colour="red"))
    assert bare.counts()[Part.HAT] == 0
    rows = np.flatnonzero((covered.labels == Part.HAT).any(axis=1))
    eyes = np.flatnonzero((covered.labels == Part.FACE).any(axis=1)).max()
    assert len(rows) > 10
    assert rows.max() < eyes


@pytest.mark.parametrize("bag", ["backpack", "handbag", "shoulder bag", "suitcase"])
@pytest.mark.parametrize("view", ["front", "back", "side"])
def test_a_bag_leaves_pixels_from_every_side(bag, view):
    person = replace(PLAIN, bag=bag, bag_colour="orange", view=view)
    assert sum(part(person, Part.BAG, s) + part(person, Part.STRAP, s) for s in range(3)) > 200
    assert part(replace(person, bag=NONE, bag_colour=NONE), Part.BAG) == 0


def test_a_suitcase_stands_on_the_ground():
    person = drawn(replace(PLAIN, bag="suitcase", bag_colour="green"))
    lowest = np.flatnonzero((person.labels == Part.BAG).any(axis=1)).max()
    assert abs(lowest - person.foot[1]) < 0.08 * person.scale


def test_sunglasses_hide_the_eyes_and_glasses_are_a_frame_around_them():
    def clear(kind: str) -> float:
        worn = drawn(replace(PLAIN, glasses=kind))
        panes = worn.rgba[..., :3][worn.labels == Part.GLASSES].mean(axis=1)
        return float((panes > 90).mean())

    assert clear("sunglasses") < 0.02
    assert clear("glasses") > 0.06


def test_only_an_umbrella_rises_above_the_head():
    top = drawn(PLAIN).box[1] - drawn(PLAIN).foot[1]
    under = drawn(replace(PLAIN, umbrella_colour="yellow"))
    assert under.box[1] - under.foot[1] < top - 0.1 * under.scale
    assert under.counts()[Part.UMBRELLA] > 2000


def test_builds_differ_in_width():
    def trunk(build: str, seed: int) -> float:
        body = drawn(replace(PLAIN, build=build), seed)
        waist = round(body.foot[1] - 0.58 * body.scale)
        return float((body.labels[waist] == Part.UPPER).sum())

    slim, average, stout = (
        np.mean([trunk(build, seed) for seed in range(6)]) for build in FIELDS["build"]
    )
    assert slim < 0.92 * average
    assert average < 0.85 * stout


def test_a_coat_is_longer_than_a_jacket_and_a_vest_has_the_inner_sleeves():
    def low(upper: str) -> float:
        body = drawn(replace(PLAIN, upper=upper, gender="man"))
        last = np.flatnonzero((body.labels == Part.UPPER).sum(axis=1) > 8).max()
        return float((body.foot[1] - last) / body.scale)

    assert low("coat") < 0.36 < 0.42 < low("jacket")
    vest = replace(PLAIN, upper="vest", inner_colour="white")
    assert part(vest, Part.SLEEVE) == 0
    assert part(vest, Part.INNER) > 500


def test_short_trousers_and_sandals_show_skin():
    assert part(PLAIN, Part.LEG) == 0
    assert part(replace(PLAIN, lower="shorts"), Part.LEG) > 800
    sandals, sneakers = (
        sum(part(replace(PLAIN, lower="shorts", shoes=kind), Part.SHOES, s) for s in range(4))
        for kind in ("sandals", "sneakers")
    )
    boots = sum(
        part(replace(PLAIN, lower="shorts", shoes="boots"), Part.SHOES, s) for s in range(4)
    )
    assert sandals < 0.8 * sneakers
    assert sneakers < 0.7 * boots


@pytest.mark.parametrize("colour", COLOURS)
def test_the_cloth_has_the_colour_of_its_name(colour):
    """The mean of the drawn cloth lies nearer to tints of its own name than to any other's."""
    rng = np.random.default_rng(3)
    tints = {name: lab([palette.tint(name, rng) for _ in range(60)]) for name in COLOURS}
    for upper in ("t-shirt", "coat"):
        body = drawn(replace(PLAIN, upper=upper, upper_colour=colour))
        cloth = body.rgba[..., :3][body.labels == Part.UPPER].mean(axis=0)
        middle = lab([tuple(cloth)])
        nearest = min(
            COLOURS,
            key=lambda name: float(
                np.hypot(*(tints[name] - middle).T[1:]).min()
                + 0.5 * np.abs(tints[name] - middle)[:, 0].min()
            ),
        )
        assert nearest == colour
        wanted = Look.of(replace(PLAIN, upper=upper, upper_colour=colour)).upper
        assert np.abs(cloth - np.asarray(wanted)).max() < 48


def lab(colours: list[tuple[float, ...]]) -> np.ndarray:
    pixels = np.asarray(colours, dtype=np.float32)[None] / 255
    return cv2.cvtColor(pixels, cv2.COLOR_RGB2LAB)[0]


def test_tints_of_two_names_are_not_mixed_up():
    rng = np.random.default_rng(8)
    known = {name: lab([palette.tint(name, rng) for _ in range(150)]) for name in COLOURS}
    right = total = 0
    for name in COLOURS:
        for colour in lab([palette.tint(name, rng) for _ in range(40)]):
            nearest = min(COLOURS, key=lambda n: float(((known[n] - colour) ** 2).sum(1).min()))
            right, total = right + (nearest == name), total + 1
    assert right / total > 0.98


def test_patterns_change_the_cloth_but_keep_its_colour_dominant():
    plain = drawn(PLAIN)
    spread = plain.rgba[..., :3][plain.labels == Part.UPPER].std(axis=0).mean()
    for pattern in ("striped", "checked", "dotted"):
        body = drawn(replace(PLAIN, upper_pattern=pattern))
        cloth = body.rgba[..., :3][body.labels == Part.UPPER].astype(float)
        assert cloth.std(axis=0).mean() > 1.3 * spread
        assert (cloth[:, 2] > cloth[:, 0] + 15).mean() > 0.4
    assert part(replace(PLAIN, upper_pattern="printed"), Part.MOTIF) > 150


def test_glasses_and_what_is_under_a_jacket_are_not_seen_from_behind():
    person = replace(PLAIN, view="back", glasses="sunglasses", upper="jacket", inner_colour="white")
    for visible in seen_in(person):
        assert "glasses" not in visible
        assert "inner_colour" not in visible
    front = seen_in(replace(person, view="front"))
    assert sum("glasses" in visible for visible in front) >= 6
    assert sum("inner_colour" in visible for visible in front) >= 8


def test_shoes_are_hidden_where_the_feet_are_cut_off():
    hidden = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        hidden += "shoes" not in crops.draw(PLAIN, rng).visible
    assert 2 <= hidden <= 25


def test_straps_of_the_colour_of_the_cloth_do_not_show_a_backpack():
    """From the front only the straps are seen; beside them, hardly any of the bag itself."""
    kinds = [replace(PLAIN, bag="backpack", bag_colour=c, build="stout") for c in COLOURS]
    bodies = [drawn(person, seed) for person in kinds for seed in range(3)]
    assert {body.plain_strap for body in bodies} == {True, False}
    for body in bodies:
        counts = body.counts()
        counts[Part.BAG] = 0
        shown = visibility.fields(body, counts)
        assert ("bag" in shown) == (not body.plain_strap)


def test_a_person_keeps_the_same_clothes_in_another_pose():
    other = replace(PLAIN, pose="walking", view="back")
    assert Look.of(PLAIN) == Look.of(other)
