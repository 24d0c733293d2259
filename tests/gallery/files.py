"""Picture and annotation files of every kind that a test needs, drawn on the spot."""

import io
import json
import struct
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

ORIENTATION = 0x0112


def pixels(width: int = 40, height: int = 80, seed: int = 0) -> np.ndarray:
    """Smooth colours that differ from seed to seed: uint8 [height, width, 3]."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (4, 3, 3), dtype=np.uint8)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)


def coded(
    picture: np.ndarray | Image.Image | None = None, kind: str = "JPEG", **options: Any
) -> bytes:
    """A file of some pixels (default: seed 0)."""
    picture = pixels() if picture is None else picture
    if isinstance(picture, np.ndarray):
        picture = Image.fromarray(picture)
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def turned(orientation: int, picture: np.ndarray | None = None) -> bytes:
    """A JPEG whose EXIF says how it is to be turned."""
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    return coded(picture, quality=95, exif=exif.tobytes())


def huge_png(width: int = 20_000, height: int = 20_000) -> bytes:
    """A valid one-colour PNG of many pixels and few bytes."""
    packer = zlib.compressobj(9)
    row = b"\x00" + bytes(width)
    data = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _part(b"IHDR", head) + _part(b"IDAT", data) + _part(b"IEND", b"")


def polyglot() -> bytes:
    """A JPEG that a careless browser would show as a web page."""
    script = b"<html><script>alert('polyglot')</script></html>"
    return coded(comment=script) + script


def video(path: Path, frames: int = 20, fps: float = 10, size: tuple[int, int] = (64, 48)) -> Path:
    """An AVI in which every frame has a colour of its own."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), fps, size)
    for number in range(frames):
        shade = 20 + number * 200 // max(1, frames)
        writer.write(np.full((size[1], size[0], 3), (shade, 255 - shade, 90), dtype=np.uint8))
    writer.release()
    return path


def folder_of(root: Path, count: int, start: int = 0) -> Path:
    """A folder of `count` different JPEGs."""
    root.mkdir(exist_ok=True, parents=True)
    for number in range(start, start + count):
        (root / f"{number:03d}.jpg").write_bytes(coded(pixels(seed=number)))
    return root


def annotations(path: Path, records: list[Any], *, lines: bool = False) -> Path:
    """A JSON list, one record a line, or JSON Lines."""
    rows = [row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in records]
    path.write_text("\n".join(rows) if lines else "[\n" + ",\n".join(rows) + "\n]\n", "utf-8")
    return path


def _part(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
