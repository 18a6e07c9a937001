"""What understanding words costs: decisions beside the bare automaton, loading, memory."""

import json
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.servers import ROOT
from keywords.matcher import Matcher, load_matcher
from keywords.normalize import fold

_LINES = 20_000
_MATCHED = 400_000  # lines for `optledger match`
_ASKING = 0.03  # of the lines
_TIMES = 7
_LONG = 4096
_GOALS = {
    "decisions, lines/s": "150,000",
    "decisions, of the bare automaton": "0.12",
    "optledger match, lines/s": "100,000",
    "4,096 characters, ms": "below 1",
    "load, s": "below 0.5",
    "memory, MB": "below 60",
}
_LOADING = """
import time
def held():
    return int(open("/proc/self/statm").read().split()[1]) * 4096 / 1e6
from keywords.matcher import load_matcher
before, began = held(), time.perf_counter()
matcher = load_matcher()
took, size = time.perf_counter() - began, held() - before
print(took, size, len(matcher.lexicon.grammars) - 1, len(matcher.lexicon.strings))
"""


def measure() -> dict[str, float]:
    """Return the figures by name; all on one core, with the packs kept as read."""
    matcher = load_matcher()
    lines = list(_lines())
    folded = [fold(line) for line in lines]
    hits, decide = matcher.lexicon.hits, matcher.decide
    bare = _rate(lambda: [hits(one) for one in folded], len(lines))
    decided = _rate(lambda: [decide(one) for one in lines], len(lines))
    load, memory, languages, strings = _loaded()
    return {
        "languages": languages,
        "strings in the automaton": strings,
        "bare automaton, lines/s": bare,
        "decisions, lines/s": decided,
        "decisions, of the bare automaton": decided / bare,
        "optledger match, lines/s": _matched(lines),
        "4,096 characters, ms": 1e3 * max(_longest(matcher, text) for text in _long_texts(lines)),
        "load, s": load,
        "memory, MB": memory,
    }


def _lines() -> Iterator[str]:
    """Yield lines as people write them to a shop (bench/chat.txt), 3 % of them requests to stop."""
    chat = (ROOT / "bench" / "chat.txt").read_text("utf-8").splitlines()
    rows = [
        json.loads(line)
        for path in sorted((ROOT / "tests" / "keywords").glob("*.jsonl"))
        for line in path.read_text("utf-8").splitlines()
    ]
    asking = [row["text"] for row in rows if row["expect"] == "opt_out"]
    chance = random.Random(7)
    for _ in range(_LINES):
        yield chance.choice(asking if chance.random() < _ASKING else chat)


def _rate(work: Callable[[], object], lines: int) -> float:
    work()
    return lines / min(_seconds(work) for _ in range(_TIMES))


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _long_texts(lines: Sequence[str]) -> Iterator[str]:
    """Yield long texts that take a matcher the longest: ours, repeated, and all different."""
    yield " ".join(lines)[:_LONG]
    for said in (
        "stop ",
        "don't stop ",
        "no me manden más ",
        "不要再发",
        "a, ",
        "ѕтор s.t.o.p st0p ",
    ):
        yield (said * _LONG)[:_LONG]


def _longest(matcher: Matcher, text: str) -> float:
    return min(_seconds(lambda: matcher.decide(text)) for _ in range(_TIMES))


def _loaded() -> tuple[float, float, int, int]:
    """Return seconds, megabytes, languages and strings, of a process that does nothing else."""
    command = [sys.executable, "-c", _LOADING]
    runs = [
        subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout.split()
        for _ in range(3)
    ]
    load, memory, languages, strings = min(runs, key=lambda run: float(run[0]))
    return float(load), float(memory), int(languages), int(strings)


def _matched(lines: Sequence[str]) -> float:
    """Return the lines a second of the installed command, its start included."""
    rows = [json.dumps({"id": number, "text": text}) for number, text in enumerate(lines)]
    asked = ("\n".join(rows) + "\n").encode() * (_MATCHED // len(rows))
    command = Path(sys.executable).with_name("optledger")
    one_core = ["taskset", "-c", "0", str(command), "match"]

    def run() -> object:
        return subprocess.run(one_core, input=asked, stdout=subprocess.DEVNULL, check=True)

    return _MATCHED / min(_seconds(run) for _ in range(3))


def show(console: Console, figures: dict[str, float]) -> None:
    """Print them beside what is wanted."""
    table = Table("words", "measured", "wanted", box=None, header_style="bold")
    for column in table.columns[1:]:
        column.justify = "right"
    for name, shown, goal in _rows(figures):
        table.add_row(name, shown, goal)
    console.print(table, "")


def markdown(figures: dict[str, float]) -> str:
    """Return the same for docs/performance.md."""
    lines = ["| words | measured | wanted by issue 3 |", "|---|--:|--:|"]
    lines += [f"| {name} | {shown} | {goal} |" for name, shown, goal in _rows(figures)]
    return "\n".join(lines)


def _rows(figures: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    for name, value in figures.items():
        shown = f"{value:,.0f}" if value >= 10 else f"{value:.2f}"
        yield name, shown, _GOALS.get(name, "")
