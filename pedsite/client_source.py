"""The typed operations of `pedsite.client`, written from the description of the API.

A method an operation, a TypedDict a component. `manage.py write_client` stores the text; a test
fails while the two differ, so that no route and no field is missing.
"""

import keyword
import re
import textwrap
from typing import Any

HEAD = '''"""The operations of the API. Written by manage.py write_client; do not edit."""

from typing import Any, Literal, NotRequired, TypedDict

from pedsite.client.transport import Picture, Transport

'''
PLAIN = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}
SENT_ALONE = ("Idempotency-Key",)


def write(schema: dict[str, Any]) -> str:
    """The module's text for a description (OpenAPI 3.1, as `pedsite.schema` completes it)."""
    parts = schema["components"]["schemas"]
    types = [_type(name, part) for name, part in sorted(parts.items())]
    methods = [
        _method(path, verb, operation, parts)
        for path, operations in schema["paths"].items()
        for verb, operation in operations.items()
    ]
    doc = '    """Every operation, by the name that the description gives it."""\n'
    body = "\n".join(sorted(methods))
    return HEAD + "\n\n".join(types) + f"\n\nclass Operations(Transport):\n{doc}\n{body}"


def _type(name: str, part: dict[str, Any]) -> str:
    if part.get("type") != "object" or not part.get("properties"):
        return f"{name} = {_hint(part)}\n"
    needed = part.get("required", [])
    # Functional, so that a field may have any name.
    lines = [f"{name} = TypedDict(", f'    "{name}",', "    {"]
    for field, inner in part["properties"].items():
        hint = _hint(inner, quoted=True)
        hint = hint if field in needed else f"NotRequired[{hint}]"
        lines.append(f"        {field!r}: {hint},")
    return "\n".join([*lines, "    },", ")", ""])


def _hint(part: dict[str, Any], *, quoted: bool = False) -> str:
    """The annotation of a value; other components by name, in quotes where they may come later."""
    if "$ref" in part:
        name = part["$ref"].rpartition("/")[2]
        return f'"{name}"' if quoted else name
    if "enum" in part:
        values = ", ".join(repr(each) for each in part["enum"])
        return f"Literal[{values}]"
    several = part.get("oneOf") or part.get("anyOf") or part.get("allOf")
    if several:
        return "Any" if len(several) > 1 else _hint(several[0], quoted=quoted)
    kinds = part.get("type")
    kinds = kinds if isinstance(kinds, list) else [kinds]
    hints = [_plain(kind, part, quoted) for kind in kinds]
    return "Any" if "Any" in hints else " | ".join(dict.fromkeys(hints))


def _plain(kind: str | None, part: dict[str, Any], quoted: bool) -> str:
    if part.get("format") == "binary":
        return "Picture"
    if kind == "array":
        return f"list[{_hint(part.get('items', {}), quoted=quoted)}]"
    if kind == "object":
        return "dict[str, Any]"
    return PLAIN.get(kind or "", "Any")


def _method(path: str, verb: str, operation: dict[str, Any], parts: dict[str, Any]) -> str:
    parameters = [p for p in operation.get("parameters", []) if p["name"] not in SENT_ALONE]
    in_path = [p for p in parameters if p["in"] == "path"]
    in_query = [p for p in parameters if p["in"] == "query"]
    in_head = [p for p in parameters if p["in"] == "header"]
    sent = operation.get("requestBody", {}).get("content", {})
    fields, raw = _fields(sent, parts)
    signature = ["self"]
    signature += [f"{_name(p['name'])}: {_hint(p['schema'])}" for p in in_path]
    signature += ["piece: bytes"] if raw else []
    named = [(p["name"], _hint(p["schema"]), p.get("required", False)) for p in in_head + in_query]
    named += fields
    if named:
        signature.append("*")
    for name, hint, needed in sorted(named, key=lambda each: not each[2]):
        signature.append(f"{_name(name)}: {hint}" + ("" if needed else " | None = None"))
    answer, is_file = _answer(operation["responses"])
    call = [f'"{verb.upper()}"', f'"{path}"']
    call += [f"places={_dict(p['name'] for p in in_path)}"] if in_path else []
    call += [f"query={_dict(p['name'] for p in in_query)}"] if in_query else []
    call += [f"body={_dict(name for name, _, _ in fields)}"] if fields else []
    call += ["raw=piece"] if raw else []
    call += [f"headers={_dict((p['name'] for p in in_head), text=True)}"] if in_head else []
    call += ["file=True"] if is_file else []
    told = operation.get("summary") or operation.get("description") or ""
    return _source(_name(operation["operationId"]), signature, answer, told, call)


def _source(name: str, signature: list[str], answer: str, told: str, call: list[str]) -> str:
    first = told.strip().partition("\n")[0].replace('"', "'").rstrip()
    doc = textwrap.wrap(first, 85) or [name.replace("_", " ").capitalize()]
    lines = [f"    def {name}("]
    lines += [f"        {each}," if each != "*" else "        *," for each in signature]
    lines += [f"    ) -> {answer}:", f'        """{doc[0]}']
    lines[-1:] = [*lines[-1:], *[f"        {each}" for each in doc[1:]]]
    lines[-1] += "" if lines[-1].endswith((".", "?")) else "."
    lines[-1] += '"""'
    lines += [f"        answer: {answer} = self.send("]
    lines += [f"            {each}," for each in call] + ["        )", "        return answer", ""]
    return "\n".join(lines)


def _fields(
    sent: dict[str, Any], parts: dict[str, Any]
) -> tuple[list[tuple[str, str, bool]], bool]:
    """(name, annotation, needed) of each field of a body; and whether it is bytes instead."""
    if "application/octet-stream" in sent:
        return [], True
    media = sent.get("application/json") or {}
    schema = media.get("schema", {})
    if "$ref" in schema:
        schema = parts[schema["$ref"].rpartition("/")[2]]
    needed = schema.get("required", [])
    fields = schema.get("properties", {})
    return [(name, _hint(part), name in needed) for name, part in fields.items()], False


def _answer(responses: dict[str, Any]) -> tuple[str, bool]:
    """The annotation of what comes back, and whether it is a file."""
    for code, response in responses.items():
        if not code.startswith("2"):
            continue
        for kind, media in response.get("content", {}).items():
            schema = media.get("schema", {})
            if schema.get("format") == "binary":
                return "bytes", True
            return _hint(schema), "json" not in kind
    return "None", False


def _dict(names: Any, *, text: bool = False) -> str:
    pairs = [(name, f"str({_name(name)})" if text else _name(name)) for name in names]
    return "{" + ", ".join(f'"{name}": {value}' for name, value in pairs) + "}"


def _name(name: str) -> str:
    plain = re.sub(r"\W", "_", name).lower()
    return plain + "_" if keyword.iskeyword(plain) or plain in ("send", "every", "wait") else plain
