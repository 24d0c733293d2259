"""Each recipe trained by the command for a few steps, exported, registered, and encoding."""

import json

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from tests.towers import tiny_bundle
from tests.training import foreign_models
from tests.world import make_box, make_caption, make_dataset, make_identity, make_image, plain_crop
from training import runs, trainer, versions
from training.errors import BadBundle, BadTrainingData, SpaceMismatch
from training.models import ModelVersion, TrainingRun

CROPS = np.stack([plain_crop(colour, 32, 16) for colour in ("red", "blue", "green")])


pytestmark = pytest.mark.usefixtures("work_folder")


@pytest.fixture
def train(monkeypatch):
    """Runs the command; the training is in this process, since another loads torch for long."""
    from training import execution

    def here(work):
        run = TrainingRun.objects.get(job=work.job)
        refused = []
        work.keep(version=execution.run(run.pk, refuse=refused.extend).name)
        assert refused == []
        return False

    monkeypatch.setattr(trainer, "step", here)

    def command(recipe, dataset, name, **given):
        words = [f"{key}={json.dumps(value)}" for key, value in given.items()]
        call_command("train", recipe, dataset=dataset, pairs=words, name=name, licence="CC0-1.0")
        return versions.get(name)

    return command


@pytest.fixture
def teacher(db, tmp_path):
    return versions.register_bundle(tiny_bundle(tmp_path / "teacher", name="teacher").folder)


@pytest.fixture
def described(people):
    """ "people" with attributes, and a Chinese caption of each box."""
    for identity in people.identities.all():
        box = identity.boxes.get()
        shirt = identity.key[:-1]
        make_caption(box, f"{shirt} coat,unknown,short hair", kind="attributes")
        make_caption(box, f"穿{shirt}色外套的人", language="zh")
    return people


def terms(version):
    run = TrainingRun.objects.get(version=version)
    return set(run.points.values_list("name", flat=True))


def vectors(version, texts=("a red coat", "红色", "a man in blue")):
    image = versions.image_tower(version.image_encoder).encode(CROPS)
    text = versions.text_tower(version.text_encoder).encode(list(texts))
    assert np.isfinite(image).all()
    assert np.isfinite(text).all()
    return image, text


def test_distill_learns_from_another_version_with_all_its_terms(train, described, teacher, tiny):
    every = dict.fromkeys(("rkda_img", "rkda_cap", "rkdd_img", "img_dist", "cap_dist"), 1.0)
    version = train("distill", "people", "student", **tiny, **every, teacher="teacher")
    image, text = vectors(version)
    assert image.shape == text.shape == (3, 16)
    assert version.space.name == "student"
    wanted = "dist_rel rkda_img img_dist img_c cap_c a_c p_c id_img id_cap id_img_cap d_pos s_neg"
    assert set(wanted.split()) <= terms(version)
    assert "valid_r1" in terms(version)


def test_distill_without_a_teacher_is_refused_before_anything_is_stored(train, people, tiny):
    for settings, words in (({}, "set teacher"), ({"teacher": "nobody"}, "nobody")):
        with pytest.raises(CommandError, match=words):
            train("distill", "people", "student", **tiny, **settings)
    assert not TrainingRun.objects.exists()


def test_a_text_tower_is_distilled_into_the_space_of_its_teacher(train, described, teacher, tiny):
    bert = {
        "model_type": "bert",
        "hidden_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 32,
    }
    version = train(
        "distill_text",
        "people",
        "words",
        **tiny | {"text_tower": "bert", "bert": bert, "pieces": 300, "lr": 0.01, "steps": 9},
        teacher="teacher",
    )
    assert version.image_encoder == teacher.image_encoder
    assert version.space == teacher.space
    assert version.text_encoder != teacher.text_encoder
    vectors(version)
    assert {"text_sim_en", "text_info_en", "text_info_zh", "valid_r1"} <= terms(version)


def test_cmpm_trains_an_lstm_over_words(train, people, tiny):
    sizes = {"text_tower": "lstm", "word_width": 8, "hidden": 8, "least": 1}
    version = train("cmpm", "people", "projected", **tiny | sizes)
    assert version.text_encoder.characters.name.endswith(".json")
    image, text = vectors(version)
    assert image.shape == text.shape == (3, 16)
    assert {"cmpm", "cmpc", "pos_avg_sim", "neg_avg_sim", "precision"} <= terms(version)


def test_gem_needs_no_words_and_gives_a_version_of_pictures_alone(train, db, tiny):
    dataset = make_dataset("things")
    rng = np.random.default_rng(0)
    for colour in ("red", "green", "blue", "yellow"):
        identity = make_identity(dataset, colour, split="train")
        for _ in range(9):
            noise = rng.integers(-15, 16, (32, 16, 3))
            pixels = np.clip(plain_crop(colour).astype(int) + noise, 0, 255).astype(np.uint8)
            make_box(make_image(dataset, pixels), identity=identity)
    settings = {"batch": 8, "each": 2, "gem_loss": "tuples", "held_out": "pictures"}
    version = train("gem", "things", "seen", **tiny | settings, multi_scale=True)
    assert version.is_image_only
    assert version.dim == 32, "two scales side by side"
    image = versions.image_tower(version.image_encoder).encode(CROPS)
    assert image.shape == (3, 32)
    assert {"tuples", "valid_r1"} <= terms(version)
    with pytest.raises(CommandError, match="no captions"):
        train("clip", "things", "worded", **tiny)


def test_clip_goes_on_from_a_pretrained_model(train, described, tiny, tmp_path):
    folder = foreign_models.chinese_clip(tmp_path / "model")
    settings = {"height": 32, "width": 32, "dim": 24, "freeze": "image.*", "lr": 1e-3}
    version = train(
        "clip",
        "people",
        "tuned",
        **tiny | settings,
        model=str(folder),
        pretrained_licence="Apache-2.0",
    )
    assert version.dim == 24
    assert version.licence == "CC0-1.0"
    crops = np.stack([plain_crop(colour, 32, 32) for colour in ("red", "blue", "green")])
    tuned = versions.image_tower(version.image_encoder).encode(crops)
    from training.ml import foreign

    before = foreign.load(str(folder), device="cpu")
    expected = before.encode_pictures([before.prepare(crop) for crop in crops])
    # The image half stayed as it was; its pictures need no resizing here.
    assert (tuned * expected).sum(axis=1).min() > 0.999
    texts = ["a man in a red coat", "红色外套"]
    moved = versions.text_tower(version.text_encoder).encode(texts)
    assert (moved * before.encode_texts(texts)).sum(axis=1).max() < 0.9999


def test_a_text_tower_of_another_width_joins_no_space(teacher, tmp_path):
    other = tiny_bundle(tmp_path / "other", dim=8, name="other")
    with pytest.raises(SpaceMismatch, match="16 dimensions and the towers give 8"):
        versions.register_text(other.folder, teacher)
    about = json.loads((other.folder / "model.json").read_text())
    del about["text"]
    (other.folder / "model.json").write_text(json.dumps(about))
    with pytest.raises(BadBundle, match="no text tower"):
        versions.register_text(other.folder, teacher)


def test_a_text_tower_that_was_changed_after_export_is_refused(teacher, tmp_path):
    other = tiny_bundle(tmp_path / "other", name="other", seed=3)
    with (other.folder / "model_text.onnx").open("ab") as file:
        file.write(b"x")
    with pytest.raises(BadBundle, match="SHA-256"):
        versions.register_text(other.folder, teacher)


def test_a_version_of_pictures_alone_cannot_teach_words(train, people, teacher, tiny):
    ModelVersion.objects.filter(pk=teacher.pk).update(text_encoder=None)
    with pytest.raises(CommandError, match="reads no words"):
        train("distill", "people", "student", **tiny, teacher="teacher")


@pytest.mark.parametrize("recipe", ["distill", "distill_text"])
def test_a_student_of_another_width_than_its_teacher_is_refused_at_once(people, teacher, recipe):
    with pytest.raises(BadTrainingData, match="gives 16 dimensions and the student 24: set dim=16"):
        runs.request(recipe, "people", {"teacher": "teacher", "dim": 24})


def test_a_student_that_learns_relations_alone_may_have_any_width(people, teacher):
    vectors = dict.fromkeys(("img_c", "cap_c", "a_c", "p_c"), 0.0)
    assert runs.request("distill", "people", {"teacher": "teacher", "dim": 24, **vectors})


def test_a_partner_of_another_width_is_refused(train, described, teacher, tiny, tmp_path):
    narrow = tiny_bundle(tmp_path / "narrow", dim=8, name="narrow", space="narrow")
    versions.register_bundle(narrow.folder)
    with pytest.raises(CommandError, match="16 dimensions and narrow 8"):
        train("distill_text", "people", "words", **tiny, teacher="teacher", pair_with="narrow")
