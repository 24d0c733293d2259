"""Image-text models of others, as `transformers` loads them from a folder or from the hub.

What such a model is fed with is its own: its image processor frames pictures, its tokenizer
splits texts, both with the rules that they were trained with.
"""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor, nn
from transformers import AutoConfig, AutoImageProcessor, AutoModel, AutoTokenizer

from training.ml import framing
from training.ml.runtime import Vectors, unit

Pixels = npt.NDArray[np.uint8]
Prepared = dict[str, Tensor]

# Tokens beyond which no model here was trained, whatever its tokenizer would take.
MOST_TOKENS = 512
# The lengths of training, where positions or tokenizer allow more.
LENGTHS = {"chinese_clip": 52}
# They read the last place of a text, so it must be the one of training: every text is filled up.
FILLED_UP = ("siglip", "siglip2")
# Files of a folder that say nothing about its vectors.
_ASIDE = re.compile(r"(readme|license|licence|\.|_).*", re.IGNORECASE)


class ForeignError(ValueError):
    """A model that is not there, or cannot be used here; one line for a user."""


@dataclass(frozen=True, kw_only=True)
class Foreign:
    """A loaded model, in eval mode.

    revision: of the hub, or `sha256:...` over a folder's files. rules: how texts become tokens,
    see `tokens.Tokens`. masked: whether the text tower is told where a text ends.
    """

    source: str
    revision: str
    licence: str
    family: str
    model: nn.Module
    processor: Any
    tokenizer: Any
    rules: dict[str, Any]
    masked: bool
    device: str

    def dim(self) -> int:
        """Of both towers' vectors. Raises: ForeignError, they differ."""
        picture = self.encode_pictures([self.prepare(np.full((64, 32, 3), 120, np.uint8))])
        text = self.encode_texts(["red"])
        if picture.shape != text.shape:
            raise ForeignError(
                f"{self.source} gives pictures {picture.shape[1]} dimensions and texts "
                f"{text.shape[1]}: they cannot be compared"
            )
        return int(picture.shape[1])

    @property
    def preprocessing(self) -> dict[str, Any]:
        """What was done to pictures and texts, as plain JSON."""
        picture = json.loads(json.dumps(self.processor.to_dict(), default=str))
        return {"image": picture, "text": {**self.rules, "masked": self.masked}}

    def prepare(self, crop: Pixels) -> Prepared:
        """What the image tower reads for one crop (h, w, 3) in RGB, a batch of one."""
        picture = Image.fromarray(np.ascontiguousarray(framing.middle(crop)))
        return dict(self.processor(images=picture, return_tensors="pt"))

    def encode_pictures(self, prepared: Sequence[Prepared]) -> Vectors:
        """Unit vectors (N, dim). Raises: SelfTestFailed, a vector is zero or not finite."""
        batch = {
            name: torch.cat([one[name] for one in prepared]).to(self.device) for name in prepared[0]
        }
        with torch.inference_mode():
            return _units(picture_features(self.model, batch))

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors (N, dim). Raises as `encode_pictures`."""
        batch = {name: ids.to(self.device) for name, ids in self.tokens(texts).items()}
        with torch.inference_mode():
            return _units(text_features(self.model, batch))

    def tokens(self, texts: Sequence[str]) -> Prepared:
        """What the text tower reads, made by the model's own tokenizer."""
        fed = self.tokenizer(
            list(texts),
            padding="max_length" if self.rules["pad"] == "max_length" else True,
            truncation=True,
            max_length=self.rules["max_length"],
            return_attention_mask=True,
            return_tensors="pt",
        )
        names = ("input_ids", "attention_mask") if self.masked else ("input_ids",)
        return {name: fed[name] for name in names}


def picture_features(model: Any, batch: Prepared) -> Tensor:
    """(N, dim), not normalized. Models with code of their own may name it `encode_images`."""
    if hasattr(model, "get_image_features"):
        return _pooled(model.get_image_features(**batch))
    return _pooled(model.encode_images(batch["pixel_values"]))


def text_features(model: Any, batch: Prepared) -> Tensor:
    """(N, dim), not normalized."""
    if hasattr(model, "get_text_features"):
        return _pooled(model.get_text_features(**batch))
    return _pooled(model.encode_texts(*batch.values()))


def _pooled(output: Any) -> Tensor:
    found = getattr(output, "pooler_output", output)
    if not isinstance(found, Tensor) or found.ndim != 2:
        raise ForeignError(f"the model gives {type(output).__name__}, not one vector an input")
    return found


def _units(features: Tensor) -> Vectors:
    return unit(features.float().cpu().numpy())


def load(
    source: str, *, revision: str = "", trust_remote_code: bool = False, device: str = ""
) -> Foreign:
    """A model with its image processor and tokenizer, all weights there, in fp32.

    Args:
        source: a folder, or an id of the hub.
        revision: of the hub; default the newest.
        trust_remote_code: lets Python code that comes with the model run.
        device: default the first GPU, or the CPU.

    Raises: ForeignError.
    """
    folder = Path(source) if is_folder(source) else None
    if folder is not None and not (folder / "config.json").is_file():
        reason = "holds no config.json" if folder.is_dir() else "is not a folder"
        raise ForeignError(f"{source} {reason}: give a folder that transformers saved")
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    options: dict[str, Any] = {"trust_remote_code": trust_remote_code}
    options |= {"local_files_only": True} if folder else {"revision": revision or None}
    try:
        config = AutoConfig.from_pretrained(source, **options)
        model, told = AutoModel.from_pretrained(
            source, dtype=torch.float32, output_loading_info=True, **options
        )
        _refuse(source, model, config, told)
        processor = _image_processor(source, options)
        tokenizer = AutoTokenizer.from_pretrained(source, **options)
    except ForeignError:
        raise
    except Exception as exc:  # the library raises whatever its parts raise
        raise ForeignError(_reason(source, exc, folder)) from exc
    family = str(config.model_type)
    return Foreign(
        source=source,
        revision=f"sha256:{fingerprint(folder)}"
        if folder
        else str(getattr(config, "_commit_hash", "") or revision),
        licence=_licence(source, folder, revision),
        family=family,
        model=model.eval().to(device),
        processor=processor,
        tokenizer=tokenizer,
        rules=_rules(family, config, tokenizer),
        masked="attention_mask" in tokenizer.model_input_names,
        device=device,
    )


def _image_processor(source: str, options: dict[str, Any]) -> Any:
    # The PIL variant: the others need torchvision.
    loader: Any = AutoImageProcessor
    return loader.from_pretrained(source, backend="pil", **options)


def is_folder(source: str) -> bool:
    """Whether a source names a place on this machine; ids of the hub are `owner/name`."""
    return Path(source).is_dir() or source.startswith(("/", ".", "~")) or source.count("/") > 1


def _refuse(source: str, model: nn.Module, config: Any, told: dict[str, Any]) -> None:
    pictures = hasattr(model, "get_image_features") or hasattr(model, "encode_images")
    texts = hasattr(model, "get_text_features") or hasattr(model, "encode_texts")
    if not pictures or not texts:
        lack = "pictures" if texts else "words" if pictures else "pictures and for words"
        raise ForeignError(
            f"{source} is a model of type {config.model_type}, which has no tower for {lack}"
        )
    # The library would fill them with random numbers and only warn.
    if missing := sorted(told.get("missing_keys", ())):
        raise ForeignError(f"{source} lacks {len(missing)} of its weights, among them {missing[0]}")


def _rules(family: str, config: Any, tokenizer: Any) -> dict[str, Any]:
    text = getattr(config, "text_config", config)
    positions = getattr(text, "max_position_embeddings", MOST_TOKENS)
    # RoBERTa counts positions from the one behind its padding.
    positions -= 2 if "roberta" in str(getattr(text, "model_type", "")) else 0
    limits = positions, tokenizer.model_max_length, LENGTHS.get(family, MOST_TOKENS)
    pad = tokenizer.pad_token_id
    return {
        "input": "tokens",
        "max_length": int(min(limits)),
        "pad": "max_length" if family in FILLED_UP else "longest",
        "pad_id": int(pad if pad is not None else tokenizer.eos_token_id or 0),
        "pad_side": tokenizer.padding_side,
    }


def fingerprint(folder: Path) -> str:
    """SHA-256 over the names and contents of a model folder's files, its texts for people aside."""
    digest = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        if path.is_file() and not _ASIDE.fullmatch(path.name):
            with path.open("rb") as stream:
                content = hashlib.file_digest(stream, "sha256").hexdigest()
            digest.update(f"{path.name} {content}\n".encode())
    return digest.hexdigest()


def _licence(source: str, folder: Path | None, revision: str) -> str:
    """As the model card's head has it; empty where there is none."""
    try:
        if folder is not None:
            card = (folder / "README.md").read_text("utf-8", errors="replace")
        else:
            from huggingface_hub import hf_hub_download

            path = hf_hub_download(source, "README.md", revision=revision or None)
            card = Path(path).read_text("utf-8", errors="replace")
    except Exception:  # a model without a card is used all the same
        return ""
    head = re.match(r"---\s*\n(.*?)\n---", card, re.DOTALL)
    found = head and re.search(r"^licen[sc]e:\s*[\"']?([^\"'\n]+)", head[1], re.MULTILINE)
    return found[1].strip()[:200] if found else ""


def _reason(source: str, exc: Exception, folder: Path | None) -> str:
    text = " ".join(str(exc).split())
    chain = {type(cause).__name__ for cause in _causes(exc)}
    if "trust_remote_code" in text:
        return (
            f"{source} comes with Python code of its own, which is not run unasked: read it, and "
            "say --trust-remote-code if you trust it"
        )
    unreachable = {"ConnectError", "ConnectTimeout", "OfflineModeIsEnabled", "ConnectionError"}
    if folder is None and (unreachable & chain or "couldn't connect" in text or "offline" in text):
        return (
            f"{source} cannot be fetched: the hub is not to be reached from here, and nothing of "
            "this name was fetched before; give a local folder"
        )
    if folder is None and ("RepositoryNotFoundError" in chain or "not a valid model" in text):
        return f"The hub has no model {source} that can be fetched without a key"
    return f"{source} cannot be loaded: {type(exc).__name__}: {text[:300]}"


def _causes(exc: BaseException | None) -> list[BaseException]:
    found = []
    while exc is not None and exc not in found:
        found.append(exc)
        exc = exc.__cause__ or exc.__context__
    return found
