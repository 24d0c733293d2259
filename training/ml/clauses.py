"""The same description with its clauses in another order: what should not change what is found."""

import re

# A full stop inside a number or a name divides nothing.
_MARK = re.compile(r"\s*(?:[,;，；、。！？]|[.!?](?=\s|$))\s*")
_LEAD = re.compile(r"^(?:and|with also|also|以及|并且|并|和)\s*(?=\S)", re.IGNORECASE)
_CHINESE = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]")


def reordered(text: str) -> str | None:
    """The clauses last to first, or None where there are fewer than two different ones."""
    clauses = [_LEAD.sub("", part).strip() for part in _MARK.split(text)]
    clauses = [part for part in clauses if part]
    turned = clauses[::-1]
    if turned == clauses:
        return None
    return ("，" if _CHINESE.search(text) else ", ").join(turned)
