"""The locks: audit entries only grow, and the role of the service can do no more than it must.

The trigger stops everybody, the owner too, and says what to do instead; the rights stop the service
even if the trigger were gone. A distributed PostgreSQL may not take the trigger; the rights work
there all the same.
"""

from alembic import op

revision = "0002"
down_revision = "0001"

APPEND_ONLY = """
create function audit_entry_append_only() returns trigger language plpgsql as $$
begin
    raise exception 'audit entries are append-only: % refused', tg_op using
        errcode = 'insufficient_privilege',
        hint = 'Record a correcting entry instead. To forget a person, erase the contact: the '
            'entry then names nobody, and its evidence can be deleted.';
end $$
"""

TRIGGERS = (
    """create trigger audit_entry_append_only before update or delete on audit_entry
        for each row execute function audit_entry_append_only()""",
    """create trigger audit_entry_no_truncate before truncate on audit_entry
        for each statement execute function audit_entry_append_only()""",
)

# Month partitions are made when the first message of a month comes, be it of years ago. The service
# may not make tables, so this function, which can do nothing else, does it with the owner's rights.
MONTHS = """
create function message_month(month date) returns void language plpgsql security definer
    set search_path = {schema}, pg_temp as $$
declare
    first date := date_trunc('month', month);
    name text := 'message_' || to_char(first, 'YYYY_MM');
begin
    perform pg_advisory_xact_lock(hashtext('optledger message_month'));
    if to_regclass(name) is null then
        execute format('create table %I (like message including all)', name);
        execute format('alter table message attach partition %I for values from (%L) to (%L)', name,
            first::timestamp at time zone 'UTC',
            (first + interval '1 month') at time zone 'UTC');
    end if;
end $$
"""

ROLE = """
do $$ begin
    if not exists (select from pg_roles where rolname = 'optledger_service') then
        create role optledger_service nologin;
    end if;
exception
    when duplicate_object then null;  -- another database of this server was migrated just now
    when insufficient_privilege then
        raise exception 'the role of this migration may not create roles' using
            hint = 'Run as a superuser: create role optledger_service nologin; then migrate again.';
end $$
"""

# The service logs in as a member of this role, or as the owner and then steps down to it.
MEMBER = """
do $$ begin
    -- Since 16 whoever makes a role administers it, but may not take it on before granting it.
    if not pg_has_role(current_user, 'optledger_service', case
        when current_setting('server_version_num')::int < 160000 then 'member' else 'set' end)
    then
        execute format('grant optledger_service to %I', current_user);
    end if;
exception when insufficient_privilege then
    raise exception 'the role of this migration may not step down to optledger_service' using
        hint = format('Run as a superuser: grant optledger_service to %I; then migrate again.',
            current_user);
end $$
"""

RIGHTS = """
grant usage on schema {schema} to optledger_service;
grant select, insert on audit_entry, contact_link, name_change, message, key_check
    to optledger_service;
grant select, insert, update on app, app_secret, business_number, data_key, quarantine, contact,
    consent, hold to optledger_service;
grant select, insert, delete on evidence to optledger_service;
grant delete on business_number to optledger_service;
revoke all on function message_month(date) from public;
grant execute on function message_month(date) to optledger_service;
grant select on alembic_version to optledger_service
"""


def upgrade() -> None:
    """Add the trigger, the partition function and the role with its rights."""
    schema = op.get_bind().exec_driver_sql("select quote_ident(current_schema())").scalar_one()
    rights = RIGHTS.format(schema=schema).split(";\n")
    months = MONTHS.replace("{schema}", schema)
    for statement in (APPEND_ONLY, *TRIGGERS, months, ROLE, MEMBER, *rights):
        op.execute(statement.replace(":", r"\:"))
