"""A case as one file to be handed over: a zip whose manifest names every file with its SHA-256.

manifest.json   every other file: path, bytes, sha256
case.json       all of it for programs, with the verdicts that the asking user may read
searches.txt    one search a line, in words and as the address it had
notes.txt  history.txt
crops/          a JPEG a result, encoded anew; names are the server's own
"""

import hashlib
import json
import secrets
import tempfile
import zipfile
from collections.abc import Callable
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from django.core.files import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext_noop

from gallery import crops, pictures
from gallery.errors import BadImage
from gallery.models import Box, Dataset, Review
from pedsite.accounts.models import User as Account
from pedsite.audit.journal import Action, record
from pedsite.jobs import work as jobs
from pedsite.jobs.models import Job
from search.cases import casework
from search.cases.errors import ExportGone
from search.cases.models import Case, CaseEvent, CaseExport, CaseHit
from search.review.models import Judgement

if TYPE_CHECKING:
    from pedsite.accounts.models import User

KIND = gettext_noop("export_case")
TASK = "search.export_case"
QUALITY = 92
FORMAT = "pedsite case 1"


@transaction.atomic
def request(case: Case, user: "User", *, queue: bool = True) -> Job:
    """Have a case written as this user sees it. Raises: MayNotReview, UnknownCase."""
    case = casework.find(user, case.pk)
    CaseEvent.objects.create(case=case, user=user, what=CaseEvent.What.EXPORTED)
    params = {"case": case.pk, "title": str(case), "user": user.pk}
    return jobs.request(
        KIND, task=TASK, params=params, user=user, total=case.hits.count(), queue=queue
    )


def step(work: jobs.Work) -> bool:
    """All of it in one piece. What has been written by a process that was killed is not redone.

    Raises:
        MayNotReview, UnknownCase: the user lost the case meanwhile.
    """
    if CaseExport.objects.filter(job=work.job).exists():
        return False
    user = Account.objects.get(pk=work.params["user"])
    case = casework.find(user, work.params["case"])
    with tempfile.TemporaryFile() as file:
        packed = _Packed(file)
        told = _write(case, user, packed, work.beat)
        size = packed.close()
        sha256 = hashlib.file_digest(_rewound(file), "sha256").hexdigest()
        # Guessed by nobody, though nothing serves it but `open_file`.
        name = f"cases/{case.pk}/{secrets.token_hex(16)}.zip"
        stored = default_storage.save(name, File(_rewound(file)))
    try:
        with transaction.atomic():
            # A case that is deleted meanwhile takes the row with it, and would leave the file.
            Case.objects.select_for_update().get(pk=case.pk)
            made = CaseExport.objects.create(
                case=case,
                file=stored,
                sha256=sha256,
                byte_size=size,
                datasets=sorted(told.datasets),
                job=work.job,
                created_by=user,
            )
            work.keep(export=made.pk, sha256=sha256, bytes=size)
            # Others may have put results in since it was asked for.
            work.plan(told.hits)
            work.advance(told.hits - len(told.missing), told.missing)
    except BaseException:
        default_storage.delete(stored)
        raise
    return False


def find(case: Case, pk: int, user: "User") -> CaseExport:
    """An export that this user may have: they see every dataset whose pictures are in it.

    Raises: ExportGone; also after one of these datasets was deleted.
    """
    made = case.exports.filter(pk=pk).first()
    if made is None or not _sees_all(made, user):
        raise ExportGone
    return made


def open_file(made: CaseExport, user: "User") -> IO[bytes]:
    """The file, noted in the history. Raises: ExportGone, storage has it no longer."""
    try:
        file: IO[bytes] = default_storage.open(made.file)
    except FileNotFoundError as exc:
        raise ExportGone from exc
    what = CaseEvent.What.DOWNLOADED
    CaseEvent.objects.create(case=made.case, user=user, what=what, detail=made.sha256)
    record(Action.EXPORT, user=user, about=f"case {made.case_id}", sha256=made.sha256)
    return file


def offered(case: Case, user: "User") -> list[CaseExport]:
    """The exports of a case that this user may have, newest first."""
    rows = case.exports.select_related("created_by")
    return [made for made in rows if _sees_all(made, user)]


class _Packed:
    """A zip that keeps count of what was put into it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._zip = zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED)
        self._manifest: list[dict[str, Any]] = []

    def add(self, path: str, data: bytes) -> str:
        """Returns the file's SHA-256."""
        sha256 = hashlib.sha256(data).hexdigest()
        # A JPEG does not become smaller.
        how = zipfile.ZIP_STORED if path.endswith(".jpg") else zipfile.ZIP_DEFLATED
        self._zip.writestr(path, data, how)
        self._manifest.append({"path": path, "bytes": len(data), "sha256": sha256})
        return sha256

    def close(self) -> int:
        """Write the manifest; the size of the whole in bytes."""
        told = {"format": FORMAT, "files": self._manifest}
        self._zip.writestr("manifest.json", _json(told))
        self._zip.close()
        return self._file.seek(0, 2)


class _Told(NamedTuple):
    hits: int
    datasets: set[int]  # whose pictures are shown
    missing: list[tuple[str, str]]  # (hit, why) of crops left out


def _write(case: Case, user: "User", packed: _Packed, beat: Callable[[], None]) -> _Told:
    """Everything but the manifest."""
    hits, datasets, missing = [], set(), []
    judgements = _judgements(case, user)
    boxes = Box.objects.visible_to(user).exclude(review=Review.HIDDEN).with_context()
    for hit in case.hits.select_related("query__like", "added_by").order_by("pk"):
        beat()
        box = boxes.filter(pk=hit.box_id).first() if hit.box_id else None
        told = _hit(hit, box)
        if box is not None:
            # Noted even where the crop fails: the row tells of the picture.
            datasets.add(box.image.dataset_id)
            told["judgements"] = judgements.get((hit.query_id, hit.box_id), [])
            try:
                jpeg = pictures.encode_jpeg(crops.load(box), QUALITY)
            except BadImage as exc:
                told["missing"] = str(exc)
                missing.append((f"box {hit.box_number}", str(exc)))
            else:
                told["crop"] = f"crops/{len(hits) + 1:04d}-box{box.pk}.jpg"
                told["crop_sha256"] = packed.add(told["crop"], jpeg)
        hits.append(told)
    about = _about(case, user) | {"hits": hits}
    packed.add("case.json", _json(about))
    lines = [f"{one['text'] or '–'}\t/search/?{one['query']}" for one in about["searches"]]
    packed.add("searches.txt", _text(lines))
    notes = [f"{one['at']} {one['by']}\n{one['text']}\n" for one in about["notes"]]
    packed.add("notes.txt", _text(notes))
    history = [f"{one['at']} {one['by']} {one['what']} {one['detail']}" for one in about["history"]]
    packed.add("history.txt", _text(history))
    return _Told(len(hits), datasets, missing)


def _about(case: Case, user: "User") -> dict[str, Any]:
    return {
        "format": FORMAT,
        "case": case.pk,
        "title": case.title,
        "reference": case.reference,
        "state": case.state,
        "opened_by": _name(case.created_by),
        "opened_at": _moment(case.created_at),
        "members": sorted(case.members.values_list("username", flat=True)),
        "exported_by": user.get_username(),
        "exported_at": _moment(timezone.now()),
        "searches": [
            {"text": QueryDict(one.query).get("q", ""), "query": one.query, **_added(one)}
            for one in case.searches.select_related("added_by").order_by("pk")
        ],
        "notes": [
            {"text": one.text, **_added(one)}
            for one in case.notes.select_related("added_by").order_by("pk")
        ],
        "history": [
            {"at": _moment(one.at), "by": _name(one.user), "what": one.what, "detail": one.detail}
            for one in case.events.select_related("user").order_by("pk")
        ],
    }


def _hit(hit: CaseHit, box: Box | None) -> dict[str, Any]:
    told: dict[str, Any] = {"box": hit.box_number, **_added(hit)}
    if hit.box_id is None:
        return told | {"missing": "The box was deleted."}
    if box is None:
        return told | {"missing": "Whoever exported may not see it."}
    image = box.image
    return told | {
        "found_for": str(hit.query) if hit.query else "",
        "dataset": image.dataset.name,
        "image": image.name,
        "image_sha256": image.sha256,
        "bounds": list(box.bounds),
        "camera": image.camera.name if image.camera else None,
        "taken_at": _moment(image.taken_at) if image.taken_at else None,
        "identity": box.identity.key if box.identity else None,
    }


def _judgements(case: Case, user: "User") -> dict[tuple[int, int], list[dict[str, str]]]:
    """What reviewers said of the results for what they were found for, open to this user."""
    found: dict[tuple[int, int], list[dict[str, str]]] = {}
    rows = Judgement.objects.open_to(user).filter(
        finding__query__in=case.hits.values("query"), finding__box__in=case.hits.values("box")
    )
    for row in rows.select_related("finding", "reviewer").order_by("pk"):
        told = {
            "reviewer": row.reviewer.get_username(),
            "verdict": row.verdict,
            "at": _moment(row.decided_at),
        }
        found.setdefault((row.finding.query_id, row.finding.box_id), []).append(told)
    return found


def _sees_all(made: CaseExport, user: "User") -> bool:
    wanted = made.datasets
    return Dataset.objects.visible_to(user).filter(pk__in=wanted).count() == len(wanted)


def _added(entry: Any) -> dict[str, str]:
    return {"by": _name(entry.added_by), "at": _moment(entry.added_at)}


def _name(user: Any) -> str:
    return user.get_username() if user else ""


def _moment(at: Any) -> str:
    return at.isoformat(timespec="seconds")


def _json(told: dict[str, Any]) -> bytes:
    return json.dumps(told, ensure_ascii=False, indent=1).encode()


def _text(lines: list[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()


def _rewound(file: IO[bytes]) -> Any:
    file.seek(0)
    return file
