"""The items that a job could not do, put together by reason."""

from dataclasses import dataclass

from django.db.models import Count, Min

from pedsite.jobs.models import Job

# Examples shown of each reason, and reasons shown of each job.
EXAMPLES = 3
REASONS = 50


@dataclass(frozen=True, kw_only=True)
class Group:
    """One reason, how many items it met, and the first few of them."""

    reason: str
    count: int
    items: list[str]

    @property
    def rest(self) -> int:
        """How many items are not among those named."""
        return self.count - len(self.items)


def grouped(job: Job) -> list[Group]:
    """The reasons of a job's failures, the commonest first; one query a reason."""
    reasons = (
        job.failures.order_by()
        .values("reason")
        .annotate(count=Count("pk"), first=Min("pk"))
        .order_by("-count", "first")[:REASONS]
    )
    return [
        Group(
            reason=row["reason"],
            count=row["count"],
            items=list(
                job.failures.filter(reason=row["reason"]).values_list("item", flat=True)[:EXAMPLES]
            ),
        )
        for row in reasons
    ]
