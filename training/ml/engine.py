"""The training loop: steps, validation, checkpoints, and going on just where a run was cut."""

import math
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from training.ml import chars, checkpoint
from training.ml.config import ConfigError, TrainConfig
from training.ml.data import Batch, PairData, Probe, rows_of_step
from training.ml.dual_encoder import DualEncoder, build
from training.ml.image_encoder import augment
from training.ml.losses.attributes import (
    image_attribute_loss,
    stated_embedding,
    text_attribute_loss,
)
from training.ml.losses.contrastive import info_nce, symmetric_info_nce
from training.ml.optim import adamw, learning_rate
from training.ml.ranking import recall_at

# 1 / temperature of the text's attribute term.
TEXT_FACT_SCALE = 12.0

TEXT_GROUP = 16

LAST = "last.pt"
BEST = "best.pt"
_PRECISION = {"bf16": torch.bfloat16, "fp16": torch.float16}

Phase = Literal["text", "image", "both"]
Report = Callable[[int, dict[str, float]], None]


class Stopped(Exception):
    """The run was asked to stop; its last checkpoint is kept."""


class Diverged(RuntimeError):
    """The loss is not a number any more."""


def train(
    config: TrainConfig,
    data: PairData,
    probe: Probe,
    folder: Path,
    *,
    report: Report,
    should_stop: Callable[[], bool] = lambda: False,
) -> Path:
    """Train, or go on from the folder's last checkpoint.

    Selection looks at the probe alone: the checkpoint whose first hits fit most often is kept.

    Args:
        report: called with a step and its values: losses and `lr` each `log_every` steps,
            `valid_r1`, `valid_r5`, `valid_r10` each `validate_every`.
        should_stop: asked after every step.

    Returns: the path of the best checkpoint.
    Raises: Stopped, should_stop said so; Diverged; CheckpointError, the last one is damaged.
    """
    if config.threads:
        torch.set_num_threads(config.threads)
    if (config.text_first or config.image_first) and not data.fields:
        raise ConfigError(
            "text_first and image_first need data with known attributes, such as drawn people"
        )
    torch.manual_seed(config.seed)
    model = build(config, [field.stop - field.start for field in data.fields])
    model.to(device(), memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = adamw(model, lr=config.lr, weight_decay=config.weight_decay)
    scaler = torch.amp.GradScaler(device().type, enabled=config.precision == "fp16")
    folder.mkdir(parents=True, exist_ok=True)
    start, best = _resume(folder / LAST, model, optimizer)

    def keep(step: int) -> None:
        state: dict[str, Any] = {"model": model.state_dict(), "optimizer": optimizer.state_dict()}
        state |= {"step": step, "best": best, "config": config.to_dict()}
        checkpoint.save(state, folder / LAST)

    total = config.all_steps - config.text_last
    alone = total - config.steps
    for step, batch, pictures in _batches(config, data, start):
        lr = _rate(config, step)
        for group in optimizer.param_groups:
            group["lr"] = lr
        terms = _step(
            config, model, _phase(config, step)[0], batch, pictures, data, optimizer, scaler
        )
        done = step + 1
        if step % config.log_every == 0 or done == total:
            report(done, terms | {"lr": lr, "scale": float(model.scale.detach())})
        if done > alone and (done % config.validate_every == 0 or done == total):
            found = validate(config, model, probe)
            report(done, {f"valid_r{k}": value for k, value in found.items()})
            if found[1] >= best:
                best = found[1]
                state = {"model": model.state_dict(), "step": done, "config": config.to_dict()}
                checkpoint.save(state, folder / BEST)
            keep(done)
        elif done % config.checkpoint_every == 0:
            keep(done)
        if done < total and should_stop():
            keep(done)
            raise Stopped(f"stopped after step {done} of {config.all_steps}")
    if config.text_last:
        _text_last(config, model, data, probe, folder, report, should_stop)
    return folder / BEST


def _text_last(
    config: TrainConfig,
    model: DualEncoder,
    data: PairData,
    probe: Probe,
    folder: Path,
    report: Report,
    should_stop: Callable[[], bool],
) -> None:
    """Train the text tower against a gallery of picture vectors that stay fixed, from the best.

    Begins anew when it was cut off: it is the short end of a run.
    Source: Zhai et al. 2022, LiT: Zero-Shot Transfer with Locked-image text Tuning.
    """
    before = config.all_steps - config.text_last
    state = checkpoint.load(folder / BEST)
    model.load_state_dict(state["model"])
    best = validate(config, model, probe)[1]
    rng = np.random.default_rng((config.seed, 2))
    rows = np.sort(rng.permutation(len(data))[: config.gallery])
    vectors, _ = encode(model, data.pictures(rows), ["-"])
    gallery = torch.from_numpy(vectors).to(device())
    tower = torch.nn.ModuleList([model.text, model.tables])
    optimizer = adamw(tower, lr=config.lr / 3, weight_decay=config.weight_decay)
    for step in range(config.text_last):
        lr = learning_rate(step, peak=config.lr / 3, warmup=20, steps=config.text_last)
        for group in optimizer.param_groups:
            group["lr"] = lr
        asked = rng.choice(rows, size=min(config.batch, len(rows)), replace=False)
        texts, positive = data.texts(asked, rows, rng)
        text = F.normalize(_texts(model, cased(config, texts), device()), dim=1)
        logits = model.scale.detach() * text @ gallery.T
        loss = info_nce(logits, torch.from_numpy(positive).to(device()))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(tower.parameters(), config.clip_norm)
        optimizer.step()
        done = step + 1
        if step % config.log_every == 0 or done == config.text_last:
            report(before + done, {"loss": float(loss.detach()), "lr": lr})
        if done % config.validate_every == 0 or done == config.text_last:
            found = validate(config, model, probe)
            report(before + done, {f"valid_r{k}": value for k, value in found.items()})
            if found[1] >= best:
                best = found[1]
                kept = {"model": model.state_dict(), "step": before + done}
                checkpoint.save(kept | {"config": config.to_dict()}, folder / BEST)
        if done < config.text_last and should_stop():
            raise Stopped(f"stopped after step {before + done} of {config.all_steps}")


def _rate(config: TrainConfig, step: int) -> float:
    """Each phase has its own warm-up and cosine."""
    _, inside, length = _phase(config, step)
    return learning_rate(inside, peak=config.lr, warmup=config.warmup, steps=length)


def _phase(config: TrainConfig, step: int) -> tuple[Phase, int, int]:
    """Which towers a step trains, which step of that phase it is, and of how many."""
    inside = step
    phases: tuple[tuple[Phase, int], ...] = (
        ("text", config.text_first),
        ("image", config.image_first),
    )
    for phase, length in phases:
        if inside < length:
            return phase, inside, length
        inside -= length
    return "both", inside, config.steps


def device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def _resume(path: Path, model: DualEncoder, optimizer: torch.optim.Optimizer) -> tuple[int, float]:
    if not path.exists():
        return 0, -math.inf
    state = checkpoint.load(path)
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    return int(state["step"]), float(state["best"])


def _batches(
    config: TrainConfig, data: PairData, start: int
) -> Iterator[tuple[int, Batch, Tensor | None]]:
    """The steps from `start` on, with their batch and its augmented pictures.

    A thread makes the next one while this one is trained on. Without pictures while the text
    tower trains alone.
    """
    total = config.all_steps - config.text_last
    texts = config.texts or config.batch

    def make(step: int) -> tuple[Batch, Tensor | None]:
        rows = rows_of_step(step, count=len(data), batch=config.batch, seed=config.seed)
        rng = np.random.default_rng((config.seed, 1, step))
        phase = _phase(config, step)[0]
        # Facts cost nothing where no text is encoded.
        batch = data.batch(rows, len(rows) if phase == "image" else min(texts, len(rows)), rng)
        return batch, None if phase == "text" else _pictures(config, batch, step)

    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(make, start)
        for step in range(start, total):
            batch, pictures = coming.result()
            coming = pool.submit(make, min(step + 1, total - 1))
            yield step, batch, pictures


def to_pictures(pixels: np.ndarray[Any, Any]) -> Tensor:
    """(B, H, W, 3) bytes -> (B, 3, H, W) floats of 0 to 255, channels last in memory."""
    return torch.from_numpy(np.ascontiguousarray(pixels)).permute(0, 3, 1, 2).float()


def _step(
    config: TrainConfig,
    model: DualEncoder,
    phase: Phase,
    batch: Batch,
    pictures: Tensor | None,
    data: PairData,
    optimizer: torch.optim.Optimizer,
    scaler: torch.amp.GradScaler,
) -> dict[str, float]:
    place = device()
    with torch.autocast(
        place.type, dtype=_PRECISION.get(config.precision), enabled=config.precision != "fp32"
    ):
        texts = cased(config, batch.texts)
        text = None if phase == "image" else _texts(model, texts, place).float()
        image, facts = (None, None) if pictures is None else model.image.read(pictures.to(place))
    losses = _losses(config, model, batch, data, image, facts, text)
    total = torch.stack(list(losses.values())).sum()
    if not torch.isfinite(total):
        raise Diverged(f"the loss is {float(total)}; a lower lr may help")
    optimizer.zero_grad(set_to_none=True)
    scaler.scale(total).backward()  # type: ignore[no-untyped-call]
    scaler.unscale_(optimizer)
    norm = torch.nn.utils.clip_grad_norm_(model.parameters(), config.clip_norm)
    scaler.step(optimizer)
    scaler.update()
    values = {name: float(value.detach()) for name, value in losses.items()}
    return {"loss": float(total.detach())} | values | {"grad_norm": float(norm)}


def _pictures(config: TrainConfig, batch: Batch, step: int) -> Tensor:
    pictures = to_pictures(batch.pixels)
    if config.augment:
        generator = torch.Generator().manual_seed(config.seed * 1_000_003 + step)
        pictures = augment(pictures, generator)
    return pictures.contiguous(memory_format=torch.channels_last)


def _texts(model: DualEncoder, texts: list[str], place: torch.device) -> Tensor:
    """(T, D), in groups of like length: padding all to the longest would cost most of the time."""
    order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
    parts = []
    for start in range(0, len(order), TEXT_GROUP):
        ids, mask = chars.pad([texts[index] for index in order[start : start + TEXT_GROUP]])
        read = torch.from_numpy(ids).to(place), torch.from_numpy(mask).to(place)
        parts.append(model.encode_text(*read))
    return torch.cat(parts)[torch.tensor(order, device=place).argsort()]


def cased(config: TrainConfig, texts: list[str]) -> list[str]:
    return [text.lower() for text in texts] if config.lower else texts


def _losses(
    config: TrainConfig,
    model: DualEncoder,
    batch: Batch,
    data: PairData,
    image: Tensor | None,
    facts: Tensor | None,
    text: Tensor | None,
) -> dict[str, Tensor]:
    """The weighted terms of the towers that are trained; a tower alone learns against the facts."""
    losses: dict[str, Tensor] = {}
    place = device()
    prototypes = model.prototypes
    known = prototypes is not None and batch.stated is not None and batch.attributes is not None
    if known:
        assert prototypes is not None
        stated = torch.from_numpy(batch.stated).to(place)
        said = stated_embedding(stated, prototypes)
    if image is not None:
        positive = torch.from_numpy(batch.positive).to(place)
        asked = said if text is None else text
        contrastive = symmetric_info_nce(asked, image.float(), positive, model.scale)
        losses["contrastive"] = config.contrastive_weight * contrastive
    if not known or not config.attribute_weight:
        return losses
    assert prototypes is not None
    if text is not None:
        said_facts = text_attribute_loss(text, prototypes, stated, scale=TEXT_FACT_SCALE)
        distance = 1 - F.cosine_similarity(text, said, dim=1).mean()
        losses["text_attributes"] = config.attribute_weight * said_facts
        losses["text_distance"] = config.attribute_weight * distance
    if facts is not None:
        attributes = torch.from_numpy(batch.attributes).to(place)
        shown = image_attribute_loss(facts, attributes, data.fields)
        losses["image_attributes"] = config.attribute_weight * shown
    return losses


@torch.no_grad()
def encode(
    model: DualEncoder, pixels: np.ndarray[Any, Any], texts: list[str], batch: int = 128
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Unit vectors of pictures (N, D) and texts (M, D), with the model as it would serve."""
    was_training = model.training
    model.eval()
    place = device()
    images = [
        model.image(to_pictures(pixels[start : start + batch]).to(place)).cpu()
        for start in range(0, len(pixels), batch)
    ]
    described = _texts(model, texts, place).cpu()
    model.train(was_training)
    return F.normalize(torch.cat(images)).numpy(), F.normalize(described).numpy()


def validate(config: TrainConfig, model: DualEncoder, probe: Probe) -> dict[int, float]:
    """Share of the probe's texts with a fitting picture among the first 1, 5 and 10."""
    images, texts = encode(model, probe.pixels, cased(config, probe.texts))
    return recall_at(texts @ images.T, probe.positive)
