"""Real processes that share a batch, against one that has it whole."""

import subprocess
import sys

import numpy as np
import pytest

from training.ml import processes

# Sums are taken in another order; gradients are about 0.001 to 1 in size.
LOSS_TOLERANCE = 1e-5
GRADIENT_TOLERANCE = 2e-5


def shared_steps(out, count: int, chunks: int = 1) -> dict[str, np.ndarray]:
    """What the main of `count` processes saw; 1 is a process without torchrun."""
    alone = [sys.executable]
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    start = alone if count == 1 else [*torchrun, f"--nproc_per_node={count}"]
    words = [*start, "-m", "tests.training.ml.shared_steps", str(out), str(chunks)]
    ended = subprocess.run(words, capture_output=True, text=True, timeout=500)
    assert ended.returncode == 0, ended.stderr[-2000:]
    return dict(np.load(out))


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    return shared_steps(tmp_path_factory.mktemp("alone") / "seen.npz", 1)


@pytest.mark.parametrize("chunks", [1, 3])
def test_two_processes_with_half_the_batch_each_learn_what_one_does(tmp_path, alone, chunks):
    """Gathered features, a memory queue, a temperature; BatchNorm's statistics are frozen."""
    together = shared_steps(tmp_path / "seen.npz", 2, chunks)
    assert_same(together, alone)


def test_a_batch_in_chunks_gives_the_gradient_of_the_whole(tmp_path, alone):
    assert_same(shared_steps(tmp_path / "seen.npz", 1, 4), alone)


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
