"""Who gives a command: the name that entries show."""

import getpass
import os

import typer

OPERATOR = typer.Option(
    None, "--operator", help="Who decides, as entries show it; else the name of this account"
)
_LONGEST = 100


def name_of(given: str | None) -> str:
    """Return the operator's name: as given, else of whoever called sudo, else of the account."""
    name = (given if given is not None else _account()).strip()
    if not 0 < len(name) <= _LONGEST or not name.isprintable():
        raise typer.BadParameter(
            f"an operator's name has 1 to {_LONGEST} printable characters; give --operator NAME"
        )
    return name


def _account() -> str:
    try:
        return os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):  # an account without a name, as in some containers
        return ""
