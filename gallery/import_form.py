"""The form that begins an import, or checks it again with other choices."""

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from gallery import imports, sources
from gallery.formats import FORMATS
from gallery.models import Dataset, Upload
from pedsite.accounts.models import User

WORDS = {
    "folder": gettext_lazy("A folder of pictures"),
    "folder_per_class": gettext_lazy("A folder for each person or class"),
    "video": gettext_lazy("A video"),
    "cuhk_pedes": gettext_lazy("CUHK-PEDES annotations (reid_raw.json)"),
    "synth_pedes": gettext_lazy("SYNTH-PEDES annotations"),
    "chinese_clip": gettext_lazy("Chinese-CLIP, TSV and JSONL"),
    "chinese_clip_lmdb": gettext_lazy("Chinese-CLIP, LMDB"),
    "flickr8k_cn": gettext_lazy("Flickr8k-CN"),
    "coco": gettext_lazy("COCO"),
    "reid_pickles": gettext_lazy("Pickles of a re-identification set"),
    "compcars": gettext_lazy("CompCars"),
    "image_matrix": gettext_lazy("An array of pictures with a CSV"),
}


class ChoicesForm(forms.Form):
    """Which dataset, and how to read it."""

    dataset = forms.CharField(
        max_length=100,
        label=gettext_lazy("Dataset"),
        help_text=gettext_lazy("One of yours, or a new name."),
        widget=forms.TextInput(attrs={"list": "datasets", "autocomplete": "off"}),
    )
    format = forms.ChoiceField(required=False, label=gettext_lazy("Format"))
    images = forms.CharField(
        max_length=1000,
        required=False,
        label=gettext_lazy("Folder of the pictures"),
        help_text=gettext_lazy("Where an annotation file's pictures are, if not beside it."),
    )
    fps = forms.FloatField(
        required=False, min_value=0.01, max_value=240, label=gettext_lazy("Frames a second")
    )
    start = forms.CharField(
        required=False,
        max_length=40,
        label=gettext_lazy("Time of the first frame"),
        help_text=gettext_lazy("Such as 2026-05-04T09:00:00+02:00"),
    )
    test_records = forms.IntegerField(
        required=False,
        min_value=0,
        max_value=10**9,
        label=gettext_lazy("First records for testing"),
    )
    category = forms.CharField(
        required=False, max_length=100, label=gettext_lazy("Category of the boxes")
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.known = list(
            Dataset.objects.visible_to(user).order_by("name").values_list("name", flat=True)
        )
        named = [(name, WORDS.get(name, name)) for name in imports.BROUGHT]
        self.fields["format"].choices = [("", _("find it out")), *named]

    @property
    def special(self) -> list[forms.BoundField]:
        """What only some formats take."""
        return [self[name] for name in ("fps", "start", "test_records", "category")]

    @property
    def special_is_open(self) -> bool:
        return any(field.errors or field.value() not in (None, "") for field in self.special)

    def wish(self, upload: Upload | None = None) -> imports.Wish:
        """What was chosen, with the options that the format takes."""
        found = self.cleaned_data
        takes = FORMATS[found["format"]].options if found["format"] else frozenset()
        options = {name: found[name] for name in takes if found.get(name) not in (None, "")}
        return imports.Wish(
            dataset=found["dataset"],
            upload=upload,
            folder=found.get("folder", ""),
            format=found["format"],
            images=found["images"],
            options=options,
        )


class ImportForm(ChoicesForm):
    """A file or a folder of the server, and the choices."""

    file = forms.FileField(
        required=False,
        label=gettext_lazy("File"),
        help_text=gettext_lazy(
            "A zip or tar of pictures or of a whole dataset, a video, a picture."
        ),
    )
    # Of a file that a script has sent in pieces before.
    upload = forms.IntegerField(required=False, widget=forms.HiddenInput)
    folder = forms.CharField(
        required=False, max_length=1000, label=gettext_lazy("Folder of the server")
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, user=user, **kwargs)
        self.roots = [str(root) for root in sources.roots()]
        self.user = user
        if not self.roots:
            del self.fields["folder"]

    @property
    def kept(self) -> Upload | None:
        """What was sent before: it stays while the rest of the form is put right."""
        return self.cleaned_data.get("upload") if self.is_bound else None

    def clean_upload(self) -> Upload | None:
        pk = self.cleaned_data["upload"]
        if pk is None:
            return None
        found = Upload.objects.visible_to(self.user).filter(pk=pk).first()
        if found is None:
            raise forms.ValidationError(_("The upload was removed."))
        return found

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        if self.errors:
            return found
        if found.get("file"):
            found["upload"] = None  # another was chosen instead
        given = [name for name in ("file", "upload", "folder") if found.get(name)]
        if len(given) != 1:
            raise forms.ValidationError(
                _("Choose a file, or name a folder of the server; one of them.")
            )
        file = found.get("file")
        if file and file.size > settings.PEDSITE_UPLOAD_FORM_BYTES:
            self.add_error(
                "file",
                _("Without JavaScript a file may have at most %(most)d MiB.")
                % {"most": settings.PEDSITE_UPLOAD_FORM_BYTES // 2**20},
            )
        return found
