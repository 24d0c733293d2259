"""Where a version's files are exported to: nobody finds half of an export, or other files in it."""

import os
import re
import shutil
from collections.abc import Callable, Collection
from pathlib import Path

from gallery.errors import BadTarget

# Whatever an export of any kind is called, and no other file.
_EXPORTED = re.compile(
    r"model_(image|text)\.onnx|characters\.npy|tokenizer\.json|golden\.npz|model\.json"
    r"|.+\.(img|txt)\.fp(32|16)\.onnx(\.extra_file)?"
)
TOLD = 3


def fill(
    outdir: Path, write: Callable[[Path], object], *, last: str = "", replaces: Collection[str] = ()
) -> list[Path]:
    """Have an export written beside `outdir`, and moved there when it is complete.

    Args:
        outdir: a new folder, or one that holds nothing but earlier exports.
        write: fills the folder that it is given; what it raises leaves `outdir` as it was.
        last: the file whose presence says that the others are complete.
        replaces: names of files of an earlier export that go, written anew or not.

    Returns: the files written, by name.
    Raises: BadTarget, the folder holds other files; OSError, it cannot be written.
    """
    outdir = Path(os.path.abspath(outdir))
    _check(outdir)
    outdir.parent.mkdir(parents=True, exist_ok=True)
    stage = outdir.with_name(f".{outdir.name}.partial")
    shutil.rmtree(stage, ignore_errors=True)  # of an export that was killed
    stage.mkdir()
    try:
        write(stage)
        names = sorted(path.name for path in stage.iterdir())
        if outdir.exists():
            _move(stage, outdir, names, last, replaces)
        else:
            stage.rename(outdir)
    finally:
        shutil.rmtree(stage, ignore_errors=True)
    return [outdir / name for name in names]


def _check(outdir: Path) -> None:
    if outdir.exists() and not outdir.is_dir():
        raise BadTarget(f"{outdir} is there already, and is not a folder.")
    others = sorted(path.name for path in outdir.glob("*") if not _EXPORTED.fullmatch(path.name))
    if others:
        more = "" if len(others) <= TOLD else f" and {len(others) - TOLD} more"
        raise BadTarget(
            f"{outdir} holds what is no export of a model ({', '.join(others[:TOLD])}{more}); "
            "name a new folder."
        )


def _move(
    stage: Path, outdir: Path, names: list[str], last: str, replaces: Collection[str]
) -> None:
    """The folder itself stays: it may be where somebody stands, or a mount."""
    for name in sorted(replaces, key=lambda name: name != last):
        (outdir / name).unlink(missing_ok=True)
    for name in sorted(names, key=lambda name: name == last):
        (stage / name).replace(outdir / name)
