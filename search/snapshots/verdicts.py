"""What reviewers agree on about the boxes of a dataset, as words that describe them or do not.

A judgement counts where all who decided say the same, confirmed or rejected; where they differ,
what a third decided counts. A question that nobody could put below a picture as its caption does
not: one with a box to look like, or with phrases that must or must not show.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from gallery.models import MAX_CAPTION, Dataset, Review
from gallery.snapshots import Verdicts
from pedsite.api import DomainError
from search import language
from search.language import Role
from search.review.models import Adjudication, Judgement, Verdict

COUNTS = (Verdict.CONFIRMED.value, Verdict.REJECTED.value)
# Why the others do not.
UNSURE, DISPUTED, LIKE, NOT_PLAIN = "unsure", "disputed", "with_a_box", "not_plain_words"


@dataclass(frozen=True, kw_only=True)
class Agreed:
    """of: box id -> what counts. outcomes: how many findings were confirmed and rejected, and how
    many do not count by the reason why."""

    of: dict[int, Verdicts]
    outcomes: dict[str, int]


def agreed(dataset: Dataset) -> Agreed:
    """What counts of the judgements on a dataset's boxes that nobody hid."""
    words: dict[int, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    outcomes: Counter[str] = Counter()
    plain: dict[str, str | None] = {}
    for box, text, like, verdict in _findings(dataset):
        if text not in plain:
            plain[text] = caption_of(text)
        caption = plain[text]
        reason = LIKE if like is not None else NOT_PLAIN if caption is None else ""
        outcomes[reason or verdict] += 1
        if caption is not None and not reason and verdict in COUNTS:
            words[box][verdict].add(caption)
    of = {
        box: Verdicts(
            confirmed=tuple(sorted(said[COUNTS[0]])), rejected=tuple(sorted(said[COUNTS[1]]))
        )
        for box, said in words.items()
    }
    return Agreed(of=of, outcomes=dict(sorted(outcomes.items())))


def caption_of(text: str) -> str | None:
    """The words of a query as the caption of a box; None where they are none."""
    try:
        typed = language.parse(text)
    except DomainError:  # written for filters that there are no longer
        return None
    told = any(phrase.role != Role.WEIGH for phrase in typed.phrases)
    words = typed.words.strip()
    return words if words and not told and len(words) <= MAX_CAPTION else None


def _findings(dataset: Dataset) -> Iterator[tuple[int, str, int | None, str]]:
    """Box, words, box asked with, and what counts, of every finding that somebody decided."""
    here = {"finding__box__image__dataset": dataset}
    decided = Judgement.objects.decided().filter(**here).exclude(finding__box__review=Review.HIDDEN)
    rows = decided.order_by("finding").values_list(
        "finding", "finding__box", "finding__query__text", "finding__query__like", "verdict"
    )
    third = dict(
        Adjudication.objects.filter(undone_at=None, **here).values_list("finding", "verdict")
    )
    said: dict[int, tuple[int, str, int | None, set[str]]] = {}
    for finding, box, text, like, verdict in rows.iterator():
        said.setdefault(finding, (box, text, like, set()))[3].add(verdict)
    for finding, (box, text, like, verdicts) in said.items():
        ways = {third[finding]} if len(verdicts) > 1 and finding in third else verdicts
        yield box, text, like, ways.pop() if len(ways) == 1 else DISPUTED
