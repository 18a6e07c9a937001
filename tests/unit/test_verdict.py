from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.model import Category, Clock, Switch
from consent.standing import NEVER_ASKED, Standing
from consent.verdict import EXPLAINED, Known, Policy, Reason, Verdict, verdict

ALL, MARKETING, TRANSACTIONAL, NATIVE = (
    Switch.ALL,
    Switch.MARKETING,
    Switch.TRANSACTIONAL,
    Switch.NATIVE_MARKETING,
)
OUT, IN, VOUCHED = Clock.OPTED_OUT, Clock.OPTED_IN, Clock.VOUCHED
DEFAULT = Policy()
NONE_NEEDED = Policy(needs_opt_in=frozenset())
ALWAYS_NEEDED = Policy(needs_opt_in=frozenset(Category))


def at(second):
    return None if second is None else datetime(2025, 6, 1, tzinfo=UTC) + timedelta(seconds=second)


def known(*acts, held=None, left=None):
    """What follows from acts, each a switch, a clock and a second."""
    standings = {}
    for switch, clock, second in acts:
        standings[switch] = standings.get(switch, NEVER_ASKED).moved(clock, at(second))
    return Known(standings, held_at=at(held), left_at=at(left))


@pytest.mark.parametrize(
    ("acts", "more", "category", "policy", "may_send", "reason", "since"),
    [
        # Who never said a thing.
        pytest.param(
            [], {}, "marketing", DEFAULT, False, "no_opt_in", None,
            id="marketing needs an opt-in",
        ),
        pytest.param(
            [], {}, "utility", DEFAULT, True, "no_opt_in_needed", None,
            id="a receipt needs none",
        ),
        pytest.param(
            [], {}, "authentication", DEFAULT, True, "no_opt_in_needed", None,
            id="a login code needs none",
        ),
        pytest.param(
            [], {}, "service", DEFAULT, True, "no_opt_in_needed", None,
            id="an answer needs none",
        ),
        pytest.param(
            [], {}, "marketing", NONE_NEEDED, True, "no_opt_in_needed", None,
            id="an app may ask for no opt-in at all",
        ),
        pytest.param(
            [], {}, "authentication", ALWAYS_NEEDED, False, "no_opt_in", None,
            id="or for one for everything",
        ),
        # Opt-ins.
        pytest.param(
            [(ALL, IN, 5)], {}, "marketing", DEFAULT, True, "opted_in", 5,
            id="START opens marketing",
        ),
        pytest.param(
            [(MARKETING, IN, 5)], {}, "marketing", DEFAULT, True, "opted_in", 5,
            id="so does signing up for it",
        ),
        pytest.param(
            [(MARKETING, VOUCHED, 5)], {}, "marketing", DEFAULT, True, "opted_in", 5,
            id="a list opens marketing for one who never stopped",
        ),
        pytest.param(
            [(TRANSACTIONAL, IN, 5)], {}, "marketing", DEFAULT, False, "no_opt_in", None,
            id="agreeing to receipts opens no marketing",
        ),
        pytest.param(
            [(MARKETING, IN, 5)], {}, "utility", ALWAYS_NEEDED, False, "no_opt_in", None,
            id="agreeing to marketing opens no receipts",
        ),
        pytest.param(
            [(ALL, IN, 5)], {}, "service", ALWAYS_NEEDED, True, "opted_in", 5,
            id="START opens every category",
        ),
        # Opt-outs.
        pytest.param(
            [(ALL, OUT, 5)], {}, "marketing", NONE_NEEDED, False, "opted_out", 5,
            id="STOP closes marketing",
        ),
        pytest.param(
            [(ALL, OUT, 5)], {}, "utility", NONE_NEEDED, False, "opted_out", 5,
            id="STOP closes receipts",
        ),
        pytest.param(
            [(ALL, OUT, 5)], {}, "authentication", NONE_NEEDED, False, "opted_out", 5,
            id="STOP closes login codes",
        ),
        pytest.param(
            [(ALL, OUT, 5)], {}, "service", NONE_NEEDED, False, "opted_out", 5,
            id="STOP closes answers",
        ),
        pytest.param(
            [(MARKETING, OUT, 5)], {}, "marketing", NONE_NEEDED, False, "opted_out", 5,
            id="stop promotions closes marketing",
        ),
        pytest.param(
            [(MARKETING, OUT, 5)], {}, "utility", DEFAULT, True, "no_opt_in_needed", None,
            id="and leaves receipts alone",
        ),
        pytest.param(
            [(TRANSACTIONAL, OUT, 5)], {}, "authentication", NONE_NEEDED, False, "opted_out", 5,
            id="an opt-out of receipts closes login codes too",
        ),
        pytest.param(
            [(TRANSACTIONAL, OUT, 5), (MARKETING, IN, 1)], {}, "marketing", DEFAULT, True,
            "opted_in", 1,
            id="and leaves marketing alone",
        ),
        pytest.param(
            [(ALL, OUT, 5), (MARKETING, IN, 4)], {}, "marketing", DEFAULT, False, "opted_out", 5,
            id="STOP after signing up for marketing",
        ),
        pytest.param(
            [(ALL, OUT, 5), (MARKETING, IN, 5)], {}, "marketing", DEFAULT, False, "opted_out", 5,
            id="in the same second STOP wins on the other switch too",
        ),
        pytest.param(
            [(ALL, OUT, 5), (MARKETING, IN, 6)], {}, "marketing", DEFAULT, True, "opted_in", 6,
            id="signing up for marketing after STOP opens marketing",
        ),
        pytest.param(
            [(ALL, OUT, 5), (MARKETING, IN, 6)], {}, "utility", DEFAULT, False, "opted_out", 5,
            id="and nothing else",
        ),
        pytest.param(
            [(MARKETING, OUT, 5), (ALL, IN, 6)], {}, "marketing", DEFAULT, True, "opted_in", 6,
            id="START lifts stop promotions",
        ),
        pytest.param(
            [(ALL, OUT, 5), (MARKETING, VOUCHED, 9)], {}, "marketing", NONE_NEEDED, False,
            "opted_out", 5,
            id="a list lifts no STOP",
        ),
        # The switch inside WhatsApp.
        pytest.param(
            [(NATIVE, OUT, 5), (ALL, IN, 9)], {}, "marketing", NONE_NEEDED, False,
            "native_opt_out", 5,
            id="START does not move the switch in WhatsApp",
        ),
        pytest.param(
            [(NATIVE, OUT, 5)], {}, "utility", DEFAULT, True, "no_opt_in_needed", None,
            id="the switch in WhatsApp is for marketing alone",
        ),
        pytest.param(
            [(NATIVE, OUT, 5), (NATIVE, IN, 6)], {}, "marketing", DEFAULT, False, "no_opt_in",
            None,
            id="resuming in WhatsApp is no opt-in to us",
        ),
        pytest.param(
            [(NATIVE, OUT, 5), (NATIVE, IN, 6), (ALL, IN, 1)], {}, "marketing", DEFAULT, True,
            "opted_in", 1,
            id="resuming in WhatsApp lets an older opt-in count again",
        ),
        pytest.param(
            [(NATIVE, IN, 9), (ALL, OUT, 5)], {}, "marketing", NONE_NEEDED, False, "opted_out", 5,
            id="resuming in WhatsApp lifts no STOP",
        ),
        pytest.param(
            [(NATIVE, OUT, 5), (NATIVE, VOUCHED, 9), (ALL, IN, 9)], {}, "marketing", DEFAULT,
            False, "native_opt_out", 5,
            id="nobody else can vouch for the switch in WhatsApp",
        ),
        pytest.param(
            [(NATIVE, OUT, 9), (ALL, OUT, 5)], {}, "marketing", DEFAULT, False, "opted_out", 5,
            id="their word to us is told before the switch in WhatsApp",
        ),
        # Holds.
        pytest.param(
            [(ALL, IN, 5)], {"held": 6}, "marketing", DEFAULT, False, "held", 6,
            id="a likely stop holds marketing",
        ),
        pytest.param(
            [], {"held": 6}, "marketing", NONE_NEEDED, False, "held", 6,
            id="where no opt-in is needed too",
        ),
        pytest.param(
            [], {"held": 6}, "utility", DEFAULT, True, "no_opt_in_needed", None,
            id="a hold leaves receipts alone",
        ),
        pytest.param(
            [(ALL, IN, 6)], {"held": 6}, "marketing", DEFAULT, False, "held", 6,
            id="an opt-in in the same second closes no hold",
        ),
        pytest.param(
            [(ALL, IN, 7)], {"held": 6}, "marketing", DEFAULT, True, "opted_in", 7,
            id="a later START closes the hold",
        ),
        pytest.param(
            [(MARKETING, IN, 7)], {"held": 6}, "marketing", DEFAULT, True, "opted_in", 7,
            id="so does signing up for marketing",
        ),
        pytest.param(
            [(MARKETING, IN, 9), (MARKETING, OUT, 8)], {"held": 6}, "marketing", DEFAULT, True,
            "opted_in", 9,
            id="a hold before a stop and a start is over",
        ),
        pytest.param(
            [(TRANSACTIONAL, IN, 7), (ALL, IN, 1)], {"held": 6}, "marketing", DEFAULT, False,
            "held", 6,
            id="agreeing to receipts closes no hold on marketing",
        ),
        pytest.param(
            [(NATIVE, IN, 7), (ALL, IN, 1)], {"held": 6}, "marketing", DEFAULT, False, "held", 6,
            id="nor does the switch in WhatsApp",
        ),
        pytest.param(
            [(MARKETING, VOUCHED, 7)], {"held": 6}, "marketing", DEFAULT, False, "held", 6,
            id="nor does a list",
        ),
        pytest.param(
            [(ALL, OUT, 5)], {"held": 6}, "marketing", DEFAULT, False, "opted_out", 5,
            id="an opt-out is told before a hold",
        ),
        pytest.param(
            [(NATIVE, OUT, 5)], {"held": 6}, "marketing", DEFAULT, False, "native_opt_out", 5,
            id="so is the switch in WhatsApp",
        ),
        # Names that were left.
        pytest.param(
            [(ALL, IN, 5)], {"left": 6}, "marketing", DEFAULT, False, "name_changed", 6,
            id="an opt-in before the number changed hands",
        ),
        pytest.param(
            [], {"left": 6}, "utility", NONE_NEEDED, False, "name_changed", 6,
            id="nobody who has the number next agreed to receipts",
        ),
        pytest.param(
            [(ALL, IN, 6)], {"left": 6}, "service", DEFAULT, False, "name_changed", 6,
            id="an opt-in in the second of the change",
        ),
        pytest.param(
            [(ALL, IN, 7)], {"left": 6}, "marketing", DEFAULT, True, "opted_in", 7,
            id="who has the number next opts in",
        ),
        pytest.param(
            [(MARKETING, VOUCHED, 7)], {"left": 6}, "marketing", NONE_NEEDED, False,
            "name_changed", 6,
            id="a list does not know that the number changed hands",
        ),
        pytest.param(
            [(ALL, OUT, 7)], {"left": 6}, "marketing", DEFAULT, False, "opted_out", 7,
            id="who has the number next opts out",
        ),
        pytest.param(
            [(ALL, OUT, 5)], {"left": 6}, "marketing", DEFAULT, False, "name_changed", 6,
            id="an opt-out before the number changed hands",
        ),
    ],
)  # fmt: skip
def test_verdict(acts, more, category, policy, may_send, reason, since):
    answer = verdict(Category(category), known(*acts, **more), policy)
    assert (answer.may_send, answer.reason, answer.since) == (may_send, reason, at(since))


@pytest.mark.parametrize(
    ("acts", "more", "category", "switch", "clock"),
    [
        pytest.param([(ALL, OUT, 5)], {}, "utility", (ALL, TRANSACTIONAL), OUT, id="an opt-out"),
        pytest.param([(ALL, IN, 5)], {}, "marketing", (ALL, MARKETING), IN, id="an opt-in"),
        pytest.param([(ALL, VOUCHED, 5)], {}, "marketing", (ALL, MARKETING), VOUCHED, id="a list"),
        pytest.param([(NATIVE, OUT, 5)], {}, "marketing", (NATIVE,), OUT, id="WhatsApp's switch"),
        pytest.param([], {"left": 5}, "service", (ALL, TRANSACTIONAL), OUT, id="a left name"),
        pytest.param([], {"held": 5}, "marketing", (), None, id="a hold is no clock"),
        pytest.param([], {}, "marketing", (), None, id="nothing was said"),
    ],
)
def test_the_verdict_names_the_clock_it_rests_on(acts, more, category, switch, clock):
    answer = verdict(Category(category), known(*acts, **more), DEFAULT)
    assert (answer.switch, answer.clock) == (switch, clock)


@pytest.mark.parametrize(
    ("category", "switch"),
    [
        pytest.param(Category.MARKETING, MARKETING, id="marketing has a switch of its own"),
        pytest.param(Category.UTILITY, TRANSACTIONAL, id="receipts"),
        pytest.param(Category.AUTHENTICATION, TRANSACTIONAL, id="login codes"),
        pytest.param(Category.SERVICE, TRANSACTIONAL, id="answers"),
    ],
)
def test_the_switch_of_a_category(category, switch):
    assert category.switch is switch


def test_every_reason_is_explained():
    assert set(EXPLAINED) == set(Reason)


def test_a_stop_closes_everything_and_marketing_needs_an_opt_in_by_default():
    assert Policy() == Policy(stop_closes=ALL, needs_opt_in=frozenset({Category.MARKETING}))


times = st.integers(0, 5).map(at)
clocks = st.none() | times
switches = st.sampled_from(Switch)
contacts = st.builds(
    Known,
    st.dictionaries(switches, st.builds(Standing, clocks, clocks, clocks)),
    clocks,
    clocks,
)
categories = st.sampled_from(Category)
policies = st.builds(Policy, needs_opt_in=st.frozensets(categories))


def after(contact, switch, clock, time):
    moved = contact.on(switch).moved(clock, time)
    return Known({**contact.standings, switch: moved}, contact.held_at, contact.left_at)


@given(contacts, categories, policies, switches, times)
def test_an_opt_out_never_turns_no_into_yes(contact, category, policy, switch, time):
    stopped = after(contact, switch, OUT, time)
    if not verdict(category, contact, policy).may_send:
        assert not verdict(category, stopped, policy).may_send


@given(contacts, categories, policies, times)
def test_a_hold_or_a_left_name_never_turns_no_into_yes(contact, category, policy, time):
    held = Known(contact.standings, max(contact.held_at or time, time), contact.left_at)
    left = Known(contact.standings, contact.held_at, max(contact.left_at or time, time))
    if not verdict(category, contact, policy).may_send:
        assert not verdict(category, held, policy).may_send
        assert not verdict(category, left, policy).may_send


@given(contacts, categories, policies, switches, times)
def test_vouching_lifts_nothing(contact, category, policy, switch, time):
    answer = verdict(category, contact, policy)
    vouched = verdict(category, after(contact, switch, VOUCHED, time), policy)
    if not answer.may_send and answer.reason is not Reason.NO_OPT_IN:
        assert vouched == answer


@given(contacts, categories, policies, times)
def test_the_last_word_of_all_is_the_one_that_counts(contact, category, policy, time):
    latest = at(6)
    assert not verdict(category, after(contact, ALL, OUT, latest), policy).may_send
    native = contact.on(NATIVE).moved(IN, latest)
    free = Known({**contact.standings, NATIVE: native}, contact.held_at, contact.left_at)
    opened = verdict(category, after(free, ALL, IN, latest), policy)
    assert (opened.may_send, opened.reason, opened.since) == (True, Reason.OPTED_IN, latest)


@given(contacts, categories, policies)
def test_a_yes_has_a_reason_to_be_one(contact, category, policy):
    answer = verdict(category, contact, policy)
    assert isinstance(answer, Verdict)
    yes = answer.reason in (Reason.OPTED_IN, Reason.NO_OPT_IN_NEEDED)
    assert answer.may_send is yes
    told = answer.reason not in (Reason.NO_OPT_IN, Reason.NO_OPT_IN_NEEDED)
    assert (answer.since is not None) is told
    if answer.clock is not None and answer.reason is not Reason.NAME_CHANGED:
        assert answer.since in {contact.on(switch).at(answer.clock) for switch in answer.switch}


@given(contacts, policies)
def test_an_opt_in_to_one_category_alone_leaves_the_others_as_they_were(contact, policy):
    opened = after(contact, MARKETING, IN, at(6))
    for category in (Category.UTILITY, Category.AUTHENTICATION, Category.SERVICE):
        assert verdict(category, opened, policy) == verdict(category, contact, policy)
