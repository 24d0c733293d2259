"""Text towers that read a tokenizer's ids: the LSTM, and a small transformer of BERT's kind."""

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel

from training.ml.lstm_text import LstmEncoder
from training.ml.text_tower import TextTower
from training.ml.tokens import Tokens


class TokenTower(TextTower):
    """A tokenizer and the network behind it, which is exported as a graph.

    Args:
        vocabulary: the JSON of a tokenizer. It is part of the tower's state, as bytes, so that
            a checkpoint is whole without its run's folder.
        preprocessing: how texts become arrays, see `Tokens`.
        encoder: (B, L) ids and (B, L) mask -> (B, dim).
        masked: whether the encoder takes the mask; it is given the ids alone else.
    """

    vocabulary: Tensor

    def __init__(
        self,
        vocabulary: str,
        preprocessing: dict[str, Any],
        encoder: nn.Module,
        *,
        masked: bool = True,
    ) -> None:
        super().__init__()
        self.masked = masked
        self.preprocessing = {"input": "tokens", **preprocessing}
        stored = bytearray(vocabulary.encode("utf-8"))
        self.register_buffer("vocabulary", torch.frombuffer(stored, dtype=torch.uint8))
        self.encoder = encoder
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "tokenizer.json"
            path.write_text(vocabulary, "utf-8")
            self._tokens = Tokens(path, self.preprocessing)

    def tokenize(self, texts: Sequence[str]) -> tuple[Tensor, ...]:
        """(B, L) ids and (B, L) mask."""
        fed = self._tokens.feed(texts)
        return torch.from_numpy(fed["input_ids"]), torch.from_numpy(fed["attention_mask"])

    def forward(self, *tokens: Tensor) -> Tensor:
        embedded: Tensor = self.encoder(*(tokens if self.masked else tokens[:1]))
        return embedded


def text_of(vocabulary: Tensor) -> str:
    """The JSON that a tower's state holds as bytes."""
    return bytes(vocabulary.cpu().numpy()).decode("utf-8")


def size_of(vocabulary: str) -> int:
    """How many ids a tokenizer gives."""
    model: dict[str, Any] = json.loads(vocabulary)["model"]
    return 1 + int(max(model["vocab"].values()))


class BertEncoder(nn.Module):
    """A `transformers` encoder built from a config; the mean and the first of its states.

    Args:
        settings: with `model_type`, such as bert, and what its config class takes; the size of
            the vocabulary is the tokenizer's.
    """

    def __init__(self, settings: dict[str, Any], *, words: int, dim: int) -> None:
        super().__init__()
        given = {**settings, "vocab_size": words}
        described = AutoConfig.for_model(given.pop("model_type"), **given)
        described._attn_implementation = "eager"  # the graph's operators, the same in both
        self.model = AutoModel.from_config(described, **_no_pooling(described))  # type: ignore[no-untyped-call]
        self.project = nn.Linear(2 * int(described.hidden_size), dim)

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """(B, L) ids and (B, L) mask -> (B, dim)."""
        states = self.model(input_ids=ids, attention_mask=mask).last_hidden_state
        kept = mask[..., None].to(states.dtype)
        mean = (states * kept).sum(dim=1) / kept.sum(dim=1)
        embedded: Tensor = self.project(torch.cat([mean, states[:, 0]], dim=1))
        return embedded


def _no_pooling(described: Any) -> dict[str, Any]:
    # BERT's own pooler would have weights that nothing trains.
    return {"add_pooling_layer": False} if described.model_type in ("bert", "roberta") else {}


def lstm_tower(
    vocabulary: str,
    *,
    max_length: int,
    width: int,
    hidden: int,
    bidirectional: bool,
    dim: int,
) -> TokenTower:
    """The LSTM tower over a vocabulary of `vocabulary.words`."""
    encoder = LstmEncoder(
        words=size_of(vocabulary),
        width=width,
        hidden=hidden,
        bidirectional=bidirectional,
        dim=dim,
    )
    return TokenTower(vocabulary, {"max_length": max_length, "pad": "longest"}, encoder)


def bert_tower(
    vocabulary: str, settings: dict[str, Any], *, max_length: int, dim: int
) -> TokenTower:
    """The transformer tower over a vocabulary of `vocabulary.pieces`."""
    encoder = BertEncoder(settings, words=size_of(vocabulary), dim=dim)
    return TokenTower(vocabulary, {"max_length": max_length, "pad": "longest"}, encoder)
