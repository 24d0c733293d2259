"""The processes that train together, started by `torchrun`; one alone otherwise.

Every process makes the same batch and encodes its share of it. What the towers gave is gathered,
so that each has the whole batch's loss and, from it, the gradient of its own share; the towers'
gradients are then summed. The result is that of one process with the whole batch, but for
BatchNorm, whose statistics are those of a share, and dropout.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TypeVar

import torch
from accelerate import Accelerator, DistributedDataParallelKwargs
from accelerate.state import AcceleratorState, PartialState
from accelerate.utils import broadcast_object_list
from torch import Tensor, nn

from training.ml.config import ConfigError

T = TypeVar("T")

# Drawing or decoding what is learned from may take the main process long.
PATIENCE = timedelta(hours=12)


def place() -> torch.device:
    """Where this process computes; joins the processes that `torchrun` has started."""
    found: torch.device = _state().device
    return found


def is_main() -> bool:
    """Whether this process, of those that train together, reports and saves."""
    return bool(_state().is_main_process)


def count() -> int:
    """Of the processes that train together."""
    return int(_state().num_processes)


@contextmanager
def main_first() -> Iterator[None]:
    """What is inside is done by each machine's main process, then by the others."""
    with _state().local_main_process_first():
        yield


def _state() -> PartialState:
    return PartialState(cpu=not torch.cuda.is_available(), timeout=PATIENCE)


def start(precision: str) -> Accelerator:
    """What places, wraps and steps for these processes, with what autocast computes in.

    Raises: ConfigError, this machine does not know the precision.
    """
    if precision == "fp16" and place().type == "cpu":
        raise ConfigError("precision=fp16 needs a GPU; bf16 works on processors")
    # A process that trains twice, as tests do, may train in another precision.
    AcceleratorState._reset_state()
    return Accelerator(
        mixed_precision="no" if precision == "fp32" else precision,
        cpu=not torch.cuda.is_available(),
        # A stage may leave a tower out, and pretrained ones have layers that nothing reads.
        kwargs_handlers=[DistributedDataParallelKwargs(find_unused_parameters=True)],
    )


def share(total: int, index: int, count: int) -> slice:
    """The rows of `total` that process `index` of `count` encodes; sizes differ by at most 1."""
    return slice(total * index // count, total * (index + 1) // count)


def gathered(accelerator: Accelerator, own: Tensor, total: int) -> Tensor:
    """All processes' rows, (total, D); those of `own`, this process's share, have a gradient."""
    count = accelerator.num_processes
    if count == 1:
        return own
    shares = [share(total, index, count) for index in range(count)]
    longest = max(part.stop - part.start for part in shares)
    padded = nn.functional.pad(own.detach(), (0, 0, 0, longest - len(own))).contiguous()
    parts = accelerator.gather(padded).split(longest)
    whole = [part[: rows.stop - rows.start] for part, rows in zip(parts, shares, strict=True)]
    whole[accelerator.process_index] = own
    return torch.cat(whole)


def agreed(accelerator: Accelerator, *said: bool) -> tuple[bool, ...]:
    """Which of these any process says; all get the same answer."""
    if accelerator.num_processes == 1:
        return said
    flags = torch.tensor(said, dtype=torch.float32, device=accelerator.device)
    return tuple(bool(flag) for flag in accelerator.reduce(flags, "sum") > 0)


def told_by_main(value: T) -> T:
    """What the main process has."""
    box = [value]
    if count() > 1:
        broadcast_object_list(box)
    return box[0]
