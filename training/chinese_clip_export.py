"""A version as the ONNX files that Chinese-CLIP's own tools and demos load.

`<prefix>.img.fp32.onnx` reads `image` (1, 3, H, W) and gives `unnorm_image_features` (1, D);
`<prefix>.txt.fp32.onnx` reads `text` int64 (1, L), tokens filled up with 0, and gives
`unnorm_text_features`. The fp16 copies keep their weights beside them, in `.extra_file`.
"""

import tempfile
from pathlib import Path

import numpy as np
import onnx
from onnx import ModelProto, TensorProto, helper

from training import versions
from training.errors import ConversionFailed
from training.ml import gates, graphs, quantize
from training.ml.runtime import Bundle, ImageTower, TowerError, unit
from training.ml.tokens import Tokens
from training.models import ModelVersion

PREFIX = "vit-b-16"
CONTEXT = 52
PRECISIONS = ("fp32", "fp16")
# The inputs and outputs by which the tools call the towers.
NAMES = {"img": ("image", "unnorm_image_features"), "txt": ("text", "unnorm_text_features")}


def export(
    version: ModelVersion,
    outdir: Path,
    *,
    prefix: str = PREFIX,
    precision: quantize.Precision = "fp32",
    context: int = CONTEXT,
) -> list[Path]:
    """Write both towers, once their vectors of golden inputs are those of the version.

    Args:
        prefix: of the file names; the tools take `vit-b-16` and the like from the architecture.
        precision: fp32 or fp16.
        context: tokens of a text, special ones included.

    Raises: ConversionFailed, a tower reads something else than Chinese-CLIP's, or its vectors
        differ; CorruptArtifact; OSError.
    """
    if Path(prefix).name != prefix or not prefix:
        raise ConversionFailed(f"“{prefix}” cannot begin a file's name.")
    if precision not in PRECISIONS:
        raise ConversionFailed(f"Chinese-CLIP has no {precision} files: fp32 or fp16.")
    with tempfile.TemporaryDirectory() as work:
        versions.export(version, Path(work))
        bundle = Bundle.read(Path(work))
        image = _readable(bundle)
        context = _context(bundle, context)
        drafts = {
            "img": _image_graph(onnx.load(bundle.folder / bundle.about["image"]["file"])),
            "txt": _text_graph(
                onnx.load(bundle.folder / bundle.about["text"]["file"]),
                context,
                int(bundle.about["text"]["preprocessing"].get("pad_id", 0)),
            ),
        }
        outdir.mkdir(parents=True, exist_ok=True)
        paths = []
        for tower, graph in drafts.items():
            path = outdir / f"{prefix}.{tower}.{precision}.onnx"
            paths += _write(graph, path, precision)
        try:
            _compare(bundle, image, paths, precision, context)
        except ConversionFailed:
            for path in paths:
                path.unlink(missing_ok=True)
            raise
    return paths


def _readable(bundle: Bundle) -> ImageTower:
    image, text = bundle.about["image"]["preprocessing"], bundle.about.get("text") or {}
    rules = text.get("preprocessing", {})
    reads = ""
    if image.get("input") != "float32":
        reads = "its image tower reads bytes"
    elif "tokenizer" not in text:
        reads = "its text tower reads no tokens"
    elif rules.get("pad_side", "right") != "right":
        reads = "its texts are filled up from the left"
    if reads:
        raise ConversionFailed(
            f"{bundle.about['name']} cannot be used by Chinese-CLIP's tools: {reads}."
        )
    return bundle.image_tower()


def _context(bundle: Bundle, wanted: int) -> int:
    """No more tokens than the tower has places for; as many as it always reads, if that is so."""
    rules = bundle.about["text"]["preprocessing"]
    longest = int(rules["max_length"])
    return longest if rules.get("pad") == "max_length" else min(wanted, longest)


def _image_graph(graph: ModelProto) -> ModelProto:
    fixed = graphs.fix_shapes(graph, 1)
    return _renamed(fixed, {fixed.graph.input[0].name: NAMES["img"][0]}, NAMES["img"][1])


def _text_graph(graph: ModelProto, context: int, pad: int) -> ModelProto:
    """A graph of tokens alone: where they are the padding's, nothing is read."""
    fixed = graphs.fix_shapes(graph, 1, context)
    inputs = [entry.name for entry in fixed.graph.input]
    fixed = _renamed(fixed, {inputs[0]: NAMES["txt"][0]}, NAMES["txt"][1])
    if len(inputs) > 1:
        del fixed.graph.input[1]
        padding = helper.make_tensor("padding_id", TensorProto.INT64, [], [pad])
        fixed.graph.initializer.append(padding)
        mask = [
            helper.make_node("Equal", [NAMES["txt"][0], "padding_id"], ["is_padding"]),
            helper.make_node("Not", ["is_padding"], ["is_text"]),
            helper.make_node("Cast", ["is_text"], [inputs[1]], to=TensorProto.INT64),
        ]
        nodes = [*mask, *fixed.graph.node]
        del fixed.graph.node[:]
        fixed.graph.node.extend(nodes)
    onnx.checker.check_model(fixed)
    return fixed


def _renamed(graph: ModelProto, inputs: dict[str, str], output: str) -> ModelProto:
    renamed = {**inputs, graph.graph.output[0].name: output}
    for node in graph.graph.node:
        node.input[:] = [renamed.get(name, name) for name in node.input]
        node.output[:] = [renamed.get(name, name) for name in node.output]
    for entry in (*graph.graph.input, *graph.graph.output):
        entry.name = renamed.get(entry.name, entry.name)
    return graph


def _write(graph: ModelProto, path: Path, precision: quantize.Precision) -> list[Path]:
    if precision == "fp32":
        onnx.save(graph, path)
        return [path]
    with tempfile.NamedTemporaryFile(suffix=".onnx") as draft:
        quantize.to_fp16(graph, Path(draft.name))
        half = onnx.load(draft.name)
    beside = path.with_name(f"{path.name}.extra_file")
    beside.unlink(missing_ok=True)  # what is saved beside a graph is added to an old file
    onnx.save(half, path, save_as_external_data=True, location=beside.name)
    return [path, beside]


def _compare(
    bundle: Bundle,
    image: ImageTower,
    paths: list[Path],
    precision: quantize.Precision,
    context: int,
) -> None:
    """Raises: ConversionFailed, a vector of a golden input is not the version's."""
    with np.load(bundle.folder / versions.GOLDEN_FILE, allow_pickle=False) as stored:
        crops, texts = stored["crops"], [str(caption) for caption in stored["captions"]]
    pictures, words = (path for path in paths if path.suffix == ".onnx")
    tokens = Tokens(
        bundle.folder / versions.TOKENIZER_FILE,
        bundle.about["text"]["preprocessing"] | {"max_length": context, "pad": "max_length"},
    )
    try:
        written = ImageTower(pictures, bundle.about["image"]["preprocessing"])
        _judge("image", image.encode(crops), written.encode(crops), precision)
        fed = [tokens.feed([caption]) for caption in texts]
        named = [{NAMES["txt"][0]: of["input_ids"]} for of in fed]
        before = _vectors(bundle.folder / bundle.about["text"]["file"], fed)
        _judge("text", before, _vectors(words, named), precision)
    except TowerError as exc:
        raise ConversionFailed(f"What was written does not run: {exc}") from exc


def _vectors(path: Path, fed: list[dict[str, np.ndarray]]) -> np.ndarray:
    import onnxruntime as ort

    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    names = [entry.name for entry in session.get_inputs()]
    rows = [session.run(None, {name: of[name] for name in names})[0] for of in fed]
    return unit(np.concatenate(rows))


def _judge(tower: str, before: np.ndarray, after: np.ndarray, precision: str) -> None:
    worst = float((before * after).sum(axis=1).min())
    if not worst >= gates.PARITY[precision]:
        raise ConversionFailed(
            f"Nothing was written: the {tower} tower's cosine to the version's is {worst:.5f}, "
            f"not {gates.PARITY[precision]}."
        )
