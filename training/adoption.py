"""A foreign image-text model becomes a version. Loads torch: only `register_model` imports it."""

import tempfile
from collections.abc import Callable
from pathlib import Path

from training import versions
from training.errors import BadForeignModel, NameTaken
from training.ml import foreign, foreign_export
from training.ml.export import ParityError
from training.ml.foreign import ForeignError
from training.ml.runtime import TowerError
from training.models import ModelVersion


def register(
    name: str,
    source: str,
    *,
    space: str,
    revision: str = "",
    trusted: bool = False,
    licence: str = "",
    tell: Callable[[str], object] = lambda note: None,
) -> ModelVersion:
    """Export both towers of a model, check them against torch, and register them.

    Args:
        source: a folder that `transformers` saved, or an id of the hub.
        revision: of the hub; default the newest.
        trusted: whether Python code that comes with the model may run.
        licence: default what the model's card says.
        tell: called with what is done now.

    Raises: BadForeignModel, it cannot be loaded, served, or served as torch would; NameTaken; and
        as `versions.register`.
    """
    versions.check_name(name)
    if ModelVersion.objects.filter(name=name).exists():
        raise NameTaken(f"A version “{name}” exists already: choose another name.")
    try:
        tell(f"Loading {source}")
        model = foreign.load(source, revision=revision, trust_remote_code=trusted, device="cpu")
        about = {
            "name": name,
            "space": space,
            "licence": licence or model.licence,
            "notes": f"From {source} ({model.family}, {model.revision}).",
        }
        with tempfile.TemporaryDirectory() as folder:
            tell("Exporting both towers, and comparing them with torch")
            foreign_export.export(model, Path(folder), about=about)
            return versions.register_bundle(Path(folder))
    except (ForeignError, ParityError, TowerError) as exc:
        raise BadForeignModel(f"{str(exc)[:1].upper()}{str(exc)[1:]}.") from exc
