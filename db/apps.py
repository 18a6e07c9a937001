"""Apps, their secrets and business numbers."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID, uuid4

import asyncpg

from consent.model import Category, Switch
from consent.verdict import Policy
from db.app_keywords import KeywordRow, list_keywords
from db.data_keys import ensure_data_key, load_data_keys
from db.keyfile import Keys
from db.sealing import CannotOpen, Sealer, Use, day_of, key_number, place
from db.statements import Connection

_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?", re.ASCII)
_SHORTEST = 4  # Meta makes app secrets of 32; verify tokens are the user's own
_LASTING = key_number(Use.LASTING, day_of(0))


class AppError(Exception):
    """An app can't be made, found or changed as asked; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Secret:
    """An app secret or verify token; `value` is never shown again."""

    secret_id: UUID
    kind: str
    value: str = field(repr=False)
    active_from: datetime
    retired_at: datetime | None


@dataclass(frozen=True, slots=True)
class AppRecord:
    """An app as it stands in the database, its secrets opened."""

    app_id: int
    slug: str
    policy: Policy
    languages: tuple[str, ...]
    changed_at: datetime
    secrets: tuple[Secret, ...]
    numbers: tuple[str, ...]
    keywords: tuple[KeywordRow, ...] = ()
    brands: tuple[str, ...] = ()

    def active(self, kind: str) -> tuple[str, ...]:
        """Return the values of one kind that are in use, the newest first."""
        found = [one for one in self.secrets if one.kind == kind and one.retired_at is None]
        found.sort(key=lambda one: one.active_from, reverse=True)
        return tuple(one.value for one in found)


async def create_app(
    conn: Connection,
    keys: Keys,
    slug: str,
    *,
    app_secret: str,
    verify_token: str,
    numbers: tuple[str, ...] = (),
) -> int:
    """Make an app and return its id; raise AppError if it can't be."""
    if not _SLUG.fullmatch(slug):
        raise AppError(
            f"{slug!r} can't be the name of an app: take 1 to 40 of a-z, 0-9 and -, not at the ends"
        )
    try:
        app_id: int = await conn.fetchval(
            "insert into app (slug) values ($1) returning app_id", slug
        )
    except asyncpg.UniqueViolationError as exc:
        raise AppError(
            f"there is an app {slug} already; `optledger app secret add {slug}` gives it another "
            f"secret"
        ) from exc
    await add_secret(conn, keys, app_id, "app_secret", app_secret)
    await add_secret(conn, keys, app_id, "verify_token", verify_token)
    for number in numbers:
        await conn.execute(
            "insert into business_number (app_id, number_id) values ($1, $2) "
            "on conflict do nothing",
            app_id,
            number,
        )
    return app_id


async def create_first_app(
    conn: Connection, keys: Keys, slug: str, *, app_secret: str, verify_token: str
) -> bool:
    """Make an app if there is none at all yet, also when two processes start at once."""
    await one_at_a_time(conn)
    if await conn.fetchval("select exists (select from app)"):
        return False
    await create_app(conn, keys, slug, app_secret=app_secret, verify_token=verify_token)
    return True


async def add_secret(conn: Connection, keys: Keys, app_id: int, kind: str, value: str) -> UUID:
    """Add a secret next to those there are, and return its id; raise AppError if it is none."""
    if len(value) < _SHORTEST or not value.isprintable() or not value.isascii():
        what = "an app secret" if kind == "app_secret" else "a verify token"
        raise AppError(
            f"{what} has at least {_SHORTEST} characters, all printable ASCII; this one has not"
        )
    sealer = Sealer(app_id, {_LASTING: await ensure_data_key(conn, keys, app_id, _LASTING)})
    secret_id = uuid4()
    sealed = sealer.seal(_LASTING, value.encode(), _place(app_id, secret_id))
    await conn.execute(
        "insert into app_secret (app_id, secret_id, kind, sealed) values ($1, $2, $3, $4)",
        app_id,
        secret_id,
        kind,
        sealed,
    )
    await touch(conn, app_id)
    return secret_id


async def set_app(
    conn: Connection,
    app: AppRecord,
    *,
    stop_closes: Switch | None = None,
    needs_opt_in: tuple[Category, ...] | None = None,
    languages: tuple[str, ...] | None = None,
    brands: tuple[str, ...] | None = None,
) -> None:
    """Change what an app decided for itself; None leaves a setting as it is."""
    await conn.execute(
        "update app set stop_closes = coalesce($2, stop_closes), "
        "needs_opt_in = coalesce($3::text[], needs_opt_in), "
        "languages = coalesce($4::text[], languages), brands = coalesce($5::text[], brands), "
        "changed_at = clock_timestamp() "
        "where app_id = $1",
        app.app_id,
        stop_closes.value if stop_closes is not None else None,
        [one.value for one in needs_opt_in] if needs_opt_in is not None else None,
        list(languages) if languages is not None else None,
        list(brands) if brands is not None else None,
    )


async def retire_secret(conn: Connection, app: AppRecord, start: str) -> Secret:
    """Retire the active secret whose id begins so, unless it is the last of its kind."""
    found = [
        one
        for one in app.secrets
        if one.retired_at is None and str(one.secret_id).startswith(start.lower())
    ]
    if not start or len(found) != 1:
        raise AppError(f"{len(found)} active secrets of {app.slug} have an id that begins so")
    secret = found[0]
    if len(app.active(secret.kind)) == 1:
        raise AppError(
            f"this is the only active {secret.kind} of {app.slug}, and without one nothing is "
            f"accepted. Add the new one first"
        )
    await conn.execute(
        "update app_secret set retired_at = now() where app_id = $1 and secret_id = $2",
        app.app_id,
        secret.secret_id,
    )
    await touch(conn, app.app_id)
    return secret


async def load_apps(conn: Connection, keys: Keys, slug: str | None = None) -> list[AppRecord]:
    """Return all apps, or the one with this slug, by slug; raise CannotOpen with a wrong key."""
    rows = await conn.fetch(
        "select app_id, slug, stop_closes, needs_opt_in, languages, brands, changed_at from app "
        "where $1::text is null or slug = $1 order by slug",
        slug,
    )
    keywords = await list_keywords(conn, [row["app_id"] for row in rows])
    return [await _load(conn, keys, row, tuple(keywords.get(row["app_id"], ()))) for row in rows]


async def load_app(conn: Connection, keys: Keys, slug: str) -> AppRecord:
    """Return one app; raise AppError if there is none of this name."""
    apps = await load_apps(conn, keys, slug)
    if not apps:
        raise AppError(f"there is no app {slug}; `optledger app list` shows those there are")
    return apps[0]


async def apps_version(conn: Connection) -> tuple[object, ...]:
    """Return what is another whenever an app is made or changed.

    The sum and not the latest change: of two at once the earlier may be committed later.
    """
    row = await conn.fetchrow("select count(*), sum(extract(epoch from changed_at)) from app")
    assert row is not None  # noqa: S101  an aggregate always has a row
    return tuple(row)


async def one_at_a_time(conn: Connection) -> None:
    """Wait until no other process sets up this database, and hold the others off till commit."""
    await conn.execute("select pg_advisory_xact_lock(hashtext('optledger set up'))")


async def known_key(conn: Connection) -> str | None:
    """Return the fingerprint of the key file this database was sealed with, or None if none yet."""
    fingerprint: str | None = await conn.fetchval("select fingerprint from key_check limit 1")
    return fingerprint


async def claim_key(conn: Connection, keys: Keys) -> None:
    """Note that this database is sealed with this key file from now on."""
    await conn.execute(
        "insert into key_check (fingerprint) values ($1) on conflict do nothing", keys.fingerprint
    )


def _place(app_id: int, secret_id: UUID) -> bytes:
    return place("app_secret", "sealed", app_id, secret_id.bytes)


async def touch(conn: Connection, app_id: int) -> None:
    """Note that something of an app changed; whoever else is about to waits till commit."""
    await conn.execute("update app set changed_at = clock_timestamp() where app_id = $1", app_id)


async def _load(
    conn: Connection, keys: Keys, row: asyncpg.Record, keywords: tuple[KeywordRow, ...]
) -> AppRecord:
    app_id = row["app_id"]
    sealer = Sealer(app_id, await load_data_keys(conn, keys, app_id, [_LASTING]))
    secrets = await conn.fetch(
        "select secret_id, kind, sealed, active_from, retired_at from app_secret "
        "where app_id = $1 order by active_from",
        app_id,
    )
    numbers = await conn.fetch(
        "select number_id from business_number where app_id = $1 order by 1", app_id
    )
    try:
        opened = tuple(
            Secret(
                UUID(str(one["secret_id"])),
                one["kind"],
                sealer.open(one["sealed"], _place(app_id, UUID(str(one["secret_id"])))).decode(),
                one["active_from"],
                one["retired_at"],
            )
            for one in secrets
        )
    except CannotOpen as exc:
        raise CannotOpen(f"the secrets of app {row['slug']} can't be opened: {exc}") from exc
    return AppRecord(
        app_id=app_id,
        slug=row["slug"],
        policy=Policy(
            Switch(row["stop_closes"]), frozenset(Category(one) for one in row["needs_opt_in"])
        ),
        languages=tuple(row["languages"]),
        changed_at=row["changed_at"],
        secrets=opened,
        numbers=tuple(one["number_id"] for one in numbers),
        keywords=keywords,
        brands=tuple(row["brands"]),
    )
