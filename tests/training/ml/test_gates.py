"""What a converted version must keep to be written."""

import numpy as np
import pytest

from tests.towers import COLOURS, plain_crop, tiny_bundle
from training.ml import gates
from training.ml.gates import Comparison, Pairs

PASSES = {
    "golden": {"image": 0.98, "text": 0.98},
    "mean": {"image": 0.995, "text": 0.995},
    "queries": 200,
    "recall_before": 0.8,
    "recall_after": 0.795,
}


def failures(precision: str = "int8", **changed) -> list[str]:
    return gates.failures(Comparison(**PASSES | changed), precision)


def test_what_keeps_within_every_gate_passes():
    assert failures() == []


def test_each_precision_has_its_own_parity():
    assert len(failures("fp16")) == len(failures("fp32")) == 2


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"golden": {"image": 0.96}}, "golden input of the image tower"),
        ({"golden": {"image": 1, "text": float("nan")}}, "golden input of the text tower"),
        ({"mean": {"image": 0.9899}}, "image tower's mean cosine is 0.9899"),
        ({"mean": {"image": 1, "text": float("nan")}}, "text tower's mean cosine"),
        ({"recall_after": 0.79}, r"from 0.800 to 0.790 over 200 queries"),
    ],
)
def test_one_gate_is_enough_to_fail(changed, said):
    (reason,) = failures(**changed)
    assert said in reason


def test_recall_may_rise_or_be_unknown():
    assert failures(recall_after=0.9) == []
    assert failures(recall_before=None, recall_after=None) == []


def test_towers_compared_with_themselves_differ_by_nothing(tmp_path):
    bundle = tiny_bundle(tmp_path)
    words = ["red", "green", "blue"]
    crops = np.stack([plain_crop(word) for word in words])
    towers = bundle.image_tower(), bundle.text_tower()
    pairs = Pairs(crops=crops, texts=words, fits=np.eye(3, dtype=bool), people=np.arange(3))
    found = gates.compare(
        towers, towers, golden_crops=crops, golden_texts=list(COLOURS), pairs=pairs
    )
    assert found.golden == pytest.approx({"image": 1, "text": 1}, abs=1e-5)
    assert (found.recall_before, found.recall_after, found.queries) == (1, 1, 3)


def test_a_version_of_pictures_is_judged_by_finding_the_same_person(tmp_path):
    bundle = tiny_bundle(tmp_path)
    crops = np.stack([plain_crop(word) for word in ("red", "blue", "red", "blue", "green")])
    towers = bundle.image_tower(), None
    people = np.array([0, 1, 0, 1, 2])
    pairs = Pairs(crops=crops, texts=[], fits=np.zeros((0, 5), dtype=bool), people=people)
    found = gates.compare(towers, towers, golden_crops=crops, golden_texts=[], pairs=pairs)
    assert (found.recall_before, found.queries) == (1, 4)
    mixed = Pairs(crops=crops, texts=[], fits=pairs.fits, people=np.array([0, 0, 1, 1, 2]))
    found = gates.compare(towers, towers, golden_crops=crops, golden_texts=[], pairs=mixed)
    assert found.recall_before == 0
