"""Two ways to do one thing, timed in turn: what a busy machine does to one it does to both."""

import json
import operator
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

ROUNDS = 5
_SENSES = {">=": operator.ge, "<=": operator.le}


@dataclass(frozen=True, kw_only=True)
class Line:
    """One measured number with its target.

    row: of the list of targets. spread: lowest and highest of the rounds. note: what was measured
    on what.
    """

    row: int
    what: str
    value: float
    sense: str
    target: float
    spread: tuple[float, float] | None = None
    note: str = ""

    @property
    def holds(self) -> bool:
        return bool(_SENSES[self.sense](self.value, self.target))


def in_turn(
    first: Callable[[], Any], second: Callable[[], Any], rounds: int = ROUNDS
) -> list[tuple[float, float]]:
    """Seconds of both, round by round, after one call of each that does not count."""
    found = []
    for count in range(rounds + 1):
        seconds = tuple(_seconds(each) for each in (first, second))
        if count:
            found.append((seconds[0], seconds[1]))
    return found


def _seconds(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def spread(values: Iterable[float]) -> tuple[float, tuple[float, float]]:
    """The median, and the ends."""
    held = sorted(values)
    return median(held), (held[0], held[-1])


def table(lines: Iterable[Line]) -> str:
    """For people: what was measured, the target, and whether it holds."""
    rows = [("row", "what", "measured", "spread", "target", "", "note")]
    for line in lines:
        ends = f"{line.spread[0]:.3g} to {line.spread[1]:.3g}" if line.spread else ""
        verdict = "holds" if line.holds else "MISSED"
        target = f"{line.sense} {line.target:g}"
        cells = (str(line.row), line.what, f"{line.value:.3g}", ends, target, verdict, line.note)
        rows.append(cells)
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]) - 1)]
    padded = [
        [cell.ljust(width) for cell, width in zip(row, widths, strict=False)] + [row[-1]]
        for row in rows
    ]
    return "\n".join("  ".join(row).rstrip() for row in padded)


def save(lines: Iterable[Line], machine: dict[str, Any], path: Path) -> None:
    """For programs: the same as JSON, with the machine it was measured on."""
    rows = [asdict(line) | {"holds": line.holds} for line in lines]
    path.write_text(json.dumps({"machine": machine, "lines": rows}, indent=2) + "\n", "utf-8")
