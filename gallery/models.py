"""Who is in the pictures: datasets, images, boxes, people and captions."""

from django.conf import settings
from django.contrib.auth.models import Group
from django.core.validators import MaxLengthValidator, RegexValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import MD5, Length
from django.db.models.lookups import GreaterThan, LessThanOrEqual
from django.utils.translation import gettext_lazy as _

from gallery.change_models import Action as Action
from gallery.change_models import Change as Change
from gallery.import_models import Addition as Addition
from gallery.import_models import Import as Import
from gallery.import_models import Upload as Upload
from gallery.quality_models import Quality as Quality
from gallery.querysets import BoxQuerySet, CaptionQuerySet, DatasetQuerySet, ImageQuerySet
from pedsite.accounts.models import User

MAX_CAPTION = 2000
DATASET_NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}\Z"


class Review(models.TextChoices):
    UNREVIEWED = "unreviewed", _("unreviewed")
    APPROVED = "approved", _("approved")
    HIDDEN = "hidden", _("hidden")


class Dataset(models.Model):
    """Where pictures come from, and the unit of permission."""

    name = models.CharField(
        _("name"),
        max_length=100,
        unique=True,
        validators=[RegexValidator(DATASET_NAME, _("Letters, digits, and _ . - between them."))],
    )
    title = models.CharField(_("title"), max_length=200, blank=True)
    kind = models.CharField(_("kind"), max_length=40, default="person")
    licence = models.CharField(_("licence"), max_length=200, blank=True)
    source = models.CharField(_("source"), max_length=500, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    objects = DatasetQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        verbose_name = _("dataset")
        verbose_name_plural = _("datasets")

    def __str__(self) -> str:
        return self.name


class DatasetGrant(models.Model):
    """Lets one user, one group, or everyone of a role see a dataset."""

    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="grants")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="dataset_grants",
    )
    group = models.ForeignKey(
        Group, models.CASCADE, null=True, blank=True, related_name="dataset_grants"
    )
    role = models.CharField(
        _("role"), max_length=8, choices=User.Role, blank=True, default="", db_default=""
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("dataset grant")
        verbose_name_plural = _("dataset grants")
        constraints = [
            models.CheckConstraint(
                name="gallery_grant_user_or_group",
                condition=Q(user__isnull=False, group__isnull=True, role="")
                | Q(user__isnull=True, group__isnull=False, role="")
                | Q(user__isnull=True, group__isnull=True) & ~Q(role=""),
                violation_error_message=_("Name a user, a group or a role, one of them."),
            ),
            models.UniqueConstraint(
                name="gallery_grant_once_per_user",
                fields=["dataset", "user"],
                condition=Q(user__isnull=False),
            ),
            models.UniqueConstraint(
                name="gallery_grant_once_per_group",
                fields=["dataset", "group"],
                condition=Q(group__isnull=False),
            ),
            models.UniqueConstraint(
                name="gallery_grant_once_per_role",
                fields=["dataset", "role"],
                condition=~Q(role=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.dataset}: {self.user or self.group or self.get_role_display()}"


class Camera(models.Model):
    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="cameras")
    name = models.CharField(_("name"), max_length=200)

    class Meta:
        ordering = ["name"]
        verbose_name = _("camera")
        verbose_name_plural = _("cameras")
        constraints = [
            models.UniqueConstraint(
                name="gallery_camera_once_per_dataset", fields=["dataset", "name"]
            )
        ]

    def __str__(self) -> str:
        return self.name


class Image(models.Model):
    """One stored file, as it was received."""

    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="images")
    # Of the bytes received, lower-case hex.
    sha256 = models.CharField(max_length=64)
    # Named by the server from the hash; `name` is what the source called it.
    file = models.FileField(_("file"), max_length=200, editable=False)
    name = models.CharField(_("name"), max_length=500)
    # Pixels of the upright image, after the EXIF orientation.
    width = models.PositiveIntegerField(_("width"))
    height = models.PositiveIntegerField(_("height"))
    camera = models.ForeignKey(
        Camera, models.SET_NULL, null=True, blank=True, related_name="images"
    )
    taken_at = models.DateTimeField(_("taken"), null=True, blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    objects = ImageQuerySet.as_manager()

    class Meta:
        verbose_name = _("image")
        verbose_name_plural = _("images")
        constraints = [
            models.UniqueConstraint(
                name="gallery_image_once_per_dataset", fields=["dataset", "sha256"]
            ),
            models.CheckConstraint(
                name="gallery_image_not_empty", condition=Q(width__gt=0, height__gt=0)
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Identity(models.Model):
    """A person (or class) across boxes; holds the split, so that nobody is in two."""

    class Split(models.TextChoices):
        NONE = "", _("none")
        TRAIN = "train", _("train")
        VALIDATION = "validation", _("validation")
        TEST = "test", _("test")

    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="identities")
    key = models.CharField(_("key"), max_length=200)
    split = models.CharField(_("split"), max_length=10, choices=Split, blank=True, default="")

    class Meta:
        verbose_name = _("identity")
        verbose_name_plural = _("identities")
        constraints = [
            models.UniqueConstraint(
                name="gallery_identity_once_per_dataset", fields=["dataset", "key"]
            )
        ]

    def __str__(self) -> str:
        return self.key


class Box(models.Model):
    """One region of an image: the unit that is captioned, embedded and found."""

    class Source(models.TextChoices):
        ANNOTATED = "annotated", _("annotated")
        DETECTED = "detected", _("detected")
        WHOLE = "whole", _("whole image")

    image = models.ForeignKey(Image, models.CASCADE, related_name="boxes")
    # Pixels of the upright image; left and top inclusive, right and bottom exclusive.
    left = models.PositiveIntegerField(_("left"))
    top = models.PositiveIntegerField(_("top"))
    right = models.PositiveIntegerField(_("right"))
    bottom = models.PositiveIntegerField(_("bottom"))
    source = models.CharField(_("source"), max_length=10, choices=Source)
    # What the detector gave, 0 to 1; null for boxes that nobody scored.
    score = models.FloatField(_("score"), null=True, blank=True)
    identity = models.ForeignKey(
        Identity, models.SET_NULL, null=True, blank=True, related_name="boxes"
    )
    review = models.CharField(_("review"), max_length=10, choices=Review, default=Review.UNREVIEWED)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    objects = BoxQuerySet.as_manager()

    class Meta:
        verbose_name = _("box")
        verbose_name_plural = _("boxes")
        # Every search leaves these few out, and should not read all boxes to know them.
        indexes = [
            models.Index(name="gallery_box_hidden", fields=["id"], condition=Q(review="hidden"))
        ]
        constraints = [
            models.CheckConstraint(
                name="gallery_box_not_empty",
                condition=Q(left__lt=F("right")) & Q(top__lt=F("bottom")),
            ),
            models.UniqueConstraint(
                name="gallery_box_once_per_image",
                fields=["image", "left", "top", "right", "bottom"],
            ),
            models.CheckConstraint(
                name="gallery_box_score_is_a_share",
                condition=Q(score__isnull=True) | Q(score__gte=0, score__lte=1),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.image_id}:{self.left},{self.top}-{self.right},{self.bottom}"

    @property
    def bounds(self) -> tuple[int, int, int, int]:
        """Left, top, right, bottom."""
        return self.left, self.top, self.right, self.bottom


class Caption(models.Model):
    """A description of a box, in words."""

    class Kind(models.TextChoices):
        CAPTION = "caption", _("caption")
        ATTRIBUTES = "attributes", _("attributes")
        PROMPT = "prompt", _("prompt")

    class Language(models.TextChoices):
        NONE = "", _("none")
        EN = "en", _("English")
        ZH = "zh", _("Chinese")

    class Source(models.TextChoices):
        IMPORTED = "imported", _("imported")
        DRAWN = "drawn", _("drawn")
        DRAFTED = "drafted", _("drafted")
        TYPED = "typed", _("typed")

    box = models.ForeignKey(Box, models.CASCADE, related_name="captions")
    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.CAPTION)
    language = models.CharField(
        _("language"), max_length=2, choices=Language, blank=True, default=""
    )
    text = models.TextField(
        _("text"), max_length=MAX_CAPTION, validators=[MaxLengthValidator(MAX_CAPTION)]
    )
    source = models.CharField(_("source"), max_length=10, choices=Source)
    # Of a draft: the model version that saw what is told, or ATTRIBUTES where it was typed.
    drafted_by = models.CharField(_("drafted by"), max_length=100, blank=True, default="")
    review = models.CharField(_("review"), max_length=10, choices=Review, default=Review.UNREVIEWED)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    objects = CaptionQuerySet.as_manager()

    class Meta:
        verbose_name = _("caption")
        verbose_name_plural = _("captions")
        constraints = [
            # By hash: 2,000 Chinese characters do not fit into an index row.
            models.UniqueConstraint(
                F("box"), F("kind"), F("language"), MD5("text"), name="gallery_caption_once_per_box"
            ),
            models.CheckConstraint(
                name="gallery_caption_length",
                condition=Q(GreaterThan(Length("text"), 0))
                & Q(LessThanOrEqual(Length("text"), MAX_CAPTION)),
            ),
        ]

    def __str__(self) -> str:
        return self.text[:60]

    @property
    def is_draft(self) -> bool:
        """Whether it was drafted by machine and nobody approved it."""
        return self.source == self.Source.DRAFTED and self.review != Review.APPROVED


class Snapshot(models.Model):
    """A numbered, frozen list of a dataset's boxes and captions."""

    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="snapshots")
    number = models.PositiveIntegerField(_("number"))
    # sha256 of the uncompressed lines: equal content has an equal fingerprint.
    fingerprint = models.CharField(_("fingerprint"), max_length=64)
    box_count = models.PositiveIntegerField(_("boxes"))
    caption_count = models.PositiveIntegerField(_("captions"))
    # Split -> {"boxes", "people", "captions", "confirmed", "rejected"}.
    counts = models.JSONField(_("counts"), default=dict, editable=False)
    # How the judgements came in, as whoever froze them counted; empty where they were left out.
    judged = models.JSONField(_("judgements"), default=dict, editable=False)
    # JSON Lines, compressed with gzip.
    file = models.FileField(_("file"), max_length=200, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        ordering = ["dataset", "-number"]
        verbose_name = _("snapshot")
        verbose_name_plural = _("snapshots")
        constraints = [
            models.UniqueConstraint(
                name="gallery_snapshot_number_once", fields=["dataset", "number"]
            )
        ]

    def __str__(self) -> str:
        return f"{self.dataset} #{self.number}"
