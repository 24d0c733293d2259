"""What is wrong with the gallery's settings, told when a command starts."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import Error, register


@register
def detector_of_pages(app_configs: Any, **kwargs: Any) -> list[Error]:
    """People in a dropped picture are found in the web process, where torch must not load."""
    spec = settings.PEDSITE_DETECTOR
    if spec == "hog" or Path(spec).is_file():
        return []
    if Path(spec).is_dir():
        return [
            Error(
                f"PEDSITE_DETECTOR is the folder {spec}, which would load torch in web processes.",
                hint="Name an ONNX file or hog here; detect_people --detector takes the folder.",
                id="gallery.E001",
            )
        ]
    return [Error(f"PEDSITE_DETECTOR: there is no file {spec}.", id="gallery.E002")]
