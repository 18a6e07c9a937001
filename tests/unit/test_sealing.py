import os
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.keyfile import Keys
from db.sealing import (
    CannotOpen,
    Sealer,
    Use,
    day_of,
    fresh_data_key,
    key_number,
    number_of,
    place,
    today,
    unwrap,
    wrap,
)

APP, ROW = 7, b"\x01\x02"
DAY = date(2025, 6, 1)
NUMBER = key_number(Use.MESSAGE, DAY)
HERE = place("message", "sealed", APP, ROW)
KEYS = Keys(b"\x07" * 32, {"old": b"\x08" * 32, "new": b"\x09" * 32})

days = st.dates(date(1970, 1, 1), date(2200, 1, 1))


@pytest.fixture
def sealer():
    return Sealer(APP, {NUMBER: b"\x05" * 32})


@given(st.binary(max_size=300), st.binary(max_size=40), st.integers(0, 2**32 - 1))
def test_what_was_sealed_is_opened_and_does_not_show(value, row, number):
    sealer = Sealer(APP, {number: fresh_data_key()})
    bound = place("message", "sealed", APP, row)
    sealed = sealer.seal(number, value, bound)
    assert sealer.open(sealed, bound) == value
    assert number_of(sealed) == number
    assert len(sealed) == 1 + 4 + 12 + len(value) + 16
    assert len(value) < 4 or value not in sealed


def nonces(sealer, values):
    return [sealer.seal(NUMBER, b"STOP", HERE)[5:17] for _ in range(values)]


def test_the_same_value_is_never_sealed_alike(sealer):
    drawn = nonces(sealer, 5000) + nonces(Sealer(APP, {NUMBER: b"\x05" * 32}), 5000)
    assert len(set(drawn)) == 10_000
    assert len({sealer.seal(NUMBER, b"STOP", HERE)[17:] for _ in range(50)}) == 50


def test_a_process_that_was_split_off_uses_no_nonce_of_its_parent(sealer):
    nonces(sealer, 3)  # whatever is drawn ahead is drawn now
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(writing, b"".join(nonces(sealer, 300)))
        finally:
            os._exit(0)
    os.close(writing)
    with open(reading, "rb") as pipe:  # noqa: PTH123  a pipe has no path
        written = pipe.read()
    os.waitpid(child, 0)
    theirs = {written[at : at + 12] for at in range(0, len(written), 12)}
    assert len(theirs) == 300
    assert theirs.isdisjoint(nonces(sealer, 300))


@pytest.mark.parametrize(
    "elsewhere",
    [
        pytest.param(place("message", "sealed", APP, b"\x01\x03"), id="another row"),
        pytest.param(place("quarantine", "sealed", APP, ROW), id="another table"),
        pytest.param(place("message", "words", APP, ROW), id="another column"),
        pytest.param(place("message", "sealed", 8, ROW), id="another app"),
        pytest.param(b"", id="no place at all"),
    ],
)
def test_a_value_moved_elsewhere_stays_closed(sealer, elsewhere):
    sealed = sealer.seal(NUMBER, b"STOP", HERE)
    with pytest.raises(CannotOpen, match="damaged or stands in another place"):
        sealer.open(sealed, elsewhere)


@given(st.integers(0, 36), st.integers(1, 255))
def test_a_damaged_value_stays_closed(index, change):
    sealer = Sealer(APP, {NUMBER: b"\x05" * 32})
    sealed = bytearray(sealer.seal(NUMBER, b"STOP", HERE))
    sealed[index] ^= change
    with pytest.raises(CannotOpen):
        sealer.open(bytes(sealed), HERE)


@given(st.integers(0, 36))
def test_a_value_cut_short_stays_closed(length):
    sealer = Sealer(APP, {NUMBER: b"\x05" * 32})
    sealed = sealer.seal(NUMBER, b"STOP", HERE)
    assert len(sealed) == 37
    with pytest.raises(CannotOpen):
        sealer.open(sealed[:length], HERE)


def test_a_value_whose_key_is_gone_stays_closed(sealer):
    sealed = sealer.seal(NUMBER, b"STOP", HERE)
    with pytest.raises(CannotOpen, match="the data key of this value is gone"):
        Sealer(APP, {}).open(sealed, HERE)
    with pytest.raises(CannotOpen, match="damaged"):
        Sealer(APP, {NUMBER: b"\x06" * 32}).open(sealed, HERE)


def test_a_value_of_a_later_version_is_told_as_such(sealer):
    sealed = b"\x02" + sealer.seal(NUMBER, b"STOP", HERE)[1:]
    with pytest.raises(CannotOpen, match="a version that this release does not know"):
        sealer.open(sealed, HERE)


def test_a_key_is_learned(sealer):
    assert sealer.has(NUMBER)
    assert not sealer.has(NUMBER + 4)
    sealer.add(NUMBER + 4, b"\x06" * 32)
    assert sealer.has(NUMBER + 4)
    assert sealer.open(sealer.seal(NUMBER + 4, b"x", HERE), HERE) == b"x"
    with pytest.raises(KeyError):
        sealer.seal(NUMBER + 8, b"x", HERE)


@pytest.mark.parametrize(
    ("use", "day", "number"),
    [
        pytest.param(Use.LASTING, DAY, 0, id="one lasting key for good"),
        pytest.param(Use.MESSAGE, date(1970, 1, 1), 1, id="the first day"),
        pytest.param(Use.MESSAGE, DAY, 20240 * 4 + 1, id="messages of a day"),
        pytest.param(Use.EVIDENCE, DAY, 20240 * 4 + 2, id="evidence of the same day"),
        pytest.param(Use.MESSAGE, DAY + timedelta(1), 20241 * 4 + 1, id="messages of the next day"),
    ],
)
def test_key_number(use, day, number):
    assert key_number(use, day) == number


@given(st.sampled_from(Use), days, st.sampled_from(Use), days)
def test_a_number_stands_for_one_use_and_day(use, day, other_use, other_day):
    number, other = key_number(use, day), key_number(other_use, other_day)
    lasting = use is other_use is Use.LASTING
    assert (number == other) is (lasting or (use, day) == (other_use, other_day))
    assert number & 3 == use
    assert day_of(number) == (date(1970, 1, 1) if use is Use.LASTING else day)
    assert 0 <= number < 2**32


def test_today_is_the_day_in_utc():
    before = datetime.now(UTC).date()
    assert before <= today() <= datetime.now(UTC).date()


@given(st.integers(1, 2**31), st.integers(0, 2**32 - 1))
def test_a_data_key_is_wrapped_by_the_master_in_use(app, number):
    data_key = fresh_data_key()
    wrapped = wrap(KEYS, app, number, data_key)
    assert unwrap(KEYS, "new", app, number, wrapped) == data_key
    assert data_key not in wrapped
    for other in ((app + 1, number), (app, number + 1)):
        with pytest.raises(CannotOpen, match="is damaged"):
            unwrap(KEYS, "new", *other, wrapped)


def test_a_data_key_wrapped_by_an_older_master_is_still_opened():
    older = Keys(KEYS.index_key, {"old": KEYS.masters["old"]})
    data_key = fresh_data_key()
    wrapped = wrap(older, APP, NUMBER, data_key)
    assert unwrap(KEYS, "old", APP, NUMBER, wrapped) == data_key
    with pytest.raises(CannotOpen, match="is damaged"):
        unwrap(KEYS, "new", APP, NUMBER, wrapped)


def test_a_master_key_that_is_not_there_is_asked_for():
    wrapped = wrap(KEYS, APP, NUMBER, fresh_data_key())
    with pytest.raises(CannotOpen, match="holds no master key gone; restore the one that does"):
        unwrap(KEYS, "gone", APP, NUMBER, wrapped)


@pytest.mark.parametrize(
    "length",
    [
        pytest.param(40, id="half of it"),
        pytest.param(12, id="its nonce alone"),
        pytest.param(7, id="half of its nonce"),
        pytest.param(0, id="nothing of it"),
    ],
)
def test_a_wrapped_key_cut_short_is_damaged(length):
    wrapped = wrap(KEYS, APP, NUMBER, fresh_data_key())
    with pytest.raises(CannotOpen, match="is damaged"):
        unwrap(KEYS, "new", APP, NUMBER, wrapped[:length])


def test_data_keys_are_fresh():
    assert len({fresh_data_key() for _ in range(20)}) == 20
    assert {len(fresh_data_key())} == {32}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(place("a", "b", 1, b"2|3"), place("a", "b", 12, b"|3"), id="app and row"),
        pytest.param(place("a", "b", 1, "row"), place("a", "b", 1, "low"), id="rows"),
    ],
)
def test_places_are_not_confused(one, other):
    assert one != other
