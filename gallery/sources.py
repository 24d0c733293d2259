"""Where an import reads: a folder of the server under the roots, or an unpacked upload."""

import contextlib
import os
import re
import shutil
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from gallery import archives, uploads
from gallery.errors import BadFolder, BadUpload
from gallery.formats import paths
from gallery.models import Upload
from pedsite.api import DomainError


def roots() -> list[Path]:
    """The folders of the server that may be imported from, as they are named in the settings."""
    return [Path(root).expanduser().absolute() for root in settings.PEDSITE_IMPORT_ROOTS]


def on_server(named: str) -> Path:
    """The file or folder of the server that is meant: absolute, or below one of the roots.

    Raises:
        BadFolder: it is not there, or not under a root once links are followed.
    """
    text = named.strip()
    if not roots():
        raise BadFolder(_("No folder of this server may be imported from (PEDSITE_IMPORT_ROOTS)."))
    if not text or not text.isprintable():
        raise BadFolder(_("The folder has no name, or one that cannot be shown."))
    if ".." in Path(text).parts:
        raise BadFolder(_("The path “%(path)s” has `..` in it.") % {"path": text})
    for root in roots():
        found = root / text
        if not found.is_relative_to(root):
            continue
        try:
            real = found.resolve(strict=True)
        except (OSError, RuntimeError, ValueError):
            continue
        if not real.is_relative_to(root.resolve()):
            raise BadFolder(
                _("The path “%(path)s” leads out of the folders that may be imported from.")
                % {"path": text}
            )
        return real
    raise BadFolder(
        _("There is no “%(path)s” in the folders that may be imported from.") % {"path": text}
    )


def here(upload: Upload, beat: Callable[[], None]) -> Path:
    """The folder of this machine that holds what was uploaded; made now if it is not there.

    Raises:
        BadUpload: it is not whole.
        BadArchive: it is not unpacked, or is no archive and is called one.
    """
    kept = _place() / upload.key
    if kept.is_dir():
        os.utime(kept)
        return kept
    prune()
    part = _place() / f"{upload.key}.{uuid.uuid4().hex}.part"
    part.mkdir(parents=True)
    try:
        file = part / "received"
        uploads.write(upload, file, beat)
        folder = part / "folder"
        if archives.is_archive(file):
            limits = archives.Limits(
                settings.PEDSITE_UNPACKED_BYTES, settings.PEDSITE_UNPACKED_FILES
            )
            archives.unpack(file, folder, limits, beat)
        else:
            archives.refuse_unlike(upload.name)
            folder.mkdir()
            file.rename(folder / upload.name)
        # Whoever comes second finds it there, and it is the same.
        with contextlib.suppress(OSError):
            folder.rename(kept)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return kept


def inside(folder: Path, named: str) -> Path:
    """What a path inside an unpacked upload names.

    Raises:
        BadUpload: it leads out of it, or there is no such thing.
    """
    found = folder.resolve()
    if named in ("", "."):
        return found
    if (found / named).is_dir() and ".." not in Path(named).parts:
        below = (found / named).resolve()
        if below.is_relative_to(found):
            return below
    file = paths.inside(found, named)
    if isinstance(file, str):
        raise BadUpload(f"{named}: {file}")
    return file


@contextlib.contextmanager
def told(upload_name: str) -> Iterator[None]:
    """Takes this machine's folder out of what is raised: a path is told from the upload's top."""
    try:
        yield
    except DomainError as exc:
        exc.args = (_without_folder(str(exc), upload_name),)
        raise
    except OSError as exc:
        if isinstance(exc.filename, str):
            exc.filename = _without_folder(exc.filename, upload_name)
        raise


def _without_folder(text: str, upload_name: str) -> str:
    places = "|".join(re.escape(str(place)) for place in {_place().absolute(), _place().resolve()})
    copy = rf"(?:{places})/[0-9a-f]{{32}}(?:\.[0-9a-f]{{32}}\.part/\w+)?"
    return re.sub(copy, lambda _found: upload_name, re.sub(rf"{copy}/", "", text))


def prune() -> None:
    """Remove this machine's copies of uploads that are gone, or that nobody read for long."""
    before = time.time() - settings.PEDSITE_UPLOAD_DAYS * 86400
    there = set(Upload.objects.values_list("key", flat=True))
    for copy in _place().glob("*"):
        with contextlib.suppress(OSError):
            unfinished = copy.name.endswith(".part")
            gone = copy.name.partition(".")[0] not in there
            if copy.stat().st_mtime < before or (gone and not unfinished):
                shutil.rmtree(copy, ignore_errors=True)


def _place() -> Path:
    return Path(settings.PEDSITE_WORK_DIR) / "uploads"
