"""Rows 7, 10 and 15: whole searches over HTTP, several clients at once, and the web process."""

import http.client
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import numpy as np
import psutil

from tests.bench import gallery, place, shipped
from tests.bench.gallery import Gallery
from tests.bench.rounds import ROUNDS, Line, spread

TOGETHER = 12
CLIENTS = 4
# What each number of clients asks in a round.
ASKED = 40
MEGABYTE = 1e6
ROOT = Path(__file__).parents[2]


def whole_search(work: Path) -> Iterator[Line]:
    """Row 7: a text through the API, against its SQL and the encoding of its words alone.

    A search encodes a description in several orders and each phrase of it, for its bars.
    """
    from search import phrases

    among, secret = gallery.whole(work), place.key(work)
    tower = shipped.load(work).bundle.text_tower(threads=1)
    texts = _texts(among, ROUNDS * TOGETHER + TOGETHER)
    times: list[tuple[float, float, float]] = []
    with _web(workers=1) as port, _client(port) as client:
        for text in texts[:TOGETHER]:
            client.search(text, secret)
        for number in range(ROUNDS):
            some = texts[TOGETHER + number * TOGETHER :][:TOGETHER]
            whole = [client.search(text, secret) for text in some]
            encoded, sql = [], []
            for text in some:
                began = time.perf_counter()
                query = tower.encode([*phrases.orders(text), *phrases.split(text)])[0]
                encoded.append(time.perf_counter() - began)
                sql.append(_raw(among, query))
            times.append((median(whole), median(encoded), median(sql)))
    ratios = [(whole - encode) / sql for whole, encode, sql in times]
    value, ends = spread(ratios)
    whole, encode, sql = (median(column) * 1e3 for column in zip(*times, strict=True))
    note = f"{whole:.1f} ms whole, {encode:.1f} ms encode, {sql:.1f} ms SQL, {among.rows} vectors"
    yield Line(
        row=7,
        what="HTTP search without its encoding / raw SQL, p50",
        value=value,
        sense="<=",
        target=2.2,
        spread=ends,
        note=note,
    )
    beside = [(whole - encode - sql) * 1e3 for whole, encode, sql in times]
    value, ends = spread(beside)
    for what, target in (("beside encode and SQL, ms, p50", 3.0), ("whole, the same, ms", 4.0)):
        yield Line(row=7, what=what, value=value, sense="<=", target=target, spread=ends)


def crowd(work: Path) -> Iterator[Line]:
    """Row 10: four clients against one, and searches while an enrollment runs."""
    among, secret = gallery.whole(work), place.key(work)
    texts = _texts(among, 64, seed=9)
    with _web(workers=2) as port:
        _ask_at_once(port, secret, texts, CLIENTS)  # warm
        pace, tails = [], []
        for _round in range(ROUNDS):
            alone, alone_s = _ask_at_once(port, secret, texts, 1)
            several, several_s = _ask_at_once(port, secret, texts, CLIENTS)
            pace.append((len(several) / several_s) / (len(alone) / alone_s))
            tails.append(float(np.percentile(several, 95) / np.percentile(several, 50)))
        value, ends = spread(pace)
        yield Line(
            row=10,
            what=f"searches a second of {CLIENTS} clients / of one",
            value=value,
            sense=">=",
            target=1.5,
            spread=ends,
            note=f"{os.cpu_count()} cores; words that were encoded before",
        )
        value, ends = spread(tails)
        yield Line(
            row=10,
            what=f"p95 / p50 of {CLIENTS} clients",
            value=value,
            sense="<=",
            target=3.0,
            spread=ends,
        )
        yield _beside_enrollment(port, secret, texts)


def web_process(work: Path) -> Iterator[Line]:
    """Row 15: from the start to the first answer, memory after a first search, no torch."""
    among, secret = gallery.whole(work), place.key(work)
    text = _texts(among, 1, seed=4)[0]
    began = time.perf_counter()
    with _web(workers=1) as port, _client(port) as client:
        yield Line(
            row=15,
            what="web process ready, s",
            value=time.perf_counter() - began,
            sense="<=",
            target=3.0,
        )
        client.search(text, secret)
        (worker,) = _workers(port)
        yield Line(
            row=15,
            what="its memory after a first search, MB",
            value=worker.memory_info().rss / MEGABYTE,
            sense="<=",
            target=300,
        )
        maps = Path(f"/proc/{worker.pid}/maps").read_text()
        yield Line(
            row=15,
            what="libraries of torch that it loaded",
            value=sum("torch" in line for line in maps.splitlines()),
            sense="<=",
            target=0,
        )


def _beside_enrollment(port: int, secret: str, texts: list[str]) -> Line:
    from search.models import Embedding
    from tests.bench import enrolling

    dataset = enrolling.pictures()
    version = shipped.registered("load")
    idle, busy = [], []
    for _round in range(ROUNDS):
        idle.append(np.percentile(_ask_at_once(port, secret, texts, 1)[0], 95))
        Embedding.objects.filter(encoder_id=version.image_encoder_id).delete()
        command = [sys.executable, "manage.py", "enroll", "--dataset", dataset.name]
        command += ["--model", version.name]
        job = subprocess.Popen(
            # As the worker runs it, behind web processes.
            ["nice", "-n", "10", *command],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            while not Embedding.objects.filter(encoder_id=version.image_encoder_id).exists():
                assert job.poll() is None, "the enrollment ended before it began"
                time.sleep(0.05)
            busy.append(np.percentile(_ask_at_once(port, secret, texts, 1)[0], 95))
        finally:
            job.terminate()
            job.wait()
    value, ends = spread(float(loaded / free) for loaded, free in zip(busy, idle, strict=True))
    return Line(
        row=10,
        what="p95 of searches while an enrollment runs / idle",
        value=value,
        sense="<=",
        target=2.0,
        spread=ends,
        note=f"{np.median(busy) * 1e3:.0f} ms, {np.median(idle) * 1e3:.0f} ms",
    )


def _texts(among: Gallery, count: int, seed: int = 5) -> list[str]:
    return gallery.questions(among, count, seed)


def _raw(among: Gallery, query: np.ndarray) -> float:
    """Seconds of the SQL that finds twenty, with the settings of a search in force."""
    from django.db import connection
    from pgvector import HalfVector

    from search import index, tuning

    dim, number = among.encoder.dim, among.encoder.pk
    built = index.look(among.encoder)
    vector, covered = "vector", ""
    if built is not None and among.rows > tuning.exact_rows(among.encoder):
        index.prepare(tuning.ef(among.encoder, "fast", built.rows))
        vector, covered = f"vector::halfvec({dim})", f" AND load <= {built.load}"
    text = HalfVector(query).to_text()
    began = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT box_id, {vector} <=> %s AS distance FROM search_embedding"
            f" WHERE encoder_id = {number}{covered} ORDER BY distance LIMIT 84",
            [text],
        )
        cursor.fetchall()
    return time.perf_counter() - began


class _Client:
    """One connection that is kept."""

    def __init__(self, port: int) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def search(self, text: str, secret: str) -> float:
        """Seconds of one search; one that is not answered ends the bench."""
        body = json.dumps({"text": text, "datasets": [gallery.DATASET]})
        headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
        began = time.perf_counter()
        self.connection.request("POST", "/api/v1/search", body, headers)
        answer = self.connection.getresponse()
        data = answer.read()
        taken = time.perf_counter() - began
        assert answer.status == 200, data
        return taken


@contextmanager
def _client(port: int) -> Iterator[_Client]:
    client = _Client(port)
    try:
        yield client
    finally:
        client.connection.close()


def _ask_at_once(
    port: int, secret: str, texts: list[str], clients: int
) -> tuple[list[float], float]:
    """Seconds of each of ASKED searches, shared among clients, and of all together."""
    times: list[float] = []

    def ask(first: int) -> None:
        with _client(port) as client:
            for number in range(first, ASKED, clients):
                times.append(client.search(texts[number % len(texts)], secret))

    threads = [threading.Thread(target=ask, args=[first]) for first in range(clients)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(times) == ASKED, "a client failed"
    return times, time.perf_counter() - began


@contextmanager
def _web(workers: int) -> Iterator[int]:
    """The site at a free port, until the block ends."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    command = [sys.executable, "manage.py", "web", "--bind", f"127.0.0.1:{port}"]
    command += ["--workers", str(workers)]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait_until_ready(process, port)
        _processes[port] = process.pid
        yield port
    finally:
        process.terminate()
        process.wait()


_processes: dict[int, int] = {}


def _workers(port: int) -> list[psutil.Process]:
    return psutil.Process(_processes[port]).children()


def _wait_until_ready(process: subprocess.Popen, port: int) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        assert process.poll() is None, "the web process ended"
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/health/live")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.02)
    raise AssertionError("the web process does not answer")
