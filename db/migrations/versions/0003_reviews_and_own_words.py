"""Reviews that a person decides; words an app listens for besides the packs, and its names."""

from alembic import op

revision = "0003"
down_revision = "0002"

# A hold that is open has none of the three; one that was looked at has all.
REVIEWS = """
alter table hold
    add column outcome varchar constraint outcome_known
        check (outcome in ('confirmed', 'dismissed')),
    add column reviewed_by varchar,
    add constraint reviewed_whole check (num_nulls(reviewed_at, reviewed_by, outcome) in (0, 3));
create index hold_open on hold (app_id, said_at) where reviewed_at is null
"""

KEYWORDS = """
create table app_keyword (
    app_id integer not null references app,
    keyword_id uuid not null,
    say varchar not null,
    folded varchar not null,
    intent varchar not null constraint intent_known
        check (intent in ('opt_out', 'opt_in', 'help')),
    switch varchar constraint switch_known check (switch in ('all', 'marketing')),
    tier varchar not null constraint tier_known check (tier in ('certain', 'likely')),
    added_at timestamptz not null default now(),
    added_by varchar not null,
    removed_at timestamptz,
    removed_by varchar,
    primary key (app_id, keyword_id),
    constraint help_moves_nothing check ((intent = 'help') = (switch is null)),
    constraint opt_in_is_certain check (intent <> 'opt_in' or tier = 'certain')
);
create unique index app_keyword_in_force on app_keyword (app_id, folded) where removed_at is null
"""

BRANDS = "alter table app add column brands text[] not null default '{}'"

# The service may decide a review and remove a word, and change nothing else of either.
RIGHTS = """
revoke update on hold from optledger_service;
grant update (reviewed_at, reviewed_by, outcome) on hold to optledger_service;
grant select, insert, update (removed_at, removed_by) on app_keyword to optledger_service
"""


def upgrade() -> None:
    """Add what a review came to, and the table of words."""
    for statements in (REVIEWS, KEYWORDS, BRANDS, RIGHTS):
        for statement in statements.split(";\n"):
            op.execute(statement)
