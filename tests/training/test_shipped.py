"""What the shipped version makes of words that only name a thing."""

import numpy as np
import pytest

from gallery.synthetic.attributes import ANY, NONE, Fact
from tests.bench.shipped import FOLDER
from training.drawn import DrawnCrops, fits, load_or_draw, stated_facts
from training.ml.runtime import Bundle, encode_crops

SAYINGS: dict[Fact, tuple[str, ...]] = {
    ("hat", ANY): ("hat", "a person wearing a hat", "帽子", "戴帽子的人"),
    ("hat", NONE): ("no hat", "没戴帽子"),
    ("bag", ANY): ("a bag", "someone carrying a bag", "带着包的人", "拿着包"),
    ("umbrella_colour", ANY): ("umbrella", "under an umbrella", "伞", "打伞的人", "带伞"),
    ("umbrella_colour", NONE): ("without an umbrella", "没打伞的人"),
}


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return Bundle.read(FOLDER)


@pytest.fixture(scope="module")
def crops(bundle, tmp_path_factory) -> DrawnCrops:
    size = bundle.about["image"]["preprocessing"]
    folder = tmp_path_factory.mktemp("drawn")
    return load_or_draw(90_021, 240, folder, size["height"], size["width"])


@pytest.fixture(scope="module")
def pictures(bundle, crops):
    return encode_crops(bundle.image_tower(), np.asarray(crops.pixels))


@pytest.mark.parametrize("fact", SAYINGS)
def test_who_has_the_thing_comes_before_who_has_not(fact, bundle, crops, pictures):
    has = fits(stated_facts([[fact]]), crops.has)[0]
    assert 5 < has.sum() < len(has) - 5
    for saying, text in zip(SAYINGS[fact], bundle.text_tower().encode(SAYINGS[fact]), strict=True):
        scores = pictures @ text
        before = (scores[has][:, None] > scores[~has][None, :]).mean()
        assert before > 0.9, f"{saying}: {before:.3f}"
