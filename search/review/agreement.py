"""How far two reviewers say the same of the same findings, and where they do not."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from django.db.models import Count, QuerySet

from search.review import judging
from search.review.models import Finding, Judgement

if TYPE_CHECKING:
    from pedsite.accounts.models import User


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two reviewers on what both of them decided."""

    first: str
    second: str
    count: int  # findings that both decided
    same: int  # of these, those with one verdict

    # Cohen's kappa, at most 1, 0 for what chance would do; None where both always say one thing.
    kappa: float | None

    @property
    def agreement(self) -> float:
        """The share with one verdict, 0 to 1."""
        return self.same / self.count


def kappa(pairs: Sequence[tuple[str, str]]) -> float | None:
    """Cohen's kappa of pairs of verdicts, over the verdicts as they are, none of them weighed.

    Args:
        pairs: at least one (first reviewer's, second reviewer's).

    Returns: (observed - expected) / (1 - expected), where expected is what two people with these
        frequencies would agree on by chance; None where that is everything.
    Source: Cohen, Educational and Psychological Measurement 20, 1960.
    """
    count = len(pairs)
    observed = sum(first == second for first, second in pairs) / count
    firsts, seconds = Counter(first for first, _ in pairs), Counter(second for _, second in pairs)
    expected = sum(firsts[verdict] * seconds[verdict] for verdict in firsts) / count**2
    return None if expected >= 1 else (observed - expected) / (1 - expected)


def pairs(user: "User") -> list[Pair]:
    """Every two reviewers with a finding that both decided, of those open to a user.

    Raises: MayNotReview.
    """
    judging.require_reviewer(user)
    rows = _open(user).values_list("finding", "reviewer__username", "verdict")
    by_finding: dict[int, list[tuple[str, str]]] = defaultdict(list)
    for finding, reviewer, verdict in rows.order_by("finding", "reviewer__username").iterator():
        by_finding[finding].append((reviewer, verdict))
    said: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    for judged in by_finding.values():
        for (first, one), (second, other) in combinations(judged, 2):
            said[first, second].append((one, other))
    return [
        Pair(
            first=first,
            second=second,
            count=len(verdicts),
            same=sum(one == other for one, other in verdicts),
            kappa=kappa(verdicts),
        )
        for (first, second), verdicts in sorted(said.items())
    ]


def disagreements(user: "User") -> QuerySet[Finding]:
    """Findings of which reviewers say different things, of those open to a user; newest first.

    Raises: MayNotReview.
    """
    judging.require_reviewer(user)
    split = (
        _open(user)
        .values("finding")
        .annotate(verdicts=Count("verdict", distinct=True))
        .filter(verdicts__gt=1)
        .values("finding")
    )
    return (
        Finding.objects.visible_to(user)
        .judged_by(user)
        .filter(pk__in=split)
        .in_turn()
        .with_context()
        .prefetch_related("judgements__reviewer")
    )


def _open(user: "User") -> QuerySet[Judgement]:
    """Decided judgements open to a user, on findings with two or more of them."""
    rows = Judgement.objects.open_to(user)
    twice = rows.values("finding").annotate(said=Count("pk")).filter(said__gt=1)
    return rows.filter(finding__in=twice.values("finding"))
