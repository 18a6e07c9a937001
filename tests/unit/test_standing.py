from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.model import Clock, ConsentState
from consent.standing import NEVER_ASKED, Standing, join, later

OPTED_IN, OPTED_OUT, UNKNOWN = ConsentState.OPTED_IN, ConsentState.OPTED_OUT, ConsentState.UNKNOWN


def at(second):
    return None if second is None else datetime(2025, 6, 1, tzinfo=UTC) + timedelta(seconds=second)


def standing(opted_out=None, opted_in=None, vouched=None):
    return Standing(at(opted_out), at(opted_in), at(vouched))


clocks = st.none() | st.integers(0, 4).map(at)
standings = st.builds(Standing, clocks, clocks, clocks)
acts = st.lists(st.tuples(st.sampled_from(Clock), st.integers(0, 9).map(at)), max_size=8)


@pytest.mark.parametrize(
    ("opted_out", "opted_in", "vouched", "state", "by", "since"),
    [
        pytest.param(None, None, None, UNKNOWN, None, None, id="nothing was ever said"),
        pytest.param(None, 5, None, OPTED_IN, "opted_in_at", 5, id="a first opt-in"),
        pytest.param(None, None, 5, OPTED_IN, "vouched_at", 5, id="somebody vouched for them"),
        pytest.param(None, 5, 9, OPTED_IN, "opted_in_at", 5, id="their own word before a list's"),
        pytest.param(5, None, None, OPTED_OUT, "opted_out_at", 5, id="a first opt-out"),
        pytest.param(5, 9, None, OPTED_IN, "opted_in_at", 9, id="a later opt-in lifts an opt-out"),
        pytest.param(9, 5, None, OPTED_OUT, "opted_out_at", 9, id="a later opt-out closes again"),
        pytest.param(
            5, 5, None, OPTED_OUT, "opted_out_at", 5, id="in the same second it stays out"
        ),
        pytest.param(5, None, 9, OPTED_OUT, "opted_out_at", 5, id="an import lifts no opt-out"),
        pytest.param(
            5, 4, 9, OPTED_OUT, "opted_out_at", 5, id="nor with an older opt-in beside it"
        ),
        pytest.param(5, 6, 1, OPTED_IN, "opted_in_at", 6, id="one second later is later"),
        pytest.param(0, None, None, OPTED_OUT, "opted_out_at", 0, id="the first second counts too"),
    ],
)
def test_state(opted_out, opted_in, vouched, state, by, since):
    stands = standing(opted_out, opted_in, vouched)
    assert stands.state is state
    assert stands.decided_by == by
    assert stands.since == at(since)


@pytest.mark.parametrize(
    ("clock", "said", "stands"),
    [
        pytest.param(Clock.OPTED_OUT, 7, standing(7, 5, 5), id="forward"),
        pytest.param(Clock.OPTED_OUT, 5, standing(5, 5, 5), id="the same act twice"),
        pytest.param(Clock.OPTED_OUT, 3, standing(5, 5, 5), id="an act that comes late"),
        pytest.param(Clock.OPTED_IN, 7, standing(5, 7, 5), id="an opt-in moves its own clock only"),
        pytest.param(Clock.VOUCHED, 7, standing(5, 5, 7), id="a list moves its own clock only"),
    ],
)
def test_moved(clock, said, stands):
    assert standing(5, 5, 5).moved(clock, at(said)) == stands


def test_a_clock_that_never_moved_starts_with_the_first_act():
    assert NEVER_ASKED.moved(Clock.OPTED_IN, at(3)) == standing(opted_in=3)


@given(clocks, clocks)
def test_later_is_the_later_and_none_is_before_every_time(one, other):
    times = [time for time in (one, other) if time is not None]
    assert later(one, other) == (max(times) if times else None)


@given(standings, standings, standings)
def test_join_is_associative_commutative_and_the_same_twice(one, two, three):
    assert join(join(one, two), three) == join(one, join(two, three))
    assert join(one, two) == join(two, one)
    assert join(one, one) == one
    assert join(one, NEVER_ASKED) == one


@given(acts, st.data())
def test_any_order_and_repetition_of_acts_gives_the_same_standing(said, data):
    again = data.draw(st.permutations(said + said[:3]))
    one, other = NEVER_ASKED, NEVER_ASKED
    for clock, time in said:
        one = one.moved(clock, time)
    for clock, time in again:
        other = other.moved(clock, time)
    assert one == other
    assert all(
        one.at(clock) == max((t for c, t in said if c is clock), default=None) for clock in Clock
    )


@given(standings, st.integers(0, 4).map(at))
def test_no_vouching_lifts_an_opt_out_and_no_opt_out_opens(stands, time):
    vouched, stopped = stands.moved(Clock.VOUCHED, time), stands.moved(Clock.OPTED_OUT, time)
    if stands.state is OPTED_OUT:
        assert vouched.state is OPTED_OUT
    if stands.state is not OPTED_IN:
        assert stopped.state is OPTED_OUT
    if stands.opted_in_at is None or time >= stands.opted_in_at:
        assert stopped.state is OPTED_OUT


@given(standings)
def test_the_state_is_told_with_its_clock(stands):
    assert (stands.decided_by is None) == (stands.state is UNKNOWN) == (stands.since is None)
    if stands.decided_by is not None:
        assert stands.at(stands.decided_by) == stands.since
