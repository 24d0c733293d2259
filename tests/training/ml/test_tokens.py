"""Texts as tokens: what a network is fed with, by the rules that came with it."""

import numpy as np
import pytest
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from training.ml.tokens import Tokens

WORDS = ["[PAD]", "[CLS]", "[SEP]", "[UNK]", "a", "red", "coat", "红"]


@pytest.fixture
def tokenizer(tmp_path):
    """Whole words in lower case between [CLS] and [SEP]."""
    made = Tokenizer(models.WordLevel({w: n for n, w in enumerate(WORDS)}, unk_token="[UNK]"))
    made.normalizer = normalizers.Lowercase()
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 1), ("[SEP]", 2)]
    )
    made.save(str(tmp_path / "tokenizer.json"))
    return tmp_path / "tokenizer.json"


def test_a_batch_is_as_long_as_its_longest_text(tokenizer):
    fed = Tokens(tokenizer, {"max_length": 8, "pad": "longest"}).feed(["A red coat", "红"])
    assert fed["input_ids"].tolist() == [[1, 4, 5, 6, 2], [1, 7, 2, 0, 0]]
    assert fed["attention_mask"].tolist() == [[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]]
    assert fed["input_ids"].dtype == np.int64


def test_padding_to_the_full_length_fills_the_side_that_was_said(tokenizer):
    rules = {"max_length": 6, "pad": "max_length", "pad_id": 3, "pad_side": "left"}
    fed = Tokens(tokenizer, rules).feed(["red"])
    assert fed["input_ids"].tolist() == [[3, 3, 3, 1, 5, 2]]
    assert fed["attention_mask"].tolist() == [[0, 0, 0, 1, 1, 1]]


def test_a_long_text_is_cut_and_keeps_its_last_special_token(tokenizer):
    tokens = Tokens(tokenizer, {"max_length": 4, "pad": "longest"})
    assert tokens.feed(["a red red red coat"])["input_ids"].tolist() == [[1, 4, 5, 2]]


def test_a_graph_of_fixed_length_gets_that_length_and_others_the_usual_one(tokenizer):
    tokens = Tokens(tokenizer, {"max_length": 5, "pad": "longest"})
    assert tokens.feed(["a red red red coat"], 3)["input_ids"].tolist() == [[1, 4, 2]]
    assert tokens.feed(["red"], 4)["input_ids"].tolist() == [[1, 5, 2, 0]]
    assert tokens.feed(["a red red red coat"])["input_ids"].tolist() == [[1, 4, 5, 5, 2]]


def test_a_file_that_is_no_tokenizer_is_refused(tmp_path):
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(ValueError, match=r"tokenizer\.json is not a tokenizer"):
        Tokens(tmp_path / "tokenizer.json", {"max_length": 8})
    with pytest.raises(ValueError, match="not a length"):
        Tokens(tmp_path / "tokenizer.json", {})
