"""Text as tokens: a `tokenizer.json` and the rules by which a network was fed with them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Ids = npt.NDArray[np.int64]

# A graph with an open length is traced for two tokens and more.
SHORTEST = 2


class Tokens:
    """Preprocessing keys: `max_length` in tokens, special ones included; `pad`: `longest` of a
    batch, or always `max_length`; `pad_id` and `pad_side` (`right`), what is filled in where.

    Lower-casing and special tokens are the tokenizer's own.

    Raises: ValueError, the file or the rules are unusable.
    """

    def __init__(self, path: Path, preprocessing: Mapping[str, Any]) -> None:
        # Lazy: web processes that serve character towers need no tokenizers.
        from tokenizers import Tokenizer

        self.max_length = int(preprocessing.get("max_length", 0))
        self._full = preprocessing.get("pad") == "max_length"
        self._pad_id = int(preprocessing.get("pad_id", 0))
        self._left = preprocessing.get("pad_side") == "left"
        if self.max_length < SHORTEST:
            raise ValueError(f"{self.max_length} is not a length of texts in tokens")
        try:
            self._tokenizer = Tokenizer.from_file(str(path))
        except Exception as exc:  # the library raises Exception itself
            raise ValueError(f"{Path(path).name} is not a tokenizer: {exc}") from exc
        self._tokenizer.no_padding()
        self._limit = self.max_length
        self._tokenizer.enable_truncation(self._limit)

    def feed(self, texts: Sequence[str], length: int | None = None) -> dict[str, Ids]:
        """`input_ids` and `attention_mask` (N, L), 1 where a token is.

        Args:
            length: L, for a network of fixed length; longer texts are cut there.
        """
        limit = min(length or self.max_length, self.max_length)
        if limit != self._limit:
            self._tokenizer.enable_truncation(limit)
            self._limit = limit
        # One at a time: the batched way starts threads, which do not survive a fork.
        rows = [self._tokenizer.encode(text).ids for text in texts]
        wide = self.max_length if self._full else max(SHORTEST, *(len(row) for row in rows))
        wide = length or wide
        ids = np.full((len(rows), wide), self._pad_id, np.int64)
        mask = np.zeros((len(rows), wide), np.int64)
        for index, row in enumerate(rows):
            place = slice(wide - len(row), wide) if self._left else slice(0, len(row))
            ids[index, place] = row
            mask[index, place] = 1
        return {"input_ids": ids, "attention_mask": mask}
