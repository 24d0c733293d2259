"""Rows and pictures: what shows somebody, or tells of them, taken out of the database."""

import json
from collections import Counter
from typing import Any

from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import CASCADE, Q, QuerySet, TextField
from django.db.models.functions import Cast
from django.http import QueryDict
from django.utils import timezone

from gallery import datasets, redaction, snapshots
from gallery.change_models import Change
from gallery.errors import BadImage
from gallery.models import Addition, Box, Identity, Image, Import, Snapshot
from pedsite.jobs import work as jobs
from pedsite.jobs.errors import JobIsOver
from pedsite.jobs.models import Job, JobFailure
from search.cases import exports
from search.cases.models import CaseExport, CaseHit, CaseSearch
from search.enrollment import ITEM
from search.forgetting.models import Removal
from search.models import Comparison, Embedding, Inspection, SavedSearch
from training import teachers
from training.models import Evaluation, Teacher, TrainingRun

FRAMES = 8


def frames(removal: Removal, work: jobs.Work) -> bool:
    """Some pictures: gone where they show nobody else, painted over where they do."""
    images = Image.objects.filter(pk__in=removal.plan["images"], pk__gt=removal.plan["after"])
    some = list(images.order_by("pk")[:FRAMES])
    for pk, image in [(image.pk, image) for image in some]:
        work.beat()
        with transaction.atomic():
            datasets.lock(image.dataset_id)
            _count(removal, _frame(removal, image))
            removal.plan["after"] = pk
            removal.save(update_fields=["plan", "report"])
    return bool(some)


def _frame(removal: Removal, image: Image) -> Counter[str]:
    wanted = set(removal.plan["boxes"])
    boxes = list(image.boxes.all())
    mine = [box for box in boxes if box.pk in wanted]
    regions = [box.bounds for box in mine]
    others = [box for box in boxes if box.pk not in wanted]
    hidden = [box for box in others if redaction.covered(box, regions) >= redaction.COVERED]
    shown = [box for box in others if box not in hidden]
    going = [*mine, *hidden]
    told = Counter(boxes=len(going))
    told.update(_rows_of(going))
    if shown:
        try:
            old = redaction.paint_out(image, regions)
        except BadImage:
            # Nobody can paint what nobody can read, and the bytes may still show them.
            shown = []
        else:
            removal.plan["files"].append(old)
            removal.plan["painted"][old] = image.file.name
            told["frames_painted"] += 1
            touched = [box.pk for box in shown if redaction.covered(box, regions)]
            again = Embedding.objects.filter(box__in=touched)
            told["vectors_of_others_to_be_made_again"] += again.delete()[0]
    Box.objects.filter(pk__in=[box.pk for box in going]).delete()
    removal.plan["boxes"] = sorted(wanted | {box.pk for box in hidden})
    if not shown:
        removal.plan["files"].append(image.file.name)
        image.delete()
        told["frames"] += 1
    return told


def _rows_of(boxes: list[Box]) -> Counter[str]:
    """How much goes with boxes, by what it is."""
    told: Counter[str] = Counter()
    for relation in Box._meta.related_objects:
        if relation.on_delete is not CASCADE:
            continue
        rows = relation.related_model._base_manager.filter(**{f"{relation.field.name}__in": boxes})
        told[f"{relation.related_model._meta.model_name}s"] += rows.count()
    return told


def rows(removal: Removal, work: jobs.Work) -> bool:
    """What names the boxes without a foreign key, at once."""
    boxes = set(removal.plan["boxes"])
    with transaction.atomic():
        _count(removal, _searches(boxes) + _trials(boxes, removal) + _ledgers(boxes, removal))
        _count(removal, _cases(boxes, removal) + _learned(boxes, removal))
        gone = Identity.objects.filter(pk__in=[pk for pk, _key in _gone(removal)])
        _count(removal, Counter(people=gone.count()))
        gone.delete()
        # Codes that were built before may hold them.
        removal.plan["emptied_at"] = timezone.now().isoformat()
        removal.save(update_fields=["plan", "report"])
    return False


def _gone(removal: Removal) -> list[tuple[int, str]]:
    """Id and key of the people of whom no box is left; others keep what is noted of them."""
    people = dict(removal.plan["people"])
    there = Identity.objects.filter(pk__in=people, boxes__isnull=False)
    stay = set(there.values_list("pk", flat=True))
    return [(pk, key) for pk, key in people.items() if pk not in stay]


def _searches(boxes: set[int]) -> Counter[str]:
    told: Counter[str] = Counter()
    for kept in SavedSearch.objects.all():
        if _asks_by(kept.query, boxes):
            kept.delete()
            told["saved_searches"] += 1
        elif boxes & {*kept.seen, *kept.told}:
            kept.seen = [box for box in kept.seen if box not in boxes]
            kept.told = [box for box in kept.told if box not in boxes]
            kept.save(update_fields=["seen", "told"])
    return told


def _asks_by(query: str, boxes: set[int]) -> bool:
    given = QueryDict(query)
    words = given.get("q", "").split()
    named = {given.get("box", ""), *(word.partition("^")[0].removeprefix("box:") for word in words)}
    return bool(named & set(map(str, boxes)))


def _trials(boxes: set[int], removal: Removal) -> Counter[str]:
    """Results of comparisons and inspections."""
    people = {pk for pk, _key in _gone(removal)}
    told: Counter[str] = Counter()
    for model in (Comparison, Inspection):
        for row in model.objects.all():
            left = [
                _without(each, boxes)
                for each in row.questions
                if each.get("box") not in boxes and each.get("person") not in people
            ]
            if left != row.questions:
                row.questions = left
                row.save(update_fields=["questions"])
                told[f"{model._meta.model_name}s_changed"] += 1
    return told


def _without(question: dict[str, Any], boxes: set[int]) -> dict[str, Any]:
    def kept(hits: Any) -> Any:
        return [hit for hit in hits if hit[0] not in boxes]

    changed = {name: kept(question[name]) for name in ("old", "new") if name in question}
    if "found" in question:
        changed["found"] = {way: kept(hits) for way, hits in question["found"].items()}
    return question | changed


def _ledgers(boxes: set[int], removal: Removal) -> Counter[str]:
    """What was noted of imports, jobs and changes by hand."""
    plan = removal.plan
    people = _gone(removal)
    gone = {"box": boxes, "caption": plan["captions"], "identity": [pk for pk, _key in people]}
    gone["image"] = set(plan["images"]) - set(_there(plan["images"]))
    additions, changes = Addition.objects.none(), Change.objects.none()
    for model, pks in gone.items():
        additions |= Addition.objects.filter(kind=model, row__in=pks)
        changes |= Change.objects.filter(model=model, row__in=pks)
    named = Addition.objects.filter(kind=Addition.Kind.NAMED, row__in=boxes)
    told = Counter(import_notes=(additions | named).delete()[0])
    told["changes_by_hand"] = changes.delete()[0] + _named_changes(removal).delete()[0]
    Addition.objects.filter(before__in=[key for _pk, key in people]).update(before="")
    items = {f"{ITEM}{box}" for box in boxes}
    told["job_failures"] = JobFailure.objects.filter(item__in=items).delete()[0]
    for job in Job.objects.filter(params__has_key="only"):
        job.params["only"] = [item for item in job.params["only"] if item not in items]
        job.save(update_fields=["params"])
    for brought in Import.objects.filter(pk__in=plan["imports"]):
        # The first rows of a file, as its check read them.
        brought.report = {k: v for k, v in brought.report.items() if not isinstance(v, list)}
        brought.save(update_fields=["report"])
    return told


def _there(images: list[int]) -> list[int]:
    return list(Image.objects.filter(pk__in=images).values_list("pk", flat=True))


def _named_changes(removal: Removal) -> QuerySet[Change]:
    """Changes of other rows that hold the key of somebody who goes."""
    keys = [key for _pk, key in _gone(removal)]
    if not keys:
        return Change.objects.none()
    wanted = Q()
    for key in keys:
        quoted = json.dumps(key, ensure_ascii=False)
        wanted |= Q(was__contains=quoted) | Q(became__contains=quoted)
    mine = Change.objects.filter(action__dataset=removal.dataset_id)
    texts = {"was": Cast("before", TextField()), "became": Cast("after", TextField())}
    return Change.objects.filter(pk__in=mine.annotate(**texts).filter(wanted).values("pk"))


def _cases(boxes: set[int], removal: Removal) -> Counter[str]:
    cases = removal.plan["cases"]
    for job in Job.objects.unfinished().filter(kind=exports.KIND, params__case__in=cases):
        _cancel(job)
    late = Q(case__in=cases, created_at__gte=removal.requested_at)
    made = CaseExport.objects.filter(Q(pk__in=removal.plan["exports"]) | late)
    removal.plan["files"] += list(made.values_list("file", flat=True))
    told = Counter(case_exports=made.count())
    made.delete()
    told["case_hits"] = CaseHit.objects.filter(box_number__in=boxes).delete()[0]
    asked = [one.pk for one in CaseSearch.objects.all() if _asks_by(one.query, boxes)]
    told["case_searches"] = CaseSearch.objects.filter(pk__in=asked).delete()[0]
    return told


def _learned(boxes: set[int], removal: Removal) -> Counter[str]:
    """Teachers' vectors and what evaluations quote; trainings that go on are cancelled."""
    plan, told = removal.plan, Counter[str]()
    for teacher in Teacher.objects.filter(pk__in=plan["teachers"]).select_related("job"):
        _cancel(teacher.job)
        plan["files"] += [each["name"] for each in teacher.files.values()]
        plan["folders"].append(str(teachers.folder(teacher)))
        teacher.delete()
        told["teachers"] += 1
    for found in Evaluation.objects.filter(pk__in=plan["evaluations"]):
        for worst in ("false_rejects", "false_accepts"):
            if worst in found.details:
                found.details[worst] = [
                    each
                    for each in found.details[worst]
                    if not boxes & {each["picture"], each["of"]}
                ]
        found.predictions = {}
        found.save(update_fields=["details", "predictions"])
        told["evaluations_changed"] += 1
    for run in TrainingRun.objects.filter(snapshot__in=plan["snapshots"]).select_related("job"):
        _cancel(run.job)
    return told


def _cancel(job: Job | None) -> None:
    try:
        if job is not None:
            jobs.cancel(job)
    except JobIsOver:
        pass


def snapshots_(removal: Removal, work: jobs.Work) -> bool:
    """One snapshot, written anew without their lines."""
    left = Snapshot.objects.filter(pk__in=removal.plan["snapshots"]).order_by("pk")
    boxes = set(removal.plan["boxes"])
    for snapshot in left:
        work.beat()
        if any(entry["box"] in boxes for entry in snapshots.read(snapshot)):
            with transaction.atomic():
                removal.plan["files"].append(
                    snapshots.leave_out(snapshot, boxes, removal.plan["painted"])
                )
                removal.save(update_fields=["plan"])
            return True
    return False


def stored(names: list[str]) -> list[str]:
    """Those of some files that storage has and no row names."""
    rows = [(Image, "file"), (Snapshot, "file"), (CaseExport, "file")]
    named: set[str] = set()
    for model, field in rows:
        found = model._base_manager.filter(**{f"{field}__in": names})
        named |= set(found.values_list(field, flat=True))
    return [name for name in names if name not in named and default_storage.exists(name)]


def _count(removal: Removal, told: Counter[str]) -> None:
    counted = Counter(removal.report["removed"])
    counted.update({name: count for name, count in told.items() if count})
    removal.report["removed"] = dict(counted)
