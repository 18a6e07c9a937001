"""The short cut for one message of one contact says what the general way says."""

import json

import pytest

from webhook.careful import read_carefully
from webhook.delivery import Delivery
from webhook.parse import parse_delivery

NAMES = {"from": "15551230001", "from_user_id": "US.11112222333344445555"}
CONTACT = {
    "profile": {"name": "Anna"},
    "wa_id": NAMES["from"],
    "user_id": NAMES["from_user_id"],
}
TEXT = {"type": "text", "text": {"body": "STOP"}}


def alone(contact=CONTACT, **message) -> bytes:
    """One message, alone in its delivery, of one contact."""
    said = {**NAMES, "id": "wamid.invented==", "timestamp": "1750000000", **message}
    value = {
        "metadata": {"display_phone_number": "15550009999", "phone_number_id": "1"},
        "contacts": [contact],
        "messages": [{name: one for name, one in said.items() if one is not None}],
    }
    change = {"field": "messages", "value": value}
    whole = {"object": "whatsapp_business_account", "entry": [{"id": "2", "changes": [change]}]}
    return json.dumps(whole).encode("ascii")


def words(delivery: Delivery) -> list[str]:
    return [one.text for message in delivery.messages for one in message.words]


@pytest.mark.parametrize(
    ("body", "read"),
    [
        pytest.param(alone(**TEXT), ["STOP"], id="a text"),
        pytest.param(alone(**TEXT, context={"forwarded": True}), [], id="a forward"),
        pytest.param(
            alone(**TEXT, context={"frequently_forwarded": True}), [], id="a frequent forward"
        ),
        pytest.param(alone(**TEXT, context={"id": "wamid.a"}), ["STOP"], id="a reply"),
        pytest.param(alone(**TEXT, group_id="g"), [], id="in a group"),
        pytest.param(alone(type="reaction", reaction={"emoji": "x"}), [], id="a reaction"),
        pytest.param(alone(type="edit", edit={"message": TEXT}), ["STOP"], id="an edit to a stop"),
        pytest.param(alone(type="text", text={"body": ""}), [], id="an empty text"),
        pytest.param(
            alone({"user_id": NAMES["from_user_id"]}, **TEXT, **{"from": None}),
            ["STOP"],
            id="by BSUID alone",
        ),
        pytest.param(
            alone({"wa_id": NAMES["from"]}, **TEXT, from_user_id=None), ["STOP"], id="by phone"
        ),
        pytest.param(
            alone({**CONTACT, "wa_id": "15551230009"}, **TEXT), ["STOP"], id="of another contact"
        ),
    ],
)
def test_one_message_alone(body: bytes, read: list[str]) -> None:
    said = parse_delivery(body)
    assert words(said) == read
    assert said == read_carefully(body)
