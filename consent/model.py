"""The words of the domain: switches, clocks, surfaces, states, categories."""

from enum import IntEnum, StrEnum


class Switch(StrEnum):
    """What an act moves. `native_marketing` is the switch inside WhatsApp itself."""

    ALL = "all"
    MARKETING = "marketing"
    TRANSACTIONAL = "transactional"
    NATIVE_MARKETING = "native_marketing"


class Clock(StrEnum):
    """Which of the three times of a switch an act moves forward."""

    OPTED_OUT = "opted_out_at"  # said stop: by the contact, or by anyone for them
    OPTED_IN = "opted_in_at"  # said start: by the contact's own act
    VOUCHED = "vouched_at"  # agreed, says somebody else: an import, a list


class ConsentState(StrEnum):
    """What the clocks of a switch say."""

    OPTED_IN = "opted_in"
    OPTED_OUT = "opted_out"
    UNKNOWN = "unknown"


class Category(StrEnum):
    """Meta's template categories, and `service` for free-form messages in the 24-hour window."""

    MARKETING = "marketing"
    UTILITY = "utility"
    AUTHENTICATION = "authentication"
    SERVICE = "service"

    @property
    def switch(self) -> Switch:
        """The switch that speaks for this category, next to `all`."""
        return Switch.MARKETING if self is Category.MARKETING else Switch.TRANSACTIONAL


class Surface(StrEnum):
    """Where the words of a message stood."""

    TEXT = "text"
    BUTTON = "button"  # the label of a tapped button: template quick reply or reply button
    BUTTON_PAYLOAD = "button_payload"  # the hidden payload or id of a tapped button
    LIST_ROW = "list_row"  # the title of a chosen list row
    LIST_ROW_ID = "list_row_id"  # its hidden id
    CAPTION = "caption"
    PREFERENCE = "preference"  # the switch inside WhatsApp
    SEND_ERROR = "send_error"  # Meta refused a send: error 131050
    SYSTEM = "system"  # a notice of WhatsApp's: number or BSUID changed
    FORM = "form"
    IMPORT = "import"


class NameKind(IntEnum):
    """Which of Meta's names of a contact a value is; part of the contact key."""

    PHONE = 1
    BSUID = 2
