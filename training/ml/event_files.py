"""Curves as TensorBoard reads them: event files in a folder."""

from pathlib import Path
from types import TracebackType
from typing import Self

from tensorboardX import SummaryWriter


class EventFiles:
    """Writes the points of one run, also over several starts of it.

    A run that resumes passes some steps twice: its first new point tells TensorBoard to forget
    what stands at and after that step.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._writer: SummaryWriter | None = None

    def add(self, step: int, values: dict[str, float]) -> None:
        """Points of several curves at one step."""
        if self._writer is None:
            again = self._folder.exists()
            self._writer = SummaryWriter(str(self._folder), purge_step=step if again else None)
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        raised: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._writer is not None:
            self._writer.close()
