"""Freeze a dataset with what reviewers said of it."""

from typing import TYPE_CHECKING

from django.utils.translation import gettext_noop

from gallery import datasets, snapshots
from gallery.models import Dataset, Snapshot
from pedsite.accounts.models import User as Account
from pedsite.jobs import work as jobs
from pedsite.jobs.models import Job
from search.snapshots import sides, verdicts
from search.snapshots.errors import MayNotFreeze

if TYPE_CHECKING:
    from pedsite.accounts.models import User

KIND = gettext_noop("freeze")
TASK = "search.freeze"


def freeze(dataset: Dataset, user: "User | None" = None) -> Snapshot:
    """The dataset as it is now, with every judgement that counts, split by identity.

    Raises:
        MayNotFreeze: the user is no curator; None is the command line.
        UnknownDataset: it was deleted.
    """
    _check(user)
    said = verdicts.agreed(dataset)
    where = sides.of(dataset, said.of)
    about = {"findings": said.outcomes, "nameless": where.counts}
    judged = snapshots.Judged(of=said.of, split_of=where.split_of, about=about)
    return snapshots.freeze(dataset, user, judged)


def request(dataset: Dataset, user: "User") -> Job:
    """Have a worker freeze a dataset. Raises: MayNotFreeze."""
    _check(user)
    params = {"dataset": dataset.pk, "dataset_name": dataset.name, "user": user.pk}
    return jobs.request(KIND, task=TASK, params=params, user=user, total=1)


def step(work: jobs.Work) -> bool:
    """All of it in one piece; done twice it gives the same snapshot.

    Raises: UnknownDataset, MayNotFreeze.
    """
    dataset = datasets.get(work.params["dataset_name"])
    made = freeze(dataset, Account.objects.get(pk=work.params["user"]))
    work.keep(snapshot=made.pk, number=made.number)
    work.advance(1)
    return False


def _check(user: "User | None") -> None:
    if user is not None and not user.curates:
        raise MayNotFreeze
