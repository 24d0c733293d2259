"""Text as characters: every character is its UTF-8 bytes, so English and Chinese need no tokenizer.

The byte tables live outside the network (as on NPUs without an Embedding operator): numpy looks
the rows up, adds sinusoidal positions, and hands the transformer plain floats.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

BYTES = 4  # the longest UTF-8 character
MAX_CHARACTERS = 512

Ids = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]


def utf8_ids(text: str) -> Ids:
    """(L, 4) bytes of each character, padded with 0 on the right.

    Longer text than MAX_CHARACTERS is cut there; a lone surrogate, which UTF-8
    cannot hold, becomes a question mark.

    Raises: ValueError, the text is empty.
    """
    if not text:
        raise ValueError("an empty text has no characters")
    padded = [
        character.encode("utf-8", errors="replace")[:BYTES].ljust(BYTES, b"\0")
        for character in text[:MAX_CHARACTERS]
    ]
    return np.frombuffer(b"".join(padded), dtype=np.uint8).reshape(-1, BYTES)


def positions(length: int, width: int) -> Floats:
    """(length, width) sinusoids: sines in the even columns, cosines in the odd ones.

    Source: Vaswani et al., Attention Is All You Need, 2017, section 3.5.
    """
    rate = np.exp(np.arange(0, width, 2) * (-np.log(10000.0) / width))
    angle = np.arange(length)[:, None] * rate[None, :]
    table = np.zeros((length, width), dtype=np.float32)
    table[:, 0::2] = np.sin(angle)
    table[:, 1::2] = np.cos(angle)[:, : width // 2]
    return table


def pad(texts: Sequence[str], length: int | None = None) -> tuple[Ids, Floats]:
    """(N, L, 4) bytes and the (N, L) mask, 1 where a character is; L is the longest text's.

    Args:
        length: L, for a network of fixed length; longer texts are cut there.
    """
    rows = [utf8_ids(text)[:length] for text in texts]
    longest = length or max(len(row) for row in rows)
    ids = np.zeros((len(rows), longest, BYTES), dtype=np.uint8)
    mask = np.zeros((len(rows), longest), dtype=np.float32)
    for index, row in enumerate(rows):
        ids[index, : len(row)] = row
        mask[index, : len(row)] = 1
    return ids, mask


def embed(ids: Ids, mask: Floats, tables: Floats) -> Floats:
    """What the text network reads: four byte rows a character side by side, plus position.

    Args:
        ids: (N, L, 4) bytes.
        mask: (N, L), 0 at padding, which stays all zero.
        tables: (4, 256, W) one table for each byte place.

    Returns: (N, L, 4 * W).
    """
    rows = np.concatenate([tables[place][ids[..., place]] for place in range(BYTES)], axis=-1)
    width = rows.shape[-1]
    return ((rows + positions(ids.shape[1], width)) * mask[..., None]).astype(np.float32)
