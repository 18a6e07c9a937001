import asyncio
import hashlib
import json
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.model import Surface, Switch
from consent.verdict import Policy
from db.contact_keys import ContactKeys
from db.sealing import CannotOpen, Sealer, Use, key_number, place
from intake.acts import Action
from intake.app import App, NoDataKeyError
from intake.reading import FAR_AHEAD, clamp, primary, read, term_id
from intake.take_in import retry, take_in
from keywords.decision import NOTHING, Decision, Intent, Tier
from keywords.matcher import load_matcher
from keywords.own import OwnTerm, OwnWords
from webhook.delivery import Names
from webhook.parse import parse_delivery

DAY = date(2025, 6, 15)
NOW = datetime(2025, 6, 15, 15, 6, 40, 500000, tzinfo=UTC)
SAID = 1750000000  # 2025-06-15 15:06:40
PHONE, BSUID, PARENT = "15551230001", "US.1111222233334444", "US.ENT.5555666677778888"
NEW_PHONE, NEW_BSUID = "15559870002", "US.9999888877776666"
BRAZILIAN, BRAZILIAN_FORM = "5511987654321", "551187654321"
NUMBER_ID, WAMID = "100200300400500", "wamid.HBgLMTU1NTEyMzAwMDE="
REAL = load_matcher()


def sure(intent, switch=Switch.ALL, tier=Tier.CERTAIN, term="halt"):
    return Decision(intent, tier, switch, term, "xx", (0, 4))


DECISIONS = {
    "stop": sure(Intent.OPT_OUT),
    "stop ads": sure(Intent.OPT_OUT, Switch.MARKETING),
    "stop receipts": sure(Intent.OPT_OUT, Switch.TRANSACTIONAL),
    "stop?": sure(Intent.OPT_OUT, tier=Tier.LIKELY),
    "stop ads?": sure(Intent.OPT_OUT, Switch.MARKETING, tier=Tier.LIKELY),
    "start": sure(Intent.OPT_IN),
    "start ads": sure(Intent.OPT_IN, Switch.MARKETING),
    "start?": sure(Intent.OPT_IN, tier=Tier.LIKELY),
    "help": sure(Intent.HELP, None),
    "help?": sure(Intent.HELP, None, Tier.LIKELY),
    "stop of no switch": sure(Intent.OPT_OUT, None),
    "start of no switch": sure(Intent.OPT_IN, None),
}


class FakeMatcher:
    """Knows a few words by heart, and keeps what it was asked."""

    version = "2025.1"
    digest = "d1ge57"

    def __init__(self, **decisions):
        self.decisions = {**DECISIONS, **decisions}
        self.asked = []

    def decide(self, text, *, surface, languages, country):
        self.asked.append((text, surface, languages, country))
        return self.decisions.get(text, NOTHING)


class BrokenMatcher(FakeMatcher):
    def decide(self, text, **_):
        raise RuntimeError(text)


def app_of(policy=None, *, app_id=7, loaded=True):
    keys = {key_number(use, DAY): bytes([use] * 32) for use in Use} if loaded else {}
    return App(
        app_id=app_id,
        slug="demo",
        policy=policy or Policy(),
        languages=("en", "pt"),
        keys=ContactKeys(bytes(range(32)), app_id),
        sealer=Sealer(app_id, keys),
        day=lambda: DAY,
    )


def text(words="stop", *, said=SAID, wamid=WAMID, **names):
    names = names or {"from": PHONE, "from_user_id": BSUID}
    return {**names, "id": wamid, "timestamp": str(said), "type": "text", "text": {"body": words}}


def button(payload, label):
    said = {"from": PHONE, "id": WAMID, "timestamp": str(SAID), "type": "button"}
    return {**said, "button": {"payload": payload, "text": label}}


def body_of(*messages, field="messages", key="messages", metadata=NUMBER_ID, **more):
    value = {"metadata": {"phone_number_id": metadata}, key: list(messages), **more}
    entry = {"changes": [{"field": field, "value": value}]}
    return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()


def taken_of(body, *, app=None, matcher=None, now=NOW):
    return read(app or app_of(), matcher or FakeMatcher(), parse_delivery(body), body, now)


def item_of(message, **more):
    [item] = taken_of(body_of(message), **more).items
    return item


def act_of(message, **more):
    [act] = item_of(message, **more).acts
    return act


def opened(item, app=None, table="message"):
    app = app or app_of()
    key = item.message_key if table == "message" else item.item_key
    return app.sealer.open(item.sealed, place(table, "sealed", app.app_id, key))


def preference(value, **more):
    part = {"value": value, "category": "marketing_messages", "timestamp": SAID, "wa_id": PHONE}
    return body_of({**part, **more}, field="user_preferences", key="user_preferences")


def stopped_at_meta():
    status = {"id": WAMID, "status": "failed", "recipient_id": PHONE, "timestamp": str(SAID)}
    return body_of({**status, "errors": [{"code": 131050}]}, key="statuses")


def renamed(**system):
    told = {"type": "user_changed_number", "wa_id": NEW_PHONE, "user_id": NEW_BSUID}
    told = {**told, "previous_user_id": BSUID, **system}
    said = {"id": WAMID, "timestamp": str(SAID), "type": "system", "from": PHONE}
    return body_of({**said, "system": told})


# What is kept of a message


def test_a_message_is_kept_as_it_was_delivered_and_sealed():
    app, message = app_of(), text("Wo bleibt mein Paket?")
    body = body_of(message)
    [item] = taken_of(body, app=app).items
    assert (item.said_at, item.kind, item.acts) == (SAID, "text", ())
    assert item.message_key == app.keys.message("message", WAMID)
    assert item.contact_key == app.keys.bsuid(BSUID)
    kept = {"field": "messages", **json.loads(opened(item))}
    assert kept == {
        "item": message,
        "wa_id": PHONE,
        "bsuid": BSUID,
        "field": "messages",
        "number_id": NUMBER_ID,
    }
    assert json.dumps(message).encode() in opened(item)
    for plain in (b"Paket", PHONE.encode(), BSUID.encode(), WAMID.encode()):
        assert plain not in item.sealed


def test_a_message_sealed_for_one_row_opens_in_no_other():
    app = app_of()
    one, other = taken_of(body_of(text(), text(wamid="wamid.other"))).items
    with pytest.raises(CannotOpen):
        app.sealer.open(one.sealed, place("message", "sealed", 7, other.message_key))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        pytest.param(text(), text(), True, id="delivered twice"),
        pytest.param(text("stop"), text("start"), True, id="one id is one message"),
        pytest.param(text(), text(wamid="wamid.other"), False, id="two messages"),
    ],
)
def test_a_message_is_known_again(one, other, same):
    assert (item_of(one).message_key == item_of(other).message_key) is same


def test_a_message_is_known_again_on_whatever_field_it_comes():
    item = item_of(text())
    [other] = taken_of(body_of(text(), field="standby")).items
    assert other.message_key == item.message_key
    assert json.loads(opened(other))["field"] == "standby"


def test_two_apps_know_one_contact_and_message_by_other_keys():
    one, other = item_of(text()), item_of(text(), app=app_of(app_id=8))
    assert one.contact_key != other.contact_key
    assert one.message_key != other.message_key


def test_bytes_that_are_no_text_are_kept_as_they_came():
    body = body_of(text("stop")).replace(b'"stop"', b'"stop \xff\xed\xa0\xbd"')
    [item] = taken_of(body).items
    assert b'"stop \xff\xed\xa0\xbd"' in opened(item)


@pytest.mark.parametrize(
    ("names", "name"),
    [
        pytest.param(Names(PHONE), PHONE, id="a phone alone"),
        pytest.param(Names(PHONE, BSUID, PARENT), BSUID, id="the BSUID belongs to one person"),
        pytest.param(Names(PHONE, None, PARENT), PARENT, id="so does a parent BSUID"),
        pytest.param(Names(None, BSUID), BSUID, id="a BSUID alone"),
    ],
)
def test_the_name_that_acts_are_recorded_under(names, name):
    assert primary(names) == name


def test_nothing_is_read_while_the_key_of_today_is_not_there():
    matcher = FakeMatcher()
    with pytest.raises(NoDataKeyError) as missing:
        taken_of(body_of(text()), app=app_of(loaded=False), matcher=matcher)
    assert missing.value.number == key_number(Use.MESSAGE, DAY)
    assert matcher.asked == []


def test_the_keys_that_are_missing_are_named():
    app = app_of(loaded=False)
    assert app.missing_numbers() == [key_number(use, DAY) for use in Use]
    for number in app.missing_numbers():
        app.sealer.add(number, bytes(32))
    assert app.missing_numbers() == []


# What the words ask for


@pytest.mark.parametrize(
    ("words", "closes", "action", "switch"),
    [
        pytest.param("stop", "all", "opt_out", "all", id="STOP closes everything"),
        pytest.param(
            "stop", "marketing", "opt_out", "marketing", id="or marketing, if the app says"
        ),
        pytest.param("stop ads", "all", "opt_out", "marketing", id="stop promotions"),
        pytest.param("stop ads", "marketing", "opt_out", "marketing", id="is marketing always"),
        pytest.param("stop receipts", "marketing", "opt_out", "transactional", id="receipts"),
        pytest.param("stop of no switch", "all", "opt_out", "all", id="a term of no switch"),
        pytest.param(
            "stop of no switch", "marketing", "opt_out", "marketing", id="as the app says"
        ),
        pytest.param("stop?", "all", "hold_opened", None, id="a likely stop holds"),
        pytest.param("stop ads?", "all", "hold_opened", None, id="and changes no consent"),
        pytest.param("start", "all", "opt_in", "all", id="START opens everything"),
        pytest.param("start", "marketing", "opt_in", "all", id="whatever STOP closes"),
        pytest.param("start ads", "all", "opt_in", "marketing", id="an opt-in to marketing"),
        pytest.param("start of no switch", "all", "opt_in", "all", id="an opt-in of no switch"),
        pytest.param("start?", "all", None, None, id="a likely start is nothing"),
        pytest.param("help", "all", None, None, id="a call for help is nothing"),
        pytest.param("help?", "all", None, None, id="however sure"),
        pytest.param("good morning", "all", None, None, id="and all else"),
    ],
)
def test_what_words_do(words, closes, action, switch):
    item = item_of(text(words), app=app_of(Policy(stop_closes=Switch(closes))))
    assert [(act.action, act.switch) for act in item.acts] == ([(action, switch)] if action else [])


@pytest.mark.parametrize(
    ("words", "closes", "asked"),
    [
        pytest.param("stop?", "all", "all", id="everything"),
        pytest.param("stop?", "marketing", "marketing", id="what STOP closes in this app"),
        pytest.param("stop ads?", "all", "marketing", id="what the words name"),
    ],
)
def test_a_hold_names_what_it_would_close(words, closes, asked):
    act = act_of(text(words), app=app_of(Policy(stop_closes=Switch(closes))))
    assert act.facts["asked"] == asked


OWN_STOP, OWN_START, OWN_HOLD, OWN_HELP = (
    OwnTerm(f"id-{intent}-{tier}", f"own {intent} {tier}", intent, tier, switch)
    for intent, tier, switch in (
        (Intent.OPT_OUT, Tier.CERTAIN, Switch.MARKETING),
        (Intent.OPT_IN, Tier.CERTAIN, Switch.ALL),
        (Intent.OPT_OUT, Tier.LIKELY, Switch.ALL),
        (Intent.HELP, Tier.CERTAIN, None),
    )
)
NO = None, None


@pytest.mark.parametrize(
    ("packs", "own", "came"),
    [
        pytest.param(None, OWN_STOP, ("opt_out", "own"), id="the packs know nothing"),
        pytest.param(None, OWN_START, ("opt_in", "own"), id="an opt-in"),
        pytest.param(None, OWN_HOLD, ("hold_opened", "own"), id="a likely stop"),
        pytest.param(None, OWN_HELP, NO, id="help"),
        pytest.param("stop", OWN_START, ("opt_out", "xx"), id="a stop stands beside an opt-in"),
        pytest.param("stop?", OWN_START, ("hold_opened", "xx"), id="a likely one too"),
        pytest.param("stop", OWN_STOP, ("opt_out", "xx"), id="of two alike the packs'"),
        pytest.param("stop", OWN_HOLD, ("opt_out", "xx"), id="a sure stop before a likely own"),
        pytest.param("stop?", OWN_STOP, ("opt_out", "own"), id="the app may be surer"),
        pytest.param("start", OWN_STOP, ("opt_out", "own"), id="a stop before a start"),
        pytest.param("start", OWN_HELP, ("opt_in", "xx"), id="a start before help"),
        pytest.param("help", OWN_START, ("opt_in", "own"), id="an opt-in before help"),
    ],
)
def test_own_words_beside_the_packs(packs, own, came):
    app = app_of()
    app.own_words = OwnWords([own], REAL.lexicon)
    matcher = FakeMatcher(**{own.say: DECISIONS.get(packs, NOTHING)})
    acts = item_of(text(own.say), app=app, matcher=matcher).acts
    assert [(act.action, act.facts["language"]) for act in acts] == ([came] if came[0] else [])
    for act in acts:
        by_own = act.facts["language"] == "own"
        assert act.facts.get("keyword") == (own.keyword_id if by_own else None)
        assert act.facts["pack"]["digest"] == "d1ge57"


def test_an_own_word_on_a_button_beside_its_payload():
    app = app_of()
    app.own_words = OwnWords([OWN_STOP], REAL.lexicon)
    act = act_of(button("start", OWN_STOP.say), app=app)
    assert (act.action, act.surface, act.switch) == ("opt_out", "button", "marketing")


def test_an_act_says_who_when_where_and_why():
    app, body = app_of(), body_of(text("stop ads", **{"from": PHONE, "from_user_id": BSUID}))
    [item] = taken_of(body, app=app).items
    [act] = item.acts
    assert act.contact_key == item.contact_key == app.keys.bsuid(BSUID)
    assert act.names == {"wa_id": PHONE, "bsuid": BSUID}
    assert act.said_at == datetime(2025, 6, 15, 15, 6, 40, tzinfo=UTC)
    assert (act.surface, act.actor, act.clamped) == (Surface.TEXT, "contact", False)
    assert act.facts == {
        "tier": "certain",
        "language": "xx",
        "term": term_id(DECISIONS["stop ads"]),
        "pack": {"version": "2025.1", "digest": "d1ge57"},
        "field": "messages",
    }
    raw = act.proof["item"]
    assert act.proof == {
        "words": "stop ads",
        "span": [0, 4],
        "term": "halt",
        "number_id": NUMBER_ID,
        "item": raw,
        "delivery": hashlib.sha256(body).hexdigest(),
    }
    assert raw.encode() in body


@pytest.mark.parametrize(
    ("payload", "label", "action", "surface"),
    [
        pytest.param("start", "stop", "opt_out", "button", id="a stop before a start"),
        pytest.param("stop", "start", "opt_out", "button_payload", id="wherever it stands"),
        pytest.param("start", "stop?", "hold_opened", "button", id="a likely stop before a start"),
        pytest.param("stop?", "stop", "opt_out", "button", id="a sure stop before a likely one"),
        pytest.param("stop", "stop?", "opt_out", "button_payload", id="in either order"),
        pytest.param("start?", "start", "opt_in", "button", id="a sure start before a likely one"),
        pytest.param("help", "start", "opt_in", "button", id="a start before a call for help"),
        pytest.param("stop", "stop", "opt_out", "button_payload", id="of two alike the first"),
        pytest.param("order 7", "stop", "opt_out", "button", id="one of two says something"),
        pytest.param("help", "start?", None, None, id="neither is anything"),
    ],
)
def test_the_words_that_weigh_most_decide(payload, label, action, surface):
    acts = item_of(button(payload, label)).acts
    assert [(act.action, act.surface) for act in acts] == ([(action, surface)] if action else [])


@pytest.mark.parametrize(
    ("names", "country"),
    [
        pytest.param({"from": BRAZILIAN, "from_user_id": BSUID}, "BR", id="by phone first"),
        pytest.param({"from_user_id": BSUID}, "US", id="else by BSUID"),
        pytest.param({"from": "21012345"}, None, id="or not at all"),
    ],
)
def test_the_matcher_is_told_languages_and_country(names, country):
    matcher = FakeMatcher()
    item_of(text("hello", **names), matcher=matcher)
    assert matcher.asked == [("hello", Surface.TEXT, ("en", "pt"), country)]


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(text(context={"forwarded": True}, **{"from": PHONE}), id="a forward"),
        pytest.param(text(group_id="G1", **{"from": PHONE}), id="a group"),
        pytest.param({**text("stop"), "type": "reaction"}, id="a reaction"),
        pytest.param(text(""), id="an empty text"),
    ],
)
def test_words_that_are_not_to_be_read_are_kept_and_not_read(message):
    matcher = FakeMatcher()
    assert item_of(message, matcher=matcher).acts == ()
    assert matcher.asked == []


@pytest.mark.parametrize(
    ("words", "acts"),
    [
        pytest.param("STOP", [("opt_out", "all")], id="stop"),
        pytest.param("Stop promotions please", [("opt_out", "marketing")], id="stop promotions"),
        pytest.param("START", [("opt_in", "all")], id="start"),
        pytest.param("stop by tomorrow", [], id="stop by tomorrow"),
        pytest.param("Where is my parcel", [], id="a question"),
    ],
)
def test_with_the_real_words(words, acts):
    item = item_of(text(words), matcher=REAL)
    assert [(act.action, act.switch) for act in item.acts] == acts
    for act in item.acts:
        assert act.facts["pack"] == {"version": REAL.version, "digest": REAL.digest}
        assert act.facts["tier"] == "certain"


def test_a_term_is_named_by_an_id_that_shows_no_word():
    name = term_id(sure(Intent.OPT_OUT, term="abmelden"))
    assert name == hashlib.sha256(b"xx|abmelden").hexdigest()[:16]
    assert name != term_id(sure(Intent.OPT_OUT, term="austragen"))
    assert len(term_id(sure(Intent.OPT_OUT, term="रोकें"))) == 16


# When it was said


@pytest.mark.parametrize(
    ("ahead", "taken", "clamped", "row"),
    [
        pytest.param(-3600, -3600, False, -3600, id="an hour ago"),
        pytest.param(-700 * 86400, -700 * 86400, False, -700 * 86400, id="two years, out of a log"),
        pytest.param(0, 0, False, 0, id="now"),
        pytest.param(300, 300, False, 300, id="five minutes ahead"),
        pytest.param(301, 0, True, 301, id="a second more is taken as now, its row stays"),
        pytest.param(10**9, 0, True, FAR_AHEAD - SAID, id="a generation ahead has a fixed row"),
    ],
)
def test_a_stamp_ahead_is_clamped_to_our_clock(ahead, taken, clamped, row):
    item = item_of(text(said=SAID + ahead))
    [act] = item.acts
    assert act.said_at == datetime.fromtimestamp(SAID + taken, UTC)
    assert act.said_at.microsecond == 0
    assert act.clamped is clamped
    assert item.said_at == SAID + row
    assert clamp(SAID + ahead, NOW) == (act.said_at, clamped)


def test_a_stamp_ahead_is_the_same_row_when_it_comes_again():
    one = item_of(text(said=9_999_999_999))
    other = item_of(text(said=9_999_999_999), now=NOW + timedelta(days=7))
    assert (one.message_key, one.said_at) == (other.message_key, other.said_at)


@given(st.integers(1230768000, 9_999_999_999))
def test_no_act_is_later_than_five_minutes_ahead(said):
    at, clamped = clamp(said, NOW)
    assert at <= NOW + timedelta(seconds=300)
    assert clamped or at.timestamp() == said


# The switch inside WhatsApp


@pytest.mark.parametrize(
    ("value", "action", "switch"),
    [
        pytest.param("stop", "opt_out", "native_marketing", id="a stop closes its own switch"),
        pytest.param("resume", "opt_in", "native_marketing", id="a resume opens no other"),
        pytest.param("signup", "opt_in", "marketing", id="a signup link is an opt-in to us"),
    ],
)
@pytest.mark.parametrize("closes", [Switch.ALL, Switch.MARKETING])
def test_preferences(value, action, switch, closes):
    app = app_of(Policy(stop_closes=closes))
    [item] = taken_of(preference(value, signup_id="30030"), app=app).items
    [act] = item.acts
    assert (act.action, act.switch, act.surface) == (action, switch, Surface.PREFERENCE)
    assert act.facts == {"value": value, "field": "user_preferences"}
    assert act.proof["signup_id"] == "30030"
    assert (item.kind, item.said_at) == ("preference", SAID)
    assert item.contact_key == app.keys.phone(PHONE)
    assert json.loads(opened(item))["field"] == "user_preferences"


@pytest.mark.parametrize(
    ("other", "same"),
    [
        pytest.param(preference("stop"), True, id="it comes again"),
        pytest.param(preference("resume"), False, id="another value"),
        pytest.param(preference("stop", timestamp=SAID + 1), False, id="another time"),
        pytest.param(preference("stop", wa_id=NEW_PHONE), False, id="another contact"),
    ],
)
def test_a_preference_has_no_id_and_is_known_again_by_what_it_says(other, same):
    [one], [two] = taken_of(preference("stop")).items, taken_of(other).items
    assert (one.message_key == two.message_key) is same


def test_a_send_that_meta_refused_closes_the_native_switch_alone():
    [item] = taken_of(stopped_at_meta()).items
    [act] = item.acts
    assert (act.action, act.switch) == (Action.OPT_OUT, Switch.NATIVE_MARKETING)
    assert (act.surface, act.facts["error"]) == (Surface.SEND_ERROR, 131050)
    assert item.kind == "send_error"
    assert item.message_key != item_of(text()).message_key


# Who they are


def test_names_in_one_delivery_are_linked():
    keys = app_of().keys
    [link] = taken_of(body_of(text())).links
    assert {link.contact_key, link.other_key} == {keys.phone(PHONE), keys.bsuid(BSUID)}
    assert link.contact_key < link.other_key
    assert (link.kind, link.since) == ("same", int(NOW.timestamp()))


def test_a_bsuid_is_linked_to_the_other_form_of_the_phone_for_opt_outs():
    keys = app_of().keys
    links = taken_of(body_of(text(**{"from": BRAZILIAN, "from_user_id": BSUID}))).links
    assert {(link.contact_key, link.other_key) for link in links if link.kind == "form"} == {
        (keys.bsuid(BSUID), keys.phone(BRAZILIAN_FORM))
    }
    assert len(links) == 2


def test_a_phone_alone_is_linked_to_nobody():
    assert taken_of(body_of(text(**{"from": BRAZILIAN}))).links == []


def test_a_changed_name_is_entered_for_the_new_name_and_points_at_the_old():
    keys = app_of().keys
    items = {item.kind: item for item in taken_of(renamed()).items}
    [act] = items["name_change"].acts
    assert (act.action, act.actor, act.surface) == ("name_changed", "whatsapp", "system")
    assert act.contact_key == items["name_change"].contact_key == keys.bsuid(NEW_BSUID)
    assert act.left_key == keys.bsuid(BSUID)
    assert act.names == {"wa_id": NEW_PHONE, "bsuid": NEW_BSUID}
    assert act.left_names == {"wa_id": PHONE, "bsuid": BSUID}
    assert set(act.changes) == {
        (keys.name(old), keys.name(new)) for old in (PHONE, BSUID) for new in (NEW_PHONE, NEW_BSUID)
    }
    assert act.switch is None
    assert items["system"].acts == ()


def test_a_bsuid_that_stayed_is_not_left():
    keys = app_of().keys
    taken = taken_of(renamed(user_id=BSUID))
    [act] = next(item.acts for item in taken.items if item.kind == "name_change")
    assert keys.bsuid(BSUID) not in {old for old, _ in act.changes}
    assert act.left_key == keys.phone(PHONE)


# What could not be read


def test_an_unread_item_is_set_aside_sealed_and_stops_no_other():
    app = app_of()
    body = body_of({"id": "wamid.bad", "from": PHONE, "timestamp": "soon"}, text())
    taken = taken_of(body, app=app)
    assert [len(item.acts) for item in taken.items] == [1]
    [row] = taken.unread
    assert row.code == "bad_timestamp"
    whole = opened(row, app, "quarantine")
    assert b"wamid.bad" in whole
    assert row.item_key == app.keys.item(whole)
    assert PHONE.encode() not in row.sealed
    assert PHONE not in row.reason


class Kept:
    """Stands in for the recorder: keeps what it is given."""

    def __init__(self):
        self.intakes = []

    def record(self, _app, intake):
        self.intakes.append(intake)
        done = asyncio.get_running_loop().create_future()
        done.set_result(None)
        return done


async def no_key(_app, _number):
    raise AssertionError("all keys are there")


def run(door, body, matcher=None, load_key=no_key, app=None):
    recorder = Kept()
    coming = door(
        app or app_of(),
        body,
        matcher=matcher or FakeMatcher(),
        recorder=recorder,
        load_key=load_key,
    )
    return asyncio.run(coming), recorder.intakes


@pytest.mark.parametrize(
    ("body", "matcher", "code"),
    [
        pytest.param(b"\xff\x00{", FakeMatcher(), "not_a_delivery", id="no delivery at all"),
        pytest.param(body_of(text()), BrokenMatcher(), "not_read", id="a fault of ours"),
    ],
)
def test_a_body_we_cannot_read_is_set_aside_whole(body, matcher, code):
    _, [intake] = run(take_in, body, matcher)
    [row] = intake.unread
    assert (row.code, intake.items, intake.links) == (code, [], [])
    assert opened(row, table="quarantine") == body
    assert "stop" not in row.reason


def test_a_delivery_that_says_nothing_is_not_written():
    assert run(take_in, body_of()) == (None, [])


def test_keys_of_today_are_fetched_before_a_delivery_is_read():
    fetched = []

    async def load(app, number):
        fetched.append(number)
        app.sealer.add(number, bytes(32))

    _, [intake] = run(take_in, body_of(text()), load_key=load, app=app_of(loaded=False))
    assert fetched == [key_number(use, DAY) for use in Use]
    assert len(intake.items) == 1


@pytest.mark.parametrize(
    ("body", "read_now", "recorded"),
    [
        pytest.param(body_of(text()), True, 1, id="now it can be read"),
        pytest.param(body_of({"id": "x", "timestamp": "soon"}), False, 0, id="still not"),
        pytest.param(b"{", False, 0, id="never a delivery"),
        pytest.param(body_of({"id": "x", "timestamp": "soon"}, text()), False, 1, id="half of it"),
    ],
)
def test_an_item_set_aside_is_fed_in_again(body, read_now, recorded):
    done, intakes = run(retry, body)
    assert done is read_now
    assert [len(intake.items) for intake in intakes] == [1] * recorded
    assert all(intake.unread == [] for intake in intakes)
