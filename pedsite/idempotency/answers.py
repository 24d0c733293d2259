"""A request with a key is done once: who comes again gets what the first was answered."""

import hashlib
from datetime import timedelta

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from pedsite.accounts.models import User
from pedsite.api import DomainError
from pedsite.idempotency.models import KeptAnswer

HEADER = "Idempotency-Key"
KEPT = timedelta(days=1)
# Longer than any request: one that is still without an answer then has lost its process.
LEASE = timedelta(minutes=10)
LONGEST_KEY = 255
LARGEST = 2**20
TOLD_AGAIN = ("Content-Type", "Location")


class BadKey(DomainError):
    code = "bad-idempotency-key"

    def __init__(self) -> None:
        super().__init__(_("An Idempotency-Key has 1 to 255 printable ASCII characters."))


class KeyTaken(DomainError):
    code = "idempotency-key-taken"
    status = 422

    def __init__(self) -> None:
        super().__init__(_("You have sent this Idempotency-Key with another request."))


class AtWork(DomainError):
    code = "idempotency-at-work"
    status = 409
    retry_after = 1

    def __init__(self) -> None:
        super().__init__(_("The first request with this Idempotency-Key is still at work."))


class NotKept(DomainError):
    code = "idempotency-answer-not-kept"
    status = 409

    def __init__(self) -> None:
        super().__init__(
            _("This was done already. Its answer is not kept: it held a secret, or was large.")
        )


def begin(user: User, key: str, fingerprint: str) -> tuple[KeptAnswer, bool]:
    """The row of a request, and whether it is the caller's to do.

    Raises:
        BadKey, KeyTaken, AtWork, NotKept
    """
    if not (0 < len(key) <= LONGEST_KEY and key.isascii() and key.isprintable()):
        raise BadKey
    digest = hashlib.sha256(key.encode()).hexdigest()
    mine = KeptAnswer.objects.filter(user=user, key=digest)
    now = timezone.now()
    mine.filter(created_at__lt=now - KEPT).delete()
    with transaction.atomic():
        row, is_new = KeptAnswer.objects.get_or_create(
            user=user,
            key=digest,
            defaults={"fingerprint": fingerprint, "lease_until": now + LEASE},
        )
    if is_new:
        return row, True
    if row.fingerprint != fingerprint:
        raise KeyTaken
    if row.status is not None:
        if row.body is None:
            raise NotKept
        return row, False
    left = mine.filter(status=None, lease_until__lt=now)
    if not left.update(lease_until=now + LEASE):
        raise AtWork
    return row, True


def finish(row: KeptAnswer, response: HttpResponse, *, is_secret: bool) -> None:
    """Keep what was answered, if it was done; else the key may be used again."""
    if not 200 <= response.status_code < 300:
        KeptAnswer.objects.filter(pk=row.pk).delete()
        return
    small = not response.streaming and len(response.content) <= LARGEST
    KeptAnswer.objects.filter(pk=row.pk).update(
        status=response.status_code,
        headers={n: response[n] for n in TOLD_AGAIN if n in response},
        body=response.content if small and not is_secret else None,
    )


def again(row: KeptAnswer) -> HttpResponse:
    """The answer that the first request got, marked as a repeat."""
    response = HttpResponse(bytes(row.body or b""), status=row.status, headers=row.headers)
    response["Idempotency-Replayed"] = "true"
    return response


def expire() -> int:
    """Forget answers that are older than a day. Returns: how many."""
    return KeptAnswer.objects.filter(created_at__lt=timezone.now() - KEPT).delete()[0]


def fingerprint_of(request: HttpRequest) -> str | None:
    """SHA-256 of method, address and body; None for a body of a kind that the API does not read.

    Reads the body into the request, from where the view has it as well.
    """
    parts = hashlib.sha256(f"{request.method} {request.get_full_path()}\n".encode())
    if request.content_type == "multipart/form-data":
        # A boundary is another each time.
        for name, values in sorted(request.POST.lists()):
            parts.update(repr((name, values)).encode())
        for name, files in sorted(request.FILES.lists()):
            for file in files:
                parts.update(repr((name, file.name, file.size)).encode())
                for chunk in file.chunks():
                    parts.update(chunk)
                file.seek(0)
    elif request.content_type in ("application/json", ""):
        parts.update(request.body)
    else:
        return None
    return parts.hexdigest()
