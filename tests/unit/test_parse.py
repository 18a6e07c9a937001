import json
import sys

import pytest

from webhook.careful import read_carefully
from webhook.delivery import Delivery, Names
from webhook.errors import REFUSALS, UNREAD_CODES, NotADelivery, StoreUnavailable
from webhook.fields import IGNORED_FIELDS, READ_FIELDS
from webhook.found import LONGEST_CONTACTS, said_at
from webhook.names import identify
from webhook.parse import parse_delivery

PHONE, BSUID, PARENT = "15551230001", "US.1111222233334444", "US.ENT.5555666677778888"


def delivery_of(*messages, contacts=(), field="messages") -> bytes:
    value = {"messages": list(messages), "contacts": list(contacts)}
    entry = {"changes": [{"field": field, "value": value}]}
    return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()


def text(words="STOP", number=PHONE, **more):
    stop = {"id": "wamid.x", "from": number, "timestamp": "1750000000", "type": "text"}
    return {**stop, "text": {"body": words}, **more}


def contact(number):
    return {"wa_id": str(number), "profile": {"name": "A contact with a long name"}}


@pytest.mark.parametrize(
    ("stamp", "seconds"),
    [
        pytest.param("1750000000", 1750000000, id="seconds"),
        pytest.param(1750000000, 1750000000, id="seconds as a number"),
        pytest.param("1750000000123", 1750000000, id="milliseconds"),
        pytest.param(1750000000123, 1750000000, id="milliseconds as a number"),
        pytest.param("1230768000", 1230768000, id="the first second of 2009"),
        pytest.param("9999999999", 9999999999, id="far ahead: for the recorder to clamp"),
    ],
)
def test_said_at(stamp, seconds):
    assert said_at(stamp) == seconds


@pytest.mark.parametrize(
    "stamp",
    [
        pytest.param(None, id="missing"),
        pytest.param("", id="empty"),
        pytest.param("175000000", id="nine digits"),
        pytest.param("17500000001", id="eleven digits"),
        pytest.param("1230767999", id="before WhatsApp existed"),
        pytest.param("1750000000.5", id="a fraction"),
        pytest.param("-175000000", id="a sign"),
        pytest.param(" 175000000", id="a space"),
        pytest.param("1_75000000", id="an underscore"),
        pytest.param("١٧٥٠٠٠٠٠٠٠", id="digits, but not ASCII"),
        pytest.param(-1750000000, id="a negative number"),
        pytest.param(10**5000, id="a number too long to write"),
    ],
)
def test_times_that_are_none(stamp):
    with pytest.raises(ValueError):
        said_at(stamp)


@pytest.mark.parametrize(
    ("slots", "names"),
    [
        pytest.param((PHONE, BSUID, PARENT), (PHONE, BSUID, PARENT), id="each in its place"),
        pytest.param(("+1 (555) 123-0001", None, None), (PHONE, None, None), id="formatted"),
        pytest.param((int(PHONE), None, None), (PHONE, None, None), id="a number"),
        pytest.param((BSUID, None, None), (None, BSUID, None), id="a BSUID for a phone"),
        pytest.param((BSUID, "US.9", None), (None, "US.9", None), id="its own place is believed"),
        pytest.param((PARENT, None, None), (None, None, PARENT), id="a parent BSUID for a phone"),
        pytest.param((None, PARENT, None), (None, None, PARENT), id="a parent BSUID for a BSUID"),
        pytest.param((None, PHONE, None), (None, None, None), id="digits are no BSUID"),
        pytest.param((None, "us.1111", None), (None, None, None), id="a country in lower case"),
        pytest.param((None, BSUID + "\n", None), (None, None, None), id="a line end"),
        pytest.param((None, "US." + "1" * 129, None), (None, None, None), id="129 characters"),
        pytest.param(("1234", None, None), (None, None, None), id="four digits"),
        pytest.param(("12345", None, None), ("12345", None, None), id="five digits"),
        pytest.param(("1" * 20, None, None), ("1" * 20, None, None), id="twenty digits"),
        pytest.param(("1" * 21, None, None), (None, None, None), id="twenty-one digits"),
        pytest.param((10**5000, None, None), (None, None, None), id="a number too long to write"),
        pytest.param((-15551230001, None, None), (None, None, None), id="a negative number"),
        pytest.param(("١٢٣٤٥٦٧٨", None, None), (None, None, None), id="digits, but not ASCII"),
        pytest.param(("", "", ""), (None, None, None), id="empty"),
    ],
)
def test_identify(slots, names):
    assert identify(*slots) == names


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"null", id="null"),
        pytest.param(b"[]", id="an array"),
        pytest.param(b'"STOP"', id="a string"),
        pytest.param(b"{}", id="an empty object"),
        pytest.param(b'{"object":"whatsapp_business_account"}', id="no entry"),
        pytest.param(b'{"object":"whatsapp_business_account","entry":{}}', id="entry is no list"),
        pytest.param(delivery_of(text())[:-1], id="the last byte missing"),
        pytest.param(delivery_of(text())[:-20], id="cut short"),
        pytest.param(delivery_of(text()) + b"{}", id="two bodies"),
        pytest.param(b"\xef\xbb\xbf" + delivery_of(text()), id="a byte order mark"),
        pytest.param(delivery_of(text()).decode().encode("utf-16"), id="UTF-16"),
        pytest.param(b"\x00" * 1000, id="zeros"),
        pytest.param(b'{"entry":' + b"[" * 100_000, id="brackets without an end"),
        pytest.param(b'{"entry":["' + b'\\"' * 50_000, id="a string without an end"),
    ],
)
def test_bodies_that_are_no_delivery(raw):
    with pytest.raises(NotADelivery) as caught:
        parse_delivery(raw)
    assert caught.value.status == 200
    assert "not_a_delivery" in str(caught.value)


def test_a_thousand_messages():
    messages = [text(f"number {i}", str(15551230000 + i)) for i in range(1000)]
    contacts = [contact(15551230000 + i) for i in reversed(range(1000))]
    delivery = parse_delivery(delivery_of(*messages, contacts=contacts))
    assert [message.names.wa_id for message in delivery.messages] == [
        str(15551230000 + i) for i in range(1000)
    ]
    assert all(message.names.profile for message in delivery.messages)


def test_a_thousand_messages_with_half_an_emoji_in_one():
    messages = [text(f"number {i}", str(15551230000 + i)) for i in range(1000)]
    messages[500]["text"]["body"] = "\ud83d"
    delivery = parse_delivery(delivery_of(*messages))
    assert len(delivery.messages) == 1000
    assert delivery.messages[500].words[0].text == "\ud83d"
    assert delivery.unread == ()


def test_a_thousand_bad_messages_do_not_multiply_their_contacts():
    messages = [text(number=str(15551230000 + i), timestamp="?") for i in range(1000)]
    raw = delivery_of(*messages, contacts=[contact(15551230000 + i) for i in range(1000)])
    unread = parse_delivery(raw).unread
    assert len(unread) == 1000
    assert sum(len(item.body) for item in unread) < 10 * len(raw)


def test_an_item_set_aside_from_a_long_list_keeps_its_own_contact_only():
    others = [contact(15551230000 + i) for i in range(100)]
    raw = delivery_of(text(timestamp="?"), contacts=others)
    assert len(json.dumps(others)) > LONGEST_CONTACTS
    value = json.loads(parse_delivery(raw).unread[0].body)["entry"][0]["changes"][0]["value"]
    assert value["contacts"] == [contact(PHONE), {}]


def test_a_contact_left_in_a_shortened_list_is_not_taken_for_the_sender():
    """Without a name of its own a message is nobody's, though its words name one contact."""
    nameless = text(f"call me at {PHONE}")
    del nameless["from"]
    raw = delivery_of(nameless, contacts=[contact(15551230000 + i) for i in range(100)])
    unread = parse_delivery(raw).unread
    assert [item.code for item in unread] == ["no_name"]
    assert parse_delivery(unread[0].body).messages == ()


@pytest.mark.parametrize("depth", [500, 5_000, 200_000])
def test_nesting_of_any_depth_stops_no_other_message(depth):
    deep = delivery_of(text(), {"id": "DEEP"}, text("ok"))
    raw = deep.replace(b'{"id": "DEEP"}', b"[" * depth + b"]" * depth)
    delivery = parse_delivery(raw)
    assert [message.words[0].text for message in delivery.messages] == ["STOP", "ok"]
    assert [item.code for item in delivery.unread] == ["unreadable_message"]
    assert parse_delivery(delivery.unread[0].body).unread == delivery.unread


@pytest.mark.parametrize("depth", [2, 300, 5_000])
def test_standby_inside_standby_is_set_aside(depth):
    inner = b'{"messages":[]}'
    for _ in range(depth):
        inner = b'{"standby":' + inner + b"}"
    change = b'{"changes":[{"field":"standby","value":' + inner + b"}]}"
    raw = b'{"object":"whatsapp_business_account","entry":[' + change + b"]}"
    unread = parse_delivery(raw).unread
    assert [item.code for item in unread] == ["unreadable_change"]
    assert parse_delivery(unread[0].body).unread == unread


def test_nothing_in_the_result_keeps_the_body_alive():
    raw = delivery_of(text(), text(timestamp="?"), {"id": 1}, contacts=[contact(PHONE)])
    before = sys.getrefcount(raw)
    delivery = parse_delivery(raw)
    quick = parse_delivery(delivery_of(text()))
    assert sys.getrefcount(raw) == before
    assert {type(message.raw) for message in (*delivery.messages, *quick.messages)} == {bytes}


def test_a_message_carries_what_stood_around_it():
    value = {
        "metadata": {"display_phone_number": "15550009999", "phone_number_id": 100200300},
        "messages": [text(context={"id": "wamid.ours", "from": "15550009999"})],
    }
    change = {"field": "messages", "value": value}
    body = {"object": "whatsapp_business_account", "entry": [{"changes": [change]}]}
    message = parse_delivery(json.dumps(body).encode()).messages[0]
    assert message.number_id == "100200300"
    assert message.replies_to == "wamid.ours"
    assert message.names == Names(PHONE)
    assert json.loads(message.raw) == value["messages"][0]


def test_a_delivery_without_consent_equals_an_empty_one():
    assert parse_delivery(b'{"object":"whatsapp_business_account","entry":[]}') == Delivery()


def test_the_careful_way_needs_no_quick_one():
    raw = delivery_of(text(), text("ok"), contacts=[contact(PHONE)])
    assert read_carefully(raw) == parse_delivery(raw)


def test_refusals_have_codes_of_their_own():
    assert len({refusal.code for refusal in REFUSALS}) == len(REFUSALS)
    assert {refusal.status for refusal in REFUSALS} == {200, 401, 403, 404, 405, 408, 413, 503}
    assert all(refusal.remedy and refusal.__doc__ for refusal in REFUSALS)
    assert StoreUnavailable("queue full", retry_after=3).retry_after == 3
    assert NotADelivery.code in UNREAD_CODES


def test_a_field_is_either_read_or_ignored():
    assert not READ_FIELDS & IGNORED_FIELDS
