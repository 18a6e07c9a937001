"""How uvicorn serves us: its httptools protocol with one deadline, and nothing it need not do.

uvicorn has no timeout for headers or bodies: a client that sends a byte a minute keeps a connection
for as long as it likes. Here the whole request has one deadline, whatever the client does.
"""

import asyncio
from collections.abc import Callable
from typing import Any, ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from webhook.errors import TooSlow

DEADLINE_SECONDS = 10.0
# How exact the deadline is. A timer for each request would cost more than parsing it.
_LOOK_EVERY_SECONDS = 0.2


class DeadlineProtocol(HttpToolsProtocol):
    """Knows since when it waits for the rest of a request; keep-alive has its own limit."""

    open_now: ClassVar[set["DeadlineProtocol"]] = set()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._waits_since: float | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait: a connection that says nothing is a request that never comes."""
        super().connection_made(transport)
        self.open_now.add(self)
        self._waits_since = self.loop.time()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self.open_now.discard(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Begin to wait at the first byte on a connection kept alive, whatever it belongs to."""
        if self._waits_since is None:
            self._waits_since = self.loop.time()
        super().data_received(data)

    def on_message_begin(self) -> None:
        """Begin to wait for a request that came right behind another, in the same packet."""
        if self._waits_since is None:
            self._waits_since = self.loop.time()
        super().on_message_begin()

    def on_message_complete(self) -> None:
        """Stop waiting: the request is whole, and what follows is ours."""
        self._waits_since = None
        super().on_message_complete()

    def cut_if_waiting_since(self, before: float) -> bool:
        """Cut the connection if its request began before this time and is not whole yet."""
        since = self._waits_since
        if since is None or since >= before or self.transport.is_closing():
            return False
        self.transport.abort()
        return True


async def cut_slow_connections(deadline_seconds: float, note: Callable[[str], None]) -> None:
    """Cut connections whose request is not whole after so long; runs until cancelled."""
    loop = asyncio.get_running_loop()
    while True:
        await asyncio.sleep(min(_LOOK_EVERY_SECONDS, deadline_seconds / 4))
        before = loop.time() - deadline_seconds
        for connection in tuple(DeadlineProtocol.open_now):
            if connection.cut_if_waiting_since(before):
                note(TooSlow.code)
