"""What people bring to be imported, what is to become of it, and what each import added."""

from typing import Self

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from gallery.querysets import sees_everything
from pedsite.accounts.models import User
from pedsite.jobs.models import Job


class OwnedQuerySet(models.QuerySet):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Their own; all for administrators, since what others bring is shared with nobody yet."""
        if sees_everything(user):
            return self
        if not user.is_authenticated or not user.is_active:
            return self.none()
        return self.filter(created_by=user)


class Upload(models.Model):
    """One file that comes in pieces; `received` says from which byte it goes on."""

    # Names its pieces in the storage and its copy in a worker's folder.
    key = models.CharField(max_length=32, unique=True)
    name = models.CharField(_("name"), max_length=255)
    size = models.PositiveBigIntegerField(_("size"))
    received = models.PositiveBigIntegerField(_("received"), default=0)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    # When somebody last wanted something of it: it is removed some days after.
    touched_at = models.DateTimeField(_("last used"), db_index=True)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("upload")
        verbose_name_plural = _("uploads")
        constraints = [
            models.CheckConstraint(
                name="gallery_upload_within_its_size",
                condition=Q(size__gt=0) & Q(received__lte=F("size")),
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_whole(self) -> bool:
        return self.received == self.size


class Import(models.Model):
    """An upload or a folder of the server on its way into a dataset: checked, confirmed, undone."""

    upload = models.ForeignKey(
        Upload, models.SET_NULL, null=True, blank=True, related_name="imports"
    )
    # Outlives the upload: a path inside of one must never be taken for a path of the server.
    from_upload = models.BooleanField(_("from an upload"), default=False, editable=False)
    # A path of the server, or one inside the upload, which may be empty for all of it.
    path = models.CharField(_("path"), max_length=1000, blank=True)
    images = models.CharField(_("images"), max_length=1000, blank=True)
    # "" until the check has found it out.
    format = models.CharField(_("format"), max_length=40, blank=True)
    options = models.JSONField(_("options"), default=dict, blank=True)
    dataset_name = models.CharField(_("dataset"), max_length=100)
    # What it was called where it came from.
    name = models.CharField(_("name"), max_length=255)
    # Counts, first rows and notes of the last check.
    report = models.JSONField(_("report"), default=dict, blank=True)
    check_job = models.ForeignKey(Job, models.SET_NULL, null=True, blank=True, related_name="+")
    job = models.ForeignKey(Job, models.SET_NULL, null=True, blank=True, related_name="+")
    undo_job = models.ForeignKey(Job, models.SET_NULL, null=True, blank=True, related_name="+")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        constraints = [
            models.CheckConstraint(
                name="gallery_import_of_an_upload_or_a_folder",
                condition=Q(from_upload=True) | Q(upload=None, path__startswith="/"),
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} → {self.dataset_name}"

    @property
    def is_gone(self) -> bool:
        """Whether the upload that it reads was removed."""
        return self.from_upload and self.upload_id is None

    @property
    def current_job(self) -> Job | None:
        """The job that says how it stands."""
        return self.undo_job or self.job or self.check_job

    @property
    def stage(self) -> str:
        """checking, checked, unreadable, importing, imported, undoing or undone."""
        if self.undo_job is not None:
            done = self.undo_job.state == Job.State.DONE
            return "undone" if done else "imported" if self.undo_job.is_over else "undoing"
        if self.job is not None:
            return "imported" if self.job.is_over else "importing"
        if self.check_job is None or not self.check_job.is_over:
            return "checking"
        return "checked" if self.check_job.state == Job.State.DONE else "unreadable"


class Addition(models.Model):
    """One row that an import added, and how it was then: what an undo may take back."""

    class Kind(models.TextChoices):
        IMAGE = "image"
        BOX = "box"
        CAPTION = "caption"
        IDENTITY = "identity"
        CAMERA = "camera"
        # A box that was there and was given a person: `before` is the key it had.
        NAMED = "named"
        # A person who was there and was given a split.
        SPLIT = "split"

    job = models.ForeignKey(Job, models.CASCADE, related_name="+")
    kind = models.CharField(max_length=8, choices=Kind)
    row = models.PositiveBigIntegerField()
    # Of what a person may change, so that a row that differs was changed since.
    state = models.CharField(max_length=32)
    before = models.CharField(max_length=200, blank=True)

    class Meta:
        verbose_name = _("addition")
        verbose_name_plural = _("additions")
        constraints = [
            models.UniqueConstraint(name="gallery_addition_once", fields=["job", "kind", "row"])
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.row}"
