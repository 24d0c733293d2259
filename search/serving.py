"""Which model version answers which queries, since when, and by whose decision."""

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.db import transaction

from search.errors import ImageOnlyVersion, NotEnrolled, NothingServes, UnknownKindOfQuery
from search.models import Embedding, QueryKind, ServingVersion
from search.scope import DEFAULT_KIND
from training import versions
from training.models import ModelVersion

if TYPE_CHECKING:
    from pedsite.accounts.models import User

# Which version serves is asked each time; what it consists of never changes, save its notes.
BELIEVED_S = 10.0

_believed: dict[int, tuple[float, ModelVersion]] = {}


def current(query_kind: str, dataset_kind: str = DEFAULT_KIND) -> ModelVersion:
    """The version that answers a kind of query, with its encoders and their spaces loaded.

    Raises:
        NothingServes: none was ever set.
    """
    rows = ServingVersion.objects.filter(dataset_kind=dataset_kind, query_kind=query_kind)
    pk = rows.order_by("-pk").values_list("version_id", flat=True).first()
    found = None if pk is None else version(pk)
    if found is None:
        raise NothingServes(query_kind, dataset_kind)
    return found


def version(pk: int) -> ModelVersion | None:
    """A version with its encoders and their spaces loaded, as it was some seconds ago at most."""
    since, found = _believed.get(pk, (0.0, None))
    if found is not None and time.monotonic() - since < BELIEVED_S:
        return found
    found = ModelVersion.objects.with_towers().filter(pk=pk).first()
    if found is not None:
        _believed[pk] = (time.monotonic(), found)
    return found


def kinds_of(version: ModelVersion) -> list[str]:
    """The kinds of query that a version can answer."""
    return [QueryKind.PICTURE] if version.is_image_only else [QueryKind.TEXT, QueryKind.PICTURE]


@transaction.atomic
def switch_to(
    version: ModelVersion,
    query_kind: str,
    user: "User | None" = None,
    dataset_kind: str = DEFAULT_KIND,
) -> ServingVersion:
    """Let a version answer from now on; the row before it stays, to roll back to.

    Returns: the row in force; the one that was, if the version answers already.
    Raises:
        UnknownKindOfQuery: neither text nor picture.
        ImageOnlyVersion: it has no text encoder and text was asked for.
        NotEnrolled: it has no vector of a box of this kind, so every search would find nobody.
        CorruptArtifact: it fails its self-test.
    """
    check(version, [query_kind], dataset_kind)
    newest = ServingVersion.objects.newest(dataset_kind, query_kind)
    if newest is not None and newest.version_id == version.pk:
        return newest
    versions.self_test(version)
    return ServingVersion.objects.create(
        version=version, query_kind=query_kind, dataset_kind=dataset_kind, set_by=user
    )


def check(version: ModelVersion, query_kinds: Iterable[str], dataset_kind: str) -> None:
    """Refuse what a version cannot answer. Raises: as `switch_to`, before any self-test."""
    for query_kind in query_kinds:
        if query_kind not in QueryKind.values:
            raise UnknownKindOfQuery(query_kind)
        if query_kind == QueryKind.TEXT and version.is_image_only:
            raise ImageOnlyVersion(version.name)
    if not _has_vectors(version, dataset_kind):
        raise NotEnrolled(version.name, dataset_kind)


def start_if_none(
    version: ModelVersion, user: "User | None" = None, dataset_kind: str = DEFAULT_KIND
) -> list[ServingVersion]:
    """Let a version answer the kinds of query that nothing answers yet.

    Returns: the rows made. None for a version without vectors.
    """
    if not _has_vectors(version, dataset_kind):
        return []
    return [
        switch_to(version, kind, user, dataset_kind)
        for kind in kinds_of(version)
        if ServingVersion.objects.newest(dataset_kind, kind) is None
    ]


def _has_vectors(version: ModelVersion, dataset_kind: str) -> bool:
    return Embedding.objects.filter(
        encoder_id=version.image_encoder_id, dataset__kind=dataset_kind
    ).exists()
