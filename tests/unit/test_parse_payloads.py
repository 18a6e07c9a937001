"""What each file in tests/payloads says: one row a file, and nothing beyond the row."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import pytest

from consent.model import Surface
from webhook.delivery import InboundMessage, Names
from webhook.parse import parse_delivery

PAYLOADS = Path(__file__).resolve().parents[1] / "payloads"

P, B, PARENT = "15551230001", "US.11112222333344445555", "US.ENT.12121212121212121212"
P2, B2 = "5511955500002", "BR.66667777888899990000"
N, NB = "15551239999", "US.99998888777766665555"  # what Anna is called after a change

ANNA = Names(P, B, None, "Anna")
BRUNO = Names(P2, B2, None, "Bruno")
NAMELESS = Names(P, B)  # Anna without her entry in contacts
AB, AN, BR = (P, B), (P, N), (P2, B2)


class Message(NamedTuple):
    """The part of an InboundMessage that a row tells; `raw` and ids are checked for all alike."""

    who: Names
    kind: str
    words: tuple[tuple[str, str], ...]
    field: str
    group: bool
    forwarded: bool


@dataclass(frozen=True)
class Says:
    """A row of the table; what it does not mention must not come out."""

    messages: list[Message] = field(default_factory=list)
    preferences: list[tuple[Names, str]] = field(default_factory=list)
    stopped: list[Names] = field(default_factory=list)
    renamed: list[tuple[Names, Names]] = field(default_factory=list)
    links: list[tuple[str, str]] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    ignored: dict[str, int] = field(default_factory=dict)


def text(words="STOP", who=ANNA, field="messages"):
    return Message(who, "text", ((Surface.TEXT, words),), field, False, False)


def other(kind, *words, who=ANNA, field="messages", group=False, forwarded=False):
    return Message(who, kind, words, field, group, forwarded)


def system(who):
    return other("system", who=who)


def bruno(words="parar"):
    return text(words, BRUNO)


SMS_STYLE = ((Surface.BUTTON_PAYLOAD, "UNSUB_7"), (Surface.BUTTON, "Stop promotions"))
PARAR = "Parar promoções"
OLD = "history"

TABLE: dict[str, Says] = {
    # who it is
    "text_stop_by_phone_and_bsuid": Says([text()], links=[AB]),
    "text_stop_by_phone_alone": Says([text(who=Names(P, profile="Anna"))]),
    "text_stop_by_bsuid_alone": Says([text(who=Names(None, B, None, "Anna", "@anna"))]),
    "bsuid_inside_from": Says([text(who=Names(None, B))]),
    "bsuid_inside_wa_id_of_a_contact": Says([text(who=Names(None, B, None, "Anna"))]),
    "parent_bsuid_too": Says(
        [text(who=Names(P, B, PARENT, "Anna"))], links=[AB, (P, PARENT), (B, PARENT)]
    ),
    "parent_bsuid_in_the_place_of_the_bsuid": Says([text(who=Names(None, None, PARENT))]),
    "phone_with_plus_and_spaces": Says([text(who=Names(P, profile="Anna"))]),
    "phone_as_a_number": Says([text(who=Names(P))]),
    "no_contacts": Says([text(who=NAMELESS)], links=[AB]),
    "contact_completes_the_message": Says([text()], links=[AB]),
    "contact_without_profile": Says([text(who=NAMELESS)], links=[AB]),
    "one_contact_and_a_message_without_a_name": Says([text()], links=[AB]),
    "two_contacts_and_a_message_without_a_name": Says(links=[AB, BR], unread=["no_name"]),
    "contacts_in_another_order_than_messages": Says([text(), bruno()], links=[BR, AB]),
    "message_and_contact_contradict": Says([text(who=Names(P, B2))], links=[AB, (P, B2)]),
    "two_contacts_under_one_phone": Says([text(who=Names(P))], links=[AB, (P, B2)]),
    "phone_too_short": Says(unread=["no_name"]),
    "empty_from": Says([text(who=Names(None, B, None, "Anna"))]),
    "user_id_that_is_no_bsuid": Says([text(who=Names(P))]),
    "no_name_at_all": Says(unread=["no_name"]),
    # what was said
    "button_payload_and_label": Says([other("button", *SMS_STYLE)], links=[AB]),
    "button_without_context": Says(
        [other("button", (Surface.BUTTON_PAYLOAD, PARAR), (Surface.BUTTON, PARAR))], links=[AB]
    ),
    "reply_button": Says(
        [other("interactive", (Surface.BUTTON_PAYLOAD, "stop-1"), (Surface.BUTTON, "Stop"))],
        links=[AB],
    ),
    "reply_button_with_a_number_as_id": Says(
        [other("interactive", (Surface.BUTTON_PAYLOAD, "1"), (Surface.BUTTON, "Stop"))], links=[AB]
    ),
    "list_row_without_its_description": Says(
        [other("interactive", (Surface.LIST_ROW_ID, "row-9"), (Surface.LIST_ROW, "Unsubscribe"))],
        links=[AB],
    ),
    "captions": Says(
        [other(kind, (Surface.CAPTION, f"stop {kind}")) for kind in ("image", "video", "document")],
        links=[AB],
    ),
    "image_without_caption": Says([other("image")], links=[AB]),
    "order_with_a_note": Says(
        [other("order", (Surface.TEXT, "please no more offers"))], links=[AB]
    ),
    "nothing_to_read": Says(
        [other(kind) for kind in ("audio", "sticker", "location", "request_welcome")], links=[AB]
    ),
    "reaction": Says([other("reaction"), other("reaction")], links=[AB]),
    "forwarded_stop": Says([other("text", forwarded=True)] * 2, links=[AB]),
    "stop_in_a_group": Says([other("text", group=True)], links=[AB]),
    "quoted_words_are_not_read": Says([text("ok")], links=[AB]),
    "referral_is_not_read": Says([text("hello")], links=[AB]),
    "flow_answer_is_not_read": Says([other("interactive")], links=[AB]),
    "empty_text": Says([other("text")], links=[AB]),
    "number_shared_on_request": Says(
        [other("contacts", who=Names(None, B, None, "Anna", "anna"))], links=[AB]
    ),
    "card_of_someone_else": Says([other("contacts", who=Names(None, B, None, "Anna", "anna"))]),
    "card_without_origin": Says([other("contacts", who=Names(None, B, None, "Anna", "anna"))]),
    "number_shared_on_request_then_forwarded": Says(
        [other("contacts", who=Names(None, B, None, "Anna", "anna"), forwarded=True)]
    ),
    "edit_to_stop": Says([other("edit", (Surface.TEXT, "STOP"))], links=[AB]),
    "edit_of_a_caption": Says([other("edit", (Surface.CAPTION, "no more messages"))], links=[AB]),
    "edit_of_a_forward": Says([other("edit", forwarded=True)], links=[AB]),
    "revoked_message": Says([other("revoke")], links=[AB]),
    "unsupported_poll": Says([other("unsupported")], links=[AB]),
    "unsupported_edit": Says([other("unsupported")], links=[AB], unread=["content_withheld"]),
    "unsupported_without_a_reason": Says([other("unsupported")], links=[AB]),
    "unknown_message_type": Says([other("hologram")], links=[AB]),
    "message_without_type": Says([other("unknown", (Surface.TEXT, "STOP"))], links=[AB]),
    "type_that_is_not_a_string": Says([other("unknown", (Surface.TEXT, "STOP"))], links=[AB]),
    # what is broken
    "timestamp_in_milliseconds": Says([text()], links=[AB]),
    "timestamp_as_a_number": Says([text()], links=[AB]),
    "timestamp_before_whatsapp": Says(links=[AB], unread=["bad_timestamp"]),
    "timestamp_that_is_none": Says(links=[AB], unread=["bad_timestamp"] * 2),
    "message_without_id": Says(links=[AB], unread=["unreadable_message"] * 2),
    "half_an_emoji": Says([text("STOP \ud83d")], links=[AB]),
    "half_an_emoji_in_one_message_of_three": Says(
        [
            text(who=Names(P, B, None, "Anna \ud83d")),
            bruno("\ud83d"),
            text("\ude00\ud83d parar", Names(P, B, None, "Anna \ud83d")),
        ],
        links=[AB, BR],
    ),
    "half_an_emoji_in_a_skipped_part": Says(
        [other("image", (Surface.CAPTION, "stop"))], links=[AB]
    ),
    "nul_in_the_text": Says([text("ST\0OP")], links=[AB]),
    "escapes_and_slashes": Says([text('párar 🛑 a/b "c" \\')], links=[AB]),
    "bad_utf8_in_one_message": Says([text(), text("\ufffd\ufffd parar")], links=[AB]),
    "nested_too_deep_in_one_message": Says(
        [text(), text("parar")], links=[AB], unread=["unreadable_message"]
    ),
    "one_bad_message_among_good": Says(
        [text(), bruno(), text("ok")], links=[AB, BR], unread=["unreadable_message"] * 3
    ),
    "broken_side_part": Says([text()], links=[AB]),
    "text_that_is_no_object": Says(links=[AB], unread=["unreadable_message"]),
    "context_that_is_no_object": Says(links=[AB], unread=["unreadable_message"]),
    "numbers_beyond_doubles": Says([text()], links=[AB]),
    "same_message_twice": Says([text(), text()], links=[AB]),
    "one_key_twice": Says([text()], links=[AB]),
    "contacts_are_no_list": Says([text(who=NAMELESS)], links=[AB], unread=["unreadable_contact"]),
    "one_bad_contact_among_good": Says(
        [text(), bruno()], links=[AB, BR], unread=["unreadable_contact"]
    ),
    "metadata_is_no_object": Says([text()], links=[AB], ignored={"unreadable_metadata": 1}),
    "metadata_is_missing": Says([text()], links=[AB]),
    "messages_are_no_list": Says(links=[AB], unread=["unreadable_change"]),
    # while Meta's agent holds the thread
    "stop_while_the_agent_holds_the_thread": Says([text("stop", field="standby")], links=[AB]),
    "same_message_on_messages_and_standby": Says(
        [text(), text(who=NAMELESS, field="standby")], links=[AB]
    ),
    "standby_echoes_and_statuses": Says(ignored={"message_echoes": 2, "statuses": 1}),
    "stopped_at_meta_while_the_agent_holds_the_thread": Says(stopped=[Names(P)]),
    "bad_message_while_the_agent_holds_the_thread": Says(
        [text(field="standby")], links=[AB], unread=["unreadable_message"]
    ),
    "standby_without_a_member_we_know": Says(unread=["unreadable_change"]),
    "standby_beside_messages": Says([text(), text("parar", NAMELESS, "standby")], links=[AB]),
    # statuses
    "ordinary_statuses": Says(links=[BR, AB, (P, PARENT), (B, PARENT)], ignored={"statuses": 3}),
    "stopped_at_meta": Says(stopped=[NAMELESS], links=[AB]),
    "stopped_at_meta_by_bsuid_alone": Says(stopped=[Names(None, B, PARENT)], links=[(B, PARENT)]),
    "stopped_at_meta_with_the_code_as_text": Says(stopped=[Names(P)]),
    "stopped_at_meta_among_other_statuses": Says(stopped=[Names(P2)], ignored={"statuses": 3}),
    "stopped_at_meta_without_a_name": Says(links=[AB], unread=["no_name"]),
    "stopped_at_meta_without_a_time": Says(unread=["bad_timestamp"]),
    "statuses_of_a_group": Says(links=[AB], ignored={"group_statuses": 2}),
    "status_of_another_form": Says(unread=["unreadable_status"] * 2, ignored={"statuses": 1}),
    "messages_statuses_and_errors_together": Says(
        [text()], links=[AB], ignored={"statuses": 1, "errors": 1}
    ),
    "errors_alone": Says(ignored={"errors": 1}),
    # the switch inside WhatsApp
    "preference_stop": Says(preferences=[(ANNA, "stop")], links=[AB]),
    "preference_resume_by_bsuid_alone": Says(
        preferences=[(Names(None, B, None, "Anna", "anna"), "resume")]
    ),
    "preference_signup": Says(preferences=[(ANNA, "signup")], links=[AB]),
    "preference_of_another_value": Says(
        preferences=[(ANNA, "stop")], links=[AB], unread=["unknown_preference"] * 2
    ),
    "preference_of_another_category": Says(links=[AB], unread=["unknown_preference"] * 2),
    "preference_of_the_only_contact": Says(preferences=[(ANNA, "stop")], links=[AB]),
    "preference_without_a_name": Says(unread=["no_name"]),
    "preference_without_a_time": Says(links=[AB], unread=["bad_timestamp"]),
    "preference_of_another_form": Says(links=[AB], unread=["unreadable_preference"] * 2),
    # names that change
    "number_changed_with_bsuids": Says(
        [system(Names(P, B, PARENT))],
        renamed=[(Names(P, B, PARENT), Names(N, NB, "US.ENT.9"))],
        links=[(N, NB), (N, "US.ENT.9"), (NB, "US.ENT.9")],
    ),
    "number_changed_and_the_old_one_withheld": Says(
        [system(Names(None, B))], renamed=[(Names(None, B), Names(N, NB))], links=[(N, NB)]
    ),
    "bsuid_changed": Says([system(Names(None, B))], renamed=[(Names(None, B), Names(None, NB))]),
    "bsuid_changed_with_the_old_one_as_sender": Says(
        [system(Names(None, B))], renamed=[(Names(None, B), Names(None, NB))]
    ),
    "bsuid_changed_and_the_old_one_only_in_the_body": Says(
        [system(Names(None, NB))], unread=["predecessor_missing"]
    ),
    "number_changed_before_bsuids": Says([system(Names(P))], renamed=[(Names(P), Names(N))]),
    "number_changed_in_the_older_form": Says([system(Names(P))], renamed=[(Names(P), Names(N))]),
    "number_changed_in_the_oldest_form": Says([system(Names(P))], renamed=[(Names(P), Names(N))]),
    "number_changed_and_only_the_new_one_told": Says(
        [system(Names(N))], unread=["predecessor_missing"]
    ),
    "number_changed_and_only_the_old_one_told": Says(
        [system(Names(P))], unread=["successor_missing"]
    ),
    "number_changed_and_nobody_told": Says(unread=["no_name"]),
    "new_device_is_no_change": Says([system(Names(P, profile="Anna"))]),
    "unknown_notice_with_both_names": Says(
        [system(Names(None, B))], renamed=[(Names(None, B), Names(None, NB))]
    ),
    "unknown_notice": Says([system(Names(P))]),
    "notice_in_a_group": Says([other("system", who=Names(P), group=True)]),
    "bsuid_changed_next_to_a_message_of_another": Says(
        [text(who=BRUNO), system(Names(None, B))],
        renamed=[(Names(None, B), Names(None, NB))],
        links=[BR],
    ),
    "user_id_update": Says(renamed=[(Names(None, B, PARENT), Names(N, NB, "US.ENT.9"))]),
    "user_id_update_without_a_side": Says(
        unread=[
            "predecessor_missing",
            "successor_missing",
            "bad_timestamp",
            "unreadable_name_change",
        ]
    ),
    # old conversations
    "history_in_both_directions": Says(
        [text(who=Names(P), field=OLD), text("parar", Names(P2), OLD)], ignored={"history_sent": 2}
    ),
    "history_of_a_username": Says(
        [
            text(who=Names(None, B, None, None, "anna"), field=OLD),
            text("parar", Names(P2, B2), OLD),
        ],
        links=[BR],
        ignored={"history_sent": 1},
    ),
    "history_of_unclear_direction": Says(unread=["unclear_direction"] * 6),
    "history_with_the_business_number_written_otherwise": Says(
        [text("parar", Names(P2), OLD)], ignored={"history_sent": 1}
    ),
    "history_media_outside_of_threads": Says(
        [other("image", (Surface.CAPTION, "stop"), who=NAMELESS, field=OLD)],
        links=[AB],
        unread=["unclear_direction"],
        ignored={"history_sent": 1, "message_echoes": 1},
    ),
    "history_declined": Says(ignored={"errors": 1}),
    "history_with_broken_parts": Says(
        [text(who=Names(P), field=OLD)],
        unread=["unreadable_message", "bad_timestamp"] + ["unreadable_change"] * 3,
    ),
    "history_with_a_broken_chunk": Says(unread=["unreadable_change"] * 2),
    # what the business itself wrote
    "echoes_in_the_value": Says(ignored={"message_echoes": 1}),
    "echoes_from_the_phone_app": Says(ignored={"smb_message_echoes": 1}),
    # the envelope
    "unknown_field": Says([text("ok")], links=[AB], unread=["unknown_field"]),
    "field_missing": Says([text()], links=[AB]),
    "field_missing_and_nothing_known": Says(unread=["unknown_field"]),
    "field_that_is_not_a_string": Says([text()], links=[AB]),
    "operational_fields": Says(
        ignored={
            "account_update": 1,
            "flows": 1,
            "calls": 2,
            "security": 1,
            "messaging_handovers": 1,
            "smb_app_state_sync": 1,
            "group_participants_update": 1,
        }
    ),
    "template_id_beyond_doubles": Says(ignored={"message_template_status_update": 1}),
    "field_and_content_disagree": Says([text()], preferences=[(ANNA, "stop")], links=[AB]),
    "value_missing": Says(unread=["unreadable_change"] * 3),
    "value_without_items": Says(links=[AB], ignored={"empty": 2}),
    "value_with_unknown_items": Says(unread=["unreadable_change"]),
    "unknown_member_beside_messages": Says([text()], links=[AB]),
    "entry_without_changes": Says([text()], links=[AB], unread=["unreadable_change"] * 2),
    "entry_empty": Says(),
    "changes_empty": Says(),
    "other_object": Says(ignored={"other_object": 1}),
    "object_missing": Says([text()], links=[AB]),
    "several_entries_and_fields": Says(
        [text(), bruno()],
        preferences=[(Names(P), "stop")],
        links=[AB, BR],
        ignored={"account_update": 1},
    ),
}


def told(message: InboundMessage) -> Message:
    words = tuple((spoken.surface, spoken.text) for spoken in message.words)
    who, kind, field = message.names, message.kind, message.field
    return Message(who, kind, words, field, message.group, message.forwarded)


def said_by(raw: bytes) -> Says:
    delivery = parse_delivery(raw)
    return Says(
        [told(message) for message in delivery.messages],
        [(moved.names, moved.value) for moved in delivery.preferences],
        [stopped.names for stopped in delivery.stopped_at_meta],
        [(change.old, change.new) for change in delivery.name_changes],
        list(delivery.links),
        [item.code for item in delivery.unread],
        dict(delivery.ignored),
    )


def test_every_file_has_its_row() -> None:
    assert {path.stem for path in PAYLOADS.glob("*.json")} == TABLE.keys()


@pytest.mark.parametrize("name", TABLE)
def test_a_payload_says_its_row_and_nothing_else(name: str) -> None:
    assert said_by((PAYLOADS / f"{name}.json").read_bytes()) == TABLE[name]


@pytest.mark.parametrize("name", TABLE)
def test_ids_times_and_bytes_come_through(name: str) -> None:
    raw = (PAYLOADS / f"{name}.json").read_bytes()
    delivery = parse_delivery(raw)
    dated = (*delivery.messages, *delivery.preferences, *delivery.stopped_at_meta)
    for item in (*dated, *delivery.name_changes):
        assert item.raw in raw
        assert item.said_at == 1750000000
    for message in (*delivery.messages, *delivery.stopped_at_meta):
        assert f'"{message.message_id}"'.encode() in message.raw


@pytest.mark.parametrize("name", TABLE)
def test_what_was_set_aside_can_be_fed_in_again(name: str) -> None:
    """Alone, an unread item gives the same reason again, its own bytes, and no other item."""
    raw = (PAYLOADS / f"{name}.json").read_bytes()
    for unread in parse_delivery(raw).unread:
        again = parse_delivery(unread.body)
        assert [(item.code, item.body) for item in again.unread] == [(unread.code, unread.body)]
        assert again.preferences == again.stopped_at_meta == again.name_changes == ()
        assert len(again.messages) <= 1
