"""An app's own words: taken on and given up by an operator, each with its entry."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

from consent.model import Switch
from db.app_keywords import KeywordRow, add_keyword, list_keywords, remove_keyword
from db.apps import touch
from db.statements import Connection, EntryRow
from intake.acts import Action
from intake.decide import SCHEMA, encode, stamp
from intake.record import Lane, append
from intake.review import OPERATOR
from keywords.decision import Intent, Tier
from keywords.lexicon import Lexicon
from keywords.matcher import Matcher
from keywords.own import MOST, BadOwnWordError, OwnTerm, OwnWords, check
from keywords.pack import matched


@dataclass(frozen=True, slots=True)
class Asks:
    """What new words are to ask for."""

    intent: Intent
    tier: Tier
    switch: Switch | None


def own_words_of(rows: Iterable[KeywordRow], lexicon: Lexicon) -> OwnWords | None:
    """Return the words of an app ready to match, or None where it has none."""
    terms = [
        OwnTerm(
            keyword_id=str(row.keyword_id),
            say=row.say,
            intent=Intent(row.intent),
            tier=Tier(row.tier),
            switch=Switch(row.switch) if row.switch is not None else None,
        )
        for row in rows
    ]
    return OwnWords(terms, lexicon) if terms else None


async def add_own_words(
    conn: Connection,
    app_id: int,
    matcher: Matcher,
    words: Sequence[str],
    asks: Asks,
    *,
    operator: str,
) -> list[KeywordRow]:
    """Take words on, all or none, within a transaction. Raises BadOwnWordError."""
    await touch(conn, app_id)  # whoever else changes the app's words waits here
    known = {row.folded: row for row in await _in_force(conn, app_id)}
    now = datetime.now(UTC)
    added: list[KeywordRow] = []
    for say in words:
        folded = check(say, intent=asks.intent, tier=asks.tier, matcher=matcher)
        if folded in known:
            raise BadOwnWordError(_there_already(say, known[folded]))
        switch = asks.switch.value if asks.switch is not None else None
        row = KeywordRow(
            uuid4(), say, folded, asks.intent.value, switch, asks.tier.value, now, operator
        )
        known[folded] = row
        added.append(row)
    if len(known) > MOST:
        raise BadOwnWordError(
            f"an app has at most {MOST} words of its own, and these would make {len(known)}: "
            f"remove some first"
        )
    for row in added:
        await add_keyword(conn, app_id, row)
    await _note(conn, app_id, Action.KEYWORD_ADDED, added, operator, now)
    return added


async def remove_own_word(conn: Connection, app_id: int, say: str, *, operator: str) -> KeywordRow:
    """Give a word up, within a transaction, and return it. Raises BadOwnWordError."""
    await touch(conn, app_id)
    folded = matched(say)
    row = next((row for row in await _in_force(conn, app_id) if row.folded == folded), None)
    if row is None:
        raise BadOwnWordError(
            f"{say!r} is no word of this app; `optledger keywords list` shows them"
        )
    now = datetime.now(UTC)
    await remove_keyword(conn, app_id, row.keyword_id, at=now, by=operator)
    await _note(conn, app_id, Action.KEYWORD_REMOVED, [row], operator, now)
    return row


async def _in_force(conn: Connection, app_id: int) -> list[KeywordRow]:
    return (await list_keywords(conn, [app_id])).get(app_id, [])


def _there_already(say: str, row: KeywordRow) -> str:
    return (
        f"{say!r} is there already, as {row.say!r} ({row.intent}, {row.tier}), added by "
        f"{row.added_by} on {row.added_at:%F %T}Z; to change it remove it first"
    )


async def _note(
    conn: Connection,
    app_id: int,
    action: Action,
    rows: Sequence[KeywordRow],
    operator: str,
    now: datetime,
) -> None:
    """Append an entry for each word. It is the app's and nobody's, so it may stand there."""
    lane = Lane()
    entries = []
    for number, row in enumerate(rows, 1):
        actor = f"{OPERATOR}{operator}"
        body = {
            "schema": SCHEMA,
            "entry": [lane.number, number],
            "app": app_id,
            "contact": None,
            "action": action.value,
            "switch": row.switch,
            "actor": actor,
            "said_at": stamp(now),
            "recorded_at": stamp(now),
            "keyword": {
                "id": str(row.keyword_id),
                "say": row.say,
                "intent": row.intent,
                "tier": row.tier,
            },
        }
        entries.append(
            EntryRow(
                lane.number, number, None, action.value, row.switch, None, actor, now, encode(body)
            )
        )
    await append(conn, app_id, now, entries)
