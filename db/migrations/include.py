"""What is compared between the declared tables and those that are there."""

import re

MONTH = re.compile(r"message_\d{4}_\d{2}")


def include(name: str | None, kind: str, _parents: object) -> bool:
    """Leave out the monthly partitions of `message`, which come and go, and Alembic's own table."""
    if kind != "table" or name is None:
        return True
    return name != "alembic_version" and not MONTH.fullmatch(name)
