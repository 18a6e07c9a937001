import hashlib
import json
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.model import Clock, ConsentState, Surface, Switch
from consent.standing import NEVER_ASKED, Standing, join
from consent.verdict import Policy
from db.contact_keys import ContactKeys
from db.sealing import CannotOpen, Sealer, Use, key_number
from db.statements import HoldRow, NameChangeRow
from intake.acts import Act, Action
from intake.app import App
from intake.decide import SALT_BYTES, Before, Decided, decide, evidence_place, stamp
from intake.reading import read
from keywords.decision import Decision, Intent, Tier
from webhook.parse import parse_delivery

DAY = date(2025, 6, 15)
RECORDED = datetime(2025, 6, 15, 16, 0, tzinfo=UTC)
LANE = 4711
ALL, MARKETING = Switch.ALL, Switch.MARKETING
ANNA, BERT, MESSAGE = b"anna", b"bert", b"message"
REFS = {ANNA: UUID(int=1), BERT: UUID(int=2)}


def at(second):
    return datetime(2025, 6, 1, tzinfo=UTC) + timedelta(seconds=second)


def app_of(app_id=7):
    keys = {key_number(use, DAY): bytes([use] * 32) for use in Use}
    return App(
        app_id=app_id,
        slug="demo",
        policy=Policy(),
        languages=("en",),
        keys=ContactKeys(bytes(range(32)), app_id),
        sealer=Sealer(app_id, keys),
        day=lambda: DAY,
    )


def act(action=Action.OPT_OUT, second=5, *, key=ANNA, switch=ALL, **more):
    return Act(
        action, key, {"wa_id": "15551230001"}, at(second), Surface.TEXT, switch=switch, **more
    )


def hold(second=5, key=ANNA):
    return act(Action.HOLD_OPENED, second, key=key, switch=None)


def decided(*acts, standings=None, carried=None, number=1, app=None, refs=REFS):
    before = Before(refs, standings or {}, carried or {})
    pairs = [one if isinstance(one, tuple) else (MESSAGE, one) for one in acts]
    return decide(app or app_of(), pairs, before, lane=LANE, number=number, recorded_at=RECORDED)


def bodies(rows):
    return [json.loads(entry.body) for entry in rows.entries]


def told(state, **clocks):
    none = dict.fromkeys(Clock)
    return {"state": state, **none, **{clock: stamp(at(s)) for clock, s in clocks.items()}}


def clocks_of(row):
    return {
        Clock.OPTED_OUT: (row.opted_out_at, row.opted_out_lane, row.opted_out_number),
        Clock.OPTED_IN: (row.opted_in_at, row.opted_in_lane, row.opted_in_number),
        Clock.VOUCHED: (row.vouched_at, row.vouched_lane, row.vouched_number),
    }


def evidence_of(rows, index=0, app=None):
    row = rows.evidence[index]
    app = app or app_of()
    return app.sealer.open(row.sealed, evidence_place(app.app_id, row.lane, row.number))


UNTOUCHED = (None, None, None)


# Entries


def test_an_entry_tells_all_of_a_first_opt_out():
    said = act(facts={"tier": "certain", "term": "ab12"}, clamped=True)
    rows = decided(said, number=3)
    [entry] = rows.entries
    assert entry[:3] == (LANE, 3, REFS[ANNA])
    assert entry[3:8] == ("opt_out", "all", "opted_out_at", "contact", at(5))
    body = json.loads(entry.body)
    assert body.pop("evidence") == hashlib.sha256(evidence_of(rows)).hexdigest()
    assert body == {
        "schema": 1,
        "entry": [LANE, 3],
        "app": 7,
        "contact": str(REFS[ANNA]),
        "action": "opt_out",
        "switch": "all",
        "actor": "contact",
        "surface": "text",
        "said_at": "2025-06-01T00:00:05Z",
        "recorded_at": "2025-06-15T16:00:00Z",
        "clamped": True,
        "tier": "certain",
        "term": "ab12",
        "before": told("unknown"),
        "after": told("opted_out", opted_out_at=5),
        "moved": True,
    }


def test_the_body_is_json_with_sorted_keys_and_nothing_between():
    [entry] = decided(act(facts={"zebra": 1, "ape": {"b": 1, "a": 2}})).entries
    body = json.loads(entry.body)
    assert entry.body == json.dumps(body, sort_keys=True, separators=(",", ":")).encode()


@pytest.mark.parametrize(
    ("stood", "said", "after", "clock"),
    [
        pytest.param(
            NEVER_ASKED, act(Action.OPT_IN), told("opted_in", opted_in_at=5), "opted_in_at",
            id="a first opt-in",
        ),
        pytest.param(
            Standing(at(4)), act(Action.OPT_IN),
            told("opted_in", opted_out_at=4, opted_in_at=5), "opted_in_at",
            id="an opt-in lifts an opt-out",
        ),
        pytest.param(
            Standing(None, at(4), at(3)), act(Action.OPT_OUT),
            told("opted_out", opted_out_at=5, opted_in_at=4, vouched_at=3), "opted_out_at",
            id="an opt-out after an opt-in",
        ),
        pytest.param(
            Standing(at(9)), act(Action.OPT_IN),
            told("opted_out", opted_out_at=9, opted_in_at=5), "opted_in_at",
            id="a late opt-in moves its clock and not the state",
        ),
        pytest.param(
            Standing(at(1)), act(Action.OPT_OUT), told("opted_out", opted_out_at=5),
            "opted_out_at",
            id="a second opt-out moves the clock on",
        ),
    ],
)  # fmt: skip
def test_where_the_contact_stood_and_stands(stood, said, after, clock):
    rows = decided(said, standings={(ANNA, ALL): stood})
    [body] = bodies(rows)
    assert (body["after"], body["moved"]) == (after, True)
    assert body["before"]["state"] == stood.state.value
    assert rows.entries[0].clock == clock
    [row] = rows.clocks
    moved = {name: cells for name, cells in clocks_of(row).items() if cells != UNTOUCHED}
    assert (row.contact_key, row.switch, moved) == (ANNA, "all", {clock: (at(5), LANE, 1)})


@pytest.mark.parametrize(
    "stood",
    [
        pytest.param(Standing(at(9)), id="an act that comes late"),
        pytest.param(Standing(at(5)), id="an act of the same second"),
        pytest.param(Standing(at(9), at(10)), id="a late one that was lifted since"),
    ],
)
def test_a_late_act_is_entered_and_moves_nothing(stood):
    rows = decided(act(second=5), standings={(ANNA, ALL): stood})
    [body] = bodies(rows)
    assert body["moved"] is False
    assert body["before"] == body["after"]
    assert rows.clocks == []
    assert len(rows.evidence) == 1
    assert rows.entries[0].clock == "opted_out_at"


def test_each_act_sees_what_the_one_before_it_did():
    rows = decided(act(Action.OPT_OUT, 5), act(Action.OPT_IN, 6), act(Action.OPT_OUT, 4))
    assert [body["after"]["state"] for body in bodies(rows)] == [
        "opted_out",
        "opted_in",
        "opted_in",
    ]
    assert [body["moved"] for body in bodies(rows)] == [True, True, False]
    assert [body["before"] for body in bodies(rows)[1:]] == [
        body["after"] for body in bodies(rows)[:-1]
    ]
    [row] = rows.clocks
    assert clocks_of(row) == {
        Clock.OPTED_OUT: (at(5), LANE, 1),
        Clock.OPTED_IN: (at(6), LANE, 2),
        Clock.VOUCHED: UNTOUCHED,
    }


def test_contacts_and_switches_are_kept_apart():
    rows = decided(act(), act(key=BERT), act(switch=MARKETING))
    assert [body["before"]["state"] for body in bodies(rows)] == ["unknown"] * 3
    assert [(row.contact_key, row.switch) for row in rows.clocks] == [
        (ANNA, "all"),
        (ANNA, "marketing"),
        (BERT, "all"),
    ]


def test_entries_are_numbered_on_and_each_has_its_evidence():
    rows = decided(act(), hold(), act(second=3), number=41)
    assert [entry.number for entry in rows.entries] == [41, 42, 43]
    assert [body["entry"] for body in bodies(rows)] == [[LANE, 41], [LANE, 42], [LANE, 43]]
    assert [(row.lane, row.number) for row in rows.evidence] == [(LANE, n) for n in (41, 42, 43)]


def test_a_dismissed_hold_is_an_entry_and_nothing_else():
    rows = decided(
        act(Action.HOLD_DISMISSED, switch=None, actor="operator:x", facts={"review_of": [3, 4]})
    )
    [body] = bodies(rows)
    assert (body["action"], body["actor"]) == ("hold_dismissed", "operator:x")
    assert body["review_of"] == [3, 4]
    assert "after" not in body
    assert (rows.holds, rows.clocks, rows.name_changes) == ([], [], [])


def test_a_likely_stop_opens_a_hold_and_moves_no_clock():
    rows = decided((b"likely", hold(7)))
    assert rows.holds == [HoldRow(ANNA, b"likely", at(7), LANE, 1)]
    assert rows.clocks == []
    [entry] = rows.entries
    assert (entry.action, entry.switch, entry.clock) == ("hold_opened", None, None)
    assert "after" not in json.loads(entry.body)


def test_nothing_said_is_nothing_written():
    assert decided() == Decided()


# Changed names


def test_a_changed_name_is_entered_under_both_names():
    said = Act(
        Action.NAME_CHANGED, BERT, {}, at(5), Surface.SYSTEM, actor="whatsapp",
        left_key=ANNA, changes=((ANNA, BERT), (b"annas phone", BERT)),
    )  # fmt: skip
    rows = decided(said, carried={ANNA: {ALL: Standing(at(3)), MARKETING: Standing(None, at(2))}})
    new, old = rows.entries
    assert (new.action, new.contact_ref) == ("name_changed", REFS[BERT])
    assert (old.action, old.contact_ref) == ("name_left", REFS[ANNA])
    new_body, old_body = bodies(rows)
    assert new_body["from"] == str(REFS[ANNA])
    assert old_body["to"] == str(REFS[BERT])
    assert new_body["stood"] == {
        "all": told("opted_out", opted_out_at=3),
        "marketing": told("opted_in", opted_in_at=2),
    }
    assert new_body["actor"] == old_body["actor"] == "whatsapp"
    assert rows.name_changes == [
        NameChangeRow(ANNA, BERT, at(5), MESSAGE),
        NameChangeRow(b"annas phone", BERT, at(5), MESSAGE),
    ]
    assert rows.clocks == []
    assert len(rows.evidence) == 2
    assert new_body["evidence"] != old_body["evidence"]


def test_a_changed_name_of_one_who_never_said_a_thing():
    said = Act(Action.NAME_CHANGED, BERT, {}, at(5), Surface.SYSTEM, left_key=ANNA)
    assert bodies(decided(said))[0]["stood"] == {}


# Evidence

HALF = "\ud83d"


def test_evidence_is_a_salt_and_the_proof_and_the_entry_commits_to_it():
    rows = decided(act(proof={"words": "STOP"}))
    evidence = evidence_of(rows)
    assert len(evidence[:SALT_BYTES]) == 16
    assert json.loads(evidence[SALT_BYTES:]) == {"words": "STOP"}
    assert bodies(rows)[0]["evidence"] == hashlib.sha256(evidence).hexdigest()
    assert b"STOP" not in rows.evidence[0].sealed


def test_one_proof_twice_is_committed_to_by_two_hashes():
    rows = decided(act(proof={"words": "STOP"}), act(proof={"words": "STOP"}))
    one, other = (body["evidence"] for body in bodies(rows))
    assert one != other
    assert evidence_of(rows, 0)[:SALT_BYTES] != evidence_of(rows, 1)[:SALT_BYTES]
    bare = json.dumps({"words": "STOP"}).encode()
    assert hashlib.sha256(bare).hexdigest() not in (one, other)


def test_evidence_opens_for_its_own_entry_alone():
    app = app_of()
    rows = decided(act(), act())
    with pytest.raises(CannotOpen):
        app.sealer.open(rows.evidence[0].sealed, evidence_place(7, LANE, 2))
    with pytest.raises(CannotOpen):
        app.sealer.open(rows.evidence[0].sealed, evidence_place(8, LANE, 1))


@given(st.text(st.characters(), max_size=60))
def test_any_words_survive_into_the_proof(words):
    for text in (words, f"{words}{HALF}", f"{words}\x00", f"\udcff{words}"):
        rows = decided(act(proof={"words": text}))
        assert json.loads(evidence_of(rows)[SALT_BYTES:]) == {"words": text}


# From the delivery to the entry

PHONE, BSUID = "15551230001", "US.1111222233334444"
NEW_PHONE, NEW_BSUID = "15559870002", "US.9999888877776666"
WAMID, NUMBER_ID = "wamid.HBgLMTU1NTEyMzAwMDE=", "100200300400500"
PROFILE, USERNAME = "Rumpelstilz Wunderlich", "rumpel.w"
PLANTED = [PHONE, BSUID, NEW_PHONE, NEW_BSUID, WAMID, NUMBER_ID, PROFILE, USERNAME]


class EchoMatcher:
    """Takes every text for a certain stop, by a term that is the text."""

    version, digest = "2025.1", "d1ge57"

    def decide(self, text, **_):
        return Decision(Intent.OPT_OUT, Tier.CERTAIN, ALL, "abmeldewort", "xx", (0, len(text)))


def delivered(*items, field="messages", key="messages"):
    contact = {"wa_id": PHONE, "user_id": BSUID, "profile": {"name": PROFILE, "username": USERNAME}}
    value = {"metadata": {"phone_number_id": NUMBER_ID}, "contacts": [contact], key: list(items)}
    entry = {"changes": [{"field": field, "value": value}]}
    return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()


def entered(body):
    """The rows that all acts of a delivery come to."""
    app = app_of()
    taken = read(app, EchoMatcher(), parse_delivery(body), body, RECORDED)
    acts = [(item.message_key, act) for item in taken.items for act in item.acts]
    keys = {act.contact_key for _, act in acts} | {act.left_key for _, act in acts}
    refs = {key: UUID(int=number) for number, key in enumerate(key for key in keys if key)}
    return decided(*acts, refs=refs, app=app)


def text(words):
    said = {"from": PHONE, "from_user_id": BSUID, "id": WAMID, "timestamp": "1750000000"}
    return {**said, "type": "text", "text": {"body": words}}


STATUS = {
    "id": WAMID,
    "status": "failed",
    "recipient_id": PHONE,
    "timestamp": "1750000000",
    "errors": [{"code": 131050}],
}
PREFERENCE = {"value": "stop", "category": "marketing_messages", "timestamp": 1750000000}
SYSTEM = {"type": "user_changed_number", "wa_id": NEW_PHONE, "user_id": NEW_BSUID}


@pytest.mark.parametrize(
    ("body", "entries"),
    [
        pytest.param(delivered(text("Wortgeklingel")), 1, id="a text"),
        pytest.param(delivered(STATUS, key="statuses"), 1, id="a send that Meta refused"),
        pytest.param(
            delivered(
                {**PREFERENCE, "wa_id": PHONE, "signup_id": "Wortgeklingel"},
                field="user_preferences",
                key="user_preferences",
            ),
            1,
            id="the switch in WhatsApp",
        ),
        pytest.param(
            delivered(
                {
                    "from": PHONE,
                    "id": WAMID,
                    "timestamp": "1750000000",
                    "type": "system",
                    "system": {**SYSTEM, "previous_user_id": BSUID, "body": "Wortgeklingel"},
                }
            ),
            2,
            id="a changed name",
        ),
    ],
)
def test_an_entry_holds_no_name_no_number_and_no_word(body, entries):
    rows = entered(body)
    assert len(rows.entries) == entries
    app = app_of()
    keys = [app.keys.name(name) for name in PLANTED[:4]]
    for row in (*rows.entries, *rows.evidence):
        written = row.body if hasattr(row, "body") else row.sealed
        for planted in (*PLANTED, "Wortgeklingel", "abmeldewort"):
            assert planted.encode() not in written
        for key in keys:
            assert key not in written
            assert key.hex().encode() not in written
    for index in range(entries):
        assert PHONE.encode() in evidence_of(rows, index)


@pytest.mark.parametrize(
    "words",
    [
        pytest.param("STOP \ud83d", id="half an emoji"),
        pytest.param("STOP \x00 now", id="a NUL"),
        pytest.param("停止 توقف 🛑", id="many scripts"),
    ],
)
def test_words_of_a_delivery_are_in_the_proof_as_they_came(words):
    body = delivered(text(words))
    proof = json.loads(evidence_of(entered(body))[SALT_BYTES:])
    assert proof["words"] == words
    assert json.loads(proof["item"])["text"]["body"] == words
    assert proof["delivery"] == hashlib.sha256(body).hexdigest()


def test_bytes_that_are_no_utf8_can_be_had_back_from_the_proof():
    body = delivered(text("STOP")).replace(b'"STOP"', b'"STOP \xff\xed\xa0\xbd"')
    proof = json.loads(evidence_of(entered(body))[SALT_BYTES:])
    assert b'"STOP \xff\xed\xa0\xbd"' in proof["item"].encode("utf-8", "surrogateescape")


@given(st.text(st.characters(min_codepoint=0x100), min_size=3, max_size=30))
def test_no_words_get_into_an_entry(words):
    [entry] = entered(delivered(text(words))).entries
    assert entry.body.isascii()
    assert words.encode("utf-8", "surrogatepass") not in entry.body
    assert json.dumps(words)[1:-1].encode() not in entry.body


# Clocks

acts = st.lists(
    st.builds(
        act,
        st.sampled_from([Action.OPT_OUT, Action.OPT_IN]),
        st.integers(0, 8),
        key=st.sampled_from([ANNA, BERT]),
        switch=st.sampled_from([ALL, MARKETING]),
    ),
    max_size=8,
)
clocks = st.none() | st.integers(0, 8).map(at)
standings = st.dictionaries(
    st.tuples(st.sampled_from([ANNA, BERT]), st.sampled_from([ALL, MARKETING])),
    st.builds(Standing, clocks, clocks, clocks),
)


def after(standings, rows):
    """Where contacts stand once the rows are written over what stood there."""
    stands = dict(standings)
    for row in rows.clocks:
        place = row.contact_key, Switch(row.switch)
        moved = {clock: cells[0] for clock, cells in clocks_of(row).items()}
        stood = stands.get(place, NEVER_ASKED)
        stands[place] = Standing(**{c: moved[c] or stood.at(c) for c in Clock})
    return {place: stands.get(place, NEVER_ASKED) for place in PLACES}


PLACES = [(key, switch) for key in (ANNA, BERT) for switch in (ALL, MARKETING)]


@given(acts, standings, st.data())
def test_clocks_come_out_the_same_in_any_order_and_only_move_forward(said, stood, data):
    rows = decided(*said, standings=stood)
    again = decided(*data.draw(st.permutations(said + said[:2])), standings=stood)
    assert after(stood, rows) == after(stood, again)
    for place, stands in after(stood, rows).items():
        assert join(stands, stood.get(place, NEVER_ASKED)) == stands


@given(acts, standings)
def test_a_clock_that_moved_names_the_entry_that_moved_it(said, stood):
    rows = decided(*said, standings=stood)
    entries = {entry.number: (entry, json.loads(entry.body)) for entry in rows.entries}
    assert len(entries) == len(said)
    for row in rows.clocks:
        for clock, (time, lane, number) in clocks_of(row).items():
            if time is None:
                assert (lane, number) == (None, None)
                continue
            entry, body = entries[number]
            assert (lane, entry.clock, entry.said_at) == (LANE, clock, time)
            assert (body["moved"], body["after"][clock]) == (True, stamp(time))
    assert [row[:2] for row in rows.clocks] == sorted(row[:2] for row in rows.clocks)


@given(acts, standings)
def test_the_entries_alone_tell_where_a_contact_stands(said, stood):
    last = {}
    for entry in decided(*said, standings=stood).entries:
        body = json.loads(entry.body)
        place = body["contact"], body["switch"]
        assert place not in last or body["before"] == last[place]
        last[place] = body["after"]
    for (key, switch), stands in after(stood, decided(*said, standings=stood)).items():
        told_last = last.get((str(REFS[key]), switch.value))
        if told_last is not None:
            assert ConsentState(told_last["state"]) is stands.state


@pytest.mark.parametrize(
    ("time", "written"),
    [
        pytest.param(at(5), "2025-06-01T00:00:05Z", id="whole seconds"),
        pytest.param(
            datetime.fromisoformat("2025-06-01T02:00:05+02:00"), "2025-06-01T00:00:05Z",
            id="another zone is turned into UTC",
        ),
        pytest.param(
            at(5) + timedelta(milliseconds=5), "2025-06-01T00:00:05.005000Z",
            id="our own clock is finer",
        ),
    ],
)  # fmt: skip
def test_stamp(time, written):
    assert stamp(time) == written
