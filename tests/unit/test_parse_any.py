"""Whatever the bytes: parsed or NotADelivery, and what was set aside can be fed in again."""

import json
import re
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from webhook.careful import read_carefully
from webhook.delivery import Delivery
from webhook.errors import UNREAD_CODES, NotADelivery
from webhook.parse import _read_quickly, parse_delivery
from webhook.skim import elements, members

PAYLOADS = Path(__file__).resolve().parents[1] / "payloads"
SAMPLES = [path.read_bytes() for path in sorted(PAYLOADS.glob("*.json"))]
READABLE = [
    json.loads(raw.decode("utf-8", "replace")) for raw in SAMPLES if raw.count(b"[[[[") == 0
]
# Everything Meta calls a member, and every short string it puts there.
KEYS = sorted({key.decode() for raw in SAMPLES for key in re.findall(rb'"([a-z_]{2,30})"', raw)})

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(), max_size=10),  # half surrogates and NUL too
    st.sampled_from(KEYS),
    st.sampled_from(["15551230001", "US.111122223333", "US.ENT.1", "1750000000", "131050", ""]),
)
trees = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.sampled_from(KEYS), inner, max_size=6)
    ),
    max_leaves=15,
)


def check(raw: bytes) -> None:
    """Parse, and hold what was set aside to its promises."""
    try:
        delivery = parse_delivery(raw)
    except NotADelivery:
        return
    for unread in delivery.unread:
        assert unread.code in UNREAD_CODES
        assert not re.search(r"\d{5}|wamid|US\.", unread.reason)
        again = parse_delivery(unread.body)  # a delivery: no NotADelivery
        assert unread.code in [item.code for item in again.unread]
        assert len(again.unread) <= 2
    agree(raw, delivery)
    kept = [message.message_id for message in delivery.messages]
    assert all(name and name.isascii() for name in kept)
    assert all(one != other for one, other in delivery.links)
    assert len(set(map(frozenset, delivery.links))) == len(delivery.links)


def agree(raw: bytes, delivery: Delivery) -> None:
    """The quick way may give up, but it never says anything else than the careful one."""
    try:
        quick = _read_quickly(raw)
    except (ValueError, RecursionError):
        return
    assert quick == delivery == read_carefully(raw)


def test_the_two_ways_agree_on_every_sample():
    for raw in SAMPLES:
        check(raw)


@given(st.binary(max_size=300))
def test_any_bytes(raw):
    check(raw)


@given(trees)
def test_any_json(tree):
    check(json.dumps(tree).encode())


@given(st.lists(st.tuples(st.sampled_from(KEYS), trees), max_size=5), st.sampled_from(KEYS))
def test_any_json_as_a_value(items, field):
    changes = [{"field": field, "value": dict(items)}]
    raw = json.dumps({"object": "whatsapp_business_account", "entry": [{"changes": changes}]})
    check(raw.encode())


@given(st.data())
def test_a_sample_with_one_part_replaced(data):
    tree = json.loads(json.dumps(data.draw(st.sampled_from(READABLE))))
    for _ in range(data.draw(st.integers(1, 3))):
        replace_somewhere(data, tree)
    check(json.dumps(tree).encode())


def replace_somewhere(data, tree) -> None:
    """Walk down at random and put something else in the place reached."""
    here = tree
    while True:
        keys = list(here) if isinstance(here, dict) else list(range(len(here)))
        if not keys:
            return
        key = data.draw(st.sampled_from(keys))
        deeper = isinstance(here[key], dict | list) and here[key]
        if not deeper or data.draw(st.integers(0, 9)) == 0:
            here[key] = data.draw(trees)
            return
        here = here[key]


@given(st.data())
def test_a_sample_with_bytes_changed(data):
    raw = bytearray(data.draw(st.sampled_from(SAMPLES)))
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(raw)))
        length = data.draw(st.integers(0, 12))
        raw[start : start + length] = data.draw(st.binary(max_size=6))
    check(bytes(raw))


@given(st.sampled_from(SAMPLES), st.sampled_from(SAMPLES), st.integers(0), st.integers(0))
def test_the_head_of_one_sample_and_the_tail_of_another(one, other, head, tail):
    check(one[: head % len(one)] + other[tail % len(other) :])


@given(st.lists(st.sampled_from(READABLE), min_size=1, max_size=4))
def test_samples_together_say_what_they_say_alone(trees):
    trees = [tree for tree in trees if tree.get("object") == "whatsapp_business_account"]
    entries = [entry for tree in trees for entry in tree["entry"]]
    raw = json.dumps({"object": "whatsapp_business_account", "entry": entries}).encode()
    together = parse_delivery(raw)
    alone = [parse_delivery(json.dumps(tree).encode()) for tree in trees]
    for list_name in ("messages", "preferences", "stopped_at_meta", "name_changes", "unread"):
        expected = [item for delivery in alone for item in getattr(delivery, list_name)]
        assert list(getattr(together, list_name)) == expected


@given(trees)
def test_a_skimmed_text_holds_what_json_reads(tree):
    raw = json.dumps(tree, indent=1).encode()
    if isinstance(tree, list):
        assert [json.loads(part) for part in elements(raw)] == tree
    elif isinstance(tree, dict):
        assert {key: json.loads(part) for key, part in members(raw).items()} == tree


def test_nothing_after_a_last_comma_is_nothing_to_set_aside():
    """Found by a head and a tail above: what was set aside was empty, and read well again."""
    raw = (
        b'{"object":"whatsapp_business_account","entry":[{"changes":[{"field":"messages","value":'
        b'{"metadata":{},"contacts":[{"wa_id":"15551230001"},],"messages":[{"from":"15551230001",'
        b'"id":"wamid.A","timestamp":"1750000000","type":"text","text":{"body":"STOP"}},]}}]}]}'
    )
    check(raw)
    delivery = parse_delivery(raw)
    assert delivery.unread == ()
    assert [words.text for one in delivery.messages for words in one.words] == ["STOP"]
