import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from gallery import datasets
from pedsite.api import DomainError
from pedsite.jobs import work
from pedsite.jobs.models import Job
from training import evaluations, measures, teachers, versions
from training.ml import predictions
from training.ml.pairs import PROTOCOLS
from training.models import Evaluation

# In the order that they are read; the database keeps none.
METRICS = ("r1", "r5", "r10", "map", "minp")


class Command(BaseCommand):
    help = (
        "Measures a version on a split of a dataset. The same measurement of unchanged data is "
        "shown again, not made again."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("version_name", metavar="VERSION", nargs="?")
        parser.add_argument(
            "--teacher", metavar="NAME", help="measure a teacher by its stored vectors instead"
        )
        parser.add_argument("--dataset", required=True, help="its name")
        parser.add_argument("--split", required=True, choices=evaluations.SPLITS)
        parser.add_argument("--protocol", choices=PROTOCOLS, default=PROTOCOLS[0])
        parser.add_argument(
            "--language",
            choices=evaluations.LANGUAGES,
            default="",
            help="of the captions that ask; default all",
        )
        parser.add_argument(
            "--json", dest="file", type=Path, metavar="FILE", help="write the numbers there"
        )
        parser.add_argument(
            "--smallest-class",
            type=int,
            default=measures.RATIO,
            metavar="N",
            help="pictures of classes with fewer take no part in the held-out mAP of pictures",
        )
        parser.add_argument(
            "--predictions",
            type=Path,
            metavar="FILE",
            help="write the ten best of each text as Chinese-CLIP does, and beside it those of "
            "each picture (.tr) and what is right (.answers)",
        )
        parser.add_argument(
            "--recall-json",
            type=Path,
            metavar="FILE",
            help="write Chinese-CLIP's recall report, and beside it that of pictures (.tr)",
        )
        parser.add_argument("--queue", action="store_true", help="leave it to the workers")

    def handle(
        self,
        *,
        version_name: str | None,
        teacher: str | None,
        dataset: str,
        file: Path | None,
        queue: bool,
        **options: Any,
    ) -> None:
        if (version_name is None) == (teacher is None):
            raise CommandError("Name a version, or a teacher with --teacher.")
        for name in (file, options["predictions"], options["recall_json"]):
            # Before hours of measuring, not after.
            if name is not None and not name.absolute().parent.is_dir():
                raise CommandError(f"There is no folder {name.parent} to write {name.name} into.")
        wanted = {name: options[name] for name in ("protocol", "language", "smallest_class")}
        try:
            evaluation = evaluations.request(
                teachers.get(teacher) if teacher else versions.get(version_name),
                datasets.get(dataset),
                options["split"],
                queue=queue,
                **wanted,
            )
        except DomainError as exc:
            raise CommandError(str(exc)) from exc
        if queue:
            self.stdout.write(f"Job {evaluation.job_id} queued: evaluation {evaluation.pk}")
            return
        job = work.run_here(evaluation.job, evaluations.step, self.stderr)
        if job.state != Job.State.DONE:
            raise CommandError(job.error or f"Evaluation {evaluation.pk} is {job.state}.")
        evaluation = evaluations.get(evaluation.pk)
        self._print(evaluation)
        if file is not None:
            _write(file, json.dumps(evaluation.metrics, indent=2, ensure_ascii=False) + "\n")
        if options["predictions"] or options["recall_json"]:
            self._predict(evaluation, options["predictions"], options["recall_json"])

    def _predict(self, evaluation: Evaluation, file: Path | None, report: Path | None) -> None:
        if not evaluation.predictions:
            raise CommandError(f"{evaluation.subject} answers no words: nothing was predicted.")
        found = predictions.directions(evaluation.predictions)
        for direction, part in (("t2i", ""), ("i2t", ".tr")):
            of = found[direction]
            if file is not None:
                texts = evaluation.predictions["texts"]
                right = of.right()
                if direction == "t2i":
                    right = [row | {"text": texts[row["text_id"]][0]} for row in right]
                _write(_beside(file, part), _lines(of.predictions()))
                _write(_beside(file, f".answers{part}"), _lines(right))
            if report is not None:
                _write(_beside(report, part), json.dumps(of.report()) + "\n")

    def _print(self, evaluation: Evaluation) -> None:
        metrics = evaluation.metrics
        self.stdout.write(f"Evaluation {evaluation.pk}: {evaluation}")
        if evaluation.look and not evaluation.is_first_look:
            self.stdout.write(f"look {evaluation.look} at this test split: no longer a test")
        for direction in ("t2i", "i2t", "i2i"):
            for name in METRICS if direction in metrics else ():
                found = metrics[direction][name]
                self.stdout.write(f"{direction}\t{name}\t{_with_interval(found)}")
        self._print_more(metrics)
        checked = metrics["verification"]
        for name, count in checked["pairs"].items():
            self.stdout.write(f"pairs\t{name}\t{count}")
        if "auc" in checked:
            self.stdout.write(f"auc\t{checked['auc']:.4f}")
        eer = checked["eer"]
        self.stdout.write(f"eer\t{_with_interval(eer)}\tthreshold {eer['threshold']:.6f}")
        for level in sorted(checked["frr_at_far"], key=float, reverse=True):
            found = checked["frr_at_far"][level]
            threshold = f"threshold {found['threshold']:.6f}"
            self.stdout.write(f"frr at far {level}\t{_with_interval(found)}\t{threshold}")
        if "layout" in checked:
            self.stdout.write(checked["layout"])

    def _print_more(self, metrics: dict[str, Any]) -> None:
        order = metrics.get("order", {})
        for name in METRICS if order else ():
            lost = order[name] | {"value": order[name]["drop"]}
            self.stdout.write(f"clauses reordered\t{name} falls by\t{_with_interval(lost)}")
        near = metrics.get("map_at_20", {})
        for group, of in (("map@20", near), ("map@20 held out", near.get("held_out", {}))):
            for name in ("found", "class_size", "masked_as_zero"):
                if name in of:
                    self.stdout.write(f"{group}\t{name}\t{of[name]:.4f}")
        for part in metrics.get("slices", []):
            cells = [f"{part['by']} {part['name']}", f"{part['boxes']} boxes"]
            ways = [way for way in ("t2i", "i2t", "i2i") if way in part]
            cells += [f"{way} r1 {_with_interval(part[way]['r1'])}" for way in ways]
            cells += [f"eer {part['eer']['value']:.4f}"] if "eer" in part else []
            self.stdout.write("\t".join(cells))


def _with_interval(found: dict[str, Any]) -> str:
    spread = found["interval"]
    return f"{found['value']:.4f}" + (f" [{spread[0]:.4f}, {spread[1]:.4f}]" if spread else "")


def _beside(path: Path, part: str) -> Path:
    return path.with_name(f"{path.stem}{part}{path.suffix}")


def _lines(rows: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, "utf-8")
    except OSError as exc:
        raise CommandError(f"{path} cannot be written: {exc}") from exc
