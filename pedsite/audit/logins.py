"""Who came in, who left, and who was turned away; Django tells it by signals alone."""

from typing import Any

from axes.signals import user_locked_out
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import receiver

from pedsite.audit.journal import Action, record


@receiver(user_logged_in)
def _came(user: Any, **told: Any) -> None:
    record(Action.LOGIN, user=user)


@receiver(user_logged_out)
def _left(user: Any, **told: Any) -> None:
    if user is not None:
        record(Action.LOGOUT, user=user)


@receiver(user_login_failed)
def _refused(credentials: dict[str, Any], **told: Any) -> None:
    name = str(credentials.get("username", ""))
    record(Action.REFUSED, user=None, about=f"login of {name[:150]}")


@receiver(user_locked_out)
def _locked(username: str, **told: Any) -> None:
    record(Action.REFUSED, user=None, about=f"login of {str(username)[:150]}, locked")
