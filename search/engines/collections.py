"""Milvus: one collection an encoder, with a row for each box that can be found.

Rows are keyed by box, so that writing one again replaces it. Nothing here reads the database.
"""

import logging
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
from django.conf import settings

from search.errors import EngineSilent

if TYPE_CHECKING:
    from pymilvus import CollectionSchema, MilvusClient

logger = logging.getLogger(__name__)

# In place of nothing: box and camera numbers begin at 1, and no picture is so old.
NO_CAMERA, NO_TIME = 0, -(2**62)
# The most that one answer of Milvus holds.
MOST = 16_384
CONNECT_S, SEARCH_S, WRITE_S = 3.0, 10.0, 60.0
# After a failure a process does not ask again for so long: every search would wait in vain.
SILENCE_S = 5.0
# Of the index kinds: how it is built, and what of a search decides how much is looked at.
GRAPH = {"M": 32, "efConstruction": 128}
KINDS: dict[str, tuple[dict[str, Any], Callable[[int, int], dict[str, int]]]] = {
    "HNSW": (GRAPH, lambda width, limit: {"ef": max(width, limit)}),
    "HNSW_SQ": (GRAPH | {"sq_type": "SQ8"}, lambda width, limit: {"ef": max(width, limit)}),
    "IVF_SQ8": ({"nlist": 2048}, lambda width, limit: {"nprobe": width}),
    "DISKANN": ({}, lambda width, limit: {"search_list": max(width, limit)}),
}

_client: "tuple[int, str, MilvusClient] | None" = None
_connecting = Lock()
_silent: tuple[float, str] = (0.0, "")
_kinds: dict[str, str] = {}
# A process that forks while another thread connects must not hand on a lock that nobody opens.
os.register_at_fork(after_in_child=lambda: globals().update(_connecting=Lock()))


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What a filter can ask of a row inside Milvus."""

    dataset: int
    camera: int = NO_CAMERA
    taken: int = NO_TIME  # microseconds since 1970


def client() -> "MilvusClient":
    """This process's connection: gRPC does not survive a fork, so none is handed on.

    Raises: EngineSilent
    """
    global _client
    with _connecting:
        _refuse_silent()  # somebody else may have waited in vain meanwhile
        known = (os.getpid(), settings.MILVUS_URI)
        if _client is None or _client[:2] != known:
            # It takes half a second to load, which nobody else should spend, and would read .env.
            os.environ.setdefault("PYTHON_DOTENV_DISABLED", "1")
            from pymilvus import MilvusClient

            # What fails is raised, and told by whoever asked.
            logging.getLogger("pymilvus").setLevel(logging.CRITICAL)
            made = MilvusClient(
                settings.MILVUS_URI,
                token=settings.MILVUS_TOKEN,
                db_name=settings.MILVUS_DATABASE,
                timeout=CONNECT_S,
                dedicated=True,
            )
            _client = (*known, made)
            _kinds.clear()
        return _client[2]


def create(collection: str, dim: int) -> bool:
    """Make a collection with its index, or what is missing of it; False if it is there.

    Raises: EngineSilent
    """
    with _asking() as milvus:
        made = not milvus.has_collection(collection, timeout=CONNECT_S)
        if made:
            milvus.create_collection(
                collection,
                schema=_schema(milvus, dim),
                consistency_level="Bounded",
                timeout=WRITE_S,
            )
        if not milvus.list_indexes(collection, "vector", timeout=CONNECT_S):
            _index(milvus, collection)
    return made


def _schema(milvus: "MilvusClient", dim: int) -> "CollectionSchema":
    from pymilvus import DataType

    schema = milvus.create_schema(auto_id=False, enable_dynamic_field=False)
    schema.add_field("box", DataType.INT64, is_primary=True)
    for field in ("dataset", "camera", "taken"):
        schema.add_field(field, DataType.INT64)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=dim)
    return schema


def _index(milvus: "MilvusClient", collection: str) -> None:
    kind = settings.MILVUS_INDEX
    indexes = milvus.prepare_index_params()
    for field in ("dataset", "camera", "taken"):
        indexes.add_index(field, index_type="INVERTED")
    # The last: where it is, all are. Each is built as rows come, so there is nothing to wait for.
    indexes.add_index("vector", index_type=kind, metric_type="COSINE", params=KINDS[kind][0])
    milvus.create_index(collection, indexes, timeout=WRITE_S, sync=False)


def put(collection: str, rows: Sequence[tuple[int, Entry, np.ndarray]]) -> None:
    """Write rows of box id, entry and vector (dim,), in place of those of the same box.

    Raises: EngineSilent, and some may be written.
    """
    if not rows:
        return
    data = [
        {"box": box_id, **vars(entry), "vector": vector.astype(np.float32)}
        for box_id, entry, vector in rows
    ]
    with _asking() as milvus:
        _opened(milvus, collection)
        milvus.upsert(collection, data, timeout=WRITE_S)


def remove(collection: str, box_ids: Sequence[int]) -> None:
    """Delete the rows of some boxes, where there are any. Raises: EngineSilent."""
    if box_ids:
        with _asking() as milvus:
            _opened(milvus, collection)
            milvus.delete(collection, ids=list(box_ids), timeout=WRITE_S)


def nearest(
    collection: str, query: np.ndarray, limit: int, width: int, where: str, *, fresh: bool
) -> list[int]:
    """Box ids of the nearest rows to a vector (dim,), closest first, as its index finds them.

    Args:
        limit: at most `MOST`.
        where: in Milvus' filter language.
        fresh: wait until the last writes can be found.

    Raises: EngineSilent
    """
    with _asking() as milvus:
        params = KINDS[_opened(milvus, collection)][1](width, limit)
        found = milvus.search(
            collection,
            [query.astype(np.float32)],
            anns_field="vector",
            limit=limit,
            filter=where,
            search_params={"metric_type": "COSINE", "params": params},
            consistency_level="Strong" if fresh else "Bounded",
            timeout=SEARCH_S,
        )
        return [hit["box"] for hit in found[0]]


def listing(collection: str, first: int, last: int) -> dict[int, Entry]:
    """All rows of boxes from `first` to `last`, fewer than `MOST` numbers. Raises: EngineSilent."""
    with _asking() as milvus:
        _opened(milvus, collection)
        rows = milvus.query(
            collection,
            filter=f"box >= {first} and box <= {last}",
            output_fields=["box", "dataset", "camera", "taken"],
            limit=MOST,
            consistency_level="Strong",
            timeout=WRITE_S,
        )
    return {
        row["box"]: Entry(dataset=row["dataset"], camera=row["camera"], taken=row["taken"])
        for row in rows
    }


def count(collection: str) -> int:
    """Rows of a collection, the last writes included. Raises: EngineSilent."""
    with _asking() as milvus:
        _opened(milvus, collection)
        found = milvus.query(
            collection,
            filter="",
            output_fields=["count(*)"],
            consistency_level="Strong",
            timeout=WRITE_S,
        )
        return int(found[0]["count(*)"])


def drop(collection: str) -> bool:
    """Drop a collection; False if there is none. Raises: EngineSilent."""
    with _asking() as milvus:
        if not milvus.has_collection(collection, timeout=CONNECT_S):
            return False
        _kinds.pop(collection, None)
        milvus.drop_collection(collection, timeout=WRITE_S)
        return True


def server() -> str:
    """What answers, in a word. Raises: EngineSilent."""
    with _asking() as milvus:
        return str(milvus.get_server_version(timeout=CONNECT_S))


def _opened(milvus: "MilvusClient", collection: str) -> str:
    """The kind of index that a collection was made with, whatever is set by now.

    Asked once a connection; a server that was started anew may have to load it first.
    """
    if collection not in _kinds:
        milvus.load_collection(collection, timeout=WRITE_S)
        about = milvus.describe_index(collection, "vector", timeout=CONNECT_S)
        _kinds[collection] = about["index_type"]
    return _kinds[collection]


@contextmanager
def _asking() -> "Iterator[MilvusClient]":
    """The client; whatever goes wrong with it is an EngineSilent, and believed for a while."""
    global _silent
    _refuse_silent()
    try:
        yield client()
    except EngineSilent:
        raise
    except Exception as exc:
        if not _is_theirs(exc):
            raise
        logger.warning("Milvus failed: %s", exc)
        _silent = (time.monotonic() + SILENCE_S, str(exc))
        _kinds.clear()
        raise EngineSilent(str(exc)) from exc


def _refuse_silent() -> None:
    until, reason = _silent
    if time.monotonic() < until:
        raise EngineSilent(reason)


def _is_theirs(exc: Exception) -> bool:
    import grpc
    from pymilvus.exceptions import MilvusException

    return isinstance(exc, (MilvusException, grpc.RpcError, ConnectionError, TimeoutError))
