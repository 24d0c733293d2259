"""What an administrator does with users. Everything is in force with their next request.

A session and a key are looked up with their user on every request, so a role, an access or a grant
that was taken away is gone at once, wherever somebody is logged in.
"""

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q

from pedsite.accounts.errors import AboveYou, BadUser, LastAdministrator, NotYourself
from pedsite.accounts.models import User
from pedsite.audit.journal import Action, record


@transaction.atomic
def make(by: User, username: str, password: str, role: str, email: str = "") -> User:
    """A user who may log in with a password, which they should change.

    Raises: BadUser, the name is taken or none, or the password is too easy; the text says which.
    """
    user = User(username=User.normalize_username(username), email=email, role=role)
    try:
        user.full_clean(exclude=["password"])
        validate_password(password, user)
    except ValidationError as exc:
        raise BadUser(" ".join(exc.messages)) from exc
    user.set_password(password)
    user.save()
    record(Action.CHANGE, user=by, about=f"user {user.pk} made", role=role)
    return user


@transaction.atomic
def change_role(by: User, user: User, role: str) -> None:
    """Raises: NotYourself, AboveYou, LastAdministrator."""
    held = _hold(by, user)
    if held.role == role:
        return
    before, held.role = held.role, role
    held.save(update_fields=["role"])
    _require_administrator()
    record(Action.CHANGE, user=by, about=f"user {user.pk} role", before=before, after=role)


@transaction.atomic
def set_active(by: User, user: User, is_active: bool) -> None:
    """Let somebody in again, or out: their sessions and keys stop with their next request.

    Raises: NotYourself, AboveYou, LastAdministrator.
    """
    held = _hold(by, user)
    if held.is_active == is_active:
        return
    held.is_active = is_active
    held.save(update_fields=["is_active"])
    _require_administrator()
    what = "let in" if is_active else "shut out"
    record(Action.CHANGE, user=by, about=f"user {user.pk} {what}")


@transaction.atomic
def set_password(by: User, user: User, password: str) -> None:
    """Give somebody a new password, which ends their sessions.

    Raises: NotYourself, AboveYou; BadUser, it is too easy.
    """
    held = _hold(by, user)
    try:
        validate_password(password, held)
    except ValidationError as exc:
        raise BadUser(" ".join(exc.messages)) from exc
    held.set_password(password)
    held.save(update_fields=["password"])
    record(Action.CHANGE, user=by, about=f"user {user.pk} password")


def _hold(by: User, user: User) -> User:
    if by.pk == user.pk:
        raise NotYourself
    if user.is_superuser and not by.is_superuser:
        raise AboveYou
    # All administrators in one order: two of them lowering each other are told apart.
    list(User.objects.select_for_update().filter(_ADMINISTRATOR).order_by("pk"))
    return User.objects.select_for_update().get(pk=user.pk)


_ADMINISTRATOR = Q(is_superuser=True) | Q(role=User.Role.ADMIN)


def _require_administrator() -> None:
    if not User.objects.filter(_ADMINISTRATOR, is_active=True).exists():
        raise LastAdministrator
