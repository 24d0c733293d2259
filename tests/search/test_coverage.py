"""How much of each dataset a version covers, and which versions serve."""

import datetime as dt
import io

import pytest
from django.core.files.storage import default_storage

from gallery.models import Box
from pedsite.jobs import work
from search import coverage, enrollment, scope, serving
from search.errors import MayNotEnroll, NothingWaits
from search.models import ServingVersion
from tests.world import (
    Picture,
    make_box,
    make_coloured_people,
    make_dataset,
    make_image,
    make_user,
    make_version,
    plain_crop,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def version():
    return make_version()


def enroll(dataset, version):
    job = enrollment.request(dataset, version, queue=False)
    assert work.run_here(job, enrollment.step, io.StringIO()).state == "done"


def test_coverage_counts_what_can_be_found_and_what_is_enrolled(version):
    admin = make_user(role="admin")
    first, second = make_dataset("first"), make_dataset("second")
    make_dataset("without pictures")
    boxes = make_coloured_people(first)
    enroll(first, version)
    make_coloured_people(second, ["red", "blue"])
    found = {one.dataset.name: (one.enrolled, one.boxes) for one in coverage.of(version, admin)}
    assert found == {"first": (6, 6), "second": (0, 2)}
    Box.objects.filter(pk=boxes["red"].pk).update(review="hidden")
    (one, _other) = coverage.of(version, admin)
    assert (one.enrolled, one.boxes, one.percent) == (5, 5, 100)


def test_coverage_names_only_datasets_that_are_shared(version):
    user = make_user()
    make_coloured_people(make_dataset("mine", visible_to=user), ["red"])
    make_coloured_people(make_dataset("secret"), ["red"])
    assert [one.dataset.name for one in coverage.of(version, user)] == ["mine"]


def test_only_the_newest_choice_of_each_kind_of_query_is_in_force(version):
    dataset = make_dataset()
    make_coloured_people(dataset, ["red"])
    other = make_version("other", seed=1)
    for one in (version, other):
        enroll(dataset, one)
    serving.switch_to(other, "text")
    in_force = {row.query_kind: row.version.name for row in ServingVersion.objects.in_force()}
    assert in_force == {"text": "other", "picture": "tiny"}


def make_torn(dataset, name: str):
    """A box whose picture cannot be read."""
    pixels = plain_crop("black", 40 + Box.objects.count(), 20)
    box = make_box(make_image(dataset, pixels, name=name))
    with default_storage.open(box.image.file.name, "wb") as file:
        file.write(b"no picture")
    return box


def gaps(version, **filters):
    inside = scope.resolve(scope.Filters(**filters), None)
    count = inside.embeddings(version.image_encoder).count()
    return coverage.gaps(inside, version.image_encoder, count)


def test_what_failed_is_told_apart_from_what_waits_with_its_reason(version):
    dataset = make_dataset("street")
    make_coloured_people(dataset)
    for name in ("torn.png", "lost.png"):
        make_torn(dataset, name)
    enroll(dataset, version)
    make_box(make_image(dataset))
    found = gaps(version)
    assert (found.waiting, found.failed, found.missing, found.working) == (1, 2, 3, False)
    (failure,) = found.failures
    assert (failure.boxes, failure.examples) == (2, ["lost.png", "torn.png"])
    assert "torn" not in failure.reason
    assert gaps(version, datasets=["street"], after=dt.date(2026, 1, 1)) == coverage.NO_GAPS


def test_what_was_mended_or_failed_with_another_model_does_not_count_as_failed(version):
    dataset = make_dataset("street")
    torn = make_torn(dataset, "torn.png")
    enroll(dataset, version)
    other = make_version("other", seed=1)
    assert (gaps(version).failed, gaps(other).failed, gaps(other).waiting) == (1, 0, 1)
    with default_storage.open(torn.image.file.name, "wb") as file:
        Picture.fromarray(plain_crop("red")).save(file, "PNG")
    enroll(dataset, version)
    assert gaps(version) == coverage.NO_GAPS


def test_a_retry_enrolls_what_failed_and_what_waits_once(version):
    first, second = make_dataset("first"), make_dataset("second")
    make_torn(first, "torn.png")
    enroll(first, version)
    make_coloured_people(second, ["red"])
    inside = scope.resolve(scope.Filters(), None)
    jobs = coverage.retry(inside, version, make_user(role="operator"))
    assert [job.params["dataset_name"] for job in jobs] == ["first", "second"]
    assert gaps(version).working
    with pytest.raises(NothingWaits):
        coverage.retry(inside, version, None)
    with pytest.raises(MayNotEnroll):
        coverage.retry(inside, version, make_user())
