"""What the database itself refuses, and what belongs to one row."""

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from tests.world import make_version
from training import runs
from training.models import EmbeddingSpace, Encoder, MetricPoint, ModelVersion, TrainingRun

pytestmark = pytest.mark.django_db


def refused(constraint: str):
    return pytest.raises(IntegrityError, match=constraint)


def make_encoder(**fields) -> Encoder:
    space = EmbeddingSpace.objects.get_or_create(name="any", defaults={"dim": 8})[0]
    defaults = {"space": space, "modality": "image", "name": "one", "sha256": "a" * 64}
    return Encoder.objects.create(**{**defaults, "byte_size": 1, **fields})


@pytest.mark.parametrize("dim", [0, 4001])
def test_a_space_has_a_dim_that_fits_a_row(dim):
    with refused("training_space_dim_in_range"):
        EmbeddingSpace.objects.create(name="any", dim=dim)


def test_a_graph_is_once_in_a_space_and_modality():
    make_encoder()
    make_encoder(modality="text", characters_sha256="b" * 64)
    make_encoder(space=EmbeddingSpace.objects.create(name="other", dim=8))
    with refused("training_encoder_once_per_space"):
        make_encoder()


@pytest.mark.parametrize("sha256", ["", "A" * 64, "a" * 63, "../" + "a" * 61])
def test_a_hash_is_64_hex_digits(sha256):
    with refused("training_encoder_sha256_is_hex"):
        make_encoder(sha256=sha256)


def test_a_modality_is_image_or_text():
    with refused("training_encoder_modality_known"):
        make_encoder(modality="sound"[:5])


def test_two_versions_cannot_have_one_name():
    tower = make_encoder()
    ModelVersion.objects.create(name="one", image_encoder=tower)
    with refused("name"):
        ModelVersion.objects.create(name="one", image_encoder=tower)


def test_a_tower_in_use_cannot_be_deleted():
    version = make_version()
    with pytest.raises(ProtectedError):
        version.text_encoder.delete()


def test_towers_of_two_spaces_do_not_pair():
    one, two = make_version("one"), make_version("two", seed=1)
    with pytest.raises(ValidationError, match="tiny-1-16"):
        ModelVersion(
            name="mixed", image_encoder=one.image_encoder, text_encoder=two.text_encoder
        ).full_clean()


def test_each_tower_stands_in_its_own_place():
    version = make_version()
    with pytest.raises(ValidationError, match="not an image tower"):
        ModelVersion(name="turned", image_encoder=version.text_encoder).full_clean()
    with pytest.raises(ValidationError, match="not a text tower"):
        ModelVersion(
            name="turned",
            image_encoder=version.image_encoder,
            text_encoder=version.image_encoder,
        ).full_clean()


def test_a_run_learns_from_one_source(people):
    run = runs.request("clip", "people", queue=False)
    rows = TrainingRun.objects.filter(pk=run.pk)
    with refused("training_run_has_one_source"), transaction.atomic():
        rows.update(drawn="drawn:1:100")
    with refused("training_run_has_one_source"), transaction.atomic():
        rows.update(snapshot=None)
    assert rows.update(snapshot=None, drawn="drawn:1:100") == 1


def test_a_curve_has_one_value_a_step(people):
    run = runs.request("clip", "people", queue=False)
    MetricPoint.objects.create(run=run, step=1, name="loss", value=2.0)
    MetricPoint.objects.create(run=run, step=1, name="lr", value=0.1)
    with refused("training_one_value_per_step"):
        MetricPoint.objects.create(run=run, step=1, name="loss", value=3.0)


def test_curves_are_grouped_by_name_and_ordered_by_step(people):
    run = runs.request("clip", "people", queue=False)
    for step in (20, 3, 100):
        MetricPoint.objects.create(run=run, step=step, name="loss", value=1 / step)
    assert run.points.curves() == {"loss": [(3, 1 / 3), (20, 1 / 20), (100, 1 / 100)]}


def test_metrics_of_groups_become_rows():
    version = ModelVersion(metrics={"en": {"first": 0.9, "recall": {"1": 0.5}}, "boxes": 3})
    assert version.metric_rows == [("en", "first", 0.9), ("en recall", "1", 0.5), ("", "boxes", 3)]


def test_only_versions_with_a_text_tower_answer_text():
    both = make_version("both")
    make_version("eyes", seed=1, image_only=True)
    assert list(ModelVersion.objects.answering_text()) == [both]
