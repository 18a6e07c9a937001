"""What the words of a message ask for, and how sure we are."""

from dataclasses import dataclass
from enum import StrEnum

from consent.model import Switch


class Intent(StrEnum):
    """What the words ask for."""

    OPT_OUT = "opt_out"
    OPT_IN = "opt_in"
    HELP = "help"
    NONE = "none"


class Tier(StrEnum):
    """How sure we are: `certain` acts, `likely` pauses marketing and asks a person."""

    CERTAIN = "certain"
    LIKELY = "likely"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Decision:
    """What one text asks for.

    `term` is the term as its pack writes it, `language` the pack's BCP 47 name, `span` where the
    matched words stand in the text as it was written (start and end, in code points).
    """

    intent: Intent = Intent.NONE
    tier: Tier = Tier.NONE
    switch: Switch | None = None
    term: str = ""
    language: str = ""
    span: tuple[int, int] = (0, 0)


NOTHING = Decision()
