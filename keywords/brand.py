"""The brand's name: "STOP Acme" is STOP, said to Acme."""

import re
from collections.abc import Collection

LONGEST = 60  # characters of a name
MOST = 20  # names of an app


class BadBrandError(ValueError):
    """A name can't be a brand's; the message says why."""


class Brand:
    """What a business is called by those who write to it, in any case."""

    def __init__(self, names: Collection[str]) -> None:
        longest_first = sorted(
            {name.strip() for name in names}, key=lambda name: (-len(name), name)
        )
        written = "|".join(re.escape(name) for name in longest_first)
        self._name = re.compile(rf"(?<!\w)(?:{written})(?!\w)", re.IGNORECASE)

    def without(self, text: str) -> str | None:
        """Return the text with spaces in place of the names, None if it has none of them.

        So whatever stands in it stands where it stood.
        """
        bare = self._name.sub(lambda found: " " * len(found[0]), text)
        return None if bare == text else bare


def check(names: Collection[str]) -> tuple[str, ...]:
    """Return the names as they are kept; raise BadBrandError if one of them can't be one."""
    if len(names) > MOST:
        raise BadBrandError(f"an app has at most {MOST} names")
    for name in names:
        if len(name) > LONGEST or sum(letter.isalnum() for letter in name) < 2:
            raise BadBrandError(
                f"{name!r} can't be a name: give two letters and more, and at most {LONGEST} "
                f"characters"
            )
    return tuple(dict.fromkeys(name.strip() for name in names))
