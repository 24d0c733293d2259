"""An import from what somebody brought until it is in a dataset: begin, check, confirm.

The check is a dry run in a worker, which also unpacks an upload and finds out its format; only what
was checked is imported.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from gallery import datasets, ingest, rehearsal, sources, uploads
from gallery.errors import BadSource, NotNow, NotYourDataset, UnknownFormat
from gallery.formats import FORMATS
from gallery.formats.detect import Found, detect
from gallery.formats.records import Unreadable
from gallery.models import Dataset, Import, Upload
from pedsite.accounts.models import User
from pedsite.jobs import work
from pedsite.jobs.models import Job

KIND = gettext_noop("check an import")
TASK = "gallery.check_import"
# Those that read what somebody brings.
BROUGHT = tuple(name for name in FORMATS if name != "drawn")


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What is to be imported, as a form or a program says it; format "" is found out."""

    dataset: str
    upload: Upload | None = None
    folder: str = ""
    format: str = ""
    images: str = ""
    options: dict[str, Any] | None = None


@transaction.atomic
def begin(user: User, wish: Wish) -> Import:
    """An import that is being checked; nothing is written to a dataset.

    Raises:
        NotYourDataset, BadDatasetName, UnknownFormat, BadSource: it could never be imported.
        BadFolder: the folder may not be read.
        NotNow, BadUpload: the upload is not whole, or was removed.
    """
    found = Import(created_by=user)
    if wish.upload is not None:
        found.upload, found.from_upload = uploads.hold(wish.upload), True
        found.name = wish.upload.name
    else:
        path = sources.on_server(wish.folder)
        found.path, found.name = str(path), path.name[-255:]
    _choose(found, user, wish)
    found.save()
    return check(found, user)


@transaction.atomic
def check_again(pk: int, user: User, wish: Wish) -> Import:
    """Check with another format, dataset or options. Raises: as `begin`; NotNow: too late."""
    found = Import.objects.select_for_update().get(pk=pk)
    if found.stage not in ("checked", "unreadable"):
        raise NotNow(_("This import is past its check, or being checked."))
    _refuse_gone(found)
    if found.from_upload:
        found.path = ""
    _choose(found, user, wish)
    found.save()
    return check(found, user)


def check(found: Import, user: User) -> Import:
    """Queue the dry run of an import."""
    params = {"import": found.pk, "dataset_name": found.dataset_name, "source": found.name}
    found.report = {}
    found.check_job = work.request(KIND, task=TASK, params=params, user=user)
    found.save(update_fields=["report", "check_job"])
    if found.upload is not None:
        uploads.touch(found.upload)
    return found


@transaction.atomic
def confirm(pk: int, user: User) -> Job:
    """Queue what was checked for import.

    Raises:
        NotNow: it is not checked, has nothing to import, or is imported already.
        NotYourDataset: the dataset was taken or closed since.
        BadSource, BadFolder: what was checked is not there any more.
    """
    found = Import.objects.select_for_update().get(pk=pk)
    if found.stage != "checked":
        raise NotNow(_("Only an import that was checked and not yet confirmed can be confirmed."))
    _refuse_gone(found)
    if not found.report.get("images") and not found.report.get("known_images"):
        raise NotNow(_("There is nothing in it that can be imported."))
    if found.upload is not None:
        uploads.touch(found.upload)
    found.job = ingest.request(
        found.format,
        found.path,
        found.dataset_name,
        found.images or None,
        user,
        options=found.options,
        upload=found.upload,
        total=found.report["records"],
    )
    found.save(update_fields=["job"])
    return found.job


def remove(pk: int) -> None:
    """Forget an import that was not confirmed, with its upload. Raises: NotNow: it was."""
    with transaction.atomic():
        found = Import.objects.select_for_update().get(pk=pk)
        if found.job_id is not None:
            raise NotNow(_("What was imported stays in this list; it can be undone."))
        if found.check_job is not None and not found.check_job.is_over:
            work.cancel(found.check_job)
        upload = found.upload
        found.delete()
    if upload is not None and not upload.imports.exists():
        uploads.remove(upload)


class Checker:
    """The step of a check. What a killed process had read is read again from the start."""

    def __init__(self) -> None:
        self._rehearsal: rehearsal.Rehearsal | None = None

    def __call__(self, at: work.Work) -> bool:
        """Check one chunk; True while more remains.

        Raises:
            BadArchive, BadUpload, BadFolder, BadSource: it cannot be read at all.
            NotYourDataset: it was closed to whoever asked.
        """
        found = (
            Import.objects.select_related("upload", "created_by")
            .filter(pk=at.params["import"])
            .first()
        )
        if found is None:
            raise work.Cancelled
        with sources.told(found.name):
            return self._step(at, found)

    def _step(self, at: work.Work, found: Import) -> bool:
        if self._rehearsal is None:
            try:
                self._rehearsal = self._open(at, found)
            finally:
                at.advance(note="")
            at.job.failures.all().delete()
            # It is looked at as a whole, with the choices of its form.
            at.refuse_retries()
            at.plan(self._rehearsal.total, afresh=True)
            return True
        chunk = self._rehearsal.chunk(at.beat)
        report, failures = self._rehearsal.report, rehearsal.refusals_of(chunk)
        with transaction.atomic():
            at.advance(len([one for one in chunk.good if not one.problems]), failures)
            if chunk.is_last:
                at.plan(at.job.handled, done=at.job.done)
                found.report = rehearsal.as_json(self._rehearsal)
                found.save(update_fields=["report"])
                at.keep(records=report.records, pictures=report.images, refused=report.refused)
        return not chunk.is_last

    def _open(self, at: work.Work, found: Import) -> rehearsal.Rehearsal:
        _refuse_closed(found.dataset_name, found.created_by)
        _refuse_gone(found)
        at.plan(None, note=_("unpacking and looking at it"))
        folder = sources.here(found.upload, at.beat) if found.upload is not None else None
        source = sources.inside(folder, "") if folder else sources.on_server(found.path)
        seen = _seen(found, source)
        found.format = seen.format
        inner = source if folder else Path("/")
        found.path = str(seen.path.relative_to(inner)) if folder else str(seen.path)
        if seen.images is not None:
            found.images = str(seen.images.relative_to(inner)) if folder else str(seen.images)
        found.save(update_fields=["format", "path", "images"])
        images = str(seen.images) if seen.images else None
        return rehearsal.Rehearsal(
            found.format, str(seen.path), found.dataset_name, images, found.options
        )


def _seen(found: Import, source: Path) -> Found:
    """What is to be read: the format that was chosen, at the place where it is found.

    Raises:
        BadSource: no format reads it.
    """
    try:
        seen = detect(source, FORMATS)
    except Unreadable as exc:
        if not found.format:
            raise BadSource(str(exc)) from exc
        seen = Found(found.format, source)
    images = seen.images
    if found.images:
        images = (
            sources.inside(source, found.images)
            if found.from_upload
            else sources.on_server(found.images)
        )
    if found.format in ("", seen.format):
        return Found(seen.format, seen.path, images)
    # Formats of a file are told of the file that looks like one; all others of the folder.
    whole = seen.path if seen.path.is_dir() else seen.path.parent
    of_file = found.format in ("video", "cuhk_pedes", "synth_pedes")
    return Found(found.format, seen.path if of_file or source.is_file() else whole, images)


def _choose(found: Import, user: User, wish: Wish) -> None:
    if wish.format and wish.format not in BROUGHT:
        raise UnknownFormat(wish.format, list(BROUGHT))
    options = {
        name: value for name, value in (wish.options or {}).items() if value not in ("", None)
    }
    if options and not wish.format:
        raise BadSource(_("Options belong to a format: choose it too."))
    if wish.format:
        ingest.format_of(wish.format, options)
    datasets.check_name(wish.dataset)
    _refuse_closed(wish.dataset, user)
    if wish.images and not found.from_upload:
        sources.on_server(wish.images)
    found.dataset_name, found.format = wish.dataset, wish.format
    found.images, found.options = wish.images, options


def _refuse_gone(found: Import) -> None:
    if found.is_gone:
        raise BadSource(_("The upload was removed."))


def _refuse_closed(name: str, user: User) -> None:
    dataset = Dataset.objects.filter(name=name).first()
    if dataset is not None and not ingest.is_open(dataset, user):
        raise NotYourDataset(name)
