"""The stages of a run: which towers learn, for how many steps, at which rate."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, cast

from training.ml.config import TrainConfig
from training.ml.optim import CONSTANT, learning_rate

Towers = Literal["both", "image", "text"]


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A run of steps with one schedule.

    towers: that are run and trained. start: its first step, counted over the whole run.
    against_gallery: texts learn against the vectors of fixed pictures; begins from the best
        checkpoint, with an optimizer of its own.
    selects: whether the model can be judged by now; before, one tower knows nothing yet.
    falls_to: the share of the peak that the rate ends at. constant: it does not fall at all.
    """

    towers: Towers
    start: int
    steps: int
    peak: float
    warmup: int
    against_gallery: bool = False
    selects: bool = True
    falls_to: float = 0.01
    constant: bool = False

    @property
    def end(self) -> int:
        return self.start + self.steps

    @property
    def counts_from(self) -> int:
        """Where its steps count from when something is due every so many."""
        return self.start if self.against_gallery else 0

    def rate(self, step: int) -> float:
        """Each stage has its own warm-up and cosine."""
        return learning_rate(
            step - self.start,
            peak=self.peak,
            warmup=self.warmup,
            steps=self.steps,
            end=self.falls_to,
            constant=self.constant,
        )


def stages(config: TrainConfig) -> Iterator[Stage]:
    """Those that have steps, in their order."""
    start = 0
    constant = config.optimizer in CONSTANT
    firsts: tuple[tuple[Towers, int], ...] = (
        ("text", config.text_first),
        ("image", config.image_first),
    )
    for towers, steps in firsts:
        if steps:
            yield Stage(
                towers=towers,
                start=start,
                steps=steps,
                peak=config.lr,
                warmup=config.warmup,
                selects=False,
                falls_to=config.lr_end,
                constant=constant,
            )
        start += steps
    yield Stage(
        towers=cast(Towers, config.towers),
        start=start,
        steps=config.steps,
        peak=config.lr,
        warmup=config.warmup,
        falls_to=config.lr_end,
        constant=constant,
    )
    if config.text_last:
        yield Stage(
            towers="text",
            start=start + config.steps,
            steps=config.text_last,
            # Near the end of what it can learn: a third of the rate, hardly warmed up.
            peak=config.lr / 3,
            warmup=20,
            against_gallery=True,
            falls_to=config.lr_end,
            constant=constant,
        )
