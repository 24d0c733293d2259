"""Vectors of texts: encoded once for all processes, never taken for another's."""

import numpy as np
import pytest
from django.core.cache import cache

from search import encoders, text_cache
from tests import world

pytestmark = pytest.mark.django_db


@pytest.fixture
def version():
    return world.make_version()


@pytest.fixture
def encoded(monkeypatch):
    """Texts that a tower was run on."""
    seen = []

    def tower(encoder, load=encoders.text_tower):
        loaded = load(encoder)

        class Counting:
            def encode(self, texts):
                seen.extend(texts)
                return loaded.encode(texts)

        return Counting()

    monkeypatch.setattr(encoders, "text_tower", tower)
    return seen


def test_a_text_is_encoded_once_for_every_process(version, encoded):
    first = encoders.encode_text(version, "red")
    assert np.array_equal(encoders.encode_text(version, "red"), first)
    assert encoded == ["red"]
    encoders._texts.clear()  # another process
    assert np.array_equal(encoders.encode_text(version, "red"), first)
    assert encoded == ["red"]
    together = encoders.encode_query(version, ["blue", "red", "green"])
    assert encoded == ["red", "blue", "green"]
    assert np.array_equal(together[1], first)


def test_another_tower_has_its_own_vectors(version, encoded):
    other = world.make_version("other", seed=1)
    first, second = (encoders.encode_text(each, "red") for each in (version, other))
    assert not np.allclose(first, second)
    assert encoded == ["red", "red"]


def test_only_so_many_stay_in_a_process(version, monkeypatch):
    monkeypatch.setattr(encoders, "KEPT_TEXTS", 3)
    encoders._texts.clear()
    encoders.encode_query(version, ["a", "b", "c"])
    encoders.encode_text(version, "a")
    encoders.encode_text(version, "d")
    assert [text for _pk, text in encoders._texts] == ["c", "a", "d"]


def test_words_are_not_to_be_read_in_the_cache(version):
    encoders.encode_text(version, "a secret description")
    assert "secret" not in text_cache._key(version.text_encoder_id, "a secret description")
    found = text_cache.find(version.text_encoder_id, ["a secret description", "unasked"])
    assert list(found) == ["a secret description"]
    assert found["a secret description"].shape == (version.dim,)
    cache.delete(text_cache._key(version.text_encoder_id, "a secret description"))
    assert text_cache.find(version.text_encoder_id, ["a secret description"]) == {}
