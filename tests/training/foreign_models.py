"""Tiny image-text models of `transformers`, saved as their makers save them: real classes, real
tokenizers, random weights. Nothing is fetched."""

import io
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sentencepiece
import torch
import transformers as tf
from tokenizers import processors
from torch import nn
from transformers.models.siglip2.image_processing_pil_siglip2 import Siglip2ImageProcessorPil

SIDE, PATCH = 32, 8
TEXT = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 1,
    "num_attention_heads": 4,
    "projection_dim": 24,
}
VISION = {**TEXT, "image_size": SIDE, "patch_size": PATCH}
WORDS = "a an the man woman in red blue green coat with black backpack umbrella and white shoes of"
HANZI = "穿红色外套背黑双肩包的女人戴眼镜男他着一件蓝夹克"


def clip(folder: Path) -> Path:
    """CLIP: the middle of a picture, byte pairs, the state at the end of a text."""
    characters = list(_byte_characters())
    pieces = [*characters, *(character + "</w>" for character in characters)]
    merges = [("r", "e"), ("re", "d</w>"), ("b", "l"), ("bl", "u"), ("blu", "e</w>")]
    pieces += ["".join(pair) for pair in merges]
    vocabulary = {piece: number for number, piece in enumerate([*pieces, *CLIP_ENDS])}
    text = {**TEXT, "vocab_size": len(vocabulary), "max_position_embeddings": 20}
    text |= {"bos_token_id": len(vocabulary) - 2, "eos_token_id": len(vocabulary) - 1}
    config = tf.CLIPConfig(text_config=text, vision_config=VISION, projection_dim=24)
    tokenizer = tf.CLIPTokenizer(vocab=vocabulary, merges=merges, model_max_length=20)
    pictures = tf.CLIPImageProcessorPil(
        size={"shortest_edge": SIDE}, crop_size={"height": SIDE, "width": SIDE}
    )
    return _saved(folder, tf.CLIPModel(config), pictures, tokenizer)


CLIP_ENDS = ("<|startoftext|>", "<|endoftext|>")


def chinese_clip(folder: Path) -> Path:
    """Chinese-CLIP: a stretched picture, single Chinese characters, BERT's first state."""
    letters = [chr(code) for code in range(ord("a"), ord("z") + 1)]
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *HANZI, *WORDS.split(), *letters]
    pieces += [f"##{letter}" for letter in letters] + list("，。,.!'0123456789")
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = folder / "vocab.txt"
    vocabulary.write_text("\n".join(dict.fromkeys(pieces)) + "\n", "utf-8")
    tokenizer = tf.BertTokenizer.from_pretrained(folder)
    text = {**TEXT, "vocab_size": len(tokenizer), "max_position_embeddings": 64}
    config = tf.ChineseCLIPConfig(text_config=text, vision_config=VISION, projection_dim=24)
    pictures = tf.ChineseCLIPImageProcessorPil(
        size={"height": SIDE, "width": SIDE}, do_center_crop=False
    )
    return _saved(folder, tf.ChineseCLIPModel(config), pictures, tokenizer)


def siglip(folder: Path) -> Path:
    """SigLIP: a stretched picture, sentencepiece without punctuation, texts always filled up."""
    folder.mkdir(parents=True, exist_ok=True)
    words = WORDS.split()
    lines = [" ".join(pair) for pair in itertools.product(words, words)]
    lines += [HANZI[first:] for first in range(len(HANZI))]
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines),
        model_writer=model,
        vocab_size=80,
        character_coverage=1.0,
        pad_id=0,
        eos_id=1,
        unk_id=2,
        bos_id=-1,
        hard_vocab_limit=False,
        minloglevel=2,
    )
    (folder / "spiece.model").write_bytes(model.getvalue())
    tokenizer = tf.SiglipTokenizer(
        str(folder / "spiece.model"), model_max_length=16, model_input_names=["input_ids"]
    )
    config = _siglip_config(tf.SiglipConfig, len(tokenizer), VISION)
    pictures = tf.SiglipImageProcessorPil(size={"height": SIDE, "width": SIDE})
    return _saved(folder, tf.SiglipModel(config), pictures, tokenizer)


def siglip2(folder: Path) -> Path:
    """SigLIP 2 of a fixed resolution: SigLIP's towers, Gemma's tokenizer in lower case."""
    tokenizer = _gemma_tokenizer()
    config = _siglip_config(tf.SiglipConfig, len(tokenizer), VISION)
    pictures = tf.SiglipImageProcessorPil(
        size={"height": SIDE, "width": SIDE}, resample=2, image_mean=[0.5] * 3, image_std=[0.5] * 3
    )
    return _saved(folder, tf.SiglipModel(config), pictures, tokenizer)


def naflex(folder: Path, patches: int = 20) -> Path:
    """SigLIP 2 NaFlex: as many patches as fit, in the proportions of each picture."""
    tokenizer = _gemma_tokenizer()
    vision = {**VISION, "num_patches": 16}
    vision.pop("image_size")
    config = _siglip_config(tf.Siglip2Config, len(tokenizer), vision)
    pictures = Siglip2ImageProcessorPil(patch_size=PATCH, max_num_patches=patches)
    return _saved(folder, tf.Siglip2Model(config), pictures, tokenizer)


MODELS = {
    "clip": clip,
    "chinese_clip": chinese_clip,
    "siglip": siglip,
    "siglip2": siglip2,
    "naflex": naflex,
}

OWN_CODE = """
import torch
from transformers import PretrainedConfig, PreTrainedModel

class PairConfig(PretrainedConfig):
    model_type = "pair_of_towers"

class PairModel(PreTrainedModel):
    config_class = PairConfig

    def __init__(self, config):
        super().__init__(config)
        self.pictures = torch.nn.Linear(3 * 32 * 32, 24)
        self.words = torch.nn.Embedding(200, 24)
        self.post_init()

    def encode_images(self, pixel_values, normalize=False):
        return self.pictures(pixel_values.flatten(1))

    def encode_texts(self, input_ids, attention_mask, normalize=False):
        weight = attention_mask.unsqueeze(-1).float()
        return (self.words(input_ids) * weight).sum(1) / weight.sum(1)
"""


def with_own_code(folder: Path) -> Path:
    """A model whose Python code lies beside it, as MEXMA-SigLIP2 comes."""
    import json

    chinese_clip(folder)
    (folder / "pair.py").write_text(OWN_CODE)
    config = {
        "model_type": "pair_of_towers",
        "auto_map": {"AutoConfig": "pair.PairConfig", "AutoModel": "pair.PairModel"},
    }
    (folder / "config.json").write_text(json.dumps(config))
    from safetensors.torch import save_file

    torch.manual_seed(3)
    weights = {
        "pictures.weight": torch.randn(24, 3 * 32 * 32),
        "pictures.bias": torch.randn(24),
        "words.weight": torch.randn(200, 24),
    }
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def _siglip_config(kind: Any, words: int, vision: dict[str, Any]) -> Any:
    text = {**TEXT, "vocab_size": words, "max_position_embeddings": 16, "projection_size": 32}
    return kind(text_config=text, vision_config=vision)


def _gemma_tokenizer() -> Any:
    pieces = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>"]
    pieces += [f"<0x{byte:02X}>" for byte in range(256)] + ["▁", *HANZI]
    pieces += [chr(code) for code in range(ord("a"), ord("z") + 1)] + ["▁r", "▁re", "▁red"]
    merges = [("▁", "r"), ("▁r", "e"), ("▁re", "d")]
    made = tf.Siglip2Tokenizer(
        vocab={piece: number for number, piece in enumerate(dict.fromkeys(pieces))},
        merges=merges,
        model_max_length=16,
        padding_side="right",
        model_input_names=["input_ids"],
    )
    made.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single="$A <eos>", special_tokens=[("<eos>", 1)]
    )
    return made


def _byte_characters() -> Iterator[str]:
    """The characters by which byte-level BPE writes all bytes."""
    shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
    yield from (chr(byte) for byte in shown)
    yield from (chr(256 + place) for place in range(256 - len(shown)))


def _saved(folder: Path, model: nn.Module, pictures: Any, tokenizer: Any) -> Path:
    torch.manual_seed(11)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            # Random towers of the usual small weights give all inputs nearly one vector.
            weight.normal_(0, 0.3)
            if "norm" in name and name.endswith("weight"):
                weight.add_(1)
    model.save_pretrained(folder)
    pictures.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    (folder / "README.md").write_text("---\nlicense: apache-2.0\n---\n# A tiny model\n", "utf-8")
    return folder
