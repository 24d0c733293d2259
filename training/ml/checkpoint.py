"""Checkpoints: plain tensors and numbers, written whole or not at all, never unpickled freely."""

import os
from pathlib import Path
from typing import Any

import torch


class CheckpointError(ValueError):
    """A file is not a checkpoint that can be read."""


def save(state: dict[str, Any], path: Path) -> None:
    """Write beside, then rename: a reader never sees half a file, a full disk keeps the old one.

    Raises: OSError, it cannot be written; what was there before is kept.
    """
    partial = path.with_suffix(".partial")
    try:
        with partial.open("wb") as file:
            torch.save(state, file)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except BaseException as exc:
        partial.unlink(missing_ok=True)  # on a full disk, half a file takes room from all else
        # torch's writer hides the reason behind a complaint about its own position.
        if isinstance(exc, RuntimeError) and isinstance(exc.__context__, OSError):
            raise exc.__context__ from None
        raise


def load(path: Path) -> dict[str, Any]:
    """The stored state, on the CPU. Raises: CheckpointError, no checkpoint can be read there."""
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as exc:  # torch raises many kinds for many kinds of damage
        raise CheckpointError(f"{path.name} is not a readable checkpoint: {exc}") from exc
    if not isinstance(state, dict):
        raise CheckpointError(f"{path.name} holds a {type(state).__name__}, not a checkpoint")
    return state
