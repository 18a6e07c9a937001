"""What is measured. Labels are bounded: an app, an outcome, an action; never who or what.

Every worker counts into files of its own that any worker can add up, so one scrape sees all.
"""

import collections
import os
from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

# 0.25 s and 1 s are Meta's bars: the median under the one, 99 % under the other.
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
_SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)

deliveries = Counter(
    "optledger_deliveries_total", "Requests on the public port, by what came of them", ["outcome"]
)
commit_seconds = Histogram(
    "optledger_commit_seconds", "Transaction of one batch, from begin to commit", buckets=_SECONDS
)
batch_size = Histogram(
    "optledger_batch_deliveries", "Deliveries committed together", buckets=_SIZES
)
recorded_messages = Counter("optledger_messages_total", "Messages recorded, each once")
entries = Counter("optledger_entries_total", "Entries appended to the audit table", ["action"])
quarantined_items = Counter("optledger_quarantined_total", "Items set aside, by code", ["code"])
waiting_deliveries = Gauge(
    "optledger_waiting_deliveries", "Deliveries waiting to be written", multiprocess_mode="livesum"
)
open_reviews = Gauge(
    "optledger_reviews_open",
    "Messages that may ask to stop and wait for a person",
    ["app"],
    multiprocess_mode="livemostrecent",  # each worker counts the same rows
)
memory = Gauge(
    "optledger_worker_resident_bytes", "Memory of each worker", multiprocess_mode="liveall"
)


# Counted here first and told to Prometheus once a second: a counter that all workers share costs
# more than checking a signature.
_outcomes: collections.Counter[str] = collections.Counter()


def note_outcome(outcome: str) -> None:
    """Count a request on the public port."""
    _outcomes[outcome] += 1


def flush_outcomes() -> None:
    """Tell Prometheus what was counted since the last time."""
    for outcome, count in _outcomes.items():
        deliveries.labels(outcome).inc(count)
    _outcomes.clear()


class Measured:
    """The recorder's observer."""

    def committed(
        self, *, deliveries: int, messages: int, actions: Sequence[str], seconds: float
    ) -> None:
        """Count a batch."""
        commit_seconds.observe(seconds)
        batch_size.observe(deliveries)
        if messages:
            recorded_messages.inc(messages)
        for action in actions:
            entries.labels(action).inc()

    def quarantined(self, code: str) -> None:
        """Count an item that was set aside."""
        quarantined_items.labels(code).inc()

    def waiting(self, deliveries: int) -> None:
        """Note the length of the queue."""
        waiting_deliveries.set(deliveries)


def note_memory() -> None:
    """Note how much memory this process holds; Linux only, nothing elsewhere."""
    try:
        with open("/proc/self/statm", encoding="ascii") as statm:  # noqa: PTH123
            pages = int(statm.read().split()[1])
    except OSError:
        return
    memory.set(pages * os.sysconf("SC_PAGE_SIZE"))


def scrape() -> bytes:
    """Return what all workers counted, in Prometheus' text format."""
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)
