"""The commands that take models in and give them out."""

import json

import pytest
from django.core.management import CommandError, call_command

from tests import towers as tiny
from tests.world import make_version
from training import versions

pytestmark = pytest.mark.django_db


def test_an_image_tower_trained_elsewhere_is_registered(tmp_path, capsys):
    path = tiny.foreign_image_tower(tmp_path / "osnet.onnx", height="h", width="w")
    call_command(
        "register_model", "osnet", image=path, space="osnet", height=64, width=32, licence="MIT"
    )
    assert capsys.readouterr().out == "osnet\tosnet\t16\timage only\n"
    version = versions.get("osnet")
    assert version.licence == "MIT"
    assert version.image_encoder.preprocessing["height"] == 64


def test_both_towers_are_registered_from_their_files(tmp_path, capsys):
    bundle = tiny.tiny_bundle(tmp_path)
    call_command(
        "register_model",
        "pair",
        "--image",
        str(bundle.folder / "model_image.onnx"),
        "--text",
        str(bundle.folder / "model_text.onnx"),
        "--chars",
        str(bundle.folder / "characters.npy"),
        "--space",
        "pair",
        "--lower",
    )
    assert capsys.readouterr().out == "pair\tpair\t16\timage and text\n"
    assert versions.get("pair").text_encoder.preprocessing == {"lower": True}


def test_mean_and_std_are_three_numbers_each(tmp_path):
    path = tiny.foreign_image_tower(tmp_path / "a.onnx")
    words = ["--image", str(path), "--space", "a", "--mean", "0.5", "0.5", "0.5"]
    call_command("register_model", "a", *words, "--std", "0.25", "0.25", "0.25")
    preprocessing = versions.get("a").image_encoder.preprocessing
    assert (preprocessing["mean"], preprocessing["std"]) == ([0.5] * 3, [0.25] * 3)


def test_a_file_that_cannot_serve_is_refused_in_words(tmp_path):
    path = tmp_path / "text.onnx"
    path.write_text("not a model")
    with pytest.raises(CommandError, match=r"text\.onnx is not an ONNX model"):
        call_command("register_model", "a", image=path, space="a")


def test_a_space_must_be_named(tmp_path):
    with pytest.raises(CommandError, match="--space"):
        call_command("register_model", "a", image=tiny.image_tower(tmp_path / "a.onnx"))


def test_what_one_installation_exports_another_registers(tmp_path, capsys):
    version = make_version("mine")
    call_command("export_model", "mine", str(tmp_path / "out"))
    assert "model_text.onnx" in capsys.readouterr().out
    about = json.loads((tmp_path / "out" / "model.json").read_text("utf-8"))
    assert about["image"]["sha256"] == version.image_encoder.sha256
    call_command("register_model", "theirs", bundle=tmp_path / "out")
    theirs = versions.get("theirs")
    assert (theirs.image_encoder, theirs.text_encoder) == tuple(version.towers)


def test_an_unknown_version_cannot_be_exported(tmp_path):
    with pytest.raises(CommandError, match="“nobody”"):
        call_command("export_model", "nobody", str(tmp_path))


def test_a_folder_that_cannot_be_written_is_said_to_be(tmp_path):
    make_version("mine")
    (tmp_path / "file").write_text("")
    with pytest.raises(CommandError, match="file"):
        call_command("export_model", "mine", str(tmp_path / "file"))
