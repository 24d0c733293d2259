"""Frames of street cameras: places, boxes, light."""

import numpy as np
import pytest

from gallery.synthetic import camera, scene, street
from gallery.synthetic.attributes import FIELDS, draw_person


def people(count: int, seed: int):
    rng = np.random.default_rng(seed)
    return [draw_person(rng) for _ in range(count)]


@pytest.fixture(scope="module")
def frames():
    """Three frames of every camera, over a day."""
    return [
        (scene.draw_frame(people(4, seed), view, hour, np.random.default_rng(seed)), 4)
        for view in scene.CAMERAS
        for seed, hour in ((1, 9.0), (2, 15.5), (3, 21.0))
    ]


def test_there_are_four_cameras_of_four_kinds():
    assert {view.kind for view in scene.CAMERAS} == set(street.KINDS)
    assert len({view.name for view in scene.CAMERAS}) == len(scene.CAMERAS)


def test_boxes_lie_inside_the_frame_and_name_one_person_each(frames):
    for frame, count in frames:
        assert frame.pixels.shape == (540, 960, 3)
        assert frame.pixels.dtype == np.uint8
        indices = [placement.person_index for placement in frame.placements]
        assert len(set(indices)) == len(indices) <= count
        for placement in frame.placements:
            left, top, right, bottom = placement.box
            assert 0 <= left < right <= 960
            assert 0 <= top < bottom <= 540
            assert placement.visible <= set(FIELDS)
            assert all(isinstance(edge, int) for edge in placement.box)


def test_most_people_get_a_box_of_a_persons_shape(frames):
    boxes = [placement.box for frame, _ in frames for placement in frame.placements]
    assert len(boxes) >= 0.8 * sum(count for _, count in frames)
    assert all(bottom - top >= 60 for _, top, _, bottom in boxes)
    assert np.median([(r - left) / (b - t) for left, t, r, b in boxes]) < 0.6


def test_the_same_state_gives_the_same_frame():
    one, other = (
        scene.draw_frame(people(3, 4), scene.CAMERAS[1], 12.0, np.random.default_rng(9))
        for _ in range(2)
    )
    assert (one.pixels == other.pixels).all()
    assert one.placements == other.placements


def test_a_camera_always_shows_the_same_street():
    view = scene.CAMERAS[0]
    one, other = (
        scene.draw_frame([], view, 12.0, np.random.default_rng(seed)).pixels.astype(int)
        for seed in (1, 5)
    )
    assert np.abs(one - other).mean() < 12
    elsewhere = scene.draw_frame([], scene.CAMERAS[1], 12.0, np.random.default_rng(1)).pixels
    assert np.abs(one - elsewhere).mean() > 25


def test_only_the_boxes_and_shadows_differ_from_the_empty_street():
    view, rng = scene.CAMERAS[3], np.random.default_rng(2)
    empty = scene.draw_frame([], view, 12.0, np.random.default_rng(2)).pixels.astype(int)
    frame = scene.draw_frame(people(3, 6), view, 12.0, rng)
    changed = np.abs(frame.pixels.astype(int) - empty).max(axis=2) > 40
    inside = np.zeros_like(changed)
    for placement in frame.placements:
        left, top, right, bottom = placement.box
        inside[top:bottom, left:right] = True
        assert changed[top:bottom, left:right].mean() > 0.2
    assert changed[~inside].mean() < 0.02


def test_night_is_darker_than_day_and_lamps_shine():
    view = scene.CAMERAS[0]
    day, night = (
        scene.draw_frame([], view, hour, np.random.default_rng(1)).pixels for hour in (12.0, 23.0)
    )
    assert night.mean() < 0.85 * day.mean()
    painted = street.paint(view.kind, view.seed)
    assert painted.glow.max() > 100


def test_near_people_hide_far_ones_and_the_hidden_have_no_box():
    crowd = people(40, 3)
    frame = scene.draw_frame(crowd, scene.CAMERAS[1], 12.0, np.random.default_rng(3))
    assert 5 < len(frame.placements) < len(crowd)


def test_people_are_taller_nearer_to_the_camera():
    view = street.paint("park", 5)
    assert view.tall(view.near) > 1.3 * view.tall(view.far)
    left, right = view.walk(view.far)
    assert view.walk(view.near)[1] - view.walk(view.near)[0] > right - left


def test_an_hour_outside_the_day_and_an_unknown_street_are_refused():
    with pytest.raises(ValueError, match="hour"):
        camera.light_at(25)
    with pytest.raises(ValueError, match="harbour"):
        street.paint("harbour", 1)
