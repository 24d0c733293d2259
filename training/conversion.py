"""A version in fewer bits or with fixed shapes, judged against itself before it is written."""

import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import ModelProto

from training import artifacts, evidence, versions
from training.errors import ConversionFailed
from training.ml import gates, graphs, quantize
from training.ml.runtime import Bundle, ImageTower, TowerError, unit, vocabulary_of
from training.models import ModelVersion

_CALIBRATION_BATCH = 16

Tell = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What to make of a version.

    batch, length: of the fixed shapes, or None for open ones; both or neither.
    data: a dataset, or `drawn:SEED:COUNT`.
    """

    precision: quantize.Precision
    batch: int | None = None
    length: int | None = None
    data: str = evidence.DRAWN

    @property
    def suffix(self) -> str:
        parts = [self.precision] if self.precision != "fp32" else []
        return "-".join([*parts, "static"] if self.batch else parts) or "simplified"


def convert(version: ModelVersion, outdir: Path, wanted: Wanted, tell: Tell) -> dict[str, Any]:
    """Write a converted version's bundle into a folder, once it passed every gate.

    Its name is the version's with what was done to it; its space is the version's, so that it
    can be registered beside it.

    Returns: what model.json holds.
    Raises: ConversionFailed, a gate or the conversion itself failed, and the folder is as it
        was; BadTrainingData, UnknownDataset; CorruptArtifact; OSError.
    """
    with tempfile.TemporaryDirectory() as work:
        source, draft = Path(work) / "source", Path(work) / "draft"
        versions.export(version, source)
        draft.mkdir()
        before = Bundle.read(source)
        found = evidence.gather(wanted.data, before.image_tower())
        try:
            _convert_towers(before, draft, wanted, found, tell)
            about = _described(before, draft, wanted)
            after = Bundle(folder=draft, about=about)
            about["metrics"] = {"conversion": _judge(before, after, wanted, found, tell)}
        # Quantizer and runtime raise classes of their own for graphs that they cannot read.
        except (TowerError, ValueError, RuntimeError, TypeError) as exc:
            raise ConversionFailed(f"{version.name} cannot be converted: {exc}") from exc
        _write(draft, outdir, about)
    return about


def _convert_towers(
    before: Bundle, draft: Path, wanted: Wanted, found: evidence.Evidence, tell: Tell
) -> None:
    image = before.about["image"]
    graph = onnx.load(before.folder / image["file"])
    slim = _simplified(graph, wanted.batch, None)
    target = draft / versions.IMAGE_FILE
    if wanted.precision == "int8":
        tower = before.image_tower()
        crops = quantize.batches(found.calibration, wanted.batch or _CALIBRATION_BATCH)
        quantize.image_to_int8(slim, target, (tower.feed(batch) for batch in crops))
    else:
        _store(slim, target, wanted.precision)
    tell(table("image", wanted.precision, graph, slim, onnx.load(target)))
    text = before.about.get("text")
    if text is None:
        return
    graph = onnx.load(before.folder / text["file"])
    # A tokenizer's tower has its table inside, and is for machines that can look rows up.
    if "characters" in text and (looked_up := graphs.lookups(graph)):
        raise ConversionFailed(
            f"The text graph looks rows up in a table of its own ({', '.join(looked_up)}); "
            "the character table belongs into its file."
        )
    slim = _simplified(graph, wanted.batch, wanted.length)
    target = draft / versions.TEXT_FILE
    if wanted.precision == "int8":
        quantize.text_to_int8(slim, target)
    else:
        _store(slim, target, wanted.precision)
    vocabulary, _sha256 = vocabulary_of(text)
    shutil.copyfile(before.folder / vocabulary, draft / vocabulary)
    tell(table("text", wanted.precision, graph, slim, onnx.load(target)))


def _simplified(graph: ModelProto, batch: int | None, length: int | None) -> ModelProto:
    return graphs.simplify(graphs.fix_shapes(graph, batch, length) if batch else graph)


def _store(graph: ModelProto, target: Path, precision: quantize.Precision) -> None:
    if precision == "fp16":
        quantize.to_fp16(graph, target)
    else:
        onnx.save(graph, target)


def table(
    tower: str, precision: str, before: ModelProto, slim: ModelProto, after: ModelProto
) -> str:
    """Operators and size of a graph as exported, simplified, and as written."""
    columns = [graphs.operators(model) for model in (before, slim, after)]
    names = sorted(set().union(*columns), key=lambda name: (-columns[0][name], name))
    rows = [(name, *(str(column[name] or "-") for column in columns)) for name in names]
    rows.append(("nodes", *(str(Counter.total(column)) for column in columns)))
    sizes = (model.ByteSize() / 2**20 for model in (before, slim, after))
    rows.append(("MiB", *(f"{size:.2f}" for size in sizes)))
    head = (f"{tower} tower", "exported", "simplified", precision)
    widths = [max(len(row[place]) for row in [head, *rows]) for place in range(4)]
    lines = [
        row[0].ljust(widths[0])
        + "".join(cell.rjust(width + 2) for cell, width in zip(row[1:], widths[1:], strict=True))
        for row in [head, *rows]
    ]
    return "\n".join([*lines, ""])


def _described(before: Bundle, draft: Path, wanted: Wanted) -> dict[str, Any]:
    about = dict(before.about)
    about["image"] = about["image"] | {"sha256": artifacts.sha256_of(draft / versions.IMAGE_FILE)}
    if about.get("text"):
        text_sha256 = artifacts.sha256_of(draft / versions.TEXT_FILE)
        about["text"] = about["text"] | {"sha256": text_sha256}
    shapes = f", {wanted.batch} at a time" if wanted.batch else ""
    if wanted.length and wanted.batch:
        unit_of = "tokens" if "tokenizer" in (about.get("text") or {}) else "characters"
        shapes += f", texts of {wanted.length} {unit_of}"
    return about | {
        "name": f"{about['name']}-{wanted.suffix}",
        "precision": wanted.precision,
        "notes": f"Converted from {about['name']} ({wanted.precision}{shapes}), "
        f"calibrated and judged on {wanted.data}.",
    }


def _judge(
    before: Bundle, after: Bundle, wanted: Wanted, found: evidence.Evidence, tell: Tell
) -> dict[str, Any]:
    """Print the gates and store the golden vectors. Raises: ConversionFailed."""
    old = before.image_tower(), before.text_tower()
    new = after.image_tower(), after.text_tower()
    with np.load(before.folder / versions.GOLDEN_FILE, allow_pickle=False) as stored:
        golden = {name: stored[name] for name in stored.files}
    texts = [str(text) for text in golden.get("captions", ())]
    compared = gates.compare(
        old, new, golden_crops=golden["crops"], golden_texts=texts, pairs=found.pairs
    )
    length = wanted.length if wanted.batch else None
    if length is not None and "characters" in (before.about.get("text") or {}):
        cut = sum(len(text) > length for text in found.pairs.texts)
        tell(f"{cut} of {len(found.pairs.texts)} texts are longer than {length} and are cut")
    tell(report(compared, wanted.precision, found))
    if failed := gates.failures(compared, wanted.precision):
        raise ConversionFailed(
            f"Nothing was written: {'; '.join(failed)} (measured on {found.source})."
        )
    golden["crop_vectors"] = _one_by_one(new[0], golden["crops"])
    if new[1] is not None:
        golden["caption_vectors"] = unit(np.concatenate([new[1].encode([t]) for t in texts]))
    np.savez_compressed(after.folder / versions.GOLDEN_FILE, **golden)
    return compared.to_dict()


def report(compared: gates.Comparison, precision: str, found: evidence.Evidence) -> str:
    """The gates, each with what was measured and what it asks for."""
    asked = gates.PARITY[precision]
    lines = [f"Compared on {len(found.pairs.crops)} crops and their captions, {found.source}"]
    for tower, worst in compared.golden.items():
        lines.append(f"parity    {tower:5}  worst golden cosine  {worst:.5f}  (>= {asked})")
    for tower, mean in compared.mean.items():
        lines.append(
            f"accuracy  {tower:5}  mean cosine          {mean:.5f}  (>= {gates.MEAN_COSINE})"
        )
    if compared.recall_before is None or compared.recall_after is None:
        lines.append("accuracy  R@1 was not measured: nothing here can be found")
    else:
        lines.append(
            f"accuracy  R@1    {compared.recall_before:.4f} -> {compared.recall_after:.4f} over "
            f"{compared.queries} queries  (may fall by {gates.RECALL_LOSS})"
        )
    return "\n".join([*lines, ""])


def _one_by_one(image: ImageTower, crops: np.ndarray) -> np.ndarray:
    return np.concatenate([image.encode(crop[None]) for crop in crops])


def _write(draft: Path, outdir: Path, about: dict[str, Any]) -> None:
    """model.json comes last: a folder that has one is complete."""
    outdir.mkdir(parents=True, exist_ok=True)
    (outdir / versions.ABOUT_FILE).unlink(missing_ok=True)
    if not about.get("text"):
        for name in (versions.TEXT_FILE, versions.CHARACTERS_FILE, versions.TOKENIZER_FILE):
            (outdir / name).unlink(missing_ok=True)
    for path in draft.iterdir():
        shutil.copyfile(path, outdir / path.name)
    partial = outdir / f"{versions.ABOUT_FILE}.part"
    partial.write_text(json.dumps(about, indent=2, ensure_ascii=False) + "\n", "utf-8")
    partial.replace(outdir / versions.ABOUT_FILE)
