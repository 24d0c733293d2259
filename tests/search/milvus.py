"""A Milvus for tests: milvus-lite speaks the same gRPC, on a port that the system chooses."""

import datetime as dt
import time
from functools import partial

import numpy as np
import pytest

from search import engines, nearest, tuning
from search.engines import collections
from search.errors import EngineSilent
from search.models import Mirror
from search.scope import resolve
from tests import children, world
from tests.search import rows

DIM = 32
NOON = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)


class Lite:
    """A server that can be stopped and started again with what it had."""

    def __init__(self, folder):
        self.folder = folder
        self.port = 0
        self.start()

    @property
    def uri(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        from milvus_lite.adapter.grpc.server import start_server_in_thread

        self._server, self._db, self.port = start_server_in_thread(str(self.folder), port=self.port)

    def stop(self) -> None:
        self._server.stop(grace=0).wait()
        self._db.close()

    def await_answer(self) -> None:
        """Until this process reaches it: gRPC waits some seconds between two attempts."""
        for _ in range(120):
            collections._silent = (0.0, "")
            try:
                collections.server()
            except EngineSilent:
                time.sleep(0.25)
            else:
                return
        raise AssertionError("Milvus does not come back")


@pytest.fixture(scope="session")
def lite(tmp_path_factory):
    server = Lite(tmp_path_factory.mktemp("milvus") / "data.db")
    yield server
    server.stop()


@pytest.fixture
def milvus(lite, settings):
    """Searches ask a Milvus of their own, and so do enrollments."""
    settings.PEDSITE_ENGINE = "milvus"
    settings.MILVUS_URI = lite.uri
    collections._silent = (0.0, "")
    yield lite
    made = collections.client()
    for name in made.list_collections():
        made.drop_collection(name)


@pytest.fixture
def version(settings, milvus, monkeypatch):
    settings.PEDSITE_EXACT_ROWS = 100
    # Walked even where it would be quicker to compare the few that a filter leaves.
    monkeypatch.setattr(tuning, "exact_rows", lambda encoder: 0)
    return rows.make_serving(dim=DIM)


@pytest.fixture
def encoder(version):
    return version.image_encoder


@pytest.fixture
def child_site(lite):
    """Runs code in a process of its own, which asks the same Milvus."""
    return partial(children.run, PEDSITE_ENGINE="milvus", MILVUS_URI=lite.uri)


@pytest.fixture
def collection(encoder):
    """The name of what Milvus has of it."""
    return lambda: Mirror.objects.get(pk=encoder.pk).collection


@pytest.fixture
def gallery(encoder):
    """600 boxes of three datasets, with two cameras and several times each, all in Milvus."""
    vectors = rows.unit_vectors(600, DIM)
    known, start = [], 0
    for name in ("street", "lane", "park"):
        dataset = world.make_dataset(name)
        cameras = [world.make_camera(dataset, f"{name}{number}") for number in (0, 1)]
        for number in range(5):
            camera = cameras[number % 2] if number < 4 else None
            taken = None if number == 3 else NOON + dt.timedelta(hours=7 * number)
            image = rows.make_image_row(dataset, camera, taken_at=taken)
            known.append(rows.make_known(dataset, encoder, vectors[start : start + 40], image))
            start += 40
    engines.current().ensure(encoder)
    return rows.Known(
        box_ids=np.concatenate([one.box_ids for one in known]),
        vectors=np.concatenate([one.vectors for one in known]),
    )


def ranked(encoder, query, filters, user=None, **more):
    """`nearest.rank` inside filters, for 20 unless `wanted` says otherwise."""
    scope = resolve(filters, user)
    return nearest.rank(scope, encoder, query, more.pop("wanted", 20), **more)
