"""Sends a deck at a fixed rate: `python -m bench.pace PORT DECK RATE CONNECTIONS`.

Every request has a time at which it is due, set before the first is sent, and its latency counts
from then: also while it waits for a free connection or for this process. A sender that waits for
answers instead would slow down with the server and not see what its users see.
"""

import asyncio
import gc
import json
import sys
import time
from collections import deque
from pathlib import Path
from typing import cast

import uvloop

from bench.bodies import Deck
from bench.servers import HOST

_END = b"\r\n\r\n"
_OK = b"HTTP/1.1 200"
_WARM_UP = 1.0  # seconds at the start that are sent and not counted
_PATIENCE = 10.0


class Sender:
    """All connections, and what is due."""

    def __init__(self, requests: list[bytes], rate: float) -> None:
        self.requests = requests
        self.rate = rate
        self.idle: deque[Connection] = deque()
        self.start = 0.0
        self.next = 0
        self.waits: list[float] = []
        self.late: list[float] = []
        self.failed = 0
        self.answered = 0

    def send_due(self) -> None:
        """Send what is due, as far as connections are free."""
        now = time.perf_counter()
        while self.next < len(self.requests) and self.idle:
            due = self.start + self.next / self.rate
            if due > now:
                return
            self.idle.popleft().send(self.requests[self.next], due)
            self.late.append(now - due)
            self.next += 1

    def answer(self, connection: "Connection", due: float, answer: bytes) -> None:
        """Note an answer, and give its connection to the next request."""
        self.waits.append(time.perf_counter() - due)
        self.answered += 1
        self.failed += not answer.startswith(_OK)
        self.idle.append(connection)
        self.send_due()


class Connection(asyncio.Protocol):
    """One connection, with one request under way at most. Answers have no body here."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        self._transport: asyncio.Transport | None = None
        self._due = 0.0
        self._got = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Be free."""
        self._transport = cast("asyncio.Transport", transport)
        self._sender.idle.append(self)

    def send(self, request: bytes, due: float) -> None:
        """Send a request."""
        assert self._transport is not None
        self._due = due
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Wait for the end of the answer."""
        self._got += data
        if self._got.endswith(_END):
            answer, self._got = self._got, b""
            self._sender.answer(self, self._due, answer)


async def run(port: int, requests: list[bytes], rate: float, connections: int) -> Sender:
    """Send all requests, and wait for the answers."""
    sender = Sender(requests, rate)
    loop = asyncio.get_running_loop()
    for _ in range(connections):
        await loop.create_connection(lambda: Connection(sender), HOST, port)
    sender.start = time.perf_counter() + 0.01
    over = sender.start + len(requests) / rate + _PATIENCE
    while sender.answered < len(requests) and time.perf_counter() < over:
        sender.send_due()
        await asyncio.sleep(0.001)
    return sender


def told(sender: Sender) -> dict[str, float]:
    """Return what was measured, in milliseconds, without the first second."""
    skipped = min(int(sender.rate * _WARM_UP), len(sender.waits) // 2)
    waits, late = sorted(sender.waits[skipped:]), sorted(sender.late[skipped:])
    return {
        "requests": sender.answered,
        "seconds": len(sender.requests) / sender.rate,
        "p50": 1e3 * waits[len(waits) // 2],
        "p99": 1e3 * waits[len(waits) * 99 // 100],
        "most": 1e3 * waits[-1],
        "failed": sender.failed + len(sender.requests) - sender.answered,
        "late_p99": 1e3 * late[len(late) * 99 // 100],
    }


def main(port: int, path: Path, rate: float, connections: int) -> None:
    """Send, and print what was measured."""
    requests = list(Deck(path, 0, 1, ()).read())
    gc.disable()  # its pauses would be counted as the server's
    sender = uvloop.run(run(port, requests, rate, connections))
    print("measured", json.dumps(told(sender)))


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4]))
