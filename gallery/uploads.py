"""Files that come in pieces and go on after any interruption; each within the limits.

A piece is stored whole before the row counts it. One that was stored and not counted is sent again
and replaces itself, since it has the name of its first byte.
"""

import logging
import uuid
from collections.abc import Callable, Iterable
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Q, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from gallery.errors import BadUpload, NotNow, UploadTooLarge, WrongOffset
from gallery.models import Upload
from pedsite.accounts.models import User
from pedsite.jobs.models import Job

logger = logging.getLogger(__name__)

PIECE = 8 * 2**20
_COPIED = 2**20


@transaction.atomic
def begin(user: User, name: str, size: int) -> Upload:
    """An upload of that many bytes, of which none is there.

    Raises:
        UploadTooLarge: it is over a limit, alone or with what the user has waiting.
        BadUpload: it is empty, or has no name.
    """
    if size <= 0:
        raise BadUpload(_("The file is empty (0 bytes)."))
    if size > settings.PEDSITE_UPLOAD_BYTES:
        raise UploadTooLarge(
            _("A file may have at most %(most)d MiB.")
            % {"most": settings.PEDSITE_UPLOAD_BYTES // 2**20}
        )
    # Two at the same time are counted one after the other.
    User.objects.select_for_update().get(pk=user.pk)
    waiting = Upload.objects.filter(created_by=user).aggregate(sum=Sum("size"))["sum"] or 0
    if waiting + size > settings.PEDSITE_UPLOAD_USER_BYTES:
        raise UploadTooLarge(
            _(
                "Your uploads may have %(most)d MiB together, and %(waiting)d MiB are there; "
                "remove one first."
            )
            % {
                "most": settings.PEDSITE_UPLOAD_USER_BYTES // 2**20,
                "waiting": -(-waiting // 2**20),
            }
        )
    return Upload.objects.create(
        key=uuid.uuid4().hex,
        name=_plain(name),
        size=size,
        created_by=user,
        touched_at=timezone.now(),
    )


@transaction.atomic
def append(upload: Upload, offset: int, data: bytes) -> Upload:
    """Add a piece that begins at byte `offset`.

    Returns: the upload as it stands.
    Raises:
        WrongOffset: it does not go on there.
        BadUpload: the piece is empty, too large, or goes over the end.
    """
    held = Upload.objects.select_for_update().filter(pk=upload.pk).first()
    if held is None:
        raise BadUpload(_("The upload was removed."))
    if offset != held.received:
        raise WrongOffset(held.received)
    if not 0 < len(data) <= PIECE:
        raise BadUpload(
            _("A piece has 1 to %(most)d bytes, not %(size)d.") % {"most": PIECE, "size": len(data)}
        )
    if offset + len(data) > held.size:
        raise BadUpload(_("The piece goes over the end of the upload."))
    name = f"{_folder(held)}/{offset:016d}"
    if default_storage.exists(name):
        default_storage.delete(name)
    default_storage.save(name, ContentFile(data))
    held.received += len(data)
    held.touched_at = timezone.now()
    held.save(update_fields=["received", "touched_at"])
    return held


def store(user: User, name: str, size: int, chunks: Iterable[bytes]) -> Upload:
    """A whole file at once, as a form sends it; nothing stays of one that does not end.

    Raises: as `begin` and `append`.
    """
    upload = begin(user, name, size)
    try:
        waiting = b""
        for chunk in chunks:
            waiting += chunk
            while len(waiting) >= PIECE:
                upload = append(upload, upload.received, waiting[:PIECE])
                waiting = waiting[PIECE:]
        if waiting:
            upload = append(upload, upload.received, waiting)
        if not upload.is_whole:
            raise BadUpload(_("The file ended before its size."))
    except BaseException:
        remove(upload)
        raise
    return upload


def hold(upload: Upload) -> Upload:
    """The upload, which stays until the transaction ends.

    Raises:
        BadUpload: it was removed.
        NotNow: it is not whole.
    """
    held = Upload.objects.select_for_update().filter(pk=upload.pk).first()
    if held is None:
        raise BadUpload(_("The upload was removed."))
    if not held.is_whole:
        raise NotNow(_("The upload is not whole yet."))
    return held


def touch(upload: Upload) -> None:
    """Keep an upload from being removed for a while."""
    Upload.objects.filter(pk=upload.pk).update(touched_at=timezone.now())


def write(upload: Upload, to: Path, beat: Callable[[], None]) -> None:
    """Put the pieces together into a file.

    Raises:
        BadUpload: they are not all there.
    """
    names = sorted(_pieces(upload))
    with to.open("xb") as whole:
        for name in names:
            with default_storage.open(f"{_folder(upload)}/{name}", "rb") as piece:
                while data := piece.read(_COPIED):
                    whole.write(data)
                    beat()
        if whole.tell() != upload.size:
            raise BadUpload(
                _("Of the upload %(there)d bytes of %(size)d are there.")
                % {"there": whole.tell(), "size": upload.size}
            )


def remove(upload: Upload) -> None:
    """Remove an upload with its pieces. What it was imported to stays."""
    Upload.objects.filter(pk=upload.pk).delete()
    for name in _pieces(upload):
        default_storage.delete(f"{_folder(upload)}/{name}")
    # Only file systems have the empty folder that is left.
    default_storage.delete(_folder(upload))


def give_up(upload: Upload) -> None:
    """Remove an upload for whoever sent it.

    Raises:
        NotNow: an import that is not over uses it.
    """
    with transaction.atomic():
        Upload.objects.select_for_update().filter(pk=upload.pk).first()
        using = upload.imports.filter(Q(job=None) | Q(job__in=Job.objects.unfinished()))
        if using.exists():
            raise NotNow(_("An import uses this upload; remove the import first."))
        Upload.objects.filter(pk=upload.pk).delete()
    remove(upload)


def expire() -> int:
    """Remove the uploads that nobody used for PEDSITE_UPLOAD_DAYS; those being read stay.

    An import that was checked and waits for somebody says from then on that its upload is gone.

    Returns: how many.
    """
    before = timezone.now() - timedelta(days=settings.PEDSITE_UPLOAD_DAYS)
    busy = Q()
    for job in ("check_job", "job"):
        busy |= Q(**{f"imports__{job}__state__in": ["queued", "running"]})
    reading = Upload.objects.filter(busy).values("pk")
    old = list(Upload.objects.filter(touched_at__lt=before).exclude(pk__in=reading))
    for upload in old:
        logger.info("removing the upload %s, which nobody used", upload.pk)
        remove(upload)
    return len(old)


def _pieces(upload: Upload) -> list[str]:
    try:
        return default_storage.listdir(_folder(upload))[1]
    except FileNotFoundError:
        return []


def _folder(upload: Upload) -> str:
    return f"uploads/{upload.key}"


def _plain(name: str) -> str:
    last = name.replace("\\", "/").rpartition("/")[2].strip()
    last = "".join(letter for letter in last if letter.isprintable())
    if last.strip(".") == "":
        raise BadUpload(_("The file has no name."))
    return last[-200:]
