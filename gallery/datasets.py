"""Datasets by name: found, made, opened to users, removed with their files."""

import re

from django.contrib.auth.models import Group
from django.core.files.storage import default_storage
from django.db import transaction

from gallery import images
from gallery.errors import BadDatasetName, UnknownDataset
from gallery.models import DATASET_NAME, Dataset, DatasetGrant, Image
from gallery.querysets import unreferenced
from pedsite.accounts.models import User
from pedsite.audit.journal import Action, record
from pedsite.jobs.models import Job

DELETE_BATCH = 500


def get(name: str) -> Dataset:
    """The dataset with this name.

    Raises:
        UnknownDataset: there is none.
    """
    try:
        return Dataset.objects.get(name=name)
    except Dataset.DoesNotExist as exc:
        raise UnknownDataset(name) from exc


def check_name(name: str) -> None:
    """Nothing, for a name that a dataset may have.

    Raises:
        BadDatasetName: it cannot be one.
    """
    if not re.match(DATASET_NAME, name):
        raise BadDatasetName(
            f"“{name[:120]}” cannot name a dataset: letters, digits, and _ . - between them, "
            "at most 100."
        )


@transaction.atomic
def get_or_create(name: str, user: User | None = None) -> tuple[Dataset, bool]:
    """The dataset with this name, and whether it is new. Whoever makes one may see it.

    Raises:
        BadDatasetName: the name cannot be one.
    """
    if not re.match(DATASET_NAME, name):
        raise BadDatasetName(
            f"“{name}” cannot name a dataset: letters, digits, and _ . - between them, at most 100."
        )
    dataset, created = Dataset.objects.get_or_create(name=name, defaults={"created_by": user})
    if created and user is not None:
        grant(dataset, user)
    return dataset, created


@transaction.atomic
def grant(dataset: Dataset, to: User | Group | str, by: User | None = None) -> DatasetGrant:
    """Let a user, a group, or everyone of a role see a dataset; a second grant changes nothing."""
    whom: dict[str, object] = {"role": to}
    if isinstance(to, User | Group):
        whom = {"user": to} if isinstance(to, User) else {"group": to}
    found, created = DatasetGrant.objects.get_or_create(dataset=dataset, **whom)
    if created:
        _tell(found, by, "granted")
    return found


@transaction.atomic
def take_back(found: DatasetGrant, by: User | None = None) -> None:
    """Take a grant back: from the next request on they do not see the dataset by it."""
    _tell(found, by, "taken back")
    found.delete()


def _tell(found: DatasetGrant, by: User | None, what: str) -> None:
    record(
        Action.CHANGE,
        user=by,
        about=f"grant of dataset {found.dataset_id} {what}",
        user_id=found.user_id,
        group_id=found.group_id,
        role=found.role,
    )


def lock(pk: int) -> Dataset:
    """Hold a dataset's row until the transaction ends.

    Whoever adds pictures or boxes, or removes them, takes it first: so rows and stored files of
    one dataset change one writer at a time.

    Raises:
        UnknownDataset: it was deleted.
    """
    found = Dataset.objects.select_for_update(no_key=True).filter(pk=pk).first()
    if found is None:
        raise UnknownDataset(pk)
    return found


def remove_bare(dataset: Dataset, job: Job) -> bool:
    """Remove a dataset that is nothing but a name, at the end of a job; whether it was.

    It is one while nothing is in it, nothing was said of it, only its maker sees it, and no other
    job is about to fill it.
    """
    said = dataset.title or dataset.licence or dataset.source
    shared = dataset.grants.exclude(user=dataset.created_by).exists()
    wanted = Job.objects.unfinished().filter(params__dataset=dataset.pk).exclude(pk=job.pk)
    free = unreferenced(Dataset, {DatasetGrant})
    bare = Dataset.objects.filter(free, pk=dataset.pk)
    if said or shared or wanted.exists() or not bare.exists():
        return False
    dataset.delete()
    return True


def delete(dataset: Dataset) -> None:
    """Remove a dataset with all rows and stored files, in batches; safe to call again."""
    pk = dataset.pk
    while batch := list(Image.objects.filter(dataset_id=pk)[:DELETE_BATCH]):
        images.delete(batch)
    files = list(dataset.snapshots.values_list("file", flat=True))
    dataset.delete()
    for name in files:
        default_storage.delete(name)
