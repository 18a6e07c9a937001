"""How uvicorn serves us: its httptools protocol with one deadline, and nothing it need not do.

uvicorn has no timeout for headers or bodies: a client that sends a byte a minute keeps a connection
for as long as it likes. Here the whole request has one deadline, whatever the client does.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

DEADLINE_SECONDS = 10.0


class DeadlineProtocol(HttpToolsProtocol):
    """Cuts a connection on which no whole request arrived in time; keep-alive has its own limit."""

    deadline_seconds = DEADLINE_SECONDS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait: a connection that says nothing is a request that never comes."""
        super().connection_made(transport)
        self._begin_waiting()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Begin to wait at the first byte on a connection kept alive, whatever it belongs to."""
        self._begin_waiting()
        super().data_received(data)

    def on_message_begin(self) -> None:
        """Begin to wait for a request that came right behind another, in the same packet."""
        self._begin_waiting()
        super().on_message_begin()

    def on_message_complete(self) -> None:
        """Stop waiting: the request is whole, and what follows is ours."""
        self._stop_waiting()
        super().on_message_complete()

    def _begin_waiting(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(self.deadline_seconds, self._cut)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _cut(self) -> None:
        self._deadline = None
        if not self.transport.is_closing():
            self.transport.abort()
