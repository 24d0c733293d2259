"""Which precision and memory format trains fastest here: measured on a real batch at the start."""

import copy
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import torch
from torch import Tensor

from training.ml.config import TrainConfig
from training.ml.dual_encoder import DualEncoder
from training.ml.loader import Loaded

WARM, TIMED = 1, 3
# How much faster than the plain way another must be, lest noise decide.
GAIN = 0.9

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
FORMATS = {"channels_last": torch.channels_last, "contiguous": torch.contiguous_format}


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How to compute. seconds: of one forward and backward pass of each way that was tried."""

    precision: str
    memory_format: str
    seconds: dict[str, float]

    def __str__(self) -> str:
        tried = ", ".join(f"{way} {1000 * taken:.0f} ms" for way, taken in self.seconds.items())
        chosen = f"{self.precision}, {self.memory_format}"
        return f"Training in {chosen} ({tried})"

    def to_dict(self) -> dict[str, object]:
        return asdict(self)


def ways(config: TrainConfig, place: torch.device) -> list[tuple[str, str]]:
    """(precision, memory format) to choose among, the plainest first."""
    half = "fp16" if place.type == "cuda" and not torch.cuda.is_bf16_supported() else "bf16"
    precisions = ["fp32", half] if config.precision == "auto" else [config.precision]
    auto = config.memory_format == "auto"
    formats = ["channels_last", "contiguous"] if auto else [config.memory_format]
    return [(precision, form) for precision in precisions for form in formats]


def choose(
    config: TrainConfig,
    model: DualEncoder,
    place: torch.device,
    batch: Callable[[], Loaded],
) -> Pace:
    """The fastest of the ways that the config leaves open.

    Args:
        model: stays as it is: copies are trained.
        batch: makes a real one; not called where nothing is open.
    """
    open_ = ways(config, place)
    if len(open_) == 1:
        return Pace(precision=open_[0][0], memory_format=open_[0][1], seconds={})
    loaded = batch()
    seconds: dict[str, float] = {}
    for precision, form in open_:
        taken = _measure(model, place, loaded, precision, form, config.accumulate)
        seconds[f"{precision} {form}"] = taken
    return fastest(open_, list(seconds.values()))


def fastest(open_: Sequence[tuple[str, str]], seconds: Sequence[float]) -> Pace:
    """The quickest, but the first unless another takes at most GAIN of its time."""
    best = min(range(len(seconds)), key=lambda at: seconds[at])
    if seconds[best] > GAIN * seconds[0]:
        best = 0
    precision, form = open_[best]
    named = {" ".join(way): taken for way, taken in zip(open_, seconds, strict=True)}
    return Pace(precision=precision, memory_format=form, seconds=named)


def _measure(
    model: DualEncoder,
    place: torch.device,
    loaded: Loaded,
    precision: str,
    form: str,
    chunks: int,
) -> float:
    """The least seconds of TIMED passes over one of the batch's chunks."""
    copied = copy.deepcopy(model).to(place, memory_format=FORMATS[form])  # type: ignore[call-overload]
    texts = [] if loaded.texts is None else loaded.texts.to(place).groups
    texts = texts[: max(1, len(texts) // chunks)]
    pictures = loaded.pictures
    if pictures is not None:
        pictures = pictures[: max(2, len(pictures) // chunks)].to(place)
        pictures = pictures.contiguous(memory_format=FORMATS[form])
    taken = []
    for _ in range(WARM + TIMED):
        began = time.perf_counter()
        with torch.autocast(place.type, dtype=DTYPES[precision], enabled=precision != "fp32"):
            parts = copied(pictures, texts)
        _loss([part for part in parts if part is not None and part.requires_grad]).backward()  # type: ignore[no-untyped-call]
        copied.zero_grad(set_to_none=True)
        if place.type == "cuda":
            torch.cuda.synchronize(place)
        taken.append(time.perf_counter() - began)
    return min(taken[WARM:])


def _loss(parts: Sequence[Tensor]) -> Tensor:
    return torch.stack([part.float().square().mean() for part in parts]).sum()
