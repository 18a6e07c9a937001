"""The first tables."""

from alembic import op

revision = "0001"
down_revision = None

SETTINGS = """
create table key_check (
    fingerprint varchar primary key,
    made_at timestamptz not null default now()
);
create table app (
    app_id integer generated always as identity primary key,
    slug varchar not null unique,
    stop_closes varchar not null default 'all'
        constraint stop_closes_known check (stop_closes in ('all', 'marketing')),
    needs_opt_in text[] not null default '{marketing}',
    languages text[] not null default '{}',
    created_at timestamptz not null default now(),
    changed_at timestamptz not null default now()
);
create table app_secret (
    app_id integer not null references app,
    secret_id uuid not null,
    kind varchar not null constraint kind_known check (kind in ('app_secret', 'verify_token')),
    sealed bytea not null,
    active_from timestamptz not null default now(),
    retired_at timestamptz,
    primary key (app_id, secret_id)
);
create table business_number (
    app_id integer not null references app,
    number_id varchar not null,
    added_at timestamptz not null default now(),
    primary key (app_id, number_id)
);
create table data_key (
    app_id integer not null,
    number integer not null,
    day date not null,
    master_id varchar not null,
    wrapped bytea not null,
    made_at timestamptz not null default now(),
    primary key (app_id, number)
);
"""

MESSAGES = """
create table message (
    app_id integer not null,
    message_key bytea not null,
    said_at timestamptz not null,
    contact_key bytea not null,
    kind varchar not null,
    sealed bytea not null,
    received_at timestamptz not null,
    primary key (app_id, message_key, said_at)
) partition by range (said_at);
create table quarantine (
    app_id integer not null,
    item_key bytea not null,
    code varchar not null,
    reason varchar not null,
    sealed bytea not null,
    received_at timestamptz not null,
    tries integer not null default 0,
    resolved_at timestamptz,
    primary key (app_id, item_key)
);
create index quarantine_waiting on quarantine (app_id, received_at);
"""

CONTACTS = """
create table contact (
    app_id integer not null,
    contact_key bytea not null,
    contact_ref uuid not null,
    sealed bytea not null,
    made_at timestamptz not null,
    primary key (app_id, contact_key)
);
create unique index contact_by_ref on contact (app_id, contact_ref);
create table contact_link (
    app_id integer not null,
    contact_key bytea not null,
    other_key bytea not null,
    kind varchar not null constraint kind_known check (kind in ('same', 'form')),
    since timestamptz not null,
    message_key bytea,
    primary key (app_id, contact_key, other_key, kind)
);
create index contact_link_back on contact_link (app_id, other_key);
create table name_change (
    app_id integer not null,
    old_key bytea not null,
    new_key bytea not null,
    said_at timestamptz not null,
    message_key bytea not null,
    primary key (app_id, old_key, new_key, said_at)
);
create index name_change_back on name_change (app_id, new_key);
"""

CONSENT = """
create table consent (
    app_id integer not null,
    contact_key bytea not null,
    switch varchar not null constraint switch_known
        check (switch in ('all', 'marketing', 'transactional', 'native_marketing')),
    opted_out_at timestamptz,
    opted_in_at timestamptz,
    vouched_at timestamptz,
    opted_out_lane bigint,
    opted_out_number bigint,
    opted_in_lane bigint,
    opted_in_number bigint,
    vouched_lane bigint,
    vouched_number bigint,
    primary key (app_id, contact_key, switch)
);
create table hold (
    app_id integer not null,
    contact_key bytea not null,
    message_key bytea not null,
    said_at timestamptz not null,
    lane bigint not null,
    number bigint not null,
    reviewed_at timestamptz,
    primary key (app_id, contact_key, message_key)
);
create table audit_entry (
    app_id integer not null,
    lane bigint not null,
    number bigint not null,
    contact_ref uuid,
    action varchar not null,
    switch varchar,
    clock varchar,
    actor varchar not null,
    said_at timestamptz not null,
    recorded_at timestamptz not null,
    body bytea not null,
    primary key (app_id, lane, number)
);
create index audit_entry_of_contact on audit_entry (app_id, contact_ref, said_at);
create table evidence (
    app_id integer not null,
    lane bigint not null,
    number bigint not null,
    sealed bytea not null,
    primary key (app_id, lane, number)
);
"""


def upgrade() -> None:
    """Make the tables."""
    for statements in (SETTINGS, MESSAGES, CONTACTS, CONSENT):
        for statement in statements.split(";\n"):
            if statement.strip():
                op.execute(statement)
