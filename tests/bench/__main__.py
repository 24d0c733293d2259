"""`python -m tests.bench [ROW ...]`: measures rows of targets, prints a table, writes bench.json.

A row is a function in ROWS: it is given a folder that is kept between runs, and gives its lines.
"""

import argparse
import os
import platform
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.bench import (
    codes,
    encoders,
    enrolling,
    queries,
    searching,
    training,
    verification,
    visits,
)
from tests.bench.rounds import Line, save, table

ROWS: dict[int, Callable[[Path], Iterator[Line]]] = {
    1: enrolling.arrays,
    2: enrolling.files,
    3: enrolling.writing,
    4: enrolling.bulk,
    5: searching.recall,
    6: searching.filters,
    7: visits.whole_search,
    8: queries.measure,
    9: encoders.measure,
    10: visits.crowd,
    11: verification.measure,
    12: training.measure,
    13: codes.compact,
    14: searching.growth,
    15: visits.web_process,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", nargs="*", type=int, metavar="ROW", help=f"of {list(ROWS)}")
    parser.add_argument("--work", type=Path, default=Path("var/bench"), help="kept between runs")
    parser.add_argument("--json", type=Path, default=Path("bench.json"))
    given = parser.parse_args()
    unknown = sorted(set(given.rows) - set(ROWS))
    if unknown:
        parser.error(f"there is no row {unknown[0]}; there are {', '.join(map(str, ROWS))}")
    given.work.mkdir(parents=True, exist_ok=True)
    lines: list[Line] = []
    for row in given.rows or ROWS:
        print(f"row {row} …", file=sys.stderr, flush=True)
        lines += ROWS[row](given.work)
    machine = {
        "processor": platform.processor() or platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        # Work of others beside this: ratios bear it, but their spread grows.
        "load": os.getloadavg()[0],
    }
    save(lines, machine, given.json)
    print(table(lines))
    return 0 if all(line.holds for line in lines) else 1


if __name__ == "__main__":
    sys.exit(main())
