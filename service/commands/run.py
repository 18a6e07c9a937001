"""How a command gets at the store."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from service.settings import Settings, load_settings
from service.store import Store, addresses, opened, prepare

T = TypeVar("T")


def on_store(do: Callable[[Store], Awaitable[T]], settings: Settings | None = None) -> T:
    """Run something on the store, ready to use; an embedded database runs for it if it does not."""
    settings = settings or load_settings()

    async def run() -> T:
        async with opened(settings, where) as store:
            return await do(store)

    with addresses(settings) as where:
        asyncio.run(prepare(settings, where))
        return asyncio.run(run())
