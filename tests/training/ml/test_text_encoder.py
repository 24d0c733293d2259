"""Characters as bytes: padding must not matter, nor which code looks the tables up."""

import numpy as np
import pytest
import torch

from training.ml import chars
from training.ml.text_encoder import CharacterTables, TextEncoder


def tower() -> TextEncoder:
    torch.manual_seed(0)
    made = TextEncoder(byte_width=8, width=32, layers=2, heads=4, stride=2, dim=16)
    return made.eval()


@pytest.mark.parametrize("text", ["a", "ab", "red coat", "红色大衣", "a woman, 一个女人 🙂"])
def test_the_vector_of_a_text_does_not_depend_on_its_padding(text):
    encoder, tables = tower(), CharacterTables(8)
    alone = chars.pad([text])
    padded = chars.pad([text, text + " and a much longer description of somebody"])
    with torch.no_grad():
        one, many = (
            encoder(tables(torch.from_numpy(ids), torch.from_numpy(mask)), torch.from_numpy(mask))
            for ids, mask in (alone, padded)
        )
    assert torch.allclose(one[0], many[0], atol=1e-5)


def test_numpy_and_torch_read_the_same_character_tables():
    tables = CharacterTables(8)
    ids, mask = chars.pad(["黑色双肩包", "a man"])
    expected = tables(torch.from_numpy(ids), torch.from_numpy(mask)).detach().numpy()
    given = chars.embed(ids, mask, tables.weight.detach().numpy())
    np.testing.assert_allclose(given, expected, atol=1e-6)


def test_the_order_of_characters_matters():
    encoder, tables = tower(), CharacterTables(8)
    vectors = []
    for text in ("red top blue skirt", "blue top red skirt"):
        ids, mask = (torch.from_numpy(array) for array in chars.pad([text]))
        with torch.no_grad():
            vectors.append(encoder(tables(ids, mask), mask))
    assert not torch.allclose(vectors[0], vectors[1], atol=1e-3)


def test_a_character_is_its_utf8_bytes():
    assert chars.utf8_ids("a红").tolist() == [[97, 0, 0, 0], [0xE7, 0xBA, 0xA2, 0]]


def test_text_beyond_the_longest_is_cut_and_a_lone_surrogate_is_replaced():
    assert len(chars.utf8_ids("x" * 10_000)) == chars.MAX_CHARACTERS
    assert chars.utf8_ids("\ud800").tolist() == [[ord("?"), 0, 0, 0]]


def test_an_empty_text_is_refused():
    with pytest.raises(ValueError, match="empty"):
        chars.utf8_ids("")
