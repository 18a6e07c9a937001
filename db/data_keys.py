"""Data keys in the database, wrapped: made when first needed, the same for every process."""

from collections.abc import Iterable

from db.keyfile import Keys
from db.sealing import day_of, fresh_data_key, unwrap, wrap
from db.statements import Connection

_INSERT = """
insert into data_key (app_id, number, day, master_id, wrapped) values ($1, $2, $3, $4, $5)
on conflict do nothing
"""
_SELECT = """
select number, master_id, wrapped from data_key where app_id = $1 and number = any($2::integer[])
"""


async def ensure_data_key(conn: Connection, keys: Keys, app_id: int, number: int) -> bytes:
    """Return the data key with this number; make it unless another process was first."""
    wrapped = wrap(keys, app_id, number, fresh_data_key())
    await conn.execute(_INSERT, app_id, number, day_of(number), keys.master_id, wrapped)
    return (await load_data_keys(conn, keys, app_id, [number]))[number]


async def load_data_keys(
    conn: Connection, keys: Keys, app_id: int, numbers: Iterable[int]
) -> dict[int, bytes]:
    """Return those of the data keys that are there; a missing one was dropped to forget its day.

    Raises CannotOpen where the key file is not the one they were wrapped with.
    """
    rows = await conn.fetch(_SELECT, app_id, list(numbers))
    return {number: unwrap(keys, master, app_id, number, data) for number, master, data in rows}
