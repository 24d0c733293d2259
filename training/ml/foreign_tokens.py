"""The tokenizers of others as one `tokenizer.json`, which training and search read alike."""

import re
import string
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Regex, Tokenizer, normalizers, pre_tokenizers, processors

from training.ml.foreign import Foreign, ForeignError
from training.ml.tokens import Tokens

TEXTS = (
    "red",
    "a woman in a red coat with a black backpack",
    "A man's T-shirt, blue   jeans; and (white) shoes: 100% cotton!",
    "穿红色外套、背黑色双肩包的女人",
    "戴眼镜的男人 with an umbrella",
    "A tall person in a long grey dress, a yellow hat and green shoes, walking away from the "
    "camera through the rain. " * 12,
    "他穿着一件蓝色的夹克，" * 30,
)


def write_tokenizer(foreign: Foreign, path: Path) -> None:
    """The model's tokenizer as one file, if that splits texts as the model's does."""
    backend = getattr(foreign.tokenizer, "backend_tokenizer", None)
    if backend is not None:
        path.write_text(backend.to_str(), "utf-8")
    elif hasattr(foreign.tokenizer, "canonicalize_text"):
        _from_sentencepiece(foreign.tokenizer).save(str(path))
    else:
        kind = type(foreign.tokenizer).__name__
        raise ForeignError(
            f"{foreign.source} splits texts by a {kind}, which has no tokenizer.json"
        )
    ours = Tokens(path, foreign.rules)
    for text in TEXTS:
        theirs = foreign.tokens([text])["input_ids"].numpy()
        if not np.array_equal(ours.feed([text])["input_ids"], theirs):
            raise ForeignError(
                f"{foreign.source} splits “{text[:40]}” otherwise than its tokenizer.json would"
            )


def _from_sentencepiece(tokenizer: Any) -> Tokenizer:
    """SigLIP's tokenizer: texts are cleaned in Python there, and split by sentencepiece."""
    from transformers.convert_slow_tokenizer import SpmConverter

    converter: Any = SpmConverter
    made: Tokenizer = converter(tokenizer).converted()
    cleaning: list[Any] = [normalizers.Lowercase()] if tokenizer.do_lower_case else []
    cleaning += [
        normalizers.Replace(Regex(f"[{re.escape(string.punctuation)}]"), ""),
        normalizers.Replace(Regex(r"\s+"), " "),
        normalizers.Strip(),
    ]
    theirs = made.normalizer
    made.normalizer = normalizers.Sequence([*cleaning, *([theirs] if theirs else [])])
    made.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    eos = tokenizer.eos_token
    made.post_processor = processors.TemplateProcessing(
        single=f"$A {eos}", special_tokens=[(eos, tokenizer.eos_token_id)]
    )
    return made
