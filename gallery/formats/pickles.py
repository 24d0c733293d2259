"""The one way in for pickles: plain containers, numbers, strings and numpy arrays, nothing else.

A pickle is a program. Here it may name only what builds an array of numbers; whatever else it
names is refused before it is imported, and so is an array of objects.
"""

import io
import pickle
from typing import Any

import numpy as np

MAX_BYTES = 1 << 30


class Forbidden(Exception):
    """A pickle that is damaged, too large, or asks for more than plain data; says what."""


def load(data: bytes) -> Any:
    """The plain data in a pickle.

    Raises:
        Forbidden: it names anything but numpy's builders of arrays, or does not read.
    """
    if len(data) > MAX_BYTES:
        raise Forbidden(f"the pickle has more than {MAX_BYTES >> 20} MiB")
    try:
        value = _Plain(io.BytesIO(data)).load()
    except Forbidden:
        raise
    except Exception as exc:  # on hostile bytes an unpickler may raise anything
        raise Forbidden(f"the pickle is damaged: {type(exc).__name__}") from exc
    return value


def dump(value: Any) -> bytes:
    """A pickle of protocol 2, which every Python 3 and its tools read."""
    return pickle.dumps(value, protocol=2)


class _Plain(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        found = _ADMITTED.get((module, name))
        if found is None:
            raise Forbidden(f"the pickle asks for {module}.{name}"[:200])
        return found

    def persistent_load(self, pid: Any) -> Any:
        raise Forbidden("the pickle refers to something outside it")


def _dtype(*arguments: Any) -> Any:
    # Whole types only: a dtype of objects would hold pointers that the bytes choose.
    dtype = np.dtype(*arguments)
    if dtype.hasobject or dtype.kind not in "biufcSU":
        raise Forbidden(f"the pickle asks for an array of {dtype}"[:200])
    return dtype


def _reconstruct(kind: Any, shape: Any, code: Any) -> Any:
    if kind is not np.ndarray:
        raise Forbidden("the pickle asks for another kind of array")
    return np.ndarray.__new__(np.ndarray, (0,), np.dtype("b"))


def _from_buffer(buffer: Any, dtype: Any, shape: Any, order: Any) -> Any:
    if not isinstance(dtype, np.dtype) or dtype.hasobject:
        raise Forbidden("the pickle asks for an array of objects")
    return np.frombuffer(buffer, dtype).reshape(shape, order=order)


def _scalar(dtype: Any, data: Any = b"") -> Any:
    if not isinstance(dtype, np.dtype) or dtype.hasobject or not isinstance(data, bytes):
        raise Forbidden("the pickle asks for a number of an unknown kind")
    return np.frombuffer(data, dtype, 1)[0]


def _encode(text: Any, encoding: Any = "latin1") -> bytes:
    # How protocol 2 writes bytes.
    if not isinstance(text, str) or encoding != "latin1":
        raise Forbidden("the pickle asks for an unknown encoding")
    return text.encode("latin1")


_ADMITTED: dict[tuple[str, str], Any] = {
    ("numpy", "dtype"): _dtype,
    ("numpy", "ndarray"): np.ndarray,
    ("_codecs", "encode"): _encode,
    ("builtins", "set"): set,
    ("builtins", "frozenset"): frozenset,
    ("__builtin__", "set"): set,
    ("__builtin__", "frozenset"): frozenset,
    ("collections", "OrderedDict"): dict,
}
for _core in ("numpy.core", "numpy._core"):
    _ADMITTED[_core + ".multiarray", "_reconstruct"] = _reconstruct
    _ADMITTED[_core + ".multiarray", "scalar"] = _scalar
    _ADMITTED[_core + ".numeric", "_frombuffer"] = _from_buffer
