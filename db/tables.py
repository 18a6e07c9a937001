"""The tables, declared. Migrations make them; a test compares the two.

Every key and index starts with `app_id`, so that the tables can be distributed by it. Columns of
bytes hold keyed hashes (`*_key`) or sealed values (`sealed`); nothing here is readable without the
key file. What each table is for stands in docs/architecture.md.
"""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    Identity,
    Index,
    LargeBinary,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field, SQLModel

_TIME = DateTime(timezone=True)
_NOW = {"server_default": text("now()")}


def _one_of(column: str, *values: str) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} in ({listed})", name=f"{column}_known")


class KeyCheck(SQLModel, table=True):
    """One row: which key file this database was sealed with (a fingerprint, not the key)."""

    __tablename__ = "key_check"
    fingerprint: str = Field(primary_key=True)
    made_at: datetime = Field(sa_type=_TIME, sa_column_kwargs=_NOW)


class App(SQLModel, table=True):
    """A tenant and what it decided for itself. `changed_at` moves with all below it too."""

    __tablename__ = "app"
    __table_args__ = (_one_of("stop_closes", "all", "marketing"),)
    app_id: int | None = Field(
        primary_key=True, default=None, sa_column_args=(Identity(always=True),)
    )
    slug: str = Field(unique=True)
    stop_closes: str = Field(sa_column_kwargs={"server_default": "all"})
    needs_opt_in: list[str] = Field(
        sa_type=ARRAY(Text), sa_column_kwargs={"server_default": "{marketing}"}
    )
    languages: list[str] = Field(sa_type=ARRAY(Text), sa_column_kwargs={"server_default": "{}"})
    created_at: datetime = Field(sa_type=_TIME, sa_column_kwargs=_NOW)
    changed_at: datetime = Field(sa_type=_TIME, sa_column_kwargs=_NOW)
    brands: list[str] = Field(sa_type=ARRAY(Text), sa_column_kwargs={"server_default": "{}"})


class AppSecret(SQLModel, table=True):
    """A Meta app secret or the webhook's verify token, sealed; several may be active at once."""

    __tablename__ = "app_secret"
    __table_args__ = (_one_of("kind", "app_secret", "verify_token"),)
    app_id: int = Field(primary_key=True, foreign_key="app.app_id")
    secret_id: UUID = Field(primary_key=True)
    kind: str
    sealed: bytes = Field(sa_type=LargeBinary)
    active_from: datetime = Field(sa_type=_TIME, sa_column_kwargs=_NOW)
    retired_at: datetime | None = Field(default=None, sa_type=_TIME)


class BusinessNumber(SQLModel, table=True):
    """A business number of an app, by Meta's phone_number_id (which is no phone number)."""

    __tablename__ = "business_number"
    app_id: int = Field(primary_key=True, foreign_key="app.app_id")
    number_id: str = Field(primary_key=True)
    added_at: datetime = Field(sa_type=_TIME, sa_column_kwargs=_NOW)


class AppKeyword(SQLModel, table=True):
    """A word an app listens for besides the packs. `folded` is its spelling as it was matched."""

    __tablename__ = "app_keyword"
    __table_args__ = (
        _one_of("intent", "opt_out", "opt_in", "help"),
        _one_of("switch", "all", "marketing"),
        _one_of("tier", "certain", "likely"),
        CheckConstraint("(intent = 'help') = (switch is null)", name="help_moves_nothing"),
        CheckConstraint("intent <> 'opt_in' or tier = 'certain'", name="opt_in_is_certain"),
        Index(
            "app_keyword_in_force",
            "app_id",
            "folded",
            unique=True,
            postgresql_where=text("removed_at is null"),
        ),
    )
    app_id: int = Field(primary_key=True, foreign_key="app.app_id")
    keyword_id: UUID = Field(primary_key=True)
    say: str
    folded: str
    intent: str
    switch: str | None = None
    tier: str
    added_at: datetime = Field(sa_type=_TIME, sa_column_kwargs=_NOW)
    added_by: str
    removed_at: datetime | None = Field(default=None, sa_type=_TIME)
    removed_by: str | None = None


class DataKey(SQLModel, table=True):
    """A data key of one app, one use and one day, wrapped by the master key."""

    __tablename__ = "data_key"
    app_id: int = Field(primary_key=True)
    number: int = Field(primary_key=True)
    day: date
    master_id: str
    wrapped: bytes = Field(sa_type=LargeBinary)
    made_at: datetime = Field(sa_type=_TIME, sa_column_kwargs=_NOW)


class Message(SQLModel, table=True):
    """What was delivered, once: a message, a preference, a send error or a changed name."""

    __tablename__ = "message"
    __table_args__ = ({"postgresql_partition_by": "RANGE (said_at)"},)
    app_id: int = Field(primary_key=True)
    message_key: bytes = Field(primary_key=True, sa_type=LargeBinary)
    said_at: datetime = Field(primary_key=True, sa_type=_TIME)
    contact_key: bytes = Field(sa_type=LargeBinary)
    kind: str
    sealed: bytes = Field(sa_type=LargeBinary)
    received_at: datetime = Field(sa_type=_TIME)


class Consent(SQLModel, table=True):
    """Three clocks of one name on one switch, and the audit entry behind each."""

    __tablename__ = "consent"
    __table_args__ = (_one_of("switch", "all", "marketing", "transactional", "native_marketing"),)
    app_id: int = Field(primary_key=True)
    contact_key: bytes = Field(primary_key=True, sa_type=LargeBinary)
    switch: str = Field(primary_key=True)
    opted_out_at: datetime | None = Field(default=None, sa_type=_TIME)
    opted_in_at: datetime | None = Field(default=None, sa_type=_TIME)
    vouched_at: datetime | None = Field(default=None, sa_type=_TIME)
    opted_out_lane: int | None = Field(default=None, sa_type=BigInteger)
    opted_out_number: int | None = Field(default=None, sa_type=BigInteger)
    opted_in_lane: int | None = Field(default=None, sa_type=BigInteger)
    opted_in_number: int | None = Field(default=None, sa_type=BigInteger)
    vouched_lane: int | None = Field(default=None, sa_type=BigInteger)
    vouched_number: int | None = Field(default=None, sa_type=BigInteger)


class Contact(SQLModel, table=True):
    """The random reference that the audit table knows a name by, and the name itself, sealed."""

    __tablename__ = "contact"
    __table_args__ = (Index("contact_by_ref", "app_id", "contact_ref", unique=True),)
    app_id: int = Field(primary_key=True)
    contact_key: bytes = Field(primary_key=True, sa_type=LargeBinary)
    contact_ref: UUID
    sealed: bytes = Field(sa_type=LargeBinary)
    made_at: datetime = Field(sa_type=_TIME)


class ContactLink(SQLModel, table=True):
    """Two names of one contact. `form`: a made-up form of a phone, for opt-outs only."""

    __tablename__ = "contact_link"
    __table_args__ = (
        _one_of("kind", "same", "form"),
        Index("contact_link_back", "app_id", "other_key"),
    )
    app_id: int = Field(primary_key=True)
    contact_key: bytes = Field(primary_key=True, sa_type=LargeBinary)
    other_key: bytes = Field(primary_key=True, sa_type=LargeBinary)
    kind: str = Field(primary_key=True)
    since: datetime = Field(sa_type=_TIME)
    message_key: bytes | None = Field(default=None, sa_type=LargeBinary)


class NameChange(SQLModel, table=True):
    """WhatsApp said that the contact left one name for another."""

    __tablename__ = "name_change"
    __table_args__ = (Index("name_change_back", "app_id", "new_key"),)
    app_id: int = Field(primary_key=True)
    old_key: bytes = Field(primary_key=True, sa_type=LargeBinary)
    new_key: bytes = Field(primary_key=True, sa_type=LargeBinary)
    said_at: datetime = Field(primary_key=True, sa_type=_TIME)
    message_key: bytes = Field(sa_type=LargeBinary)


class AuditEntry(SQLModel, table=True):
    """One appended entry. `body` is the JSON that was decided on, byte for byte; it never changes.

    `lane` is one writer's life, `number` counts in it; there is no order between lanes. The other
    columns repeat the body, for finding.
    """

    __tablename__ = "audit_entry"
    __table_args__ = (Index("audit_entry_of_contact", "app_id", "contact_ref", "said_at"),)
    app_id: int = Field(primary_key=True)
    lane: int = Field(primary_key=True, sa_type=BigInteger)
    number: int = Field(primary_key=True, sa_type=BigInteger)
    contact_ref: UUID | None = None
    action: str
    switch: str | None = None
    clock: str | None = None
    actor: str
    said_at: datetime = Field(sa_type=_TIME)
    recorded_at: datetime = Field(sa_type=_TIME)
    body: bytes = Field(sa_type=LargeBinary)


class Evidence(SQLModel, table=True):
    """What an entry rests on, sealed. May be deleted: the entry commits to it by a salted hash."""

    __tablename__ = "evidence"
    app_id: int = Field(primary_key=True)
    lane: int = Field(primary_key=True, sa_type=BigInteger)
    number: int = Field(primary_key=True, sa_type=BigInteger)
    sealed: bytes = Field(sa_type=LargeBinary)


class Hold(SQLModel, table=True):
    """A message that may have been a request to stop: marketing waits until someone has looked.

    What a later word of the contact closed stays open here: that follows when somebody asks.
    """

    __tablename__ = "hold"
    __table_args__ = (
        _one_of("outcome", "confirmed", "dismissed"),
        CheckConstraint(
            "num_nulls(reviewed_at, reviewed_by, outcome) in (0, 3)", name="reviewed_whole"
        ),
        Index("hold_open", "app_id", "said_at", postgresql_where=text("reviewed_at is null")),
    )
    app_id: int = Field(primary_key=True)
    contact_key: bytes = Field(primary_key=True, sa_type=LargeBinary)
    message_key: bytes = Field(primary_key=True, sa_type=LargeBinary)
    said_at: datetime = Field(sa_type=_TIME)
    lane: int = Field(sa_type=BigInteger)
    number: int = Field(sa_type=BigInteger)
    reviewed_at: datetime | None = Field(default=None, sa_type=_TIME)
    outcome: str | None = None
    reviewed_by: str | None = None


class Quarantine(SQLModel, table=True):
    """What we could not read or store: its bytes, sealed, and why."""

    __tablename__ = "quarantine"
    __table_args__ = (Index("quarantine_waiting", "app_id", "received_at"),)
    app_id: int = Field(primary_key=True)
    item_key: bytes = Field(primary_key=True, sa_type=LargeBinary)
    code: str
    reason: str
    sealed: bytes = Field(sa_type=LargeBinary)
    received_at: datetime = Field(sa_type=_TIME)
    tries: int = Field(sa_column_kwargs={"server_default": "0"})
    resolved_at: datetime | None = Field(default=None, sa_type=_TIME)
