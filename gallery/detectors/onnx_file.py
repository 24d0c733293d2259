"""ONNX detectors: YOLOX's output layout, and rows that are final already.

| output | taken as | input |
|---|---|---|
| [1, n, 5 + classes], n = the cells of strides 8, 16, 32 (and 64) | YOLOX: x, y, w, h, objectness, classes; raw or already decoded, which a probe tells | BGR 0 to 255 |
| [n, 7] | batch, left, top, right, bottom, class, score | RGB 0 to 1 |
| [1, n, 6] | left, top, right, bottom, score, class | RGB 0 to 1 |

In each the picture is scaled to fit, its top left in the input's, and the rest is grey 114; people
are class 0.
"""  # noqa: E501

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from gallery.detectors.found import Found, settle
from gallery.errors import BadDetector

THRESHOLD = 0.4
MOST_OVERLAP = 0.45
PERSON = 0
GREY = 114
# Of an input whose size the file leaves open.
OPEN_SIDE = 640
STRIDES = (8, 16, 32, 64)


class OnnxDetector:
    def __init__(self, path: Path, threshold: float | None = None, threads: int = 1) -> None:
        """Load a detector and look at its output once.

        Raises:
            BadDetector: the file does not load or run, or its output has no known layout.
        """
        # Lazy: it starts threads when imported, and web and worker processes fork after that.
        import onnxruntime

        self.threshold = THRESHOLD if threshold is None else threshold
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        try:
            self._session = onnxruntime.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )
        except Exception as exc:  # onnxruntime's errors share no base class
            raise BadDetector(f"{path.name} does not load as ONNX: {str(exc)[:300]}") from exc
        self._input = self._session.get_inputs()[0]
        shape = self._input.shape
        if len(shape) != 4 or shape[1] != 3 or self._input.type != "tensor(float)":
            raise BadDetector(f"{path.name} takes {self._input.type} {shape}, not float [1,3,h,w].")
        self.height, self.width = (
            side if isinstance(side, int) else OPEN_SIDE for side in shape[2:]
        )
        self._look(path.name)

    def detect(self, rgb: np.ndarray) -> list[Found]:
        """The people in a picture, surest first."""
        fitted, scale = self._fit(rgb)
        rows = self._run(fitted)
        boxes, scores = self._yolox(rows) if self.layout.startswith("yolox") else self._final(rows)
        sure = scores >= self.threshold
        height, width = rgb.shape[:2]
        return settle(boxes[sure] / scale, scores[sure], (width, height), MOST_OVERLAP)

    def _look(self, name: str) -> None:
        """Find the layout: by the output's shape, and for YOLOX by what a grey picture gives."""
        self.layout = "yolox"
        grey = np.full((self.height, self.width, 3), GREY, dtype=np.uint8)
        try:
            output = self._run(grey)
        except Exception as exc:  # onnxruntime's errors share no base class
            raise BadDetector(f"{name} does not run: {str(exc)[:300]}") from exc
        shape = output.shape
        cells = {len(each[0]): each for each in _grids(self.height, self.width)}
        if len(shape) == 3 and shape[1] in cells and shape[2] >= 6:
            self._grid, self._stride = cells[shape[1]]
            # Decoded centres reach across the picture, raw ones stay near their own cell.
            reach = float(np.abs(output[0, :, :2]).max())
            self.layout = "yolox decoded" if reach > self.width / 4 else "yolox raw"
        elif len(shape) == 2 and shape[1] == 7:
            self.layout = "rows of 7"
        elif len(shape) == 3 and shape[0] == 1 and shape[2] == 6:
            self.layout = "rows of 6"
        else:
            raise BadDetector(f"{name} gives {list(shape)}, which is no known detector's output.")

    def _fit(self, rgb: np.ndarray) -> tuple[np.ndarray, float]:
        height, width = rgb.shape[:2]
        scale = min(self.height / height, self.width / width)
        size = max(1, round(width * scale)), max(1, round(height * scale))
        fitted = np.full((self.height, self.width, 3), GREY, dtype=np.uint8)
        how = cv2.INTER_AREA if scale < 0.5 else cv2.INTER_LINEAR
        fitted[: size[1], : size[0]] = cv2.resize(rgb, size, interpolation=how)
        return fitted, scale

    def _run(self, fitted: np.ndarray) -> np.ndarray:
        if self.layout.startswith("yolox"):
            values = fitted[:, :, ::-1].astype(np.float32)
        else:
            values = fitted.astype(np.float32) / 255
        batch = np.ascontiguousarray(values.transpose(2, 0, 1)[None])
        return self._session.run(None, {self._input.name: batch})[0]

    def _yolox(self, output: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        rows = output[0].astype(np.float64)
        centre, size = rows[:, :2], rows[:, 2:4]
        if self.layout == "yolox raw":
            centre = (centre + self._grid) * self._stride
            # A wild exponent would only overflow: no box is larger than this.
            size = np.exp(size.clip(max=12)) * self._stride
        boxes = np.concatenate([centre - size / 2, centre + size / 2], axis=1)
        return boxes, rows[:, 4] * rows[:, 5 + PERSON]

    def _final(self, output: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        rows = output.reshape(-1, output.shape[-1]).astype(np.float64)
        if self.layout == "rows of 7":
            boxes, kind, scores = rows[:, 1:5], rows[:, 5], rows[:, 6]
        else:
            boxes, scores, kind = rows[:, :4], rows[:, 4], rows[:, 5]
        return boxes, np.where(kind.round() == PERSON, scores, 0)


def _grids(height: int, width: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Column and row of every cell, float [n, 2], and its stride [n, 1], stride after stride.

    First with the three strides of most detectors, then with the fourth of the large ones.
    """
    cells, strides = [], []
    for stride in STRIDES:
        rows, columns = np.mgrid[: height // stride, : width // stride]
        cells.append(np.stack([columns, rows], axis=2).reshape(-1, 2).astype(np.float64))
        strides.append(np.full((len(cells[-1]), 1), stride, dtype=np.float64))
        if len(cells) >= 3:
            yield np.concatenate(cells), np.concatenate(strides)
