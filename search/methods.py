"""Ways to search vectors in memory, each held to the exact one, and to what is right.

Everything goes by the largest inner product (MIPS), which for unit vectors is the cosine. A way is
asked one question at a time, as a search asks, and timed so.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from search import index, neighbours
from search.neighbours import LOPQ, OPQ, PQ
from training.ml import ranking

EXACT, HNSW = "exact", "hnsw"
# The graph is walked so wide.
EF = 200
# Distances apart by less are equal.
TIE = 1e-5

Found = tuple[np.ndarray, np.ndarray]  # rows, and their inner products, the largest first


@dataclass(frozen=True, kw_only=True)
class Trial:
    """What is searched and what is asked.

    vectors: (N, D) all that may be found. people, cameras: (N,) whom each shows and from where;
    below 0, nobody knows. queries: (Q, D), with query_people and query_cameras (Q,). own: (Q,) the
    row of each query, which it never finds, or -1. other_cameras: nor does it find its person by
    its own camera. top: hits that count. reranked: candidates of codes whose true inner products
    are looked at.
    """

    vectors: np.ndarray
    people: np.ndarray
    cameras: np.ndarray
    queries: np.ndarray
    query_people: np.ndarray
    query_cameras: np.ndarray
    own: np.ndarray
    other_cameras: bool
    top: int
    reranked: int

    def masked(self, number: int) -> np.ndarray:
        """Rows that a query must not find."""
        own = self.own[number : number + 1]
        if not self.other_cameras:
            return own[own >= 0]
        same = (self.people == self.query_people[number]) & (self.query_people[number] >= 0)
        here = (self.cameras == self.query_cameras[number]) & (self.cameras >= 0)
        return np.union1d(own[own >= 0], np.flatnonzero(same & here))

    def wanted(self) -> np.ndarray:
        """(Q,) how many rows there are for each query to find."""
        return np.array(
            [
                (self.people == who).sum() - (self.people[self.masked(number)] == who).sum()
                if who >= 0
                else 0
                for number, who in enumerate(self.query_people)
            ]
        )


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a way found for every query, and what it cost.

    ms: (Q,). byte_size: of all that it keeps in memory; model_bytes: of these, what does not grow
    with the vectors. learned_s: of processor time.
    """

    name: str
    found: list[Found]
    ms: np.ndarray
    byte_size: int
    model_bytes: int = 0
    code_bytes: int | None = None
    is_reranked: bool = False
    learned_s: float = 0.0


class _Way(Protocol):
    def nearest(self, query: np.ndarray, wanted: int) -> Found: ...


class _Exact:
    def __init__(self, vectors: np.ndarray) -> None:
        self._vectors = vectors

    def nearest(self, query: np.ndarray, wanted: int) -> Found:
        scores = self._vectors @ query
        rows = np.arange(len(scores))
        if wanted < len(scores):
            rows = np.argpartition(-scores, wanted - 1)[:wanted]
        best = rows[np.lexsort((rows, -scores[rows]))]
        return best, scores[best]


def compare(
    trial: Trial,
    code_bytes: Sequence[int],
    *,
    seed: int = 0,
    tell: Callable[[str], None] = lambda note: None,
) -> Iterator[Outcome]:
    """Exact MIPS, HNSW, and PQ, OPQ and LOPQ of each length of code, without and with re-ranking.

    Codes are learned from the vectors that do not ask.
    """
    vectors = trial.vectors
    tell(EXACT)
    yield _asked(trial, _Exact(vectors), name=EXACT, byte_size=vectors.nbytes)
    tell(HNSW)
    began = time.process_time()
    graph = neighbours.Graph(vectors, index.LINKS, index.BUILD_WIDTH, EF)
    took = time.process_time() - began
    yield _asked(trial, graph, name=HNSW, byte_size=graph.byte_size, learned_s=took)
    asking = np.zeros(len(vectors), dtype=bool)
    asking[trial.own[trial.own >= 0]] = True
    for length in code_bytes:
        for method in (PQ, OPQ, LOPQ):
            tell(f"{method} {length}")
            began = time.process_time()
            learned = neighbours.fit(vectors[~asking], method, length, seed=seed)
            codes = neighbours.encode(learned, vectors)
            cost = {
                "byte_size": codes.codes.nbytes + 4 * len(vectors) + learned.byte_size,
                "model_bytes": learned.byte_size,
                "code_bytes": length,
                "learned_s": time.process_time() - began,
            }
            scan = neighbours.Scan(learned, codes)
            yield _asked(trial, scan, name=method, **cost)
            yield _asked(trial, scan, name=method, is_reranked=True, **cost)


def summary(trial: Trial, outcome: Outcome, exact: Sequence[Found]) -> dict[str, Any]:
    """The numbers of one way: recall of the exact nearest, precision, memory and time."""
    recalls = {
        str(k): float(np.mean([_recall(trial, n, outcome, exact, k) for n in range(len(exact))]))
        for k in sorted({1, 10, trial.top})
        if k <= trial.top
    }
    sizes = trial.wanted()
    judged = sizes > 0
    found: dict[str, Any] = {}
    if judged.any():
        right = hits(trial, outcome)[judged]
        precision = ranking.average_precision_at
        found["map"] = {
            "found": float(precision(right, trial.top).mean()),
            "class_size": float(precision(right, trial.top, sizes[judged]).mean()),
        }
        found["first_right"] = float(right[:, 0].mean())
    p50, p95 = np.percentile(outcome.ms, [50, 95])
    return found | {
        "name": outcome.name,
        "code_bytes": outcome.code_bytes,
        "reranked": outcome.is_reranked,
        "recall": recalls,
        "bytes": outcome.byte_size / max(1, len(trial.vectors)),
        "model_bytes": outcome.model_bytes,
        "ms": {"p50": float(p50), "p95": float(p95)},
        "learned_s": round(outcome.learned_s, 2),
    }


def hits(trial: Trial, outcome: Outcome) -> np.ndarray:
    """(Q, top) whether each place shows whom the query shows."""
    right = np.zeros((len(trial.queries), trial.top), dtype=bool)
    for number, (rows, _scores) in enumerate(outcome.found):
        who = trial.query_people[number]
        right[number, : len(rows)] = (trial.people[rows] == who) & (who >= 0)
    return right


def precisions(trial: Trial, outcome: Outcome) -> np.ndarray:
    """(Q,) average precision by class size; NaN where there is nothing to find."""
    sizes = trial.wanted()
    values = ranking.average_precision_at(hits(trial, outcome), trial.top, sizes)
    return np.where(sizes > 0, values, np.nan)


def cut(trial: Trial, number: int, found: Found) -> Found:
    """Without what the query must not find, and no more than count."""
    rows, scores = found
    kept = ~np.isin(rows, trial.masked(number))
    return rows[kept][: trial.top], scores[kept][: trial.top]


def _asked(
    trial: Trial, way: _Way, *, name: str, is_reranked: bool = False, **cost: Any
) -> Outcome:
    found, ms = [], []
    for number, query in enumerate(trial.queries):
        depth = trial.top + len(trial.masked(number))
        if is_reranked:
            depth = max(depth, trial.reranked)
        began = time.perf_counter()
        rows, scores = way.nearest(query, min(depth, len(trial.vectors)))
        if is_reranked:
            scores = trial.vectors[rows] @ query
            order = np.lexsort((rows, -scores))
            rows, scores = rows[order], scores[order]
        ms.append((time.perf_counter() - began) * 1e3)
        found.append(cut(trial, number, (rows, scores)))
    return Outcome(name=name, found=found, ms=np.array(ms), is_reranked=is_reranked, **cost)


def _recall(trial: Trial, number: int, outcome: Outcome, exact: Sequence[Found], k: int) -> float:
    """Of the k nearest, how many are among the first k found; one as near is as good."""
    nearest = exact[number][1][:k]
    if not len(nearest):
        return 1.0
    true = trial.vectors[outcome.found[number][0][:k]] @ trial.queries[number]
    return min(1.0, float((true >= nearest[-1] - TIE).sum()) / len(nearest))
