import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.contact_keys import LENGTH, ContactKeys

INDEX_KEY = bytes(range(32))
KEYS = ContactKeys(INDEX_KEY, 7)
PHONE, BSUID, PARENT = "15551230001", "US.1111222233334444", "US.ENT.5555666677778888"

phones = st.from_regex(r"[1-9][0-9]{4,19}", fullmatch=True)
bsuids = st.from_regex(r"[A-Z]{2}\.(ENT\.)?[A-Za-z0-9]{1,20}", fullmatch=True)
names = phones | bsuids


def derived(index_key, info):
    """HKDF with SHA-256, no salt and one block, by RFC 5869."""
    drawn = hmac.digest(bytes(32), index_key, hashlib.sha256)
    return hmac.digest(drawn, info + b"\x01", hashlib.sha256)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        pytest.param(KEYS.phone(PHONE), b"phone|15551230001", id="a phone"),
        pytest.param(KEYS.bsuid(BSUID), b"bsuid|US.1111222233334444", id="a BSUID"),
        pytest.param(KEYS.message("message", "wamid.x"), b"message|message|wamid.x", id="a wamid"),
        pytest.param(
            KEYS.message("preference", None, PHONE, 5), b"message|preference||15551230001|5",
            id="a preference, which has no id of its own",
        ),
        pytest.param(
            KEYS.message("message", "\ud83d"), b"message|message|\xed\xa0\xbd",
            id="half an emoji in an id",
        ),
        pytest.param(KEYS.item(b"\x00\xff"), b"item|\x00\xff", id="something unread, by its bytes"),
    ],
)  # fmt: skip
def test_a_key_never_changes_or_nobody_is_found_again(key, value):
    own = derived(INDEX_KEY, b"optledger|v1|app|7")
    assert key == hmac.digest(own, value, hashlib.sha256)[:16]


@pytest.mark.parametrize(
    ("name", "key"),
    [
        pytest.param(PHONE, KEYS.phone(PHONE), id="a phone"),
        pytest.param(BSUID, KEYS.bsuid(BSUID), id="a BSUID"),
        pytest.param(PARENT, KEYS.bsuid(PARENT), id="a parent BSUID"),
    ],
)
def test_a_name_of_either_kind_has_one_key(name, key):
    assert KEYS.name(name) == key
    assert len(key) == LENGTH == 16


@pytest.mark.parametrize(
    ("name", "forms"),
    [
        pytest.param("5511987654321", ("551187654321",), id="Brazil"),
        pytest.param("525512345678", ("5215512345678",), id="Mexico"),
        pytest.param(PHONE, (), id="a phone of one form"),
        pytest.param("BR.5511987654321", (), id="a BSUID has no other form"),
    ],
)
def test_forms_are_keys_of_phones(name, forms):
    assert KEYS.forms(name) == tuple(KEYS.phone(form) for form in forms)


@given(names, names)
def test_two_names_have_two_keys(one, other):
    assert (KEYS.name(one) == KEYS.name(other)) is (one == other)


@given(names, st.integers(1, 2**31), st.integers(1, 2**31), st.binary(min_size=32, max_size=32))
def test_another_app_or_key_file_knows_a_contact_by_another_key(name, app, other, index_key):
    one = ContactKeys(INDEX_KEY, app).name(name)
    assert (ContactKeys(INDEX_KEY, other).name(name) == one) is (app == other)
    assert (ContactKeys(index_key, app).name(name) == one) is (index_key == INDEX_KEY)


@given(names)
def test_what_is_keyed_is_kept_apart_by_its_kind(name):
    keys = {
        KEYS.phone(name),
        KEYS.bsuid(name),
        KEYS.message("message", name),
        KEYS.message("send_error", name),
        KEYS.message("preference", name),
        KEYS.item(name.encode()),
    }
    assert len(keys) == 6


def test_making_a_key_leaves_nothing_behind_for_the_next():
    keys = ContactKeys(INDEX_KEY, 7)
    keys.phone("4915123456789")
    keys.item(b"x" * 1000)
    assert keys.phone(PHONE) == KEYS.phone(PHONE)


def test_a_key_shows_nothing_of_the_name():
    assert not any(part in KEYS.phone(PHONE) for part in (b"1555", b"0001"))
    assert PHONE not in repr(KEYS)
