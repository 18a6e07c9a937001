"""The floor: the same uvicorn, reading the body and answering 200. What we add is ours to pay for.

Run as `python -m bench.floor PORT WORKERS`; the settings are those of `service.supervisor`.
"""

import multiprocessing
import socket
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from uvicorn import Config
from uvicorn.supervisors import Multiprocess

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

# What `webhook.endpoint` answers a recorded delivery with.
_HEADERS = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"0")]


async def app(_scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """Read the body to its end, and answer."""
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
    await send({"type": "http.response.body", "body": b""})


def main(port: int, workers: int) -> None:
    """Serve until told to stop."""
    multiprocessing.allow_connection_pickling()
    config = Config(
        app,
        http="httptools",
        loop="uvloop",
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        workers=workers,
        timeout_keep_alive=75,
        backlog=2048,
    )
    Multiprocess(config, [socket.create_server(("127.0.0.1", port), backlog=2048)]).run()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
