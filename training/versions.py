"""How towers become a version that can be named, and how a version leaves as files."""

import json
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.db import transaction

from training import artifacts, towers
from training.errors import (
    BadBundle,
    BadTower,
    BadVersionName,
    NameTaken,
    NoShippedModel,
    PreprocessingDiffers,
    SpaceMismatch,
    UnknownVersion,
)
from training.ml import runtime
from training.models import EmbeddingSpace, Encoder, ModelVersion
from training.towers import golden_texts, image_tower, text_tower

__all__ = [
    "export",
    "get",
    "golden_texts",
    "image_tower",
    "install_shipped",
    "register",
    "register_bundle",
    "register_text",
    "self_test",
    "text_tower",
]

SHIPPED = Path(__file__).parent / "shipped"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")

IMAGE_FILE = "model_image.onnx"
TEXT_FILE = "model_text.onnx"
CHARACTERS_FILE = "characters.npy"
TOKENIZER_FILE = "tokenizer.json"
# What a stored vocabulary is called in model.json, and its file there.
VOCABULARIES = {".npy": ("characters", CHARACTERS_FILE), ".json": ("tokenizer", TOKENIZER_FILE)}
GOLDEN_FILE = "golden.npz"
ABOUT_FILE = "model.json"
FILES = (IMAGE_FILE, TEXT_FILE, CHARACTERS_FILE, TOKENIZER_FILE, GOLDEN_FILE, ABOUT_FILE)


def get(name: str) -> ModelVersion:
    """The version of this name with its towers. Raises: UnknownVersion."""
    try:
        return ModelVersion.objects.with_towers().get(name=name)
    except ModelVersion.DoesNotExist:
        raise UnknownVersion(name) from None


def check_name(name: str) -> str:
    """The name, if a version may have it. Raises: BadVersionName."""
    if not NAME.fullmatch(name):
        raise BadVersionName(name)
    return name


def register(
    name: str,
    *,
    image_file: Path,
    space: str,
    text_file: Path | None = None,
    characters: Path | None = None,
    preprocessing: Mapping[str, Any] | None = None,
    text_preprocessing: Mapping[str, Any] | None = None,
    golden: Path | None = None,
    licence: str = "",
    notes: str = "",
    metrics: Mapping[str, Any] | None = None,
) -> ModelVersion:
    """Check ONNX towers, copy them into storage and make a version of them.

    Doing it again with the same files and name gives the same version; another name makes
    another version of the same towers.

    Args:
        space: made with the towers' dim if new; one that exists must have that dim.
        characters: of the text tower: its character table `.npy`, or its `tokenizer.json`.
        preprocessing, text_preprocessing: see `towers.examine_image` and `examine_text`.
        golden: golden inputs of an export; without, they are made here.

    Raises: BadVersionName, BadTower, SpaceMismatch, PreprocessingDiffers, NameTaken.
    """
    check_name(name)
    if not space.strip() or len(space) > 100:
        raise SpaceMismatch("A space needs a name of 1 to 100 characters.")
    if (text_file is None) != (characters is None):
        raise BadTower("A text tower is two files: its graph, and its characters or tokenizer.")
    for path in (image_file, text_file, characters):
        if path is not None and not path.is_file():
            raise BadTower(f"There is no file {path}.")
    image = towers.examine_image(image_file, preprocessing, golden)
    text = None
    if text_file is not None and characters is not None:
        text = towers.examine_text(text_file, characters, text_preprocessing, golden)
        if text.dim != image.dim:
            raise SpaceMismatch(
                f"The image tower gives {image.dim} dimensions and the text tower {text.dim}: "
                "they cannot share a space."
            )
    with transaction.atomic():
        home = _space(space, image.dim)
        image_encoder = _encoder(home, Encoder.Modality.IMAGE, name, image, image_file)
        text_encoder = None
        if text is not None and text_file is not None:
            text_encoder = _encoder(home, Encoder.Modality.TEXT, name, text, text_file, characters)
        return _version(
            name,
            image_encoder,
            text_encoder,
            {"licence": licence, "notes": notes, "metrics": dict(metrics or {})},
        )


def _space(name: str, dim: int) -> EmbeddingSpace:
    if dim > EmbeddingSpace.MAX_DIM:
        raise SpaceMismatch(f"{dim} dimensions are too many: {EmbeddingSpace.MAX_DIM} fit a row.")
    space, _ = EmbeddingSpace.objects.get_or_create(name=name, defaults={"dim": dim})
    if space.dim != dim:
        raise SpaceMismatch(
            f"Space “{name}” has {space.dim} dimensions and the towers give {dim}: "
            "choose another name for their space."
        )
    return space


def _encoder(
    space: EmbeddingSpace,
    modality: str,
    version_name: str,
    examined: towers.Examined,
    path: Path,
    characters: Path | None = None,
) -> Encoder:
    """The row of this graph in this space, stored now or before."""
    sha256 = artifacts.sha256_of(path)
    characters_sha256 = artifacts.sha256_of(characters) if characters else ""
    files = {"file": artifacts.keep(path, sha256, ".onnx")}
    size = path.stat().st_size
    if characters:
        files["characters"] = artifacts.keep(characters, characters_sha256, characters.suffix)
        size += characters.stat().st_size
    with tempfile.NamedTemporaryFile(suffix=".npz") as stream:
        stream.write(examined.golden)
        stream.flush()
        golden_sha256 = artifacts.sha256_of(Path(stream.name))
        files["golden"] = artifacts.keep(Path(stream.name), golden_sha256, ".npz")
    encoder, created = Encoder.objects.get_or_create(
        space=space,
        modality=modality,
        sha256=sha256,
        characters_sha256=characters_sha256,
        defaults=files
        | {
            "name": f"{version_name} {modality}",
            "golden_sha256": golden_sha256,
            "preprocessing": examined.preprocessing,
            "byte_size": size,
        },
    )
    if not created and encoder.preprocessing != examined.preprocessing:
        raise PreprocessingDiffers(
            f"{path.name} is stored already as “{encoder.name}”, fed with "
            f"{json.dumps(encoder.preprocessing)}: put it into a space of its own to feed it "
            "otherwise."
        )
    return encoder


def _version(
    name: str, image: Encoder, text: Encoder | None, about: dict[str, Any]
) -> ModelVersion:
    version, created = ModelVersion.objects.with_towers().get_or_create(
        name=name, defaults=about | {"image_encoder": image, "text_encoder": text}
    )
    if not created and (version.image_encoder, version.text_encoder) != (image, text):
        raise NameTaken(
            f"A version “{name}” exists with other towers. A name stays with its towers: "
            "choose a new one."
        )
    return version


def register_bundle(folder: Path, *, name: str = "", space: str = "") -> ModelVersion:
    """Register the files that `export` wrote, each against its hash in model.json.

    Args:
        name, space: instead of those in model.json.

    Raises: BadBundle, model.json or a file is missing, or has another hash; and as `register`.
    """
    try:
        about = runtime.Bundle.read(folder).about
        image, text = about["image"], about.get("text")
        image_file = _listed(folder, image["file"], image["sha256"])
        text_file = characters = None
        if text:
            text_file = _listed(folder, text["file"], text["sha256"])
            characters = _listed(folder, *runtime.vocabulary_of(text))
        golden = _listed(folder, about["golden"]) if about.get("golden") else None
        return register(
            name or about["name"],
            image_file=image_file,
            space=space or about["space"],
            text_file=text_file,
            characters=characters,
            # A graph that normalizes itself has no mean and std to be given.
            preprocessing={
                key: image["preprocessing"].get(key)
                for key in ("height", "width", "mean", "std", "resize")
            },
            text_preprocessing=text["preprocessing"] if text else None,
            golden=golden,
            licence=about.get("licence", ""),
            notes=about.get("notes", ""),
            metrics=about.get("metrics"),
        )
    except (runtime.TowerError, KeyError, TypeError, AttributeError) as exc:
        raise BadBundle(f"{folder} is not a model that export_model wrote: {exc!r}") from exc


def register_text(folder: Path, partner: ModelVersion) -> ModelVersion:
    """Register the text tower of a bundle that has no other, beside a version's image tower.

    It joins that version's space, so that whatever is enrolled with the image tower is searched
    with the new text tower, and nothing is enrolled anew.

    Raises: BadBundle; SpaceMismatch, the tower has another dim; and as `register`.
    """
    try:
        about = runtime.Bundle.read(folder).about
        entry = about["text"]
        text_file = _listed(folder, entry["file"], entry["sha256"])
        vocabulary = _listed(folder, *runtime.vocabulary_of(entry))
        golden = _listed(folder, about["golden"])
        name = check_name(about["name"])
    except (runtime.TowerError, KeyError, TypeError, AttributeError) as exc:
        raise BadBundle(f"{folder} is no text tower that a training wrote: {exc!r}") from exc
    examined = towers.examine_text(text_file, vocabulary, entry["preprocessing"], golden)
    with transaction.atomic():
        home = _space(partner.space.name, examined.dim)
        text = _encoder(home, Encoder.Modality.TEXT, name, examined, text_file, vocabulary)
        kept = {key: about.get(key, "") for key in ("licence", "notes")}
        kept["metrics"] = about.get("metrics", {})
        return _version(name, partner.image_encoder, text, kept)


def _listed(folder: Path, name: str, sha256: str | None = None) -> Path:
    path = folder / name
    # The list names neighbours of itself and nothing else on this machine.
    if Path(name).name != name or not path.is_file():
        raise BadBundle(f"{folder} names a file “{name}” that it does not hold.")
    if sha256 is not None and artifacts.sha256_of(path) != sha256:
        raise BadBundle(f"{path} does not have the SHA-256 that {ABOUT_FILE} lists.")
    return path


def self_test(version: ModelVersion) -> list[runtime.Checked]:
    """Load a version's towers anew and run each on its golden inputs, as the files are now.

    Raises: CorruptArtifact, a file is not the one registered, vectors differ from those of the
        export, are not finite, or are all alike.
    """
    return [towers.self_test(tower) for tower in version.towers]


def install_shipped(folder: Path = SHIPPED) -> ModelVersion:
    """The version that comes with pedsite, registered if it was not.

    Raises: NoShippedModel; and as `register_bundle`.
    """
    if not (folder / ABOUT_FILE).is_file():
        raise NoShippedModel(folder)
    return register_bundle(folder)


def export(version: ModelVersion, outdir: Path) -> dict[str, Any]:
    """Write a version's files and model.json into a folder, after hashes and self-tests passed.

    model.json comes last: a folder that has one is complete.

    Returns: what model.json holds.
    Raises: CorruptArtifact, a stored file or a self-test is wrong; OSError, it cannot be written.
    """
    outdir.mkdir(parents=True, exist_ok=True)
    (outdir / ABOUT_FILE).unlink(missing_ok=True)
    image, text = version.image_encoder, version.text_encoder
    towers.image_tower(image)
    _copy(image.file.name, image.sha256, outdir / IMAGE_FILE)
    about: dict[str, Any] = {
        "name": version.name,
        "space": version.space.name,
        "dim": version.dim,
        "licence": version.licence,
        "notes": version.notes,
        "image": {
            "file": IMAGE_FILE,
            "sha256": image.sha256,
            "preprocessing": image.preprocessing,
        },
    }
    if text is not None:
        towers.text_tower(text)
        _copy(text.file.name, text.sha256, outdir / TEXT_FILE)
        kind, file = VOCABULARIES[Path(text.characters.name).suffix]
        _copy(text.characters.name, text.characters_sha256, outdir / file)
        about["text"] = {
            "file": TEXT_FILE,
            "sha256": text.sha256,
            kind: file,
            f"{kind}_sha256": text.characters_sha256,
            "preprocessing": text.preprocessing,
        }
    (outdir / GOLDEN_FILE).write_bytes(towers.joint_golden(version.towers))
    about |= {"golden": GOLDEN_FILE, "metrics": version.metrics}
    draft = outdir / f"{ABOUT_FILE}.part"
    draft.write_text(json.dumps(about, indent=2, ensure_ascii=False) + "\n", "utf-8")
    draft.replace(outdir / ABOUT_FILE)
    return about


def _copy(name: str, sha256: str, target: Path) -> None:
    target.write_bytes(artifacts.fetch(name, sha256).read_bytes())
