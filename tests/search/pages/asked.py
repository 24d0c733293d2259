"""What tests of pages ask of an answer, and what they show and enroll."""

import io
import re
from html.parser import HTMLParser

import numpy as np
from PIL import Image

from pedsite.jobs import work
from search import enrollment
from tests.world import (
    make_version,
    plain_crop,
)

HTMX = {"HX-Request": "true", "HX-Target": "results"}


class Page(HTMLParser):
    """What a test asks of a page: its elements as (tag, attributes), and inline code in it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.inline: list[str] = []
        self._open = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        self.elements.append((tag, attributes))
        self._open = tag if tag in ("script", "style") else ""
        self.inline += [
            f"{tag} {name}" for name in attributes if re.match(r"on|style$|hx-on", name)
        ]
        for name in ("href", "src", "action"):
            if (attributes.get(name) or "").startswith("javascript:"):
                self.inline.append(f"{tag} {name}")

    def handle_data(self, data: str) -> None:
        if self._open and data.strip():
            self.inline.append(f"{self._open}: {data.strip()[:40]}")

    def handle_endtag(self, tag: str) -> None:
        self._open = ""

    def all(self, tag: str, **wanted: str) -> list[dict[str, str | None]]:
        return [
            attributes
            for name, attributes in self.elements
            if name == tag and all(attributes.get(k) == v for k, v in wanted.items())
        ]

    @property
    def boxes(self) -> list[int]:
        """Ids of the boxes shown as results, in their order."""
        return [int(a["data-box"]) for _, a in self.elements if a.get("data-box")]


def enroll(dataset) -> None:
    job = enrollment.request(dataset, make_version(f"tiny-{dataset.name}"), queue=False)
    work.run_here(job, enrollment.step, io.StringIO())


def png(pixels: np.ndarray | None = None) -> io.BytesIO:
    out = io.BytesIO()
    Image.fromarray(plain_crop("red") if pixels is None else pixels).save(out, "PNG")
    out.seek(0)
    out.name = "shown.png"
    return out


def text_of(response) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", response.content.decode()).split())
