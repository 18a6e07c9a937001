"""A raw delivery, taken in: parsed, matched, recorded. What `webhook` is handed."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from intake.acts import Intake
from intake.app import App
from intake.reading import read, set_aside
from intake.recorder import Recorder
from keywords.matcher import Matcher
from webhook.delivery import Unread
from webhook.errors import NotADelivery
from webhook.parse import parse_delivery

LoadKey = Callable[[App, int], Awaitable[None]]


async def take_in(
    app: App, body: bytes, *, matcher: Matcher, recorder: Recorder, load_key: LoadKey
) -> None:
    """Record a delivery whose signature was checked, and return after the commit.

    `load_key` fetches a data key that this process does not know yet. Raises StoreUnavailable;
    then nothing is promised and Meta sends again. A body that is no delivery is set aside whole.
    """
    received_at = datetime.now(UTC)
    for number in app.missing_numbers():
        await load_key(app, number)
    try:
        delivery = parse_delivery(body)
        taken = read(app, matcher, delivery, body, received_at)
    except NotADelivery as exc:
        taken = _whole(app, body, received_at, NotADelivery.code, str(exc.args[0]))
    except Exception as exc:
        # A fault of ours must not make Meta send the same body for seven days, nor lose it.
        taken = _whole(app, body, received_at, "not_read", type(exc).__name__)
    if taken.items or taken.links or taken.unread:
        await recorder.record(app, taken)


async def retry(
    app: App, body: bytes, *, matcher: Matcher, recorder: Recorder, load_key: LoadKey
) -> bool:
    """Feed an item that was set aside in again; tell whether all of it was read this time.

    What stays unread is not set aside anew: its row is there. Raises StoreUnavailable.
    """
    received_at = datetime.now(UTC)
    for number in app.missing_numbers():
        await load_key(app, number)
    try:
        delivery = parse_delivery(body)
    except NotADelivery:
        return False
    taken = read(app, matcher, delivery, body, received_at)
    again = {row.item_key for row in taken.unread}
    taken.unread = []
    if taken.items or taken.links:
        await recorder.record(app, taken)
    return not again


def _whole(app: App, body: bytes, received_at: datetime, code: str, reason: str) -> Intake:
    """Return a delivery that is set aside whole."""
    return Intake(received_at, body, unread=[set_aside(app, Unread(body, code, reason))])
