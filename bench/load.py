"""Sends decks: as fast as they are taken, with wrk, or at a fixed rate, with `bench.pace`."""

import json
import resource
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from bench.bodies import APP, Deck
from bench.servers import HOST, ROOT, BenchError

_SCRIPT = Path(__file__).with_name("post.lua")


class DeckSpentError(BenchError):
    """The deck did not last: what would be measured after it is something else."""


@dataclass(frozen=True, slots=True)
class Load:
    """What the sender saw. `late_p99`: milliseconds by which it sent after the time it meant to."""

    requests: int
    seconds: float
    p50: float  # milliseconds
    p99: float
    most: float
    failed: int  # answered with another status than 200, or not at all
    sender_seconds: float  # CPU time of the sender
    late_p99: float = 0.0

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self.requests / self.seconds


def need_linux_and_wrk() -> None:
    """Raise BenchError where it can't be measured."""
    if sys.platform != "linux":
        raise BenchError("processes are measured with /proc: this runs on Linux only")
    if shutil.which("wrk") is None:
        raise BenchError("wrk, which sends the requests, is not installed: apt-get install wrk")


def saturate(
    port: int, deck: Deck, *, seconds: float, connections: int, again: bool = False
) -> Load:
    """Send a deck over so many connections, each as soon as its last request was answered.

    `again` begins anew at the end of the deck: good for the floor, which does not read it. Else
    raises DeckSpentError if the deck does not last.
    """
    parts = [str(place) for part in deck.parts for place in part]
    command = [
        "wrk", "-t", str(len(deck.parts)), "-c", str(connections), "-d", f"{seconds:.0f}s",
        "--timeout", "30s", "-s", str(_SCRIPT), f"http://{HOST}:{port}/webhook/{APP}", "--",
        str(deck.path), "again" if again else "once", *parts,
    ]  # fmt: skip
    told, cpu = _run(command)
    if told["spent"]:
        raise DeckSpentError("the deck did not last")
    return Load(
        requests=int(told["requests"]),
        seconds=told["microseconds"] / 1e6,
        p50=told["p50"] / 1e3,
        p99=told["p99"] / 1e3,
        most=told["most"] / 1e3,
        failed=int(told["refused"] + told["broken"]),
        sender_seconds=cpu,
    )


def pace(port: int, deck: Deck, *, rate: float, connections: int) -> Load:
    """Send a deck at a fixed rate, whatever the answers do, and measure from when each was due."""
    command = [sys.executable, "-m", "bench.pace", str(port), str(deck.path)]
    told, cpu = _run([*command, f"{rate:.3f}", str(connections)])
    return Load(
        requests=int(told["requests"]),
        seconds=told["seconds"],
        p50=told["p50"],
        p99=told["p99"],
        most=told["most"],
        failed=int(told["failed"]),
        sender_seconds=cpu,
        late_p99=told["late_p99"],
    )


def _run(command: list[str]) -> tuple[dict[str, float], float]:
    """Run a sender; return what it measured, and its CPU time."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    for line in done.stdout.splitlines():
        if line.startswith("measured "):
            cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            return json.loads(line.removeprefix("measured ")), cpu
    raise BenchError(f"{command[0]} failed: {(done.stderr or done.stdout).strip()[-500:]}")
