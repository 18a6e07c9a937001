"""The runs: the floor and optledger by turns, so that a machine's moods hit both alike.

With one worker, it and the floor each have the first core to themselves, in their turns; wrk and
PostgreSQL share the second. So the ratio of the two is one of work done on one core, and not of who
gets how much of which. Two workers, the database and wrk share all cores.
"""

import os
import statistics
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench import proc
from bench.bodies import Deck, deal
from bench.load import DeckSpentError, Load, pace, saturate
from bench.measure import Run, run_floor, run_product
from bench.servers import Floor, Product, floor, product

MANY = 100  # messages in a body of the runs with many
_MILESTONES = (100_000, 500_000, 1_000_000)


@dataclass(frozen=True, slots=True)
class Plan:
    """How long, how often, how wide. Seconds are of optledger; the floor gets half."""

    seconds: float = 8
    repeats: int = 3
    connections: int = 128
    many_connections: int = 16


@dataclass(slots=True)
class Results:
    """All runs, by name. `memory`: messages since the worker started, and its resident bytes."""

    floors: dict[str, list[Run]] = field(default_factory=dict)
    products: dict[str, list[Run]] = field(default_factory=dict)
    memory: list[tuple[int, int]] = field(default_factory=list)

    def rate(self, name: str) -> float:
        """Return the median of a run's requests a second."""
        return statistics.median(run.load.rate for run in self.products[name])


class Bench:
    """The runs over one temporary folder."""

    def __init__(self, folder: Path, plan: Plan, say: Callable[[str], None]) -> None:
        self._deck = folder / "deck"
        self._data = folder / "data"
        self._plan = plan
        self._say = say
        self.results = Results()

    def one_worker(self) -> None:
        """Saturate one worker, then send half as much; then bodies of many messages."""
        with separate_cores() as core, floor(1, core) as low, self._product(1, core) as high:
            self._by_turns("one", low, high, connections=self._plan.connections)
            self._at_half(high)
            self._by_turns("many", low, high, connections=self._plan.many_connections, each=MANY)

    def two_workers(self) -> None:
        """Saturate two workers, on all cores."""
        with floor(2, None) as low, self._product(2, None) as high:
            self._by_turns("two", low, high, connections=self._plan.connections, threads=2)

    def long(self) -> None:
        """Send a new worker a million messages, one a body, and look at its memory on the way."""
        self.results.memory.clear()
        with separate_cores() as core, self._product(1, core) as high:
            for milestone in _MILESTONES:
                while not self.results.memory or self.results.memory[-1][0] < milestone:
                    self._say(f"memory: on the way to {milestone} messages")
                    self._saturate("long", high, self._plan.connections)

    @contextmanager
    def _product(self, workers: int, core: set[int] | None) -> Iterator[Product]:
        self._say(f"starting optledger with {workers} worker(s)")
        with product(self._data, workers, core) as server:
            yield server

    def _by_turns(
        self,
        name: str,
        low: Floor,
        high: Product,
        *,
        connections: int,
        each: int = 1,
        threads: int = 1,
    ) -> None:
        self._say(f"{name}: warming up")
        self._saturate(f"{name} warm-up", high, connections, each=each, threads=threads, seconds=2)
        for turn in range(self._plan.repeats):
            self._say(f"{name}: turn {turn + 1} of {self._plan.repeats}")
            deck = deal(self._deck, 20_000 // each, messages_each=each, threads=threads)
            self._floor(name, low, deck, connections)
            self._saturate(name, high, connections, each=each, threads=threads)

    def _floor(self, name: str, low: Floor, deck: Deck, connections: int) -> None:
        seconds = self._plan.seconds / 2

        def send() -> Load:
            return saturate(low.port, deck, seconds=seconds, connections=connections, again=True)

        self.results.floors.setdefault(name, []).append(run_floor(low, send))

    def _saturate(
        self,
        name: str,
        high: Product,
        connections: int,
        *,
        each: int = 1,
        threads: int = 1,
        seconds: float | None = None,
    ) -> None:
        """Saturate optledger once, with a deck that lasts: twice what was seen before."""
        seconds = seconds or self._plan.seconds
        seen = [run.load.rate for runs in self.results.products.values() for run in runs]
        wanted = int(2 * seconds * max(seen)) if seen and each == 1 else 0
        requests = max(wanted, int(seconds * 20_000 / each**0.8))
        while True:
            deck = deal(self._deck, requests, messages_each=each, threads=threads)

            def send(deck: Deck = deck) -> Load:
                return saturate(high.port, deck, seconds=seconds, connections=connections)

            try:
                self._keep(name, high, run_product(high, each, send))
            except DeckSpentError:
                requests *= 2
            else:
                return

    def _at_half(self, high: Product) -> None:
        rate = self.results.rate("one") / 2
        self._say(f"half of saturation: {rate:.0f} requests a second")
        deck = deal(self._deck, int(rate * self._plan.seconds))

        def send() -> Load:
            return pace(high.port, deck, rate=rate, connections=self._plan.connections)

        self._keep("half", high, run_product(high, 1, send))

    def _keep(self, name: str, high: Product, run: Run) -> None:
        self.results.products.setdefault(name, []).append(run)
        if len(high.workers) == 1:
            count = int(high.metric("optledger_messages_total"))
            self.results.memory.append((count, run.resident))


@contextmanager
def separate_cores() -> Iterator[set[int] | None]:
    """Move this process, and with it all that it starts, to the second core; yield the first.

    Yields None, and moves nothing, where there is one core only.
    """
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        yield None
        return
    with proc.only_on({cores[1]}):
        yield {cores[0]}
