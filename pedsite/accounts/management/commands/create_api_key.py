from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from pedsite.accounts import keys
from pedsite.accounts.models import User
from pedsite.accounts.scopes import Scope


class Command(BaseCommand):
    help = "Issues an API key for a user and prints its secret, which cannot be shown again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--name", default="command line", help="what the key is for")
        parser.add_argument(
            "--scope",
            action="append",
            choices=Scope.values,
            help="what it may do (repeat it; without, everything that its user may)",
        )
        parser.add_argument("--days", type=int, help="how long it is valid; without, for ever")

    def handle(
        self, *, username: str, name: str, days: int | None, scope: list[str] | None, **options: Any
    ) -> None:
        user = User.objects.filter(username=username).first()
        if user is None:
            raise CommandError(f"There is no user {username}.")
        if days is not None and days < 1:
            raise CommandError(f"A key that is valid for {days} days is of no use: give 1 or more.")
        expires_at = None if days is None else timezone.now() + timedelta(days=days)
        _key, secret = keys.issue(user, name, expires_at, scope)
        self.stdout.write(secret)
