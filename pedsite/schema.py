"""How operations are described beyond what each says itself.

What every operation has (errors of one shape, pages by cursor, the header that makes a POST safe to
repeat) is said here once; and one without an example of its own gets one made of its fields.
"""

from typing import Any

from drf_spectacular.openapi import AutoSchema as Spectacular
from drf_spectacular.utils import OpenApiParameter

from pedsite.api import problem

IDEMPOTENCY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="Up to 255 characters of your choice. For a day the same request with the same "
    "key is answered as the first was, and done once; with another body it is a 422.",
)
PROBLEM = {
    "type": "object",
    "description": "What went wrong, as RFC 9457 has it.",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "For people, in the language asked for."},
        "code": {"type": "string", "description": "For programs."},
        "errors": {"description": "Messages by field, where there are any."},
    },
    "required": ["type", "title", "status", "detail", "code"],
    "example": problem(409, "job-is-over", "Job 17 is done already."),
}
# By the format, or else the name, of a field.
TEXTS = {
    "date-time": "2026-03-14T09:30:00Z",
    "date": "2026-03-14",
    "time": "09:30:00",
    "uuid": "0b0ea7a5-4b7e-4c8c-a3a5-6b8b6f1f4a10",
    "uri": "https://people.example/api/v1/jobs/17",
    "email": "vera@people.example",
    "dataset": "mall",
    "datasets": "mall",
    "dataset_name": "mall",
    "camera": "north gate",
    "version": "pedsite-5",
    "old": "pedsite-5",
    "new": "mall-1",
    "recipe": "clip",
    "text": "a woman in a red coat",
    "query": "q=a+woman+in+a+red+coat",
    "url": "https://people.example/api/v1/jobs/17",
    "cursor": "cD0xNw==",
}
DEEPEST = 16


class AutoSchema(Spectacular):
    """Names the header that every POST takes which changes something."""

    def get_override_parameters(self) -> list[OpenApiParameter]:
        changes = self.method == "POST" and not getattr(self.view, "changes_nothing", False)
        return [*super().get_override_parameters(), *([IDEMPOTENCY] if changes else [])]


def complete(result: dict[str, Any], generator: Any, **kwargs: Any) -> dict[str, Any]:
    """Spectacular's hook: pages, errors and examples, on every operation."""
    parts = result["components"]["schemas"]
    parts["Problem"] = PROBLEM
    error = {"schema": {"$ref": "#/components/schemas/Problem"}}
    for operations in result["paths"].values():
        for operation in operations.values():
            if any(each["name"] == "cursor" for each in operation.get("parameters", [])):
                _page(operation, parts)
            contents = [operation.get("requestBody", {}).get("content", {})]
            contents += [each.get("content", {}) for each in operation["responses"].values()]
            for content in contents:
                _illustrate(content, parts)
            operation["responses"]["default"] = {
                "description": "Whatever was refused, and why.",
                "content": {"application/problem+json": error},
            }
    return result


def _page(operation: dict[str, Any], parts: dict[str, Any]) -> None:
    """A list by cursor comes in an object that names the pages around it."""
    content = operation["responses"]["200"]["content"]["application/json"]
    if content["schema"].get("type") != "array":
        return
    item = content["schema"]["items"]
    name = "PageOf" + item["$ref"].rpartition("/")[2]
    link = {"type": ["string", "null"], "format": "uri"}
    parts[name] = {
        "type": "object",
        "properties": {
            "next": link,
            "previous": link,
            "results": {"type": "array", "items": item},
        },
        "required": ["next", "previous", "results"],
    }
    content["schema"] = {"$ref": f"#/components/schemas/{name}"}
    for example in content.get("examples", {}).values():
        rows = example["value"]
        if isinstance(rows, dict) and "results" in rows:
            continue
        rows = rows if isinstance(rows, list) else [rows]
        example["value"] = {"next": None, "previous": None, "results": rows}


def _illustrate(content: dict[str, Any], parts: dict[str, Any]) -> None:
    for kind, media in content.items():
        schema = media.get("schema")
        if "json" in kind and schema and "examples" not in media and "example" not in media:
            media["example"] = example_of(schema, parts)


def example_of(schema: Any, parts: dict[str, Any], name: str = "", depth: int = 0) -> Any:
    """A value that a schema allows, told by the name of its field where nothing else says.

    Args:
        parts: the components that the schema may refer to.
    """
    if not isinstance(schema, dict) or depth > DEEPEST:
        return None
    if "$ref" in schema:
        return example_of(parts[schema["$ref"].rpartition("/")[2]], parts, name, depth + 1)
    for said in ("example", "const", "default"):
        if schema.get(said) not in (None, ""):
            return schema[said]
    if schema.get("enum"):
        return schema["enum"][0]
    for several in ("allOf", "oneOf", "anyOf"):
        if schema.get(several):
            return example_of(schema[several][0], parts, name, depth + 1)
    kind = schema.get("type")
    kind = next((k for k in kind if k != "null"), None) if isinstance(kind, list) else kind
    if kind == "object":
        fields = schema.get("properties", {}).items()
        return {
            field: example_of(inner, parts, field, depth + 1)
            for field, inner in fields
            if inner.get("format") != "binary" and not inner.get("writeOnly")
        }
    if kind == "array":
        inner = example_of(schema.get("items", {}), parts, name, depth + 1)
        return [] if inner is None else [inner] * max(1, schema.get("minItems", 1))
    if kind == "string":
        text = TEXTS.get(schema.get("format", ""), TEXTS.get(name, name.replace("_", " ") or "…"))
        return text[: schema.get("maxLength")]
    numbers = {"integer": schema.get("minimum", 17), "number": schema.get("minimum", 0.5)}
    return numbers.get(kind, False if kind == "boolean" else None)
