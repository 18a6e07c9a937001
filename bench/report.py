"""Shows what was measured, next to what issue 2 wants."""

import os
import platform
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.measure import Run, middle
from bench.run import MANY, Results

_QUIET = 0.1  # cores that others may use before figures are not to be trusted
_NAMES = {
    "one": "one worker, saturated",
    "half": "one worker, half of that",
    "many": f"one worker, {MANY} messages a POST",
    "two": "two workers, saturated",
    "long": "one worker, for long",
}
_COLUMNS = (
    "run", "requests/s", "(least to most)", "messages/s", "p50 ms", "p99 ms", "server µs",
    "database µs", "batch", "of the floor", "by CPU", "server cores", "sender", "others",
    "new rows",
)  # fmt: skip


_GOAL_COLUMNS = ("wanted by issue 2", "goal", "measured", "")


def machine(folder: Path) -> dict[str, Any]:
    """Return what the figures depend on."""
    model = "unknown"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
    return {
        "cpu": model,
        "cores": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
        "kernel": platform.release(),
        "load_before": os.getloadavg()[0],
        "sync_ms": round(_sync_ms(folder), 3),
    }


def _sync_ms(folder: Path, times: int = 50) -> float:
    """Return how long the disk takes to make 8 kB safe: the price of each commit."""
    path = folder / "sync"
    took = []
    with path.open("wb", buffering=0) as file:
        for _ in range(times):
            began = time.perf_counter()
            file.write(bytes(8192))
            os.fdatasync(file.fileno())
            took.append(time.perf_counter() - began)
    path.unlink()
    return 1e3 * statistics.median(took)


def show(console: Console, about: dict[str, Any], results: Results) -> None:
    """Print the tables."""
    console.print(", ".join(f"{name} {value}" for name, value in about.items()), style="dim")
    for columns, rows in ((_COLUMNS, _rows(results)), (_GOAL_COLUMNS, _goal_rows(results))):
        table = Table(*columns, box=None, header_style="bold", padding=(0, 2, 0, 0))
        for column in table.columns[1:]:
            column.justify = "right"
        for row in rows:
            table.add_row(*row)
        console.print(table, "")
    console.print(memory_line(results))
    if warning := noise(results):
        console.print(warning, style="bold red")


def markdown(about: dict[str, Any], results: Results) -> str:
    """Return the same for docs/performance.md."""
    parts = [", ".join(f"{name} {value}" for name, value in about.items()) + "."]
    for columns, rows in ((_COLUMNS, _rows(results)), (_GOAL_COLUMNS, _goal_rows(results))):
        lines = [columns, ["---", *["--:"] * (len(columns) - 1)], *rows]
        parts.append("\n".join(f"| {' | '.join(line)} |" for line in lines))
    parts.append(f"{memory_line(results)}.")
    if warning := noise(results):
        parts.append(f"**{warning}.**")
    return "\n\n".join(parts)


def memory_line(results: Results) -> str:
    """Say what a worker held on the way; of many points the ends and some between."""
    points = sorted(results.memory)
    shown = sorted({*points[:: max(1, len(points) // 6)], *points[-1:]})
    told = ", ".join(f"{size / 1e6:.0f} MB after {count:,}" for count, size in shown)
    return f"resident memory of a worker: {told} messages"


def noise(results: Results) -> str | None:
    """Say that others used the machine, or None where they hardly did."""
    runs = [
        run for each in (results.floors, results.products) for runs in each.values() for run in runs
    ]
    worst = max((run.other_seconds / run.load.seconds for run in runs), default=0.0)
    if worst < _QUIET:
        return None
    return f"others used up to {worst:.1f} cores during these runs: the rates are too low"


def _rows(results: Results) -> Iterator[list[str]]:
    for name, title in _NAMES.items():
        if name in results.floors:
            yield _row(f"floor: {title}", results.floors[name], None)
        if name in results.products:
            yield _row(title, results.products[name], results.floors.get(name))


def _row(title: str, runs: Sequence[Run], floor: Sequence[Run] | None) -> list[str]:
    def mid(of: Callable[[Run], float], digits: int = 0) -> str:
        return f"{middle(runs, of):,.{digits}f}"

    rates = [run.load.rate for run in runs]
    stored = any(run.new_messages for run in runs)
    return [
        title,
        mid(lambda run: run.load.rate),
        f"{min(rates):,.0f} to {max(rates):,.0f}",
        mid(lambda run: run.messages_rate) if stored else "",
        mid(lambda run: run.load.p50, 2),
        mid(lambda run: run.load.p99, 2),
        mid(lambda run: run.server_micros, 1),
        mid(lambda run: run.database_micros, 1) if stored else "",
        mid(lambda run: run.batch, 1) if stored else "",
        f"{ratio(runs, floor):.2f}" if floor else "",
        f"{_cpu_ratio(runs, floor):.2f}" if floor else "",
        mid(lambda run: sum(run.worker_seconds) / run.load.seconds, 2),
        mid(lambda run: run.load.sender_seconds / run.load.seconds, 2),
        mid(lambda run: run.other_seconds / run.load.seconds, 2),
        f"{sum(run.new_messages for run in runs):,}" if stored else "",
    ]


def ratio(runs: Sequence[Run], floor: Sequence[Run]) -> float:
    """Return the median over turns of optledger's rate by that of the floor just before."""
    turns = zip(runs, floor, strict=True)
    return statistics.median(run.load.rate / low.load.rate for run, low in turns)


def _cpu_ratio(runs: Sequence[Run], floor: Sequence[Run]) -> float:
    """Return the floor's CPU time a request by optledger's: noise of the machine moves it less."""

    def micros(run: Run) -> float:
        return 1e6 * sum(run.worker_seconds) / run.load.requests

    return middle(floor, micros) / middle(runs, micros)


def goals(results: Results) -> list[tuple[str, float, float, bool]]:
    """Return what issue 2 wants: name, wanted, measured, whether more is better."""
    found: list[tuple[str, float, float, bool]] = []
    products, floors = results.products, results.floors
    if "one" in products:
        part = ratio(products["one"], floors["one"])
        found.append(("requests/s of one worker, of the floor's", 0.30, part, True))
    if "half" in products:
        p99 = middle(products["half"], lambda run: run.load.p99)
        found.append(("p99 at half of saturation, ms", 25.0, p99, False))
    if "many" in products:
        rate = middle(products["many"], lambda run: run.messages_rate)
        found.append((f"messages/s, {MANY} a POST", 40_000, rate, True))
    if "two" in products and "one" in products:
        times = results.rate("two") / results.rate("one")
        found.append(("requests/s of two workers, by those of one", 1.4, times, True))
    if results.memory:
        messages, resident = max(results.memory)
        title = f"MB of a worker after {messages:,} messages"
        found.append((title, 150.0, resident / 1e6, False))
    return found


def _goal_rows(results: Results) -> Iterator[list[str]]:
    for title, wanted, measured, more in goals(results):
        reached = measured >= wanted if more else measured <= wanted
        sign = "at least" if more else "at most"
        digits = 2 if wanted < 10 else 0
        goal = f"{sign} {wanted:,.{digits}f}"
        yield [title, goal, f"{measured:,.{digits}f}", "reached" if reached else "missed"]


def as_json(about: dict[str, Any], results: Results) -> dict[str, Any]:
    """Return everything for a program: each run with what it was measured from."""
    return {
        "machine": about,
        "floor": {name: [_told(run) for run in runs] for name, runs in results.floors.items()},
        "optledger": {
            name: [_told(run) for run in runs] for name, runs in results.products.items()
        },
        "memory": [{"messages": count, "bytes": size} for count, size in results.memory],
        "goals": [
            {"name": name, "wanted": wanted, "measured": measured, "more_is_better": more}
            for name, wanted, measured, more in goals(results)
        ],
    }


def _told(run: Run) -> dict[str, Any]:
    return asdict(run) | {
        "requests_per_second": run.load.rate,
        "messages_per_second": run.messages_rate,
        "server_microseconds_per_message": run.server_micros,
        "database_microseconds_per_message": run.database_micros,
    }
