"""Vectors into the database, fast: binary COPY into a temporary table, then one INSERT."""

from collections.abc import Mapping, Sequence

import numpy as np
from django.db import connection

from gallery.models import Dataset
from training.models import Encoder

_CREATE = """
    CREATE TEMPORARY TABLE IF NOT EXISTS search_incoming
    (box_id bigint NOT NULL, vector halfvec NOT NULL) ON COMMIT DELETE ROWS
"""
# Nothing that a vector refers to may be deleted before it is committed. The dataset first: whoever
# deletes boxes holds that row too, so neither waits for the other twice.
_HOLD = "SELECT FROM gallery_dataset WHERE id = %s FOR KEY SHARE"
# Whoever moves a box waits until its vector is committed, and takes it away then.
_BOUNDS = """
    SELECT id, "left", top, "right", bottom FROM gallery_box
    WHERE id = ANY(%s) ORDER BY id FOR SHARE
"""
# What another engine has to take in is noted in the same breath (`engines.mirror`).
_INSERT = """
    WITH made AS (
        INSERT INTO search_embedding
        (encoder_id, load, box_id, vector, dataset_id, camera_id, taken_at)
        SELECT %s, %s, box.id, incoming.vector, image.dataset_id, image.camera_id, image.taken_at
        FROM search_incoming incoming
        JOIN gallery_box box ON box.id = incoming.box_id
        JOIN gallery_image image ON image.id = box.image_id AND image.dataset_id = %s
        ORDER BY box.id
        FOR KEY SHARE OF box, image
        ON CONFLICT (encoder_id, box_id) DO NOTHING
        RETURNING encoder_id, box_id
    ), noted AS (
        INSERT INTO search_unmirrored (encoder_id, box_id)
        SELECT encoder_id, box_id FROM made JOIN search_mirror USING (encoder_id)
    )
    SELECT count(*) FROM made
"""


def write(
    dataset: Dataset,
    encoder: Encoder,
    rows: Sequence[tuple[int, np.ndarray]],
    load: int = 0,
    bounds: Mapping[int, tuple[int, int, int, int]] | None = None,
) -> int:
    """Store vectors (dim,) of a dataset's boxes by box id, at half precision.

    Call it inside a transaction. Boxes that have a vector of this encoder keep it; boxes that are
    gone, or of another dataset, are left out.

    Args:
        load: of `index.load_for`, for many rows that are indexed after they are all there.
        bounds: of the boxes when their pixels were read, by box id: one that was moved meanwhile
            is left out.

    Returns: how many were new.
    Raises:
        ValueError: a vector is not (encoder.dim,).
        DataError: a vector is not finite.
    """
    for box_id, vector in rows:
        if vector.shape != (encoder.dim,):
            raise ValueError(f"box {box_id} has {vector.shape}, {encoder} has dim {encoder.dim}")
    if not rows:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(_HOLD, [dataset.pk])
        if bounds is not None:
            cursor.execute(_BOUNDS, [[box_id for box_id, _ in rows]])
            same = {pk for pk, *now in cursor.fetchall() if tuple(now) == bounds[pk]}
            rows = [(box_id, vector) for box_id, vector in rows if box_id in same]
        cursor.execute(_CREATE)
        cursor.execute("TRUNCATE search_incoming")
        statement = "COPY search_incoming (box_id, vector) FROM STDIN (FORMAT BINARY)"
        # Django wraps the errors of execute alone.
        with connection.wrap_database_errors, cursor.copy(statement) as copy:
            copy.write(_binary(rows, encoder.dim))
        # Of a table that nobody counted, the planner expects so many rows that it reads all boxes
        # of the gallery for them.
        cursor.execute("ANALYZE search_incoming (box_id)")
        cursor.execute(_INSERT, [encoder.pk, load, dataset.pk])
        return cursor.fetchone()[0]


def _binary(rows: Sequence[tuple[int, np.ndarray]], dim: int) -> bytes:
    """Rows of (bigint, halfvec) as PostgreSQL's binary COPY reads them, all at once: value by value
    they would take as long as the rest.
    """
    fields = [("count", ">i2"), ("id_size", ">i4"), ("id", ">i8"), ("vector_size", ">i4")]
    fields += [("dim", ">i2"), ("unused", ">i2"), ("vector", ">f2", (dim,))]
    table = np.zeros(len(rows), np.dtype(fields))
    table["count"], table["id_size"], table["vector_size"] = 2, 8, 4 + 2 * dim
    table["id"] = [box_id for box_id, _ in rows]
    table["dim"] = dim
    if rows:
        with np.errstate(over="ignore"):  # what is too large arrives as infinite, and is refused
            table["vector"] = np.stack([vector for _, vector in rows])
    header = b"PGCOPY\n\xff\r\n\0" + bytes(8)
    return header + table.tobytes() + b"\xff\xff"
