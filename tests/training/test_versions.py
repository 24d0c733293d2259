"""Registering, storing, loading and exporting versions, on real ONNX files."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from django.core.files.storage import default_storage

from tests import towers as tiny
from tests.world import make_version
from training import versions
from training.errors import (
    BadBundle,
    BadTower,
    BadVersionName,
    CorruptArtifact,
    NameTaken,
    NoShippedModel,
    PreprocessingDiffers,
    SpaceMismatch,
    UnknownVersion,
)
from training.ml.runtime import ImageTower
from training.models import EmbeddingSpace, Encoder, ModelVersion

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _own_files(settings, tmp_path):
    """Storage and copies of this test alone: some tests damage what is stored."""
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.PEDSITE_WORK_DIR = tmp_path / "work"


@pytest.fixture
def bundle(tmp_path):
    return tiny.tiny_bundle(tmp_path / "bundle")


def register_image(path: Path, name: str = "foreign", space: str = "theirs", **options):
    return versions.register(name, image_file=path, space=space, preprocessing=options)


def test_a_bundle_becomes_a_version_whose_towers_encode(bundle):
    version = versions.register_bundle(bundle.folder)
    assert (version.name, version.dim, version.space.name) == ("tiny", 16, "tiny")
    assert version.metrics == {"en": {"recall_at_1": 0.5}}
    image = versions.image_tower(version.image_encoder)
    text = versions.text_tower(version.text_encoder)
    crops = np.stack([tiny.plain_crop(colour) for colour in ("green", "red", "blue")])
    scores = text.encode(["red"]) @ image.encode(crops).T
    assert scores.argmax() == 1
    assert scores.max() == pytest.approx(1, abs=1e-4)


def test_registering_again_changes_nothing(bundle):
    first = versions.register_bundle(bundle.folder)
    assert versions.register_bundle(bundle.folder) == first
    assert (Encoder.objects.count(), ModelVersion.objects.count()) == (2, 1)


def test_files_are_stored_under_their_hash(bundle):
    encoder = versions.register_bundle(bundle.folder).image_encoder
    data = (bundle.folder / "model_image.onnx").read_bytes()
    assert encoder.sha256 == hashlib.sha256(data).hexdigest()
    assert encoder.file.name == f"encoders/{encoder.sha256}.onnx"
    assert encoder.byte_size == len(data)


def test_two_versions_may_share_a_tower(bundle):
    whole = versions.register_bundle(bundle.folder)
    image_only = register_image(bundle.folder / "model_image.onnx", "alone", "tiny")
    assert image_only.image_encoder == whole.image_encoder
    assert image_only.is_image_only
    assert not whole.is_image_only


def test_a_foreign_image_tower_says_by_its_graph_how_it_is_fed(tmp_path):
    path = tiny.foreign_image_tower(tmp_path / "osnet.onnx", height=64, width=32)
    version = register_image(path)
    assert version.is_image_only
    assert version.image_encoder.preprocessing == {
        "height": 64,
        "width": 32,
        "input": "float32",
        "layout": "nchw",
        "mean": [0.485, 0.456, 0.406],
        "std": [0.229, 0.224, 0.225],
    }
    tower = versions.image_tower(version.image_encoder)
    assert tower.encode(np.stack([tiny.plain_crop("red", 64, 32)])).shape == (1, 16)


def test_a_tower_exported_for_one_picture_at_a_time_serves(tmp_path):
    path = tiny.foreign_image_tower(tmp_path / "one.onnx", batch=1)
    tower = versions.image_tower(register_image(path).image_encoder)
    assert tower.encode(np.stack([tiny.plain_crop(c) for c in ("red", "blue")])).shape == (2, 16)


def test_given_mean_and_std_replace_those_of_imagenet(tmp_path):
    path = tiny.foreign_image_tower(tmp_path / "a.onnx")
    version = register_image(path, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))
    assert version.image_encoder.preprocessing["mean"] == [0.5, 0.5, 0.5]


def test_an_open_input_size_must_be_given(tmp_path):
    path = tiny.foreign_image_tower(tmp_path / "open.onnx", height="height", width="width")
    with pytest.raises(BadTower, match="any height"):
        register_image(path)
    version = register_image(path, height=48, width=24)
    assert version.image_encoder.preprocessing["height"] == 48


def test_a_size_that_the_graph_contradicts_is_refused(tmp_path):
    path = tiny.foreign_image_tower(tmp_path / "fixed.onnx", height=32)
    with pytest.raises(BadTower, match="height 32, not 64"):
        register_image(path, height=64)


def test_a_tower_that_tells_nothing_apart_is_refused(tmp_path):
    path = tiny.image_tower(tmp_path / "flat.onnx", scale=0)
    with pytest.raises(BadTower, match="one vector"):
        register_image(path)
    assert not EmbeddingSpace.objects.exists()


def test_a_tower_that_gives_nan_is_refused(tmp_path):
    path = tiny.image_tower(tmp_path / "nan.onnx", scale=float("nan"))
    with pytest.raises(BadTower, match="not finite"):
        register_image(path)


def test_a_text_tower_that_tells_nothing_apart_is_refused(tmp_path, bundle):
    image = ImageTower(bundle.folder / "model_image.onnx", bundle.about["image"]["preprocessing"])
    table = bundle.folder / "characters.npy"
    flat = tiny.text_tower(tmp_path / "flat.onnx", table, image, scale=0)
    with pytest.raises(BadTower, match="different texts get one vector"):
        versions.register(
            "flat",
            image_file=bundle.folder / "model_image.onnx",
            text_file=flat,
            characters=table,
            space="tiny",
        )


@pytest.mark.parametrize("content", [b"", b"<html>", b"\x08\x09garbage" * 50])
def test_a_file_that_is_no_onnx_is_refused_by_name(tmp_path, content):
    path = tmp_path / "picture.onnx"
    path.write_bytes(content)
    with pytest.raises(BadTower, match=r"picture\.onnx"):
        register_image(path)


def test_a_text_tower_cannot_pass_for_an_image_tower(bundle):
    with pytest.raises(BadTower, match="one batch of pictures"):
        register_image(bundle.folder / "model_text.onnx")


def test_a_text_tower_needs_its_character_table(bundle):
    with pytest.raises(BadTower, match="two files"):
        versions.register(
            "half",
            image_file=bundle.folder / "model_image.onnx",
            text_file=bundle.folder / "model_text.onnx",
            space="tiny",
        )


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(BadTower, match=r"nowhere\.onnx"):
        register_image(tmp_path / "nowhere.onnx")


def test_a_space_keeps_its_dim(tmp_path, bundle):
    versions.register_bundle(bundle.folder)
    path = tiny.foreign_image_tower(tmp_path / "narrow.onnx", dim=8)
    with pytest.raises(SpaceMismatch, match="has 16 dimensions and the towers give 8"):
        register_image(path, space="tiny")


def test_towers_of_two_dims_cannot_pair(tmp_path, bundle):
    with pytest.raises(SpaceMismatch, match="cannot share a space"):
        versions.register(
            "mixed",
            image_file=tiny.image_tower(tmp_path / "wide.onnx", dim=24),
            text_file=bundle.folder / "model_text.onnx",
            characters=bundle.folder / "characters.npy",
            space="mixed",
        )


def test_a_name_stays_with_its_towers(tmp_path, bundle):
    versions.register_bundle(bundle.folder)
    other = tiny.foreign_image_tower(tmp_path / "other.onnx")
    with pytest.raises(NameTaken, match="tiny"):
        register_image(other, "tiny", "tiny")
    assert Encoder.objects.count() == 2


def test_one_graph_fed_in_two_ways_needs_two_spaces(tmp_path):
    path = tiny.foreign_image_tower(tmp_path / "a.onnx")
    register_image(path, "first")
    with pytest.raises(PreprocessingDiffers, match="first image"):
        register_image(path, "second", mean=(0, 0, 0))
    assert register_image(path, "second", "another", mean=(0, 0, 0)).dim == 16


@pytest.mark.parametrize("name", ["", "a b", "../up", "x" * 101, "名字"])
def test_a_name_that_cannot_stand_in_an_address_is_refused(tmp_path, name):
    with pytest.raises(BadVersionName):
        register_image(tiny.foreign_image_tower(tmp_path / "a.onnx"), name)


def test_an_unknown_version_is_named():
    with pytest.raises(UnknownVersion, match="“nobody”"):
        versions.get("nobody")


def test_a_stored_file_that_was_changed_is_refused(bundle):
    encoder = versions.register_bundle(bundle.folder).image_encoder
    with default_storage.open(encoder.file.name, "r+b") as stored:
        stored.seek(100)
        stored.write(b"changed")
    with pytest.raises(CorruptArtifact, match=encoder.sha256):
        versions.image_tower(encoder)


def test_a_damaged_local_copy_is_fetched_again(bundle, tmp_path):
    encoder = versions.register_bundle(bundle.folder).image_encoder
    versions.image_tower(encoder)
    local = tmp_path / "work" / "encoders" / f"{encoder.sha256}.onnx"
    local.write_bytes(b"half a file")
    assert versions.image_tower(encoder).dim == 16
    assert hashlib.sha256(local.read_bytes()).hexdigest() == encoder.sha256


def test_a_lost_stored_file_is_named(bundle):
    encoder = versions.register_bundle(bundle.folder).image_encoder
    default_storage.delete(encoder.file.name)
    with pytest.raises(CorruptArtifact, match="cannot be read"):
        versions.image_tower(encoder)


def test_vectors_that_differ_from_the_golden_ones_are_refused(bundle):
    version = versions.register_bundle(bundle.folder)
    other = make_version("other", seed=1)
    encoder = version.image_encoder
    encoder.golden, encoder.golden_sha256 = (
        other.image_encoder.golden,
        other.image_encoder.golden_sha256,
    )
    with pytest.raises(CorruptArtifact, match="self-test"):
        versions.image_tower(encoder)


def test_an_export_can_be_registered_elsewhere_and_is_the_same(bundle, tmp_path):
    version = versions.register_bundle(bundle.folder)
    about = versions.export(version, tmp_path / "out")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "model_image.onnx",
        "model_text.onnx",
        "characters.npy",
        "golden.npz",
        "model.json",
    }
    assert about == json.loads((tmp_path / "out" / "model.json").read_text("utf-8"))
    assert about["text"]["sha256"] == bundle.about["text"]["sha256"]
    assert versions.register_bundle(tmp_path / "out") == version


def test_an_image_only_export_has_no_text_files(tmp_path):
    version = make_version("eyes", image_only=True)
    about = versions.export(version, tmp_path / "out")
    assert "text" not in about
    assert not (tmp_path / "out" / "model_text.onnx").exists()
    assert versions.register_bundle(tmp_path / "out") == version


def test_an_export_of_a_changed_file_writes_no_model_json(bundle, tmp_path):
    version = versions.register_bundle(bundle.folder)
    with default_storage.open(version.text_encoder.file.name, "r+b") as stored:
        stored.write(b"changed")
    with pytest.raises(CorruptArtifact):
        versions.export(version, tmp_path / "out")
    assert not (tmp_path / "out" / "model.json").exists()


def test_a_bundle_file_with_another_hash_is_refused(bundle):
    tiny.image_tower(bundle.folder / "model_image.onnx", seed=5)
    with pytest.raises(BadBundle, match="SHA-256"):
        versions.register_bundle(bundle.folder)


@pytest.mark.parametrize("name", ["../../secret.onnx", "/etc/passwd", "missing.onnx"])
def test_a_bundle_names_only_files_beside_it(bundle, name):
    about = bundle.about | {"image": bundle.about["image"] | {"file": name}}
    (bundle.folder / "model.json").write_text(json.dumps(about), "utf-8")
    with pytest.raises(BadBundle, match="does not hold"):
        versions.register_bundle(bundle.folder)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"image": 3}', '{"image": {}, "text": []}'])
def test_a_broken_model_json_is_refused(bundle, text):
    (bundle.folder / "model.json").write_text(text, "utf-8")
    with pytest.raises(BadBundle):
        versions.register_bundle(bundle.folder)


def test_the_shipped_model_installs_once(bundle):
    first = versions.install_shipped(bundle.folder)
    assert versions.install_shipped(bundle.folder) == first


def test_a_missing_shipped_model_is_said_to_be_missing(tmp_path):
    with pytest.raises(NoShippedModel, match="no shipped model"):
        versions.install_shipped(tmp_path)
