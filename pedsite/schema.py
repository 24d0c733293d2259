"""How operations are described beyond what each says itself."""

from drf_spectacular.openapi import AutoSchema as Spectacular
from drf_spectacular.utils import OpenApiParameter

IDEMPOTENCY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="Up to 255 characters of your choice. For a day the same request with the same "
    "key is answered as the first was, and done once; with another body it is a 422.",
)


class AutoSchema(Spectacular):
    """Names the header that every POST takes which changes something."""

    def get_override_parameters(self) -> list[OpenApiParameter]:
        changes = self.method == "POST" and not getattr(self.view, "changes_nothing", False)
        return [*super().get_override_parameters(), *([IDEMPOTENCY] if changes else [])]
