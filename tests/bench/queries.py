"""Row 8: a query's text against the SQL that it is followed by."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import numpy as np
import psycopg
from pgvector import HalfVector
from pgvector.psycopg import register_vector

from pedsite import embedded, servers
from tests.bench import shipped
from tests.bench.rounds import Line, in_turn, spread
from training.ml.runtime import TextTower

# As many boxes as every search looks at exactly, which is the default setting.
BOXES = 20_000
QUERIES = 40
MEGABYTE = 1e6


def measure(work: Path) -> Iterator[Line]:
    """Encoding of one text, the size of the tower, and what int8 costs."""
    found = shipped.load(work)
    tower = shipped.text_tower(found)
    yield _speed(tower, found.texts[:QUERIES])
    about = found.bundle.about["text"]
    files = [found.bundle.folder / about[name] for name in ("file", "characters")]
    yield Line(
        row=8,
        what="text tower with its table, MB",
        value=sum(file.stat().st_size for file in files) / MEGABYTE,
        sense="<=",
        target=8.0,
        note=found.bundle.about["name"],
    )
    small = shipped.text_tower(found, shipped.text_int8(found, work))
    pictures = shipped.image_tower(found).encode(np.asarray(found.drawn.pixels))
    before, after = (
        shipped.first_hits(found, each.encode(found.texts), pictures) for each in (tower, small)
    )
    yield Line(
        row=8,
        what="R@1 lost in int8, points",
        value=(before - after) * 100,
        sense="<=",
        target=0.5,
        note=f"{before:.4f} to {after:.4f}, {len(found.texts)} texts about drawn people",
    )


def _speed(tower: TextTower, texts: list[str]) -> Line:
    rounds: list[tuple[float, float]] = []
    ratios = []
    with _boxes(tower.dim) as connection:
        for text, vector in zip(texts, tower.encode(texts), strict=True):
            asked = [HalfVector(vector)]
            here = in_turn(
                lambda text=text: tower.encode([text]),
                lambda asked=asked: connection.execute(_NEAREST, asked).fetchall(),
            )
            rounds += here
            ratios.append(median(encode / sql for encode, sql in here))
    encode, sql = (median(column) for column in zip(*rounds, strict=True))
    return Line(
        row=8,
        what="query encode p50 / raw SQL p50",
        value=encode / sql,
        sense="<=",
        target=1.0,
        spread=spread(ratios)[1],
        note=f"{encode * 1e3:.1f} ms, {sql * 1e3:.1f} ms: 20 of {BOXES} boxes, exactly",
    )


_NEAREST = "SELECT id, vector <=> %s AS distance FROM boxes ORDER BY distance LIMIT 20"


@contextmanager
def _boxes(dim: int) -> Iterator[psycopg.Connection]:
    """A connection to a server of its own with a table like that of the vectors."""
    with tempfile.TemporaryDirectory(prefix="pedsite-bench-") as folder:
        place = Path(folder)
        for name in ("run", "logs"):
            (place / name).mkdir()
        try:
            url = servers.Postgres(place).start()
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
                register_vector(connection)
                connection.execute("CREATE TABLE boxes (id bigint PRIMARY KEY, vector halfvec)")
                connection.execute("ALTER TABLE boxes ALTER vector SET STORAGE PLAIN")
                _fill(connection, dim)
                connection.execute("VACUUM ANALYZE boxes")
                yield connection
        finally:
            embedded.stop(place)


def _fill(connection: psycopg.Connection, dim: int) -> None:
    rng = np.random.default_rng(0)
    statement = "COPY boxes (id, vector) FROM STDIN (FORMAT BINARY)"
    with connection.cursor().copy(statement) as copy:
        copy.set_types(["int8", "halfvec"])
        for number in range(BOXES):
            copy.write_row((number, HalfVector(rng.normal(size=dim))))
