"""`python -m bench`: measures, and prints. docs/performance.md explains the figures."""

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from rich.console import Console

from bench import micro, report, words
from bench.load import need_linux_and_wrk
from bench.profiled import profile
from bench.run import Bench, Plan
from bench.servers import ROOT, BenchError

_RUNS = ("words", "one", "two")
_DOCS = ROOT / "docs" / "performance.md"
_BEGIN, _END = "<!-- {}: written by python -m bench --docs -->", "<!-- end of {} -->"


def main() -> int:
    """Do what the options say; return the exit code."""
    given = _options().parse_args()
    console = Console(width=None if sys.stdout.isatty() else 200)
    try:
        if given.micro:
            _write(given.json, micro.show(console))
            return 0
        need_linux_and_wrk()
        with tempfile.TemporaryDirectory(prefix="optledger-bench-") as name:
            folder = Path(name).resolve()
            folder.chmod(0o711)  # as root the database runs as another account
            if "words" in given.only and not given.profile:
                _measure_words(console, given)
            if set(given.only) - {"words"}:
                _measure(console, folder, given)
    except BenchError as exc:
        print(f"bench: {exc}", file=sys.stderr)
        return 2
    return 0


def _measure_words(console: Console, given: argparse.Namespace) -> None:
    figures = words.measure()
    words.show(console, figures)
    if given.docs:
        _write_docs("words", words.markdown(figures))


def _measure(console: Console, folder: Path, given: argparse.Namespace) -> None:
    plan = Plan(given.seconds, given.repeats, given.connections, given.many_connections)
    if given.profile:
        profile(folder, plan)
        return
    about = report.machine(folder)
    bench = Bench(folder, plan, lambda line: print(line, file=sys.stderr))
    if "one" in given.only:
        bench.one_worker()
    if "two" in given.only:
        bench.two_workers()
    if given.long:
        bench.long()
    report.show(console, about, bench.results)
    _write(given.json, report.as_json(about, bench.results))
    if given.docs:
        _write_docs("figures", report.markdown(about, bench.results))


def _options() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser("python -m bench", description=__doc__)
    add = options.add_argument
    add("--seconds", type=int, default=8, help="of each run of optledger [8]")
    add("--repeats", type=int, default=3, help="turns of floor and optledger [3]")
    add("--connections", type=int, default=128, help="of wrk, one message a POST [128]")
    add("--many-connections", type=int, default=16, help="of wrk, 100 messages a POST [16]")
    add(
        "--only",
        nargs="+",
        choices=_RUNS,
        default=_RUNS,
        help="what to measure [all]",
    )
    add("--long", action="store_true", help="also the memory of a worker over a million messages")
    add("--micro", action="store_true", help="only what the parts cost alone; starts nothing")
    add("--profile", action="store_true", help="only where the worker's time goes; needs py-spy")
    add("--docs", action="store_true", help="write the figures into docs/performance.md, too")
    add("--json", type=Path, metavar="FILE", help="write all of it there, too")
    return options


def _write_docs(name: str, figures: str) -> None:
    """Replace the figures between the two marks of this name."""
    text = _DOCS.read_text(encoding="utf-8")
    opened, closed = _BEGIN.format(name), _END.format(name)
    before, begin, rest = text.partition(opened)
    _, end, after = rest.partition(closed)
    if not end:
        raise BenchError(f"docs/performance.md has lost its marks: {opened} and {closed}")
    _DOCS.write_text(f"{before}{begin}\n\n{figures}\n\n{end}{after}", encoding="utf-8")


def _write(path: Path | None, told: Any) -> None:
    if path is not None:
        path.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
