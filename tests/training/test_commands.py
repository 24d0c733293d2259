"""The commands that take models in and give them out."""

import json
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
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
    with pytest.raises(CommandError, match=r"text\.onnx is not an ONNX model") as refused:
        call_command("register_model", "a", image=path, space="a")
    assert str(refused.value).count("text.onnx") == 1
    assert "Protobuf" in str(refused.value)


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


def test_an_export_lists_what_it_wrote(tmp_path, capsys):
    make_version("mine")
    call_command("export_model", "mine", str(tmp_path / "deep" / "out"))
    listed = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    written = sorted((tmp_path / "deep" / "out").iterdir())
    assert listed == [[str(path), str(path.stat().st_size)] for path in written]
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["out"]


def test_a_folder_with_other_files_is_not_exported_into(tmp_path, capsys):
    make_version("mine")
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(CommandError, match=r"notes\.txt.*name a new folder"):
        call_command("export_model", "mine", str(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
    assert capsys.readouterr().out == ""


def test_an_export_replaces_an_earlier_one_whole(tmp_path, capsys):
    make_version("both")
    make_version("eyes", image_only=True, seed=3)
    call_command("export_model", "both", str(tmp_path / "out"))
    (tmp_path / "out" / "b.img.fp16.onnx").write_text("of Chinese-CLIP's tools")
    capsys.readouterr()
    call_command("export_model", "eyes", str(tmp_path / "out"))
    names = ["golden.npz", "model.json", "model_image.onnx"]
    listed = [Path(line.split("\t")[0]).name for line in capsys.readouterr().out.splitlines()]
    assert listed == names
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["b.img.fp16.onnx", *names]
    assert json.loads((tmp_path / "out" / "model.json").read_text("utf-8"))["name"] == "eyes"


def test_an_export_that_fails_leaves_the_earlier_one(tmp_path, settings):
    version = make_version("mine")
    call_command("export_model", "mine", str(tmp_path / "out"))
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    with default_storage.open(version.text_encoder.file.name, "r+b") as stored:
        stored.write(b"changed")
    settings.PEDSITE_WORK_DIR = tmp_path / "work"  # where no copy of it is kept
    with pytest.raises(CommandError):
        call_command("export_model", "mine", str(tmp_path / "out"))
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "work"]
