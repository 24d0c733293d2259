"""Stored picture files: put where the server decides, removed with the last row that names them."""

import hashlib
from collections.abc import Sequence

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction

from gallery.models import Dataset, Image


def sha256(data: bytes) -> str:
    """Lower-case hex digest, by which a dataset knows a picture."""
    return hashlib.sha256(data).hexdigest()


def put(dataset_id: int, digest: str, ending: str, data: bytes) -> str:
    """Store bytes under a name made of their digest, and return it.

    Storing again does nothing; a file that a killed process left unfinished is replaced. To be
    called with the dataset locked.
    """
    name = f"pictures/{dataset_id}/{digest[:2]}/{digest}.{ending}"
    if default_storage.exists(name):
        if default_storage.size(name) == len(data):
            return name
        default_storage.delete(name)
    return default_storage.save(name, ContentFile(data))


def delete(images: Sequence[Image]) -> None:
    """Remove images with their boxes and captions, and the files that nothing names any more."""
    files = {(image.dataset_id, image.file.name) for image in images}
    with transaction.atomic():
        _lock({dataset_id for dataset_id, _name in files})
        Image.objects.filter(pk__in=[image.pk for image in images]).delete()
        # Not before the rows are gone for good: a rollback must not leave rows without files.
        transaction.on_commit(lambda: _remove_unnamed(files))


def _remove_unnamed(files: set[tuple[int, str]]) -> None:
    with transaction.atomic():
        # An import that adds the same picture now either waits, or its row is seen here.
        _lock({dataset_id for dataset_id, _name in files})
        names = {name for _dataset_id, name in files}
        named = set(Image.objects.filter(file__in=names).values_list("file", flat=True))
        for name in names - named:
            default_storage.delete(name)


def _lock(dataset_ids: set[int]) -> None:
    rows = Dataset.objects.select_for_update(no_key=True).filter(pk__in=dataset_ids)
    list(rows.order_by("pk"))
