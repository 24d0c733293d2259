"""The numbers of an inspection as rows: for pages, for a terminal, for programs."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from search.models import Inspection, QueryKind

NAMES = {
    "exact": gettext_lazy("exact (MIPS)"),
    "hnsw": "HNSW",
    "pq": "PQ",
    "opq": "OPQ",
    "lopq": "LOPQ",
}
SERVED = {
    "exact": gettext_lazy("served: exact"),
    "fast": gettext_lazy("served: fast"),
    "thorough": gettext_lazy("served: thorough"),
    "compact": gettext_lazy("served: compact"),
}


@dataclass(frozen=True, kw_only=True)
class Row:
    """One way of searching: shares from 0 to 1, bytes a vector, milliseconds a question.

    bytes_each: all that is kept in memory, rotations and numbers of rows included. smaller: how
    many times than the vectors at full precision. None of a precision: nothing is known right.
    """

    name: str
    served: bool
    recalls: list[float]
    map_found: float | None
    map_class_size: float | None
    first_right: float | None
    code_bytes: int | None
    bytes_each: float
    smaller: float
    p50: float
    p95: float
    learned_s: float


def ks(inspection: Inspection) -> list[int]:
    """The k of the columns of recall."""
    return sorted({k for k in (1, 10, inspection.options["top"]) if k <= inspection.options["top"]})


def rows(inspection: Inspection) -> list[Row]:
    """Every way that was measured, in the order of measuring."""
    full = 4 * inspection.numbers["dim"]
    return [
        Row(
            name=_name(one, inspection),
            served=bool(one.get("served")),
            recalls=[one["recall"][str(k)] for k in ks(inspection)],
            map_found=one.get("map", {}).get("found"),
            map_class_size=one.get("map", {}).get("class_size"),
            first_right=one.get("first_right"),
            code_bytes=one["code_bytes"],
            bytes_each=one["bytes"],
            smaller=full / one["bytes"] if one["bytes"] else 0.0,
            p50=one["ms"]["p50"],
            p95=one["ms"]["p95"],
            learned_s=one["learned_s"],
        )
        for one in inspection.numbers["methods"]
    ]


def plain(inspection: Inspection) -> dict[str, Any]:
    """All numbers, and what they were measured on."""
    return {
        "version": inspection.version.name,
        "dataset": inspection.dataset.name,
        "asked_with": inspection.asked_with,
        "protocol": inspection.protocol,
        **inspection.options,
        # What there was, not what was asked for.
        **inspection.numbers,
    }


def text(inspection: Inspection) -> str:
    """For a terminal: what was measured on what, and the table."""
    about, top = inspection.numbers, inspection.options["top"]
    asked = "texts" if inspection.asked_with == QueryKind.TEXT else "boxes"
    low, high = about["lengths"]
    by_text = inspection.asked_with == QueryKind.TEXT
    among = "" if by_text else f"; {inspection.get_protocol_display()}"
    lines = [
        f"{inspection.version} / {inspection.dataset.name}: {about['vectors']:,} vectors of "
        f"{about['dim']} numbers{'' if about['is_whole'] else ' (a part, by chance)'}, "
        f"{about['queries']} {asked} ask{among}.",
        "Lengths "
        + (
            "are 1: the largest inner product is the cosine's."
            if abs(low - 1) < 0.01 and abs(high - 1) < 0.01
            else f"go from {low:.3f} to {high:.3f}: this is the largest inner product."
        ),
    ]
    if not about["judged"]:
        lines.append("No identity is known twice: mAP is not measured.")
    head = ["", *(f"recall@{k}" for k in ks(inspection)), f"mAP@{top}", "by class", "first"]
    head += ["code B", "all B/vector", "smaller", "ms p50", "p95", "CPU s"]
    table = [head, *(_cells(row) for row in rows(inspection))]
    widths = [max(len(row[column]) for row in table) for column in range(len(head))]
    for row in table:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def _cells(row: Row) -> list[str]:
    def share(value: float | None) -> str:
        return "–" if value is None else f"{value:.3f}"

    return [
        row.name,
        *(share(value) for value in row.recalls),
        share(row.map_found),
        share(row.map_class_size),
        share(row.first_right),
        "–" if row.code_bytes is None else str(row.code_bytes),
        f"{row.bytes_each:,.0f}",
        f"{row.smaller:.1f}x",
        f"{row.p50:.2f}",
        f"{row.p95:.2f}",
        f"{row.learned_s:.1f}" if row.learned_s else "–",
    ]


def _name(one: dict[str, Any], inspection: Inspection) -> str:
    if one.get("served"):
        return str(SERVED.get(one["name"], one["name"]))
    name = str(NAMES.get(one["name"], one["name"]))
    if one["code_bytes"] is not None and len(inspection.options["code_bytes"]) > 1:
        name += f" {one['code_bytes']}"
    if one["reranked"]:
        name += " + " + _("re-ranked %d") % inspection.options["reranked"]
    return name
