"""Who held a person before they were removed: told, since not all of it can be called back."""

import json
from typing import Any

from django.db.models import Min

from gallery import snapshots
from gallery.models import Addition, Box, Caption, Image, Import
from pedsite.audit.models import Entry
from pedsite.jobs import work as jobs
from search.forgetting.models import Removal
from search.models import CaseExport, CaseHit, Embedding
from training import runs
from training.models import Evaluation, Teacher, TrainingRun


def look(removal: Removal, work: jobs.Work) -> bool:
    """Fill the plan with what goes along, and the report with who held it. One piece."""
    plan, boxes = removal.plan, set(removal.plan["boxes"])
    of_boxes = Box.objects.filter(pk__in=boxes)
    images = Image.objects.filter(pk__in=plan["images"])
    gone = of_boxes.filter(identity__isnull=False).values_list("identity_id", "identity__key")
    captions = Caption.objects.filter(box__in=of_boxes)
    plan["people"] = sorted(set(gone))
    plan["captions"] = list(captions.values_list("pk", flat=True))
    plan["encoders"] = sorted(
        set(Embedding.objects.filter(box__in=of_boxes).values_list("encoder_id", flat=True))
    )
    plan |= {"files": [], "painted": {}, "after": 0, "folders": []}
    since = images.aggregate(first=Min("created_at"))["first"]
    held: dict[str, list[dict[str, Any]]] = {
        "snapshots": _snapshots(removal, boxes, work),
        "case_exports": _case_exports(removal, boxes),
        "uploads": _uploads(removal, boxes),
        "backups": _told(since, about="backup"),
        "files": _files(since, boxes) + _exports(since, removal.dataset_name),
    }
    plan["snapshots"] = [each["id"] for each in held["snapshots"]]
    held |= _learned(plan)
    removal.report |= {"held": held, "removed": {}}
    removal.save(update_fields=["plan", "report"])
    return False


def _snapshots(removal: Removal, boxes: set[int], work: jobs.Work) -> list[dict[str, Any]]:
    found = []
    for snapshot in removal.dataset.snapshots.order_by("number") if removal.dataset else ():
        count = 0
        for entry in snapshots.read(snapshot):
            count += entry["box"] in boxes
            work.beat()
        if count:
            told = {"number": snapshot.number, "fingerprint": snapshot.fingerprint}
            found.append({"id": snapshot.pk, **told, "boxes": count})
    return found


def _learned(plan: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Trainings, measurements and teachers of these snapshots."""
    learned = TrainingRun.objects.filter(snapshot__in=plan["snapshots"])
    learned = learned.select_related("snapshot", "version", "job").order_by("pk")
    plan["folders"] = [str(runs.folder(run)) for run in learned]
    measured = Evaluation.objects.filter(snapshot__in=plan["snapshots"])
    taught = Teacher.objects.filter(snapshot__in=plan["snapshots"])
    plan["evaluations"] = list(measured.values_list("pk", flat=True))
    plan["teachers"] = list(taught.values_list("pk", flat=True))
    return {
        "runs": [
            {"id": run.pk, "version": run.version_name, "over": run.job.is_over} for run in learned
        ],
        "evaluations": [{"id": pk} for pk in plan["evaluations"]],
        "teachers": [{"id": teacher.pk, "name": teacher.name} for teacher in taught],
    }


def _case_exports(removal: Removal, boxes: set[int]) -> list[dict[str, Any]]:
    made = CaseExport.objects.filter(case__hits__box_number__in=boxes).distinct().order_by("pk")
    removal.plan["exports"] = [each.pk for each in made]
    hits = CaseHit.objects.filter(box_number__in=boxes)
    removal.plan["cases"] = sorted(set(hits.values_list("case_id", flat=True)))
    return [
        {"case": each.case_id, "sha256": each.sha256, "at": each.created_at.isoformat()}
        for each in made
    ]


def _uploads(removal: Removal, boxes: set[int]) -> list[dict[str, Any]]:
    """What was sent to be imported, and holds the pictures as they came."""
    added = Addition.objects.filter(kind=Addition.Kind.IMAGE, row__in=removal.plan["images"])
    added |= Addition.objects.filter(kind=Addition.Kind.BOX, row__in=boxes)
    brought = Import.objects.filter(job__in=added.values("job")).select_related("upload")
    removal.plan["imports"] = [each.pk for each in brought]
    return [{"import": each.pk, "upload": each.upload_id} for each in brought if each.upload_id]


def _files(since: Any, boxes: set[int]) -> list[dict[str, Any]]:
    """Files of search results with them that somebody took away."""
    told = Entry.objects.filter(action=Entry.Action.EXPORT, detail__has_key="boxes")
    told = told.filter(at__gte=since) if since else told
    return [_line(entry) for entry in told if boxes & set(entry.detail["boxes"])]


def _exports(since: Any, dataset: str) -> list[dict[str, Any]]:
    """Exports of the whole dataset."""
    told = Entry.objects.filter(action=Entry.Action.JOB, detail__dataset=dataset)
    told = told.filter(detail__kind__startswith="export", at__gte=since) if since else told.none()
    return [_line(entry) for entry in told]


def _told(since: Any, about: str) -> list[dict[str, Any]]:
    told = Entry.objects.filter(action=Entry.Action.EXPORT, about=about)
    return [_line(entry) for entry in (told.filter(at__gte=since) if since else ())]


def _line(entry: Entry) -> dict[str, Any]:
    about = entry.about or json.dumps(entry.detail)
    return {"entry": entry.pk, "at": entry.at.isoformat(), "by": entry.username, "about": about}
