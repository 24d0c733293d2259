import numpy as np

from gallery import crops, pictures
from gallery.errors import BadImage
from gallery.models import Box
from tests import world


def test_each_file_is_opened_once_for_all_its_boxes(db, monkeypatch):
    dataset = world.make_dataset()
    for _ in range(3):
        image = world.make_image(dataset)
        for left in range(4):
            world.make_box(image, (left, 0, left + 20, 50))
    opened = []
    monkeypatch.setattr(
        pictures,
        "open_upright",
        lambda data, real=pictures.open_upright: (opened.append(1), real(data))[1],
    )
    boxes = list(Box.objects.select_related("image").order_by("left"))
    pixels = dict(crops.load_many(boxes))
    assert len(opened) == 3
    assert pixels.keys() == set(boxes)
    assert {array.shape for array in pixels.values()} == {(50, 20, 3)}


def test_the_boxes_of_a_lost_file_carry_the_error_and_the_others_their_pixels(db):
    dataset = world.make_dataset()
    lost, kept = (world.make_box(world.make_image(dataset), (0, 0, 9, 9)) for _ in range(2))
    lost.image.file.storage.delete(lost.image.file.name)
    found = dict(crops.load_many([lost, kept]))
    assert isinstance(found[lost], BadImage)
    assert found[kept].shape == (9, 9, 3)


def test_a_crop_is_exactly_the_pixels_inside_the_box(db):
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (30, 40, 3), dtype=np.uint8)
    box = world.make_box(world.make_image(world.make_dataset(), pixels), (3, 5, 20, 28))
    assert (crops.load(box) == pixels[5:28, 3:20]).all()
