"""Who did what. Rows are only ever added: triggers of the database refuse anything else.

    Entry ── Link (its place in the chain of hashes) ;  Waiting: entries without a link yet

An entry is written in the transaction of what it tells, without waiting for anyone; the chain is
made behind it, a few seconds later (`chain`). Nothing here refers to a row elsewhere: what is told
outlives the user, the key and the box that it is about.
"""

from django.db import models
from django.utils.translation import gettext_lazy as _

from pedsite.audit.querysets import EntryQuerySet


class Entry(models.Model):
    class Action(models.TextChoices):
        SEARCH = "search", _("searched")
        OPEN = "open", _("opened")
        EXPORT = "export", _("exported")
        CHANGE = "change", _("changed")
        JOB = "job", _("asked for work")
        FORGET = "forget", _("forgot")
        LOGIN = "login", _("logged in")
        LOGOUT = "logout", _("logged out")
        REFUSED = "refused", _("was refused")
        KEY = "key", _("used a key")

    class Via(models.TextChoices):
        PAGE = "page", _("page")
        API = "api", _("API")
        ADMIN = "admin", _("administration")
        COMMAND = "command", _("command")
        WORKER = "worker", _("worker")

    at = models.DateTimeField(_("when"))
    # Null for a command line, whose account of the machine is the name.
    user_id = models.BigIntegerField(null=True)
    username = models.CharField(_("who"), max_length=150, blank=True)
    # The prefix of the API key that acted.
    key = models.CharField(_("key"), max_length=12, blank=True)
    via = models.CharField(_("by way of"), max_length=8, choices=Via)
    address = models.GenericIPAddressField(_("address"), null=True)
    action = models.CharField(_("did"), max_length=8, choices=Action)
    # Of what: "box 17", "dataset mall", the name of a route.
    about = models.CharField(_("about"), max_length=200, blank=True)
    # The words of a search.
    text = models.TextField(_("words"), blank=True)
    purpose = models.CharField(_("purpose"), max_length=200, blank=True)
    version = models.CharField(_("model version"), max_length=100, blank=True)
    results = models.PositiveBigIntegerField(_("results"), null=True)
    detail = models.JSONField(_("detail"), default=dict)

    objects = EntryQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit entries")
        indexes = [
            models.Index(name="audit_entry_by_action", fields=["action", "-id"]),
            models.Index(name="audit_entry_by_user", fields=["username", "-id"]),
            models.Index(name="audit_entry_by_time", fields=["at"]),
        ]

    def __str__(self) -> str:
        return f"{self.pk}: {self.username} {self.action} {self.about or self.text[:60]}".rstrip()


class Link(models.Model):
    """One link of the chain. Its hash covers its number, the hash before, and all of its entry."""

    number = models.PositiveBigIntegerField(primary_key=True)
    entry_id = models.BigIntegerField(unique=True)
    hash = models.CharField(max_length=64)

    class Meta:
        verbose_name = _("link of the audit chain")
        verbose_name_plural = _("links of the audit chain")

    def __str__(self) -> str:
        return f"{self.number}:{self.hash}"


class Waiting(models.Model):
    """That an entry has no link yet. A trigger writes it with the entry."""

    entry_id = models.BigIntegerField(primary_key=True)

    class Meta:
        verbose_name = _("entry that waits for its link")
        verbose_name_plural = _("entries that wait for their links")

    def __str__(self) -> str:
        return str(self.entry_id)
