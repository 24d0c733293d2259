"""How much of each dataset a version covers, and which versions serve."""

import io

import pytest

from gallery.models import Box
from pedsite.jobs import work
from search import coverage, enrollment, serving
from search.models import ServingVersion
from tests.world import make_coloured_people, make_dataset, make_user, make_version

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
