"""One request to a pedsite: JSON or a form out, JSON in, refusals as exceptions, safe repeats."""

import json
import time
import uuid
from collections.abc import Mapping
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

# A picture: a file, or its bytes.
Picture = Path | bytes
# Further attempts, after so many seconds, where a repeat does no harm.
PATIENCE = (0.5, 2.0, 8.0)
# Asked to come again later than this, the caller decides.
LONGEST_WAIT_S = 60.0


class Problem(Exception):
    """The site refused: `status`, `code` for programs, `detail` for people, `errors` by field."""

    def __init__(self, status: int, body: Mapping[str, Any]) -> None:
        self.status = status
        self.code = str(body.get("code", ""))
        self.detail = str(body.get("detail", ""))
        self.errors = body.get("errors", {})
        super().__init__(f"{status} {self.code}: {self.detail}")


class Unreachable(Exception):
    """No answer came."""


class _NoRedirect(HTTPRedirectHandler):
    # It would carry the key elsewhere.
    def redirect_request(self, *args: Any) -> None:
        return None


class Transport:
    """How requests are sent.

    Args:
        url: of the site; what stands before /api/.
        key: an API key.
        timeout: seconds without a byte.
    """

    def __init__(self, url: str, key: str, timeout: float = 60.0) -> None:
        if urlsplit(url).scheme not in ("http", "https"):
            raise ValueError(f"{url} is no address of the form https://host")
        self.url = url.rstrip("/")
        self._key = key
        self._timeout = timeout
        self._open = build_opener(_NoRedirect).open

    def send(
        self,
        method: str,
        path: str,
        *,
        places: Mapping[str, Any] | None = None,
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        raw: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        file: bool = False,
    ) -> Any:
        """What the site answers: parsed JSON, None without a body, or bytes where `file`.

        A POST carries an Idempotency-Key, so that it may be repeated where no answer came.

        Args:
            places: values for the names in braces of the path.
            query: what is None is left out, as it is in `body`.
            raw: bytes to send as they are.
            file: a file is expected.

        Raises: Problem, Unreachable.
        """
        if places:
            path = path.format(**{name: quote(str(at), safe="") for name, at in places.items()})
        asked = _without_none(query)
        address = self.url + path + (f"?{urlencode(asked, doseq=True)}" if asked else "")
        sent, kind = _encoded(_without_none(body), raw)
        heads = {"Authorization": f"Bearer {self._key}", "Accept": "application/json"}
        heads |= {"Content-Type": kind} if kind else {}
        heads |= {"Idempotency-Key": str(uuid.uuid4())} if method == "POST" else {}
        heads |= dict(headers or {})
        content = self._insist(Request(address, sent, heads, method=method))
        if file:
            return content
        return json.loads(content) if content else None

    def _insist(self, request: Request) -> bytes:
        for wait in (*PATIENCE, None):
            try:
                with self._open(request, timeout=self._timeout) as answer:
                    return bytes(answer.read())
            except HTTPError as exc:
                later = _later(exc)
                if wait is None or later is None:
                    raise _problem(exc) from exc
                time.sleep(max(wait, later))
            except (URLError, HTTPException, OSError) as exc:
                if wait is None or request.method == "PATCH":
                    raise Unreachable(f"{self.url} does not answer: {exc}") from exc
                time.sleep(wait)
        raise AssertionError("the last attempt answers or raises")


def _later(exc: HTTPError) -> float | None:
    """Seconds after which the site wants to be asked again; None if it did not say that."""
    said = exc.headers.get("Retry-After", "")
    if exc.code not in (409, 429, 503) or not said.isdigit():
        return None
    return float(said) if float(said) <= LONGEST_WAIT_S else None


def _problem(exc: HTTPError) -> Problem:
    content = exc.read()
    try:
        body = json.loads(content)
    except ValueError:
        body = {"detail": content[:200].decode(errors="replace")}
    return Problem(exc.code, body if isinstance(body, dict) else {"detail": str(body)})


def _without_none(values: Mapping[str, Any] | None) -> dict[str, Any]:
    return {name: value for name, value in (values or {}).items() if value is not None}


def _encoded(body: dict[str, Any], raw: bytes | None) -> tuple[bytes | None, str]:
    """What is sent, and its type: a form where a file is in it, else JSON."""
    if raw is not None:
        return raw, "application/octet-stream"
    if not body:
        return None, ""
    if not any(isinstance(value, (Path, bytes)) for value in body.values()):
        return json.dumps(body).encode(), "application/json"
    boundary = uuid.uuid4().hex
    parts = []
    for name, value in body.items():
        for each in value if isinstance(value, (list, tuple)) else [value]:
            parts.append(_part(name, each))
    lines = b"".join(b"--" + boundary.encode() + b"\r\n" + part for part in parts)
    return (
        lines + f"--{boundary}--\r\n".encode(),
        f"multipart/form-data; boundary={boundary}",
    )


def _part(name: str, value: Any) -> bytes:
    head = f'Content-Disposition: form-data; name="{name}"'
    if isinstance(value, Path):
        value = value.read_bytes()
    if isinstance(value, bytes):
        head += '; filename="picture"\r\nContent-Type: application/octet-stream'
    else:
        value = (str(value).lower() if isinstance(value, bool) else str(value)).encode()
    content: bytes = value
    return head.encode() + b"\r\n\r\n" + content + b"\r\n"
