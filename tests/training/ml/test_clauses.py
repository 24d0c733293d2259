"""The same words in another order."""

import pytest

from training.ml.clauses import reordered


@pytest.mark.parametrize(
    ("text", "turned"),
    [
        (
            "A woman in a red coat, with long hair, and carrying a bag.",
            "carrying a bag, with long hair, A woman in a red coat",
        ),
        ("man,short hair,red coat", "red coat, short hair, man"),
        ("He walks. He has a bag.", "He has a bag, He walks"),
        ("一个穿红色大衣的女人，长头发，背着包。", "背着包，长头发，一个穿红色大衣的女人"),
    ],
)
def test_clauses_come_last_to_first(text, turned):
    assert reordered(text) == turned


@pytest.mark.parametrize("text", ["red", "a man of 1.75 m in red", "", "red, red", "..."])
def test_what_has_one_clause_has_no_other_order(text):
    assert reordered(text) is None
