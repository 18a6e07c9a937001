"""The cluster on disk: how it is made, how its server is called, what its server is told."""

import os
import secrets
import shutil
import tempfile
from pathlib import Path

from db.embedded.binaries import Binaries
from db.embedded.errors import NotCreated, PasswordLost, WrongMajor
from db.embedded.home import Account, Home, writing

OWNER_ROLE = "optledger_owner"
LOG_LIMIT = 8 * 1024 * 1024  # bytes; checked when a server starts
SETTINGS = {
    "listen_addresses": "",  # the wheel has no TLS: never on a network
    "unix_socket_permissions": "0700",
    "max_connections": "60",
    "shared_buffers": "128MB",
    "max_wal_size": "2GB",
    "wal_compression": "off",
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # What people wrote stays out of logs. An error quotes values ('invalid input syntax: "…"'),
    # so no error of a statement is logged at all: `log` is above `error` in this setting.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_statement": "none",
    "log_min_duration_statement": "-1",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_checkpoints": "off",
    "log_destination": "stderr",
    "logging_collector": "off",
}


def ensure_cluster(home: Home, binaries: Binaries) -> None:
    """Make the cluster if there is none; refuse one that these programs cannot read."""
    for half_made in home.data_dir.glob("postgres.new-*"):  # of a start that was killed
        shutil.rmtree(half_made, ignore_errors=True)
    marker = home.postgres_dir / "PG_VERSION"
    if marker.exists():
        major = marker.read_text(encoding="ascii", errors="replace").strip()[:20]
        if major != binaries.major:
            raise WrongMajor(
                f"{home.postgres_dir} is of PostgreSQL {major}, installed is {binaries.version}"
            )
        read_password(home)
        return
    with writing(home.data_dir):
        _make_password(home)
        staged = Path(tempfile.mkdtemp(prefix="postgres.new-", dir=home.data_dir))
    try:
        with writing(staged):
            _give(staged, home.account)
        _initdb(home, binaries, staged)
        with writing(home.postgres_dir):
            staged.rename(home.postgres_dir)  # half an initdb is never taken for a cluster
            _sync(home.data_dir)
    except BaseException:
        shutil.rmtree(staged, ignore_errors=True)
        raise


def server_command(home: Home, binaries: Binaries) -> list[str]:
    """Return the command line of the server; what it sets outranks every file and ALTER SYSTEM."""
    command = [str(binaries.bin_dir / "postgres"), "-D", str(home.postgres_dir)]
    command += ["-k", str(home.run_dir)]
    for name, value in SETTINGS.items():
        command += ["-c", f"{name}={value}"]
    return command


def read_password(home: Home) -> str:
    """Return the owner role's password."""
    try:
        password = home.password_file.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        password = ""
    except OSError as exc:
        raise PasswordLost(f"{home.password_file}: {exc.strerror}") from exc
    if not password:
        raise PasswordLost(f"{home.password_file} is missing or empty")
    return password


def open_log(home: Home) -> int:
    """Open the log for appending, mode 0600; a long one becomes the one old log we keep."""
    with writing(home.log_file):
        if home.log_file.exists() and home.log_file.stat().st_size > LOG_LIMIT:
            home.log_file.replace(home.log_file.with_suffix(".log.1"))
        return os.open(home.log_file, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)


def last_lines(text: str) -> str:
    """Return the end of what a program said, short enough for a message."""
    return " | ".join(line.strip() for line in text.splitlines()[-5:])[-600:]


def _initdb(home: Home, binaries: Binaries, staged: Path) -> None:
    command = [
        str(binaries.bin_dir / "initdb"), "-D", str(staged), "-U", OWNER_ROLE,
        "--pwfile", str(home.password_file), "-A", "scram-sha-256",
        "--encoding=UTF8", "--locale=C", "--data-checksums", "--no-instructions",
    ]  # fmt: skip
    try:
        done = home.account.run(command, timeout=None)
    except OSError as exc:
        raise NotCreated(f"initdb: {exc.strerror or type(exc).__name__}") from exc
    if done.returncode != 0:
        raise NotCreated(f"initdb ended with {done.returncode}: {last_lines(done.stderr)}")


def _make_password(home: Home) -> None:
    """Write a random password once, whole or not at all; the account reads it for initdb."""
    if home.password_file.exists() and home.password_file.stat().st_size:
        return
    fd, staged = tempfile.mkstemp(prefix="postgres.password-", dir=home.data_dir)  # mode 0600
    try:
        os.write(fd, secrets.token_urlsafe(24).encode())
        os.fsync(fd)
    finally:
        os.close(fd)
    _give(Path(staged), home.account)
    Path(staged).replace(home.password_file)


def _give(path: Path, account: Account) -> None:
    if account.switch:
        os.chown(path, account.uid, account.gid, follow_symlinks=False)


def _sync(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
