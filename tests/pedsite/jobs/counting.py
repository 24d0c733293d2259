"""A step with rows to show for it, slow on demand so that it can be killed in the middle."""

import os
import time

from django.db import transaction

from pedsite.accounts.models import User
from pedsite.jobs import work


def make_users(at: work.Work) -> bool:
    """Makes one user a chunk, named by number, until there are `total`."""
    total = at.params["total"]
    made = User.objects.filter(username__startswith="item").count()
    at.plan(total, done=made)
    if made < total:
        with transaction.atomic():
            User.objects.create(username=f"item{made}")
            time.sleep(float(os.environ.get("PAUSE_S", 0)))
            at.advance(1)
    return made + 1 < total
