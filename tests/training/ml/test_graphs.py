import logging

import torch
from torch.export import Dim

from training.ml import export


def test_the_exporter_gives_no_advice(tmp_path, caplog, recwarn):
    example = (torch.ones(2, 3),)
    caplog.set_level(logging.WARNING)
    export._to_onnx(torch.nn.Linear(3, 2), example, tmp_path / "a.onnx", {"input": {0: Dim("n")}})
    assert not caplog.records
    assert not recwarn.list
    assert logging.getLogger("torch.onnx").getEffectiveLevel() < logging.ERROR
