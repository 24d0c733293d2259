"""Real processes that share a batch, against one that has it whole."""

import subprocess
import sys
from pathlib import Path

import numpy as np

from training.ml import processes

# Sums are taken in another order; gradients are about 0.001 to 1 in size.
LOSS_TOLERANCE = 1e-5
GRADIENT_TOLERANCE = 2e-5


def shared_steps(folder: Path, count: int, *chunks: int) -> list[dict[str, np.ndarray]]:
    """What the main of `count` processes saw, by number of chunks; 1 is one without torchrun."""
    alone = [sys.executable]
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    start = alone if count == 1 else [*torchrun, f"--nproc_per_node={count}"]
    words = [*start, "-m", "tests.training.ml.shared_steps", str(folder), *map(str, chunks)]
    ended = subprocess.run(words, capture_output=True, text=True, timeout=500)
    assert ended.returncode == 0, ended.stderr[-2000:]
    return [dict(np.load(folder / f"{number}.npz")) for number in chunks]


def test_processes_that_share_a_batch_and_batches_in_chunks_learn_what_one_does(tmp_path):
    """Gathered features, a memory queue, a temperature; BatchNorm's statistics are frozen."""
    alone, in_four = shared_steps(tmp_path, 1, 1, 4)
    assert_same(in_four, alone)
    for together in shared_steps(tmp_path, 2, 1, 3):
        assert_same(together, alone)


def assert_same(seen, expected):
    assert seen.keys() == expected.keys()
    assert {"0 contrastive", "2 memory", "2 gradient 0.contrastive.log_scale"} <= seen.keys()
    for name, value in expected.items():
        tolerance = GRADIENT_TOLERANCE if "gradient" in name else LOSS_TOLERANCE
        np.testing.assert_allclose(seen[name], value, atol=tolerance, rtol=1e-3, err_msg=name)


def test_shares_are_even_and_cover_all_rows():
    for total, count in [(10, 3), (2, 2), (7, 1), (16, 4)]:
        shares = [processes.share(total, index, count) for index in range(count)]
        assert [row for part in shares for row in range(total)[part]] == list(range(total))
        sizes = [part.stop - part.start for part in shares]
        assert max(sizes) - min(sizes) <= 1
