"""A whole site in one file, and back: the database as pg_dump writes it, and every stored file.

The file is a tar: `database.dump` (pg_dump's custom format), `media/NAME` for each stored file,
and last `manifest.json`, which says what there is and the SHA-256 of each. The database is dumped
first: files are stored before rows name them, so the ones that its rows name are there by then.
"""

import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.core.files.storage import Storage, default_storage
from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.utils import timezone

from pedsite import cached
from pedsite.audit.journal import Action, record
from pedsite.servers import Postgres

FORMAT = 1
DATABASE, MEDIA, MANIFEST = "database.dump", "media/", "manifest.json"
_BLOCK = 1 << 20

Watch = Callable[[int], None]


class BackupError(Exception):
    """A backup cannot be made, read or put back; nothing of the site has changed unless it says."""


@dataclass
class Manifest:
    """What a backup holds. `files`: SHA-256 by name within the storage."""

    made_at: str
    migrations: list[str]
    tables: list[str]
    files: dict[str, str] = field(default_factory=dict)
    database_sha256: str = ""
    format: int = FORMAT


def write(path: Path, *, with_media: bool = True, watch: Watch = lambda size: None) -> Manifest:
    """Store the site in a new file; a broken attempt leaves nothing under that name.

    Args:
        with_media: False leaves the files out, where the storage has copies of its own.
        watch: told the bytes of each block written.

    Raises: BackupError, the file is there already, or pg_dump fails.
    """
    if path.exists():
        raise BackupError(f"{path} is there already: choose another name.")
    part = path.with_name(f"{path.name}.part")
    manifest = Manifest(made_at=timezone.now().isoformat(), migrations=_applied(), tables=_tables())
    try:
        # It holds the hashes of passwords and keys.
        opened = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(opened, "wb") as stream, tarfile.open(fileobj=stream, mode="w") as archive:
            with tempfile.NamedTemporaryFile(dir=path.parent) as dump:
                _run("pg_dump", "--format=custom", "--no-owner", f"--file={dump.name}")
                length = Path(dump.name).stat().st_size
                with open(dump.name, "rb") as source:
                    manifest.database_sha256 = _add(archive, DATABASE, source, length, watch)
            for name in _stored(default_storage) if with_media else ():
                with default_storage.open(name) as source:
                    length = default_storage.size(name)
                    manifest.files[name] = _add(archive, MEDIA + name, source, length, watch)
            told = json.dumps(manifest.__dict__, indent=1).encode()
            entry = tarfile.TarInfo(MANIFEST)
            entry.size = len(told)
            archive.addfile(entry, io.BytesIO(told))
        part.rename(path)
        record(Action.EXPORT, user=None, about="backup", with_media=with_media)
    finally:
        part.unlink(missing_ok=True)
    return manifest


def read(path: Path) -> Manifest:
    """What a backup says that it holds.

    Raises: BackupError, it is no backup, a broken one, or of a newer pedsite.
    """
    try:
        with tarfile.open(path) as archive:
            told = archive.extractfile(MANIFEST)
            manifest = Manifest(**json.load(told)) if told else None
    except (OSError, tarfile.TarError, KeyError, ValueError, TypeError) as exc:
        raise BackupError(f"{path} is no whole backup: {exc}") from exc
    if manifest is None or manifest.format != FORMAT:
        raise BackupError(f"{path} is no backup of format {FORMAT}.")
    known = {f"{app}.{name}" for app, name in MigrationLoader(None).disk_migrations}
    if newer := sorted(set(manifest.migrations) - known):
        raise BackupError(f"{path} is of a newer pedsite, which has {', '.join(newer[:3])}.")
    return manifest


def restore(path: Path, *, replace: bool = False, watch: Watch = lambda size: None) -> Manifest:
    """Put a site back: its files first, then its database at once, then newer migrations.

    Interrupted at any time, the same call goes on: files that are there as they should be are
    left, and the database is replaced in one transaction.

    Args:
        replace: also where the database holds a site, which is gone then.

    Raises: BackupError.
    """
    manifest = read(path)
    there = _tables()
    if there and not replace:
        raise BackupError(f"The database holds {there[0]} and more: replace it with --replace.")
    if strange := sorted(set(there) - set(manifest.tables)):
        raise BackupError(f"The database holds tables that the backup lacks: {', '.join(strange)}.")
    with tarfile.open(path) as archive, tempfile.NamedTemporaryFile() as dump:
        for name, sha256 in manifest.files.items():
            _put_back(archive, name, sha256, watch)
        _copy(archive, DATABASE, dump, manifest.database_sha256, watch)
        dump.flush()
        connection.close()
        _run(
            "pg_restore", "--clean", "--if-exists", "--no-owner", "--single-transaction",
            "--exit-on-error", f"--dbname={_database()}", dump.name,
        )  # fmt: skip
    call_command("migrate", verbosity=0)
    # What was cached speaks of rows that may be others now.
    cached.forget()
    record(Action.CHANGE, user=None, about="restored a backup", made_at=manifest.made_at)
    return manifest


def size() -> int:
    """Bytes that a backup of now is about to write."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        database: int = cursor.fetchone()[0]
    return database + sum(default_storage.size(name) for name in _stored(default_storage))


def _stored(storage: Storage, folder: str = "") -> Iterator[str]:
    try:
        folders, files = storage.listdir(folder)
    except FileNotFoundError:
        return
    for name in sorted(files):
        yield f"{folder}{name}"
    for name in sorted(folders):
        yield from _stored(storage, f"{folder}{name}/")


def _add(archive: tarfile.TarFile, name: str, source: IO[bytes], size: int, watch: Watch) -> str:
    digest = hashlib.sha256()
    entry = tarfile.TarInfo(name)
    entry.size = size
    archive.addfile(entry, _Watched(source, digest, watch))
    return digest.hexdigest()


class _Watched(io.RawIOBase):
    """Reads a stream, digests what passes, and tells how much it was."""

    def __init__(self, stream: IO[bytes], digest: Any, watch: Watch) -> None:
        self.stream, self.digest, self.watch = stream, digest, watch

    def read(self, size: int = -1) -> bytes:
        block = self.stream.read(size)
        self.digest.update(block)
        self.watch(len(block))
        return block


def _put_back(archive: tarfile.TarFile, name: str, sha256: str, watch: Watch) -> None:
    with tempfile.NamedTemporaryFile() as copy:
        _copy(archive, MEDIA + name, copy, sha256, watch)
        copy.seek(0)
        if default_storage.exists(name):
            with default_storage.open(name) as there:
                if hashlib.file_digest(there, "sha256").hexdigest() == sha256:
                    return
            default_storage.delete(name)
        if default_storage.save(name, copy) != name:
            raise BackupError(f"The storage keeps no file under the name {name}.")


def _copy(
    archive: tarfile.TarFile, name: str, target: IO[bytes], sha256: str, watch: Watch
) -> None:
    """Raises: BackupError, the member is missing or was changed."""
    try:
        member = archive.extractfile(name)
    except (KeyError, tarfile.TarError) as exc:
        raise BackupError(f"The backup lacks {name}: {exc}") from exc
    digest = hashlib.sha256()
    if member is not None:
        shutil.copyfileobj(_Watched(member, digest, watch), target, _BLOCK)
    if digest.hexdigest() != sha256:
        raise BackupError(f"{name} is not what was backed up: the file is damaged.")


def _applied() -> list[str]:
    loader = MigrationLoader(connection)
    return sorted(f"{app}.{name}" for app, name in loader.applied_migrations)


def _tables() -> list[str]:
    # Not those that a connection made for itself alone.
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
        return sorted(name for (name,) in cursor.fetchall())


def _database() -> str:
    return str(connection.settings_dict["NAME"])


def _run(program: str, *words: str) -> None:
    """One of PostgreSQL's programs, on our database; the newest that there is reads any older."""
    ours = Postgres(Path(settings.DATA_DIR)).bin / program
    found = str(ours) if ours.exists() else shutil.which(program)
    if found is None:
        raise BackupError(f"{program} is not installed: it comes with PostgreSQL's client.")
    about = connection.settings_dict
    names = {"HOST": "PGHOST", "PORT": "PGPORT", "USER": "PGUSER", "PASSWORD": "PGPASSWORD"}
    # Not on the command line, where every user of the machine could read the password.
    given = {ours: str(about[theirs]) for theirs, ours in names.items() if about.get(theirs)}
    environment = os.environ | given | {"PGDATABASE": _database()}
    done = subprocess.run([found, *words], env=environment, capture_output=True, text=True)
    if done.returncode:
        raise BackupError(f"{program} failed: {done.stderr.strip()[-500:]}")
