"""A person in two pictures, one of them shared with somebody else, and all that tells of them."""

import io
from types import SimpleNamespace

import numpy as np
import pytest

from gallery import snapshots
from gallery.models import Box
from pedsite.jobs import work
from search import retrieval
from search.cases import casework, exports
from search.forgetting import removal
from search.forgetting.models import Removal
from search.models import SavedSearch
from search.review import asked, judging
from tests import world
from tests.search import rows

# What nothing else in the database or the storage holds.
KEY, WORDS, NAME = "zq-person-7731", "zq vermilion kilt and pince-nez", "zq-alone-4410.png"
INK = (201, 17, 93)


@pytest.fixture
def ada():
    return world.make_user("ada", role="admin")


@pytest.fixture
def street(ada):
    return world.make_dataset("street", visible_to=ada)


@pytest.fixture
def person(street):
    """Boxes `alone` and `beside` of one identity, and `other`, who shares the second frame."""
    identity = world.make_identity(street, KEY)
    alone = np.full((64, 32, 3), INK, dtype=np.uint8)
    frame = np.zeros((64, 128, 3), dtype=np.uint8)
    frame[:, :40] = INK
    frame[:, 60:] = (10, 200, 30)
    shared = world.make_image(street, frame, name="gate.png")
    return SimpleNamespace(
        identity=identity,
        alone=world.make_box(world.make_image(street, alone, name=NAME), identity=identity),
        beside=world.make_box(shared, (0, 0, 40, 64), identity=identity),
        other=world.make_box(shared, (60, 0, 128, 64), identity=world.make_identity(street)),
    )


@pytest.fixture
def known(person, street, ada):
    """The person enrolled, captioned, judged, saved, in a case that was exported, in a snapshot."""
    world.make_caption(person.alone, WORDS)
    version = rows.make_serving(world.make_version())
    rows.enroll(street, version)
    boxes = [person.alone.pk, person.beside.pk]
    query = asked.of_words("a kilt", None, ada)
    judging.judge(query, boxes[:1], "confirmed", ada)
    asked.of_words("", person.alone.pk, ada)
    SavedSearch.objects.create(owner=ada, name="them", query=f"box={boxes[0]}")
    SavedSearch.objects.create(owner=ada, name="words", query="q=kilt", seen=[*boxes, 1])
    case = casework.start(ada, "A case")
    casework.add_hits(case, boxes, ada)
    casework.add_search(case, f"box={boxes[1]}", ada)
    job = exports.request(case, ada, queue=False)
    work.run_here(job, exports.step, io.StringIO())
    snapshots.freeze(street)
    retrieval.by_text("kilt", user=ada)
    return version


def run(made: Removal):
    job = work.run_here(made.job, removal.step, io.StringIO())
    return job, Removal.objects.get(pk=made.pk)


def forget(person, user) -> Removal:
    return removal.forget(person.alone.pk, user, typed=KEY, queue=False)


def boxes_there() -> set[int]:
    return set(Box.objects.values_list("pk", flat=True))
