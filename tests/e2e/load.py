"""A client that plays Meta under load: posts, remembers what was acknowledged, and sends again."""

import http.client
import threading
import time
from dataclasses import dataclass, field

from tests.e2e.installed import APP, Installed, a_phone, says, signature, until


@dataclass
class Load:
    """Several connections, each posting STOPs of contacts of their own, one after another.

    `acknowledged`: phones whose delivery got 200. One that got anything else, or no answer, is
    sent again, the same bytes, until it gets 200: as Meta does.
    """

    service: Installed
    connections: int = 6
    acknowledged: set[str] = field(default_factory=set)
    refused: dict[int, int] = field(default_factory=dict)
    unanswered: int = 0
    longest_gap: float = 0.0

    def __post_init__(self) -> None:
        self._enough = threading.Event()
        self._lock = threading.Lock()
        self._last = time.monotonic()
        self._threads = [
            threading.Thread(target=self._post, daemon=True) for _ in range(self.connections)
        ]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        self.wait_for(100)
        self.longest_gap = 0.0
        return self

    def __exit__(self, *exc: object) -> None:
        """Begin nothing new; what is under way is sent until it is acknowledged."""
        self._enough.set()
        for thread in self._threads:
            thread.join(30)
        assert not any(thread.is_alive() for thread in self._threads), "some never got 200"

    def wait_for(self, more: int) -> None:
        """Wait until so many more were acknowledged."""
        goal = len(self.acknowledged) + more
        until(lambda: len(self.acknowledged) >= goal, f"{more} more acknowledged", 40)

    def _post(self) -> None:
        connection = None
        give_up = None
        while not self._enough.is_set():
            phone = a_phone()
            body = says("STOP", phone)
            headers = {"content-type": "application/json"} | signature(body)
            while give_up is None or time.monotonic() < give_up:
                connection = connection or http.client.HTTPConnection(
                    "127.0.0.1", self.service.public, timeout=10
                )
                try:
                    connection.request("POST", f"/webhook/{APP}", body, headers)
                    answer = connection.getresponse()
                    answer.read()
                    status = answer.status
                except (OSError, http.client.HTTPException):
                    connection.close()
                    connection = None
                    status = None
                if self._note(phone, status):
                    break
                if self._enough.is_set() and give_up is None:
                    give_up = time.monotonic() + 25
                time.sleep(0.05)
        if connection is not None:
            connection.close()

    def _note(self, phone: str, status: int | None) -> bool:
        with self._lock:
            if status == 200:
                now = time.monotonic()
                self.longest_gap = max(self.longest_gap, now - self._last)
                self._last = now
                self.acknowledged.add(phone)
                return True
            if status is None:
                self.unanswered += 1
            else:
                self.refused[status] = self.refused.get(status, 0) + 1
            return False
