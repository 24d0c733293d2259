"""What pages of models say of who serves; models themselves do not know that search exists."""

from typing import Any

from django import template
from django.db.models import QuerySet

from gallery.models import Dataset
from pedsite.accounts.models import User
from search import compact, coverage, engines, tuning
from search.models import ServingVersion
from training.models import ModelVersion

register = template.Library()


@register.simple_tag
def answers_now(version: ModelVersion) -> QuerySet[ServingVersion]:
    """The kinds of query that a version answers at this moment, since when and by whose choice."""
    return ServingVersion.objects.in_force().filter(version=version).select_related("set_by")


@register.simple_tag
def serving_now() -> set[int]:
    """Numbers of all versions that answer some query at this moment."""
    return set(ServingVersion.objects.in_force().values_list("version_id", flat=True))


@register.simple_tag
def index_of(version: ModelVersion) -> dict[str, Any]:
    """The vector index of a version's image tower, how wide it is walked, and its codes."""
    encoder = version.image_encoder
    return {
        "built": engines.current().look(encoder),
        "tuning": tuning.newest(encoder),
        "exact_rows": tuning.exact_rows(encoder),
        "codes": compact.newest(encoder),
    }


@register.simple_tag
def covered(version: ModelVersion, user: User) -> list[coverage.Coverage]:
    """How much of each dataset that the user may see a version's vectors cover."""
    return coverage.of(version, user)


@register.simple_tag
def enrolling(dataset_name: str, user: User) -> coverage.Lack | None:
    """What of a dataset cannot be found yet; None of one that is not there for the user."""
    dataset = Dataset.objects.visible_to(user).filter(name=dataset_name).first()
    return coverage.lack(dataset, user) if dataset is not None else None
