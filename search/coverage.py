"""How much of each dataset a version's vectors cover."""

from dataclasses import dataclass

from django.db.models import Count

from gallery.models import Box, Dataset, Review
from pedsite.accounts.models import User
from search.models import Embedding
from training.models import ModelVersion


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """Of `boxes` that can be found in a dataset, `enrolled` have a vector of the image tower."""

    dataset: Dataset
    boxes: int
    enrolled: int

    @property
    def percent(self) -> int:
        """Rounded down, so that 100 means all."""
        return 100 * self.enrolled // self.boxes if self.boxes else 0


def of(version: ModelVersion, user: User) -> list[Coverage]:
    """Each dataset with boxes that a user may see, by name."""
    datasets = Dataset.objects.visible_to(user)
    boxes = _counts(
        Box.objects.exclude(review=Review.HIDDEN).filter(image__dataset__in=datasets),
        "image__dataset",
    )
    vectors = Embedding.objects.findable().filter(
        encoder_id=version.image_encoder_id, dataset__in=datasets
    )
    enrolled = _counts(vectors, "dataset")
    return [
        Coverage(dataset=dataset, boxes=boxes[dataset.pk], enrolled=enrolled.get(dataset.pk, 0))
        for dataset in datasets.filter(pk__in=boxes).order_by("name")
    ]


def _counts(rows, dataset: str) -> dict[int, int]:
    return dict(rows.order_by().values_list(dataset).annotate(Count("pk")))
