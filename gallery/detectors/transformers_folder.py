"""Object detectors of the `transformers` library, from a local folder.

Importing this module loads torch: only workers and commands may, through `gallery.detection`.
"""

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from transformers import AutoImageProcessor, AutoModelForObjectDetection

from gallery.detectors.found import Found, settle
from gallery.errors import BadDetector

THRESHOLD = 0.5
MOST_OVERLAP = 0.7
PERSON = ("person", "pedestrian", "people")


class TransformersDetector:
    def __init__(self, folder: Path, threshold: float | None = None) -> None:
        """Load a detector from a folder; nothing is fetched, and no code of the folder is run.

        Raises:
            BadDetector: no model is in it, or none of its classes is a person.
        """
        self.threshold = THRESHOLD if threshold is None else threshold
        try:
            # The PIL variant: the others need torchvision.
            self._prepare = AutoImageProcessor.from_pretrained(
                folder, local_files_only=True, backend="pil"
            )
            self._model = AutoModelForObjectDetection.from_pretrained(
                folder, local_files_only=True, use_safetensors=True
            ).eval()
        except Exception as exc:  # the library raises whatever its parts raise
            raise BadDetector(f"{folder} holds no object detector: {str(exc)[:300]}") from exc
        labels = self._model.config.id2label
        self._people = {number for number, name in labels.items() if name.lower() in PERSON}
        if not self._people:
            raise BadDetector(
                f"{folder} detects no persons, only {', '.join(labels.values())[:200]}."
            )

    def detect(self, rgb: np.ndarray) -> list[Found]:
        """The people in a picture, surest first."""
        height, width = rgb.shape[:2]
        inputs = self._prepare(images=Image.fromarray(rgb), return_tensors="pt")
        with torch.inference_mode():
            outputs = self._model(**inputs)
        (rows,) = self._prepare.post_process_object_detection(
            outputs, threshold=self.threshold, target_sizes=[(height, width)]
        )
        people = torch.tensor([int(label) in self._people for label in rows["labels"]], dtype=bool)
        boxes, scores = rows["boxes"][people].numpy(), rows["scores"][people].numpy()
        return settle(boxes.reshape(-1, 4), scores, (width, height), MOST_OVERLAP)
