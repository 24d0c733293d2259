"""Hits as files: a table, an object, or a folder with the crops and what was asked."""

import csv
import io
import json
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from tempfile import TemporaryFile
from typing import IO, Any

from gallery import crops, pictures
from gallery.errors import BadImage
from search.retrieval import Hit, Page

# Hits in one file; beyond, page through the API.
MOST = 300
QUALITY = 92
COLUMNS = (
    "rank", "score", "false_accept_rate", "box", "dataset", "image", "left", "top", "right",
    "bottom", "camera", "taken_at", "identity", "phrases", "crop",
)  # fmt: skip
# What a spreadsheet would take for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a file says of where its hits come from."""

    query: str  # the words, tokens included
    address: str  # of the page that shows the same
    user: str
    at: datetime


def as_csv(page: Page, asked: Asked, out: IO[bytes]) -> None:
    """UTF-8 with a byte order mark, without which spreadsheets take Chinese for Latin."""
    text = io.TextIOWrapper(out, "utf-8-sig", newline="")
    _write_rows(text, page.hits)
    text.detach()


def as_json(page: Page, asked: Asked, out: IO[bytes]) -> None:
    """One object: what was asked, what was searched, and the hits."""
    told = {**_about(page, asked), "hits": [_row(hit) for hit in page.hits]}
    out.write(json.dumps(told, ensure_ascii=False, indent=1).encode())


def as_zip(page: Page, asked: Asked, out: IO[bytes]) -> None:
    """hits.csv, search.json, and a JPEG a hit; a crop that cannot be read is left out and named."""
    failed: dict[str, str] = {}
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for hit in page.hits:
            name = crop_name(hit)
            try:
                jpeg = pictures.encode_jpeg(crops.load(hit.box), QUALITY)
            except BadImage as exc:
                failed[name] = str(exc)
            else:
                archive.writestr(name, jpeg)
        table = io.StringIO()
        _write_rows(table, page.hits)
        archive.writestr("hits.csv", table.getvalue().encode("utf-8-sig"))
        about = _about(page, asked) | {"missing_crops": failed}
        archive.writestr("search.json", json.dumps(about, ensure_ascii=False, indent=1))


FORMATS: dict[str, tuple[str, Callable[[Page, Asked, IO[bytes]], None]]] = {
    "csv": ("text/csv; charset=utf-8", as_csv),
    "json": ("application/json", as_json),
    "zip": ("application/zip", as_zip),
}


def write(form: str, page: Page, asked: Asked) -> IO[bytes]:
    """A page of hits in one of FORMATS, in a temporary file that is gone when it is closed."""
    out = TemporaryFile()  # noqa: SIM115 (the answer closes it)
    FORMATS[form][1](page, asked, out)
    out.seek(0)
    return out


def crop_name(hit: Hit) -> str:
    """Within the archive; the server's own name, never the source's."""
    return f"crops/{hit.rank:04d}-box{hit.box.pk}.jpg"


def _about(page: Page, asked: Asked) -> dict[str, Any]:
    return {
        "query": asked.query,
        "address": asked.address,
        "asked_by": asked.user,
        "asked_at": asked.at.isoformat(timespec="seconds"),
        "version": page.version,
        "searched": page.searched,
        "waiting": page.gaps.waiting,
        "failed": page.gaps.failed,
    }


def _write_rows(out: IO[str], hits: Iterable[Hit]) -> None:
    writer = csv.DictWriter(out, COLUMNS)
    writer.writeheader()
    for hit in hits:
        row = _row(hit)
        row["phrases"] = "; ".join(f"{text} {share}" for text, share in row["phrases"].items())
        writer.writerow({name: _harmless(value) for name, value in row.items()})


def _harmless(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _row(hit: Hit) -> dict[str, Any]:
    image = hit.box.image
    left, top, right, bottom = hit.box.bounds
    return {
        "rank": hit.rank,
        "score": round(hit.score, 6),
        "false_accept_rate": hit.false_accepts,
        "box": hit.box.pk,
        "dataset": image.dataset.name,
        "image": image.name,
        "left": left,
        "top": top,
        "right": right,
        "bottom": bottom,
        "camera": image.camera.name if image.camera else None,
        "taken_at": image.taken_at.isoformat() if image.taken_at else None,
        "identity": hit.box.identity.key if hit.box.identity else None,
        "phrases": {bar.phrase.text: round(bar.share, 3) for bar in hit.bars},
        "crop": crop_name(hit),
    }
