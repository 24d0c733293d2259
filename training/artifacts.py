"""Model files: into storage under a name made from their content, and back as checked copies."""

import hashlib
import os
import tempfile
from pathlib import Path
from typing import BinaryIO

from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage

from training.errors import CorruptArtifact

_CHUNK = 1 << 20


def sha256_of(path: Path) -> str:
    """Lower-case hex of a file's bytes. Raises: OSError, it cannot be read."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def keep(path: Path, sha256: str, suffix: str) -> str:
    """Copy a local file into storage; returns its name there.

    The name is the content's hash, so the same file is stored once however often it comes, and
    one that an interrupted registration left is found again.
    """
    name = f"encoders/{sha256}{suffix}"
    if default_storage.exists(name):
        with default_storage.open(name, "rb") as stored:
            if hashlib.file_digest(stored, "sha256").hexdigest() == sha256:
                return name
    with path.open("rb") as stream:
        return default_storage.save(name, File(stream))


def fetch(name: str, sha256: str, folder: Path | None = None) -> Path:
    """A local copy of a stored file, kept under PEDSITE_WORK_DIR and checked at each call.

    Args:
        folder: another place for it than with the towers.

    Raises:
        CorruptArtifact: storage lacks the file, or its bytes do not have this hash.
    """
    folder = folder or Path(settings.PEDSITE_WORK_DIR) / "encoders"
    local = folder / f"{sha256}{Path(name).suffix}"
    if local.is_file() and sha256_of(local) == sha256:
        return local
    folder.mkdir(parents=True, exist_ok=True)
    # Several processes may fetch at once: each writes its own file and the last rename wins.
    handle, draft = tempfile.mkstemp(dir=folder, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as target:
            found = _copy(name, target)
        if found != sha256:
            raise CorruptArtifact(
                f"The stored model file {name} has SHA-256 {found}, not {sha256}: "
                "it was changed or damaged after it was registered."
            )
        Path(draft).replace(local)
    finally:
        Path(draft).unlink(missing_ok=True)
    return local


def _copy(name: str, target: BinaryIO) -> str:
    digest = hashlib.sha256()
    try:
        with default_storage.open(name, "rb") as stored:
            while chunk := stored.read(_CHUNK):
                digest.update(chunk)
                target.write(chunk)
    except OSError as exc:
        raise CorruptArtifact(f"The stored model file {name} cannot be read: {exc}") from exc
    return digest.hexdigest()
