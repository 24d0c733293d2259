"""Foreign image-text models as versions: served by onnxruntime and tokenizers as torch would."""

import json
import subprocess
import sys

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from django.core.management import CommandError, call_command

from search import encoders
from tests.training import foreign_models
from training import lessons, versions
from training.errors import BadTrainingData
from training.ml import foreign, foreign_export
from training.ml.config import TrainConfig
from training.models import ModelVersion

# What they must agree to: the cosine of a served vector with torch's.
CLOSE = 0.9999
SIZES = [(160, 64), (64, 160), (32, 32), (201, 97), (500, 375), (40, 9)]
TEXTS = [
    "red",
    "A Woman in a RED coat, with a black backpack!",
    "穿红色外套、背黑色双肩包的女人",
    "他 wears 蓝 jeans",
    "a man in a blue coat and white shoes with an umbrella " * 5,
]


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Name of a model -> its folder, made when it is asked for, once."""
    place, made = tmp_path_factory.mktemp("models"), {}

    def folder(name):
        if name not in made:
            made[name] = foreign_models.MODELS[name](place / name)
        return made[name]

    return folder


@pytest.fixture(scope="module")
def bundles(tmp_path_factory):
    return tmp_path_factory.mktemp("bundles"), {}


@pytest.fixture
def adopted(db, folders, bundles):
    """The version of a model; the command runs for the first test that asks for it."""
    place, kept = bundles

    def version(name) -> ModelVersion:
        if name in kept:
            return versions.register_bundle(kept[name])
        call_command(
            "register_model", name, "--transformers", str(folders(name)), "--space", f"of {name}"
        )
        found = versions.get(name)
        versions.export(found, place / name)
        kept[name] = place / name
        return found

    return version


def crops() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, (*size, 3), dtype=np.uint8) for size in SIZES]


@pytest.mark.parametrize("name", list(foreign_models.MODELS))
def test_served_vectors_are_those_of_torch(name, adopted, folders):
    version, model = adopted(name), foreign.load(str(folders(name)))
    assert (version.licence, version.space.name) == ("apache-2.0", f"of {name}")
    pictures = encoders.encode_crops(version, crops())
    theirs = np.concatenate([model.encode_pictures([model.prepare(crop)]) for crop in crops()])
    assert (pictures * theirs).sum(axis=1).min() > CLOSE
    texts = np.stack([encoders.encode_text(version, text) for text in TEXTS])
    theirs = np.concatenate([model.encode_texts([text]) for text in TEXTS])
    assert (texts * theirs).sum(axis=1).min() > CLOSE
    together = versions.text_tower(version.text_encoder).encode(TEXTS)
    assert (together * theirs).sum(axis=1).min() > CLOSE


def test_how_a_model_is_fed_is_recorded(adopted):
    version = adopted("clip")
    picture, text = (tower.preprocessing for tower in version.towers)
    assert picture["resize"] == {"mode": "edge", "edge": 32, "filter": "bicubic"}
    assert picture["mean"] == pytest.approx([0.48145466, 0.4578275, 0.40821073])
    assert picture["std"] == pytest.approx([0.26862954, 0.26130258, 0.27577711])
    assert (text["max_length"], text["pad"]) == (20, "longest")


def test_a_version_that_frames_pictures_its_own_way_teaches_by_extracted_vectors(adopted):
    config = TrainConfig.from_dict({"recipe": "distill", "teacher": adopted("clip").name})
    with pytest.raises(BadTrainingData, match="extract_teacher"):
        lessons.check(config)


def test_a_process_that_serves_a_foreign_model_loads_no_torch(adopted, bundles):
    adopted("clip")
    _place, kept = bundles
    code = f"""
import sys
from pathlib import Path
from training.ml.runtime import Bundle
bundle = Bundle.read(Path({str(kept["clip"])!r}))
print(bundle.text_tower().encode(["red", "红"]).shape, bundle.image_tower().dim)
print(*(name for name in ("torch", "transformers") if name in sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)
    assert done.stdout.splitlines() == ["(2, 24) 24", ""], done.stderr


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_towers_leave_under_the_names_of_chinese_clip(adopted, tmp_path, precision):
    version = adopted("chinese_clip")
    call_command(
        "export_model", version.name, str(tmp_path), "--chinese-clip", "--precision", precision
    )
    names = {f"vit-b-16.{tower}.{precision}.onnx" for tower in ("img", "txt")}
    beside = {f"{name}.extra_file" for name in names} if precision == "fp16" else set()
    assert {path.name for path in tmp_path.iterdir()} == names | beside
    text = ort.InferenceSession(tmp_path / f"vit-b-16.txt.{precision}.onnx")
    (entry,) = text.get_inputs()
    assert (entry.name, entry.shape, entry.type) == ("text", [1, 52], "tensor(int64)")
    assert text.get_outputs()[0].name == "unnorm_text_features"
    image = ort.InferenceSession(tmp_path / f"vit-b-16.img.{precision}.onnx")
    assert (image.get_inputs()[0].name, image.get_inputs()[0].shape) == ("image", [1, 3, 32, 32])
    assert image.get_outputs()[0].name == "unnorm_image_features"
    tower = versions.text_tower(version.text_encoder)
    ids = tower._reader.feed(["穿红色外套"], 52)["input_ids"]
    (vector,) = text.run(["unnorm_text_features"], {"text": ids})[0]
    cosine = vector @ tower.encode(["穿红色外套"])[0] / np.linalg.norm(vector)
    assert cosine > 0.999


def test_a_version_that_reads_characters_has_no_such_names(db, tmp_path):
    from tests.world import make_version

    make_version("drawn")
    with pytest.raises(CommandError, match="reads bytes"):
        call_command("export_model", "drawn", str(tmp_path), "--chinese-clip")


def test_weights_of_a_large_tower_are_halved_and_still_agree(folders, tmp_path):
    model = foreign.load(str(folders("chinese_clip")))
    foreign_export.export(model, tmp_path, about={}, largest=10_000)
    for name in ("model_image.onnx", "model_text.onnx"):
        weights = onnx.load(tmp_path / name).graph.initializer
        large = [weight for weight in weights if np.prod(weight.dims) >= 1024]
        assert {weight.data_type for weight in large} == {onnx.TensorProto.FLOAT16}


def test_an_export_that_differs_from_torch_registers_nothing(folders, db, monkeypatch):
    prepare = foreign_export.ImageTower.prepare
    monkeypatch.setattr(
        foreign_export.ImageTower, "prepare", lambda self, crop: prepare(self, crop[::-1])
    )
    with pytest.raises(CommandError, match=r"image tower.* differs from torch by"):
        call_command("register_model", "x", "--transformers", str(folders("clip")), "--space", "x")
    assert not ModelVersion.objects.exists()


class TestFolders:
    """What cannot be loaded is refused in one line."""

    def refused(self, source, words, **options):
        with pytest.raises(foreign.ForeignError, match=words) as caught:
            foreign.load(str(source), **options)
        assert "\n" not in str(caught.value)

    def test_a_folder_that_is_not_there(self, tmp_path):
        self.refused(tmp_path / "none", "is not a folder")

    def test_a_folder_without_a_model(self, tmp_path):
        self.refused(tmp_path, "holds no config.json")

    def test_a_model_without_towers_for_both(self, tmp_path):
        import transformers as tf

        config = tf.BertConfig(
            vocab_size=20, hidden_size=8, num_hidden_layers=1, num_attention_heads=1
        )
        tf.BertModel(config).save_pretrained(tmp_path)
        self.refused(tmp_path, "type bert, which has no tower for pictures and for words")

    def test_a_model_whose_weights_are_not_all_there(self, folders, tmp_path):
        import shutil

        from safetensors.torch import load_file, save_file

        folder = shutil.copytree(folders("clip"), tmp_path / "broken")
        weights = load_file(folder / "model.safetensors")
        del weights["text_projection.weight"]
        save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
        self.refused(folder, "lacks 1 of its weights, among them text_projection.weight")

    def test_an_id_of_the_hub_where_there_is_no_network(self, monkeypatch):
        import huggingface_hub.constants

        monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
        self.refused("nobody/nothing-of-this-name", "cannot be fetched.*give a local folder")

    def test_code_that_comes_with_a_model_runs_only_when_it_is_trusted(self, tmp_path):
        folder = foreign_models.with_own_code(tmp_path / "own")
        self.refused(folder, "Python code of its own.*--trust-remote-code")
        model = foreign.load(str(folder), trust_remote_code=True)
        assert model.dim() == 24
        vectors = model.encode_texts(["red", "红色外套"])
        assert vectors.shape == (2, 24)
        assert (model.encode_texts(["red"]) * vectors[:1]).sum() == pytest.approx(1, abs=1e-5)

    def test_the_revision_of_a_folder_follows_its_weights(self, folders, tmp_path):
        import shutil

        folder = shutil.copytree(folders("clip"), tmp_path / "changed")
        before = foreign.fingerprint(folder)
        (folder / "README.md").write_text("other words")
        assert foreign.fingerprint(folder) == before
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps(config | {"logit_scale_init_value": 1}))
        assert foreign.fingerprint(folder) != before
