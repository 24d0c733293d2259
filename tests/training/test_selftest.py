"""The self-test of a version: run on what is stored, whenever a tower is loaded and on demand."""

from pathlib import Path

import numpy as np
import pytest
from django.core.files.storage import default_storage

from tests import towers as tiny
from tests.world import make_version
from training import artifacts, versions
from training.errors import CorruptArtifact
from training.ml import runtime

pytestmark = pytest.mark.django_db


def swap(encoder, path: Path) -> None:
    """Put another graph in the place of a tower's, as if it had been registered so."""
    sha256 = artifacts.sha256_of(path)
    encoder.file = artifacts.keep(path, sha256, ".onnx")
    encoder.sha256 = sha256
    encoder.save()


def test_a_version_is_told_how_near_it_is_to_its_export():
    image, text = versions.self_test(make_version())
    assert (image.what, image.inputs) == ("crops", 12)
    assert (text.what, text.inputs) == ("captions", 6)
    for one in (image, text):
        assert one.worst < runtime.GOLDEN_TOLERANCE
        assert -1 < one.alike < runtime.COLLAPSED


def test_an_image_only_version_has_one_tower_to_test():
    assert [one.what for one in versions.self_test(make_version(image_only=True))] == ["crops"]


@pytest.mark.parametrize(("scale", "reason"), [(0.0, "one vector"), (float("nan"), "not finite")])
def test_a_tower_that_broke_after_it_was_registered_is_refused(tmp_path, scale, reason):
    """It maps everything to one vector, or to none: found on loading, and on demand."""
    version = make_version()
    swap(version.image_encoder, tiny.image_tower(tmp_path / "broken.onnx", scale=scale))
    with pytest.raises(CorruptArtifact, match=reason):
        versions.self_test(version)
    with pytest.raises(CorruptArtifact, match=reason):
        versions.image_tower(version.image_encoder)


def test_another_model_in_the_place_of_the_registered_one_is_refused(tmp_path):
    version = make_version()
    swap(version.image_encoder, tiny.image_tower(tmp_path / "other.onnx", seed=7))
    with pytest.raises(CorruptArtifact, match="golden crops differ"):
        versions.self_test(version)


def test_lost_golden_inputs_fail_the_test(settings):
    version = make_version()
    default_storage.delete(version.text_encoder.golden.name)
    copies = Path(settings.PEDSITE_WORK_DIR) / "encoders"
    (copies / f"{version.text_encoder.golden_sha256}.npz").unlink(missing_ok=True)
    with pytest.raises(CorruptArtifact):
        versions.self_test(version)


def test_vectors_that_point_one_way_are_told_from_those_that_do_not():
    rng = np.random.default_rng(0)
    apart = runtime.unit(rng.normal(size=(8, 16)))
    assert runtime.check_spread(apart, "rows") < 0.5
    alike = runtime.unit(np.ones((8, 16)) + 1e-3 * rng.normal(size=(8, 16)))
    with pytest.raises(runtime.SelfTestFailed, match="one vector"):
        runtime.check_spread(alike, "rows")
