"""Text towers with a tokenizer: what their vocabularies split, and that padding does not matter."""

import io

import pytest
import torch
from tokenizers import Tokenizer

from training.ml import vocabulary
from training.ml.lstm_text import LstmEncoder, turn
from training.ml.token_tower import bert_tower, lstm_tower, size_of, text_of

TEXTS = ["a man in a red coat", "a woman in a blue coat", "红色大衣", "a red, red hat!"] * 3
BERT = {
    "model_type": "bert",
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": 40,
}


def towers():
    torch.manual_seed(0)
    words = vocabulary.words(TEXTS)
    sizes = {"max_length": 30, "width": 8, "hidden": 8, "dim": 6}
    return {
        "lstm": lstm_tower(words, bidirectional=False, **sizes).eval(),
        "bilstm": lstm_tower(words, bidirectional=True, **sizes).eval(),
        "bert": bert_tower(vocabulary.pieces(TEXTS, size=300), BERT, max_length=30, dim=6).eval(),
    }


def tokens(stored, text):
    return Tokenizer.from_str(stored).encode(text).tokens


def test_words_are_split_at_spaces_and_chinese_ones_by_character():
    stored = vocabulary.words(TEXTS)
    found = tokens(stored, "A Red coat,红色 zebra's")
    assert found == ["[CLS]", "a", "red", "coat", "红", "色", "[UNK]"]
    assert tokens(vocabulary.words(TEXTS, lower=False), "A red") == ["[CLS]", "[UNK]", "red"]


def test_rare_words_are_unknown_and_padding_is_no_word():
    stored = vocabulary.words(["a a a", "b b", "c c c c"], least=3)
    kept = Tokenizer.from_str(stored).get_vocab()
    assert set(kept) == {"[PAD]", "[UNK]", "[CLS]", "a", "c"}
    assert kept["[PAD]"] == 0
    assert size_of(stored) == 5


def test_pieces_cover_words_that_were_not_seen():
    found = tokens(vocabulary.pieces(TEXTS, size=300), "a redman 红")
    assert "[UNK]" not in found
    assert found[:2] == ["[CLS]", "Ġa"]
    assert len(found) > 4


def test_a_vocabulary_of_the_same_texts_is_the_same():
    assert vocabulary.words(TEXTS) == vocabulary.words(TEXTS)
    assert vocabulary.pieces(TEXTS, size=280) == vocabulary.pieces(TEXTS, size=280)


@pytest.mark.parametrize("name", ["lstm", "bilstm", "bert"])
def test_the_vector_of_a_text_does_not_depend_on_its_padding(name):
    tower = towers()[name]
    text = "a man in a blue hat"
    with torch.no_grad():
        alone = tower(*tower.tokenize([text]))[0]
        padded = tower(*tower.tokenize([text, text + " and a red coat in a red coat"]))[0]
        other = tower(*tower.tokenize(["a hat in a blue man"]))[0]
    assert torch.allclose(alone, padded, atol=1e-5)
    assert not torch.allclose(alone, other, atol=1e-3), "the order of words matters"


@pytest.mark.parametrize("name", ["bilstm", "bert"])
def test_a_text_of_nothing_known_has_a_vector(name):
    tower = towers()[name]
    with torch.no_grad():
        assert torch.isfinite(tower(*tower.tokenize(["...", "zzz"]))).all()


def test_the_second_direction_reads_words_backwards_and_not_the_batch():
    """Each text's last state backwards is that of an LSTM over the reversed words."""
    torch.manual_seed(1)
    encoder = LstmEncoder(words=20, width=4, hidden=5, bidirectional=True, dim=3).eval()
    ids = torch.tensor([[3, 4, 5, 0], [6, 7, 8, 9]])
    mask = (ids > 0).long()
    with torch.no_grad():
        found = encoder(ids, mask)
        for row, length in ((0, 3), (1, 4)):
            read = encoder.words(ids[row : row + 1, :length])
            forth = encoder.forth(read)[0]
            back = encoder.back(read.flip(1))[0].flip(1)
            expected = encoder.project(torch.cat([forth, back], dim=2).amax(dim=1))
            assert torch.allclose(found[row], expected[0], atol=1e-6)


def test_turning_twice_changes_nothing():
    rows = torch.arange(12.0).reshape(2, 3, 2)
    mask = torch.tensor([[1, 1, 0], [1, 1, 1]])
    assert turn(rows, mask)[0, :, 0].tolist() == [2, 0, 4]
    assert torch.equal(turn(turn(rows, mask), mask), rows)


def test_a_checkpoint_holds_the_vocabulary():
    tower = towers()["lstm"]
    stored = io.BytesIO()
    torch.save(tower.state_dict(), stored)
    stored.seek(0)
    state = torch.load(stored, weights_only=True)
    assert text_of(state["vocabulary"]) == vocabulary.words(TEXTS)
