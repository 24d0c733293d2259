"""Vocabularies made from captions: a `tokenizer.json`, which training and search read alike."""

import string
from collections.abc import Iterable
from typing import Any

import numpy as np
from tokenizers import Regex, Tokenizer, normalizers, pre_tokenizers, processors, trainers
from tokenizers.models import BPE, WordLevel

from training.ml.config import TrainConfig
from training.ml.data import PairData

# Captions that a vocabulary is made from, at most: more change little.
ENOUGH = 40_000
_PASSES = 5

PAD, UNKNOWN, START = "[PAD]", "[UNK]", "[CLS]"
_SPECIAL = [PAD, UNKNOWN, START]
# Kana, Hangul and Chinese characters: their words are not divided by spaces.
_WITHOUT_SPACES = "[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]"


def of_data(config: TrainConfig, data: PairData) -> str:
    """The vocabulary that the config's text tower needs, from the captions it will learn.

    Returns: the JSON of a tokenizer; empty for towers that need none. The same for the same
        config and data.
    """
    if config.text_tower not in ("lstm", "bert") or config.towers == "image" or config.model:
        return ""
    rng = np.random.default_rng((config.seed, 5))
    rows = rng.permutation(len(data))[:ENOUGH]
    # Each pass takes one caption of each row, and rows commonly have several.
    passes = min(_PASSES, max(1, ENOUGH // len(rows)))
    texts = [text for _ in range(passes) for text in data.texts(rows, rows[:1], rng)[0]]
    if config.text_tower == "lstm":
        return words(texts, least=config.least, lower=config.lower)
    return pieces(texts, size=config.pieces, lower=config.lower)


def words(texts: Iterable[str], *, least: int = 3, lower: bool = True) -> str:
    """Whole words that come at least `least` times, as the JSON of a tokenizer.

    ASCII punctuation is dropped and text split at spaces; Chinese characters are words of their
    own. Every text begins with one token of its own, so that none is empty.

    The system that this vocabulary comes from gives padding and its commonest word one number
    and drops other punctuation from queries than from captions; here neither is so.
    """
    made = Tokenizer(WordLevel(unk_token=UNKNOWN))
    dropped = normalizers.Replace(Regex(f"[{_escaped(string.punctuation)}]"), "")
    made.normalizer = normalizers.Sequence([*([normalizers.Lowercase()] if lower else []), dropped])
    single = pre_tokenizers.Split(Regex(_WITHOUT_SPACES), "isolated")
    made.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), single])
    trainer = trainers.WordLevelTrainer(
        min_frequency=least, special_tokens=_SPECIAL, show_progress=False
    )
    return _trained(made, trainer, texts)


def pieces(texts: Iterable[str], *, size: int = 8000, lower: bool = True) -> str:
    """At most `size` pieces of words, as the JSON of a tokenizer; no character is unknown to it.

    Pieces are made of UTF-8 bytes and end at spaces, punctuation and Chinese characters. (A
    WordPiece vocabulary would not be the same twice: the library numbers its pieces in the order
    of a hash table, and a run could not be repeated.)

    Source: Sennrich et al. 2016, BPE; Radford et al. 2019 for bytes.
    """
    made = Tokenizer(BPE())
    made.normalizer = normalizers.BertNormalizer(lowercase=lower, strip_accents=False)
    bytes_ = pre_tokenizers.ByteLevel(add_prefix_space=True, use_regex=False)
    made.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.BertPreTokenizer(), bytes_])
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=_SPECIAL,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    return _trained(made, trainer, texts)


def _trained(made: Tokenizer, trainer: Any, texts: Iterable[str]) -> str:
    made.train_from_iterator(texts, trainer)
    made.post_processor = processors.TemplateProcessing(
        single=f"{START} $A", special_tokens=[(START, made.token_to_id(START))]
    )
    stored: str = made.to_str()
    return stored


def _escaped(characters: str) -> str:
    return "".join(f"\\{character}" for character in characters)
