"""Both towers of one space, as they are trained."""

import fnmatch
from collections.abc import Sequence
from typing import Self

import torch
from torch import Tensor, nn

from training.ml.config import ConfigError, TrainConfig, room_for
from training.ml.fact_head import FactHead, FactSpace, StatedHead
from training.ml.image_encoder import ImageEncoder, build_backbone, pool_of
from training.ml.pretrained import PretrainedImage
from training.ml.pretrained import towers as pretrained_towers
from training.ml.text_encoder import CharacterTables, TextEncoder
from training.ml.text_tower import CharacterTower, TextTower
from training.ml.token_tower import TokenTower, bert_tower, lstm_tower


class DualEncoder(nn.Module):
    """An image and a text tower of one space, or one of them alone.

    Args:
        image: (B, 3, H, W) of 0 to 255 -> (B, dim); its `read` gives the facts as well.
        text: tokens -> (B, dim).
    """

    def __init__(
        self, image: ImageEncoder | PretrainedImage | None, text: TextTower | None, *, dim: int
    ) -> None:
        super().__init__()
        if image is None and text is None:
            raise ValueError("a model needs at least one tower")
        self.image = image
        self.text = text
        self.dim = dim
        self._frozen: list[nn.Module] = []

    def freeze(self, globs: str) -> None:
        """Keep the weights whose names match one of the globs, parted by commas, as they are.

        A layer all of whose weights stay keeps its running statistics as well.

        Raises: ConfigError, a glob matches no weight.
        """
        named = dict(self.named_parameters())
        for glob in filter(None, map(str.strip, globs.split(","))):
            matched = fnmatch.filter(named, glob)
            if not matched:
                near = ", ".join(sorted({".".join(name.split(".")[:3]) for name in named})[:12])
                raise ConfigError(f"freeze {glob!r} matches no weight; there are {near}, ...")
            for name in matched:
                named[name].requires_grad_(False)
        self._frozen = [
            module
            for module in self.modules()
            if (own := list(module.parameters())) and not any(p.requires_grad for p in own)
        ]
        self.train(self.training)

    def compile_towers(self) -> None:
        """Let torch compile each tower when it is first run; names of weights stay."""
        if self.image is not None:
            setattr(self.image, "read", torch.compile(self.image.read))  # noqa: B010
        if self.text is not None:
            self.text.compile(dynamic=True)  # texts are of any length

    def train(self, mode: bool = True) -> Self:
        super().train(mode)
        for module in self._frozen:
            module.eval()
        return self

    def forward(
        self, pictures: Tensor | None, texts: Sequence[tuple[Tensor, ...]]
    ) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        """Pictures (I, 3, H, W), and the tokens of groups of texts; either may be missing.

        Returns: image (I, dim), facts (I, P) or None, text (T, dim) in the groups' order.
        """
        image = facts = text = None
        if pictures is not None:
            assert self.image is not None
            image, facts = self.image.read(pictures)
        if texts:
            assert self.text is not None
            text = torch.cat([self.text(*tokens) for tokens in texts])
        return image, facts, text

    @property
    def space(self) -> FactSpace | None:
        """Where facts are written; None where none are known."""
        facts = None if self.image is None else self.image.facts
        return None if facts is None else facts.space


def build(config: TrainConfig, fields: Sequence[int] = (), vocabulary: str = "") -> DualEncoder:
    """The model that a config describes.

    Args:
        fields: how many values each field has of which the data knows the facts; none by default.
        vocabulary: the JSON of the tokenizer that `lstm` and `bert` read with.

    Raises: ConfigError, `config.model` cannot be used, or `dim` is too small for the facts.
    """
    if config.model:
        pretrained_image, pretrained_text, dim = pretrained_towers(config)
        return DualEncoder(
            pretrained_image if config.towers != "text" else None,
            pretrained_text if config.towers != "image" else None,
            dim=dim,
        )
    image = _image_tower(config, fields) if config.towers != "text" else None
    text = TEXT_TOWERS[config.text_tower](config, vocabulary) if config.towers != "image" else None
    if image is not None and image.facts is not None and isinstance(text, CharacterTower):
        text.encoder.facts = StatedHead(image.facts.space)
    return DualEncoder(image, text, dim=config.dim)


def _image_tower(config: TrainConfig, fields: Sequence[int]) -> ImageEncoder:
    backbone, channels = build_backbone(
        config.backbone, config.pretrained, maps=config.detail_maps if config.detail else 1
    )
    return ImageEncoder(
        backbone,
        channels=channels,
        pool=pool_of(config.pooling, config.gem_p),
        imagenet=config.normalize == "imagenet",
        parts=config.parts,
        detail=config.detail,
        dim=config.dim,
        facts=_fact_head(config.dim, fields) if fields and config.knows_facts else None,
    )


def _fact_head(dim: int, fields: Sequence[int]) -> FactHead:
    needed = room_for(sum(fields))
    if dim < needed:
        raise ConfigError(f"dim {dim} cannot hold {sum(fields)} facts apart; it takes {needed}")
    return FactHead(FactSpace(dim, fields))


def _character_tower(config: TrainConfig, vocabulary: str) -> CharacterTower:
    encoder = TextEncoder(
        byte_width=config.byte_width,
        width=config.text_width,
        layers=config.text_layers,
        heads=config.text_heads,
        stride=config.text_stride,
        dim=config.dim,
    )
    return CharacterTower(CharacterTables(config.byte_width), encoder, lower=config.lower)


def _lstm_tower(config: TrainConfig, vocabulary: str) -> TokenTower:
    return lstm_tower(
        vocabulary,
        max_length=config.max_tokens,
        width=config.word_width,
        hidden=config.hidden,
        bidirectional=config.bidirectional,
        dim=config.dim,
    )


def _bert_tower(config: TrainConfig, vocabulary: str) -> TokenTower:
    return bert_tower(vocabulary, config.bert, max_length=config.max_tokens, dim=config.dim)


# By the value of `text_tower`.
TEXT_TOWERS = {"characters": _character_tower, "lstm": _lstm_tower, "bert": _bert_tower}
