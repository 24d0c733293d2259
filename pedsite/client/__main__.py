"""`python -m pedsite.client`: searches, imports, jobs, and any other operation, from a shell."""

import argparse
import inspect
import json
import os
import sys
from pathlib import Path
from typing import Any

from pedsite.client import Client, JobFailed, Problem, Unreachable


def main(arguments: list[str] | None = None) -> int:
    """Returns: 0; 1 where the site refused or a job failed; 2 where it did not answer."""
    options = _parser().parse_args(arguments)
    if not options.key:
        _parser().error("give --key, or set PEDSITE_KEY")
    site = Client(options.url, options.key)
    try:
        options.act(site, options)
    except (Problem, JobFailed, TimeoutError) as exc:
        print(exc, file=sys.stderr)
        return 1
    except Unreachable as exc:
        print(exc, file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m pedsite.client", description=__doc__)
    url = os.environ.get("PEDSITE_URL", "http://127.0.0.1:8000")
    parser.add_argument("--url", default=url, help="of the site; or PEDSITE_URL")
    parser.add_argument("--key", default=os.environ.get("PEDSITE_KEY", ""), help="or PEDSITE_KEY")
    commands = parser.add_subparsers(required=True)

    search = commands.add_parser("search", help="find people by words or a picture")
    search.add_argument("text", nargs="?")
    search.add_argument("--image", type=Path)
    search.add_argument("--dataset", action="append", dest="datasets")
    search.add_argument("--top", type=int, default=5)
    search.add_argument("--purpose", help="a reason or a case number")
    search.add_argument("--json", action="store_true")
    search.set_defaults(act=_search)

    batch = commands.add_parser("batch", help="a file of descriptions, one a line")
    batch.add_argument("file", type=Path)
    batch.add_argument("--top", type=int, default=5)
    batch.set_defaults(act=_batch)

    bring = commands.add_parser("import", help="upload a file and import it")
    bring.add_argument("path", type=Path)
    bring.add_argument("--dataset", required=True)
    bring.add_argument("--format")
    bring.set_defaults(act=_import)

    wait = commands.add_parser("wait", help="until a job is done")
    wait.add_argument("job", type=int)
    wait.add_argument("--timeout", type=float)
    wait.set_defaults(act=_wait)

    call = commands.add_parser("call", help="any operation: call train recipe=clip dataset=mall")
    call.add_argument("operation")
    call.add_argument("values", nargs="*", help="NAME=VALUE, the value as JSON or as it stands")
    call.set_defaults(act=_call)
    return parser


def _search(site: Client, options: argparse.Namespace) -> None:
    page = site.search(
        text=options.text,
        image=options.image,
        datasets=options.datasets,
        limit=options.top,
        purpose=options.purpose,
    )
    if options.json:
        _print(page)
        return
    for hit in page["hits"]:
        print(f"{hit['rank']}\t{hit['score']:.4f}\t{hit['box']}\t{hit['dataset']}\t{hit['image']}")


def _batch(site: Client, options: argparse.Namespace) -> None:
    lines = options.file.read_text(encoding="utf-8").splitlines()
    texts = [line.strip() for line in lines if line.strip()]
    for start in range(0, len(texts), 50):
        asked = texts[start : start + 50]
        answers = site.search_batch(
            queries=[{"text": text, "limit": options.top} for text in asked]
        )["answers"]
        for text, answer in zip(asked, answers, strict=True):
            found = [hit["box"] for hit in answer["page"]["hits"]] if "page" in answer else []
            why = "" if "page" in answer else f"\t{answer['problem']['detail']}"
            print(f"{text}\t{' '.join(map(str, found))}{why}")


def _import(site: Client, options: argparse.Namespace) -> None:
    brought = site.import_file(options.path, options.dataset, format=options.format)
    _print(brought["job"])


def _wait(site: Client, options: argparse.Namespace) -> None:
    def seen(job: Any) -> None:
        total = "?" if job["total"] is None else job["total"]
        print(f"{job['state']} {job['done']}/{total} {job['note']}", file=sys.stderr)

    _print(site.wait(options.job, timeout=options.timeout, seen=seen))


def _call(site: Client, options: argparse.Namespace) -> None:
    operation = getattr(site, options.operation.replace("-", "_"), None)
    if operation is None or options.operation.startswith("_"):
        raise SystemExit(f"There is no operation {options.operation}; /api/docs/ names them.")
    values = dict(_value(each) for each in options.values)
    unknown = set(values) - set(inspect.signature(operation).parameters)
    if unknown:
        raise SystemExit(f"{options.operation} takes no {', '.join(sorted(unknown))}.")
    _print(operation(**values))


def _value(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals:
        raise SystemExit(f"{text} is not NAME=VALUE.")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def _print(answer: Any) -> None:
    if isinstance(answer, bytes):
        sys.stdout.buffer.write(answer)
    else:
        print(json.dumps(answer, ensure_ascii=False, indent=2))


if __name__ == "__main__":
    sys.exit(main())
