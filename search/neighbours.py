"""Nearest neighbours in memory: vectors as codes of a few bytes each, or as a graph to walk.

As a code, a vector is the centre of its cell and what is left of it. That rest is turned and cut
into pieces, each of which stands as the number of the nearest of 256 that were learned. Product
quantization (PQ) has one cell and turns nothing; optimized (OPQ) turns all alike, as learned;
locally optimized (LOPQ) turns each cell's rests so that no piece has to tell more than another.

What a code says of a question's inner product is q·centre + turned q · pieces. So the order is that
of the largest inner product (MIPS) whatever the lengths; of unit vectors, such as every tower here
gives, it is that of the cosine and of the distance as well.

The graph (HNSW) goes by distance; a further number of each vector, which makes all of them equally
long, turns the largest inner product into the least distance.

Sources: Jégou, Douze and Schmid, TPAMI 2011, PQ. Ge et al., CVPR 2013, OPQ and how eigenvalues are
dealt out. Kalantidis and Avrithis, CVPR 2014, LOPQ. Malkov and Yashunin, TPAMI 2020, HNSW.
Bachrach et al., RecSys 2014, the further number.

The one module that imports faiss: others import this one when they come to need it.
"""

import itertools
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import faiss
import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]

PQ, OPQ, LOPQ = "pq", "opq", "lopq"
PIECES = 256  # different ones that a byte tells apart
# Vectors that are learned from: more change little and cost minutes.
MOST_LEARNED = 25_600
# Vectors in memory for each rotation: it takes as much as some hundred to some thousand codes.
VECTORS_A_CELL = 6_000
MOST_CELLS = 16
ROUNDS = 10
# One rotation for all is found by turns, each as dear as a PQ: these few do nearly all.
OPQ_LEARNED, OPQ_ROUNDS = 12_800, 8


@dataclass(frozen=True, kw_only=True)
class Quantizer:
    """What was learned: centres (C, D), rotations (C, D, D) and pieces (M, 256, D / M).

    D is a multiple of M: what is shorter is filled up with zeros, which changes no inner product.
    """

    centres: Vectors
    rotations: Vectors
    pieces: Vectors

    @property
    def code_bytes(self) -> int:
        return len(self.pieces)

    @property
    def width(self) -> int:
        return self.centres.shape[1]

    @property
    def byte_size(self) -> int:
        """As it is stored: the rotations at half precision."""
        return self.centres.nbytes + self.rotations.size * 2 + self.pieces.nbytes


@dataclass(frozen=True, kw_only=True)
class Codes:
    """Codes (N, M) uint8 cell by cell, the first row of each cell (C + 1,), and whose they are.

    rows: (N,) the number of each vector.
    """

    codes: npt.NDArray[np.uint8]
    starts: Rows
    rows: npt.NDArray[np.integer]


def cells_for(count: int) -> int:
    """How many cells so many vectors are worth."""
    return int(np.clip(count // VECTORS_A_CELL, 2, MOST_CELLS))


def fit(
    vectors: Vectors,
    method: str,
    code_bytes: int,
    *,
    seed: int = 0,
    cells: int | None = None,
    tell: Callable[[str], None] = lambda note: None,
) -> Quantizer:
    """Learn how to write vectors as codes; the same from the same vectors and seed.

    Args:
        vectors: (N, dim), none of those that will be asked with.
        method: PQ, OPQ or LOPQ.
        code_bytes: of a vector, 1 to dim.
        cells: of LOPQ, each with a rotation; `cells_for` the vectors by default.
        tell: called between the parts with what comes next.

    Raises: ValueError, there are fewer than 256 vectors, or no such method or length of code.
    """
    if method not in (PQ, OPQ, LOPQ) or not 1 <= code_bytes <= vectors.shape[1]:
        raise ValueError(f"no {method} with {code_bytes} bytes for {vectors.shape[1]} numbers")
    if len(vectors) < PIECES:
        raise ValueError(f"{len(vectors)} vectors are fewer than the {PIECES} a code tells apart")
    # Searches go on beside it.
    faiss.omp_set_num_threads(max(1, (os.cpu_count() or 1) // 2))
    rng = np.random.default_rng(seed)
    chosen = rng.permutation(len(vectors))[:MOST_LEARNED]
    some = _filled(vectors[chosen], code_bytes)
    if method != LOPQ:
        cells = 1
    elif cells is None:
        cells = cells_for(len(vectors))
    tell("learning the cells")
    centres = _centres(some, cells, seed)
    belongs = _nearest(some, centres)
    rests = some - centres[belongs]
    tell("learning the rotations")
    if method == LOPQ:
        rotations = _local_rotations(rests, belongs, cells, code_bytes)
    else:
        rotations = _one_rotation(rests, method, code_bytes)[None]
    # As they are stored.
    rotations = rotations.astype(np.float16).astype(np.float32)
    tell("learning the pieces")
    turned = _turned(rests, belongs, rotations)
    quantizer = faiss.ProductQuantizer(some.shape[1], code_bytes, 8)
    quantizer.cp.seed, quantizer.cp.niter = seed + 1, ROUNDS
    # It warns of few points for each piece: small galleries have no more.
    quantizer.cp.min_points_per_centroid = 1
    quantizer.train(turned)
    pieces = faiss.vector_to_array(quantizer.centroids).reshape(code_bytes, PIECES, -1)
    return Quantizer(centres=centres, rotations=rotations, pieces=pieces)


def encode(quantizer: Quantizer, vectors: Vectors) -> Codes:
    """The codes of vectors (N, dim), whose rows are their places."""
    parts = [
        code(quantizer, vectors[first : first + MOST_LEARNED])
        for first in range(0, len(vectors), MOST_LEARNED)
    ]
    cells, codes = (np.concatenate(column) for column in zip(*parts, strict=True))
    return lay(quantizer, cells, codes)


def code(quantizer: Quantizer, vectors: Vectors) -> tuple[Rows, npt.NDArray[np.uint8]]:
    """The cell (n,) and the code (n, M) of each vector (n, dim)."""
    some = _filled(vectors, quantizer.code_bytes)
    belongs = _nearest(some, quantizer.centres)
    turned = _turned(some - quantizer.centres[belongs], belongs, quantizer.rotations)
    return belongs, _product(quantizer).compute_codes(turned)


def lay(quantizer: Quantizer, cells: Rows, codes: npt.NDArray[np.uint8]) -> Codes:
    """Codes (N, M) in the order of their cells (N,); rows are the places that they had."""
    order = np.argsort(cells, kind="stable")
    return Codes(
        codes=codes[order],
        starts=np.searchsorted(cells[order], np.arange(len(quantizer.centres) + 1)),
        rows=order,
    )


class Scan:
    """Codes and what they mean, ready to be asked."""

    def __init__(self, quantizer: Quantizer, codes: Codes) -> None:
        self.quantizer, self.codes = quantizer, codes
        self._product = _product(quantizer)

    def nearest(
        self, query: Vectors, wanted: int, allowed: npt.NDArray[np.bool_] | None = None
    ) -> tuple[Rows, Vectors]:
        """The rows whose codes promise the largest inner products with (dim,), and these.

        Args:
            allowed: (N,) of the codes as they lie, which may be found.

        Returns: both (min(wanted, allowed),), the largest first.
        """
        asked = _filled(query[None].astype(np.float32), self.quantizer.code_bytes)[0]
        found = list(self._each_cell(asked, wanted, allowed))
        if not found:
            return np.zeros(0, np.int64), np.zeros(0, np.float32)
        places = np.concatenate([places for places, _scores in found])
        scores = np.concatenate([scores for _places, scores in found])
        # Ties to the lower place, so that an answer is always the same.
        best = np.lexsort((places, -scores))[:wanted]
        return self.codes.rows[places[best]].astype(np.int64), scores[best]

    def _each_cell(
        self, asked: Vectors, wanted: int, allowed: npt.NDArray[np.bool_] | None
    ) -> Iterator[tuple[Rows, Vectors]]:
        starts, about = self.codes.starts, self.quantizer
        offsets = about.centres @ asked
        # In this thread: a product with BLAS waits for its others, tens of ms on a busy machine.
        turned = np.einsum("crd,d->cr", about.rotations, asked)
        for cell, (first, end) in enumerate(itertools.pairwise(starts.tolist())):
            codes, places = self.codes.codes[first:end], None
            if allowed is not None:
                places = np.flatnonzero(allowed[first:end])
                codes = codes[places]
            if len(codes):
                at, scores = _best(self._product, turned[cell], codes, min(wanted, len(codes)))
                yield first + (at if places is None else places[at]), scores + offsets[cell]


class Graph:
    """Vectors (N, dim) with links between near ones, walked `ef` wide."""

    def __init__(self, vectors: Vectors, links: int, build_width: int, ef: int) -> None:
        lengths = (vectors.astype(np.float64) ** 2).sum(axis=1)
        further = np.sqrt(np.maximum(lengths.max() - lengths, 0))
        self._index = faiss.IndexHNSWFlat(vectors.shape[1] + 1, links)
        self._index.hnsw.efConstruction, self._index.hnsw.efSearch = build_width, ef
        self._index.add(np.column_stack([vectors, further]).astype(np.float32))
        self.byte_size = int(faiss.serialize_index(self._index).nbytes)

    def nearest(self, query: Vectors, wanted: int) -> tuple[Rows, Vectors]:
        """As `Scan.nearest`, by place; the scores only say the order."""
        asked = np.append(query, 0).astype(np.float32)[None]
        distances, places = self._index.search(asked, wanted)
        found = places[0] >= 0
        return places[0][found], -distances[0][found]


def _best(
    product: faiss.ProductQuantizer, asked: Vectors, codes: npt.NDArray[np.uint8], wanted: int
) -> tuple[Rows, Vectors]:
    """Places and inner products of the best codes."""
    places, scores = np.empty(wanted, np.int64), np.empty(wanted, np.float32)
    heap = faiss.float_minheap_array_t()
    heap.nh, heap.k = 1, wanted
    heap.ids, heap.val = faiss.swig_ptr(places), faiss.swig_ptr(scores)
    asked, codes = np.ascontiguousarray(asked), np.ascontiguousarray(codes)
    product.search_ip(faiss.swig_ptr(asked), 1, faiss.swig_ptr(codes), len(codes), heap, True)
    return places, scores


def _product(quantizer: Quantizer) -> faiss.ProductQuantizer:
    product = faiss.ProductQuantizer(quantizer.width, quantizer.code_bytes, 8)
    faiss.copy_array_to_vector(np.ascontiguousarray(quantizer.pieces.ravel()), product.centroids)
    return product


def _filled(vectors: Vectors, code_bytes: int) -> Vectors:
    """With zeros up to a multiple of the pieces."""
    missing = -vectors.shape[1] % code_bytes
    return np.ascontiguousarray(np.pad(vectors, ((0, 0), (0, missing))), dtype=np.float32)


def _centres(vectors: Vectors, cells: int, seed: int) -> Vectors:
    if cells == 1:
        return vectors.mean(axis=0, keepdims=True)
    clusters = faiss.Kmeans(vectors.shape[1], cells, niter=ROUNDS, seed=seed + 1)
    clusters.cp.min_points_per_centroid = 1
    clusters.train(vectors)
    return np.asarray(clusters.centroids, dtype=np.float32)


def _nearest(vectors: Vectors, centres: Vectors) -> Rows:
    # |x - c|² without |x|², which is the same for all centres.
    return np.argmax(vectors @ centres.T - (centres**2).sum(axis=1) / 2, axis=1)


def _turned(rests: Vectors, belongs: Rows, rotations: Vectors) -> Vectors:
    turned = np.empty_like(rests)
    for cell, rotation in enumerate(rotations):
        members = belongs == cell
        turned[members] = rests[members] @ rotation.T
    return turned


def _one_rotation(rests: Vectors, method: str, code_bytes: int) -> Vectors:
    dim = rests.shape[1]
    if method == PQ:
        return np.eye(dim, dtype=np.float32)
    # Held by a name: the matrix only points at it.
    inner = faiss.ProductQuantizer(dim, code_bytes, 8)
    inner.cp.min_points_per_centroid = 1
    learned = faiss.OPQMatrix(dim, code_bytes)
    learned.pq = inner
    learned.niter, learned.niter_pq_0 = OPQ_ROUNDS, ROUNDS
    learned.train(rests[:OPQ_LEARNED])
    return faiss.vector_to_array(learned.A).reshape(dim, dim)


def _local_rotations(rests: Vectors, belongs: Rows, cells: int, code_bytes: int) -> Vectors:
    """For each cell its principal axes, dealt out so that every piece has as much to tell.

    A cell of few vectors leans on the axes of all: its own would be of chance.
    """
    dim = rests.shape[1]
    everywhere = rests.T @ rests / len(rests)
    rotations = []
    for cell in range(cells):
        own = rests[belongs == cell]
        spread = (own.T @ own + dim * everywhere) / (len(own) + dim)
        values, axes = np.linalg.eigh(spread.astype(np.float64))
        rotations.append(axes.T[_dealt(values, code_bytes)])
    return np.stack(rotations).astype(np.float32)


def _dealt(values: npt.NDArray[np.float64], pieces: int) -> Rows:
    """Axes in the order of the pieces: the largest left goes where the product is least so far."""
    room = len(values) // pieces
    # In units of the least, so that no product falls with an axis more.
    logs = np.log(np.maximum(values, 1e-12))
    logs -= logs.min()
    dealt: list[list[int]] = [[] for _piece in range(pieces)]
    products = np.zeros(pieces)
    for axis in np.argsort(-values, kind="stable"):
        piece = int(np.argmin(products))
        dealt[piece].append(int(axis))
        products[piece] += logs[axis]
        if len(dealt[piece]) == room:
            products[piece] = np.inf
    return np.array([axis for axes in dealt for axis in axes], dtype=np.int64)
