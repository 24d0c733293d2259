"""Where the nearest vectors are looked for: in PostgreSQL itself, or in Milvus.

PostgreSQL holds every vector, whichever engine is asked. An engine proposes candidates; their exact
distances, grants, filters and hidden boxes are PostgreSQL's, so two engines can differ in which
boxes they miss, and in nothing else.
"""

from collections.abc import Callable
from typing import Protocol

import numpy as np
from django.conf import settings

from search.engines import milvus, pgvector
from search.index import Built
from search.querysets import EmbeddingQuerySet
from search.scope import Scope
from training.models import Encoder

Ranked = list[tuple[float, int]]  # (cosine distance, box id), closest first


class Engine(Protocol):
    """What searches and enrollments need of one; `beat` is called about every second."""

    def look(self, encoder: Encoder) -> Built | None:
        """What can be walked now; None where every search has to compare all."""

    def known(self, encoder: Encoder) -> Built | None:
        """As `look`, for a search: it may be a second old where that is safe."""

    def walk(
        self,
        rows: EmbeddingQuerySet,
        encoder: Encoder,
        query: np.ndarray,
        wanted: int,
        *,
        built: Built,
        width: int,
        scope: Scope | None = None,
    ) -> Ranked:
        """At least `wanted` of the nearest `rows`, by exact distance; empty where it cannot tell.

        Args:
            width: how wide to walk (`tuning`), 1 to `index.MOST_EF`.
            scope: what `rows` keeps to beside other conditions; None for no scope.

        Raises:
            EngineSilent: it is another service, and it does not answer.
        """

    def follow(self, encoder: Encoder) -> None:
        """Take in what was just enrolled, as far as that is quick. Outside a transaction."""

    def ensure(self, encoder: Encoder, beat: Callable[[], None] = ...) -> bool:
        """Cover all that is enrolled; True if something was to be done. Outside a transaction.

        Raises: EngineSilent, and what `beat` raises.
        """

    def drop(self, encoder: Encoder, beat: Callable[[], None] = ...) -> bool:
        """Let go of an encoder; True if there was anything. Raises: EngineSilent."""


ENGINES: dict[str, Engine] = {"pgvector": pgvector, "milvus": milvus}


def current() -> Engine:
    """The one that answers searches."""
    return ENGINES[settings.PEDSITE_ENGINE]
