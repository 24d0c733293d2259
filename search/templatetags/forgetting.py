"""The places of a removal's report in words."""

from django import template
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

register = template.Library()

# As `removal.report` names them.
PLACES = {
    "boxes": _("boxes"),
    "frames": _("frames deleted"),
    "frames_painted": _("frames painted over"),
    "captions": _("captions"),
    "caption": _("captions"),
    "quality": _("measures of sharpness and size"),
    "embeddings": _("vectors"),
    "embedding": _("vectors"),
    "findings": _("findings"),
    "finding": _("findings"),
    "querys": _("queries by their boxes"),
    "query": _("queries by their boxes"),
    "casehit": _("results of cases"),
    "vectors_of_others_to_be_made_again": _("vectors of others, to be made again"),
    "people": _("identities"),
    "saved_searches": _("saved searches by their boxes"),
    "comparisons_changed": _("comparisons, their results taken out"),
    "inspections_changed": _("inspections, their results taken out"),
    "evaluations_changed": _("evaluations, their pairs taken out"),
    "import_notes": _("notes of imports"),
    "changes_by_hand": _("changes by hand"),
    "job_failures": _("failures of jobs"),
    "case_exports": _("exports of cases"),
    "case_hits": _("results of cases"),
    "case_searches": _("searches of cases"),
    "teachers": _("teachers"),
    "cached": _("cached entries"),
    "snapshots": _("snapshots"),
    "uploads": _("uploads"),
    "backups": _("backups"),
    "files": _("files that left the site"),
    "runs": _("trainings"),
    "evaluations": _("evaluations"),
    "frames with their boxes": _("frames with their boxes"),
    "results of cases": _("results of cases"),
    "notes of imports": _("notes of imports"),
    "stored files": _("stored files"),
    "lines of snapshots": _("lines of snapshots"),
    "compact codes": _("compact codes"),
    "Milvus": "Milvus",
}


@register.filter
def place(name: str) -> str:
    """What a report calls a place, in the language in force."""
    return gettext(PLACES[name]) if name in PLACES else name
