"""Which version answers: set, refused, rolled back."""

import pytest

from search import serving
from search.errors import ImageOnlyVersion, NotEnrolled, NothingServes, UnknownKindOfQuery
from search.models import ServingVersion
from tests import towers as tiny
from tests import world
from tests.search import rows
from training import artifacts
from training.errors import CorruptArtifact

pytestmark = pytest.mark.django_db

DIM = 16


@pytest.fixture
def dataset():
    return world.make_dataset()


def make_enrolled(dataset, name: str, **fields):
    version = world.make_version(name, dim=DIM, **fields)
    rows.make_known(dataset, version.image_encoder, rows.unit_vectors(2, DIM))
    return version


def test_the_newest_row_answers_and_the_older_are_the_way_back(dataset):
    old, new = make_enrolled(dataset, "old"), make_enrolled(dataset, "new", seed=1)
    user = world.make_user()
    serving.switch_to(old, "text", user)
    serving.switch_to(new, "text", user)
    assert serving.current("text") == new
    with pytest.raises(NothingServes):
        serving.current("picture")
    serving.switch_to(old, "text", user)
    assert serving.current("text") == old
    history = ServingVersion.objects.order_by("pk")
    assert [row.version.name for row in history] == ["old", "new", "old"]
    assert {row.set_by for row in history} == {user}


def test_setting_what_is_in_force_changes_nothing(dataset):
    version = make_enrolled(dataset, "only")
    assert serving.switch_to(version, "text") == serving.switch_to(version, "text")
    assert ServingVersion.objects.count() == 1


def test_a_version_without_vectors_cannot_serve(dataset):
    version = world.make_version()
    with pytest.raises(NotEnrolled, match="tiny"):
        serving.switch_to(version, "text")
    rows.make_known(
        world.make_dataset(kind="car"), version.image_encoder, rows.unit_vectors(2, DIM)
    )
    with pytest.raises(NotEnrolled, match="person"):
        serving.switch_to(version, "text")
    assert serving.switch_to(version, "text", dataset_kind="car").version == version


def test_an_image_only_version_cannot_serve_words(dataset):
    version = make_enrolled(dataset, "eyes", image_only=True)
    with pytest.raises(ImageOnlyVersion, match="eyes"):
        serving.switch_to(version, "text")
    assert serving.switch_to(version, "picture").version == version
    assert serving.kinds_of(version) == ["picture"]


def test_there_are_two_kinds_of_query(dataset):
    with pytest.raises(UnknownKindOfQuery, match="smell"):
        serving.switch_to(make_enrolled(dataset, "only"), "smell")


def test_what_serves_already_is_not_replaced_by_a_first_enrollment(dataset):
    eyes = make_enrolled(dataset, "eyes", image_only=True)
    both = make_enrolled(dataset, "both", seed=1)
    assert [row.query_kind for row in serving.start_if_none(eyes)] == ["picture"]
    assert [row.query_kind for row in serving.start_if_none(both)] == ["text"]
    assert serving.start_if_none(both) == []
    assert serving.start_if_none(world.make_version("third", seed=2)) == []


def test_a_version_that_fails_its_self_test_cannot_serve(dataset, tmp_path):
    """It was sound when it was registered, and gives every picture one vector now."""
    old, new = make_enrolled(dataset, "old"), make_enrolled(dataset, "new", seed=1)
    serving.switch_to(old, "text")
    path = tiny.image_tower(tmp_path / "flat.onnx", dim=DIM, scale=0)
    sha256 = artifacts.sha256_of(path)
    new.image_encoder.file = artifacts.keep(path, sha256, ".onnx")
    new.image_encoder.sha256 = sha256
    new.image_encoder.save()
    with pytest.raises(CorruptArtifact, match="one vector"):
        serving.switch_to(new, "text")
    assert serving.current("text") == old
