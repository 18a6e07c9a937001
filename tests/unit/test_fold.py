from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.fold import NameStanding, beyond, fold
from consent.model import Category, Clock, ConsentState, Switch
from consent.reach import FOREVER, Change, Link, Reach, left_at, reach
from consent.standing import NEVER_ASKED, Standing
from consent.verdict import Known, Policy, Reason, verdict

PHONE, BSUID, OTHER, FORM, NEW = b"phone", b"bsuid", b"other", b"form", b"new"
ALL, MARKETING = Switch.ALL, Switch.MARKETING
OUT, IN, VOUCHED = Clock.OPTED_OUT, Clock.OPTED_IN, Clock.VOUCHED
OPTED_IN, OPTED_OUT, UNKNOWN = ConsentState.OPTED_IN, ConsentState.OPTED_OUT, ConsentState.UNKNOWN


class Said(NamedTuple):
    """One act: under which name, what, when."""

    key: bytes
    clock: Clock
    second: int
    switch: Switch = ALL

    @property
    def time(self):
        return at(self.second)


def at(second):
    return datetime(2025, 6, 1, tzinfo=UTC) + timedelta(seconds=second)


def rows_of(acts):
    """The rows that clocks make of acts: only the latest time is left."""
    standings = {}
    for said in acts:
        place = said.key, said.switch
        standings[place] = standings.get(place, NEVER_ASKED).moved(said.clock, said.time)
    return [NameStanding(*place, standing) for place, standing in standings.items()]


def up_to(acts, bound):
    """What the audit table answers for a name: acts up to where the name speaks."""
    for said in acts:
        until = bound.opt_outs_until if said.clock is OUT else bound.opt_ins_until
        if until is not None and said.time <= until:
            yield said


def known_of(*acts, asked=(PHONE,), forms=(), links=(), changes=(), holds=()):
    """Everything known of a contact, as the database's fold puts it together."""
    reached = reach(asked, forms, links, changes)
    rows = [row for row in rows_of(acts) if row.key in reached]
    for key in beyond(rows, reached):
        own = [said for said in acts if said.key == key]
        rows = [row for row in rows if row.key != key] + rows_of(up_to(own, reached[key]))
    return fold(
        rows,
        reached,
        holds=[(key, at(second)) for key, second in holds if key in reached],
        left=left_at([*asked, *forms], changes),
    )


SAME = [Link(PHONE, BSUID)]
MOVED = [Change(PHONE, NEW, at(5))]


@pytest.mark.parametrize(
    ("acts", "asked", "around", "state"),
    [
        pytest.param(
            [Said(BSUID, OUT, 5)], PHONE, {"links": SAME}, OPTED_OUT,
            id="STOP by BSUID alone blocks the phone once they are linked",
        ),
        pytest.param(
            [Said(BSUID, OUT, 5)], PHONE, {}, UNKNOWN,
            id="and not before",
        ),
        pytest.param(
            [Said(PHONE, OUT, 5)], BSUID, {"links": SAME}, OPTED_OUT,
            id="STOP by phone alone blocks the BSUID once they are linked",
        ),
        pytest.param(
            [Said(BSUID, IN, 5)], PHONE, {"links": SAME}, OPTED_IN,
            id="START by BSUID alone opens the phone once they are linked",
        ),
        pytest.param(
            [Said(PHONE, OUT, 5), Said(BSUID, IN, 6)], PHONE, {"links": SAME}, OPTED_IN,
            id="a later START under another of their names lifts a STOP",
        ),
        pytest.param(
            [Said(PHONE, OUT, 6), Said(BSUID, IN, 5)], PHONE, {"links": SAME}, OPTED_OUT,
            id="an earlier one does not",
        ),
        pytest.param(
            [Said(FORM, OUT, 5)], PHONE, {"forms": [FORM]}, OPTED_OUT,
            id="STOP under another form of the phone blocks",
        ),
        pytest.param(
            [Said(FORM, IN, 5)], PHONE, {"forms": [FORM]}, UNKNOWN,
            id="START under another form of the phone counts for nothing",
        ),
        pytest.param(
            [Said(PHONE, OUT, 5), Said(FORM, IN, 9)], PHONE, {"forms": [FORM]}, OPTED_OUT,
            id="it lifts no STOP either",
        ),
        pytest.param(
            [Said(FORM, VOUCHED, 5)], PHONE, {"forms": [FORM]}, UNKNOWN,
            id="nor does a list's word count under it",
        ),
        pytest.param(
            [Said(FORM, OUT, 5)], BSUID, {"links": [Link(BSUID, FORM, only_opt_outs=True)]},
            OPTED_OUT,
            id="STOP under another form of its phone blocks a BSUID",
        ),
        pytest.param(
            [Said(OTHER, IN, 5)], BSUID, {"links": [*SAME, Link(PHONE, OTHER)]}, UNKNOWN,
            id="START over two links counts for nothing",
        ),
        pytest.param(
            [Said(OTHER, OUT, 5)], BSUID, {"links": [*SAME, Link(PHONE, OTHER)]}, OPTED_OUT,
            id="STOP over two links blocks",
        ),
        pytest.param(
            [Said(BSUID, OUT, 5), Said(OTHER, IN, 9)], BSUID,
            {"links": [*SAME, Link(PHONE, OTHER)]}, OPTED_OUT,
            id="who got the phone next lifts no STOP of who had it before",
        ),
        pytest.param(
            [Said(PHONE, IN, 4)], NEW, {"changes": MOVED}, OPTED_IN,
            id="an opt-in goes along to the new number",
        ),
        pytest.param(
            [Said(PHONE, OUT, 4)], NEW, {"changes": MOVED}, OPTED_OUT,
            id="so does an opt-out",
        ),
        pytest.param(
            [Said(PHONE, OUT, 5)], NEW, {"changes": MOVED}, OPTED_OUT,
            id="and one in the second of the change",
        ),
        pytest.param(
            [Said(PHONE, IN, 6)], NEW, {"changes": MOVED}, UNKNOWN,
            id="what the next one says under the old number stays there",
        ),
        pytest.param(
            [Said(PHONE, OUT, 6)], NEW, {"changes": MOVED}, UNKNOWN,
            id="their STOP too",
        ),
        pytest.param(
            [Said(PHONE, OUT, 4), Said(PHONE, OUT, 9)], NEW, {"changes": MOVED}, OPTED_OUT,
            id="a later STOP of the next one does not hide the earlier",
        ),
        pytest.param(
            [Said(PHONE, OUT, 3), Said(PHONE, IN, 4), Said(PHONE, OUT, 9)], NEW,
            {"changes": MOVED}, OPTED_IN,
            id="nor takes back what was lifted before the change",
        ),
        pytest.param(
            [Said(PHONE, OUT, 3), Said(PHONE, IN, 9)], NEW, {"changes": MOVED}, OPTED_OUT,
            id="a START of the next one lifts nothing for who left",
        ),
        pytest.param(
            [Said(PHONE, IN, 3)], PHONE, {"changes": MOVED}, UNKNOWN,
            id="who has the old number next agreed to nothing",
        ),
        pytest.param(
            [Said(PHONE, VOUCHED, 5)], PHONE, {"changes": MOVED}, UNKNOWN,
            id="nor is a list's word about who left good for them",
        ),
        pytest.param(
            [Said(PHONE, IN, 6)], PHONE, {"changes": MOVED}, OPTED_IN,
            id="unless they say so themselves",
        ),
        pytest.param(
            [Said(PHONE, OUT, 3)], PHONE, {"changes": MOVED}, OPTED_OUT,
            id="an opt-out stays with the old number as well",
        ),
    ],
)  # fmt: skip
def test_where_a_contact_stands(acts, asked, around, state):
    assert known_of(*acts, asked=[asked], **around).on(ALL).state is state


@pytest.mark.parametrize(
    ("holds", "asked", "around", "held"),
    [
        pytest.param([(BSUID, 5)], PHONE, {"links": SAME}, 5, id="a hold under a linked name"),
        pytest.param([(FORM, 5)], PHONE, {"forms": [FORM]}, 5, id="a hold under another form"),
        pytest.param([(PHONE, 4)], NEW, {"changes": MOVED}, 4, id="a hold before the change"),
        pytest.param([(PHONE, 6)], NEW, {"changes": MOVED}, None, id="a hold of the next one"),
        pytest.param([(PHONE, 5), (PHONE, 8), (PHONE, 3)], PHONE, {}, 8, id="the latest of three"),
        pytest.param([(OTHER, 5)], PHONE, {}, None, id="a hold of somebody else"),
    ],
)
def test_holds(holds, asked, around, held):
    known = known_of(asked=[asked], holds=holds, **around)
    assert known.held_at == (None if held is None else at(held))


def test_the_old_name_is_left_and_the_new_one_is_not():
    assert known_of(asked=[PHONE], changes=MOVED).left_at == at(5)
    assert known_of(asked=[NEW], changes=MOVED).left_at is None
    known = known_of(Said(PHONE, IN, 4), asked=[PHONE], changes=MOVED)
    answer = verdict(Category.SERVICE, known, Policy())
    assert (answer.may_send, answer.reason) == (False, Reason.NAME_CHANGED)


def test_switches_are_kept_apart():
    known = known_of(Said(PHONE, OUT, 5, MARKETING), Said(BSUID, IN, 6), links=SAME)
    assert known.on(MARKETING) == Standing(opted_out_at=at(5))
    assert known.on(ALL) == Standing(opted_in_at=at(6))
    assert known.on(Switch.TRANSACTIONAL) == NEVER_ASKED


@pytest.mark.parametrize(
    ("standing", "bound", "looked_up"),
    [
        pytest.param(Standing(at(5)), Reach(at(5), None, None), False, id="up to the bound"),
        pytest.param(Standing(at(6)), Reach(at(5), None, None), True, id="a later opt-out"),
        pytest.param(Standing(None, at(6)), Reach(at(9), at(5), None), True, id="a later opt-in"),
        pytest.param(
            Standing(None, None, at(6)), Reach(at(9), at(5), None), True, id="a later list"
        ),
        pytest.param(
            Standing(None, at(6), at(6)), Reach(at(5), None, None), False,
            id="where no opt-in counts none need be looked up",
        ),
        pytest.param(Standing(at(6), at(6)), Reach(FOREVER, FOREVER, at(9)), False, id="no bound"),
    ],
)  # fmt: skip
def test_what_must_be_looked_up(standing, bound, looked_up):
    row = NameStanding(PHONE, ALL, standing)
    assert beyond([row], {PHONE: bound}) == (frozenset({PHONE}) if looked_up else frozenset())


def test_nothing_known_is_nothing_asked():
    assert fold([], {}) == Known({})


keys = st.sampled_from([b"a", b"b", b"c", b"d"])
seconds = st.integers(0, 6)
all_acts = st.lists(
    st.builds(Said, keys, st.sampled_from(Clock), seconds, st.sampled_from([ALL, MARKETING])),
    max_size=8,
)
all_links = st.lists(st.builds(Link, keys, keys, st.booleans()), max_size=4)
all_changes = st.lists(st.builds(Change, keys, keys, seconds.map(at)), max_size=3)
all_holds = st.lists(st.tuples(keys, seconds), max_size=3)
policies = st.sampled_from([Policy(), Policy(needs_opt_in=frozenset())])
categories = st.sampled_from(Category)


def told_one_by_one(acts, asked, forms, links, changes, holds):
    """The same from every single act, with no clock in between."""
    reached = reach(asked, forms, links, changes)
    standings = {}
    for said in acts:
        bound = reached.get(said.key)
        if bound is None:
            continue
        if said.clock is OUT:
            counts = said.time <= bound.opt_outs_until
        else:
            counts = bound.opt_ins_until is not None and said.time <= bound.opt_ins_until
            counts = counts and not (bound.opt_ins_after and said.time <= bound.opt_ins_after)
        if counts:
            before = standings.get(said.switch, NEVER_ASKED)
            standings[said.switch] = before.moved(said.clock, said.time)
    held = [at(s) for key, s in holds if key in reached and at(s) <= reached[key].opt_outs_until]
    left = left_at([*asked, *forms], changes)
    return Known(standings, held_at=max(held, default=None), left_at=left)


def seen(known):
    return {switch: known.on(switch) for switch in Switch}, known.held_at, known.left_at


@given(all_acts, all_links, all_changes, all_holds)
def test_clocks_and_the_look_up_tell_what_the_single_acts_tell(acts, links, changes, holds):
    asked, forms = [b"a"], [b"b"]
    known = known_of(*acts, asked=asked, forms=forms, links=links, changes=changes, holds=holds)
    assert seen(known) == seen(told_one_by_one(acts, asked, forms, links, changes, holds))


@given(all_acts, all_links, all_changes, all_holds, st.data())
def test_any_order_and_repetition_gives_the_same(acts, links, changes, holds, data):
    def again(things):
        return data.draw(st.permutations(things + things[:2]))

    known = known_of(*acts, asked=[b"a"], links=links, changes=changes, holds=holds)
    other = known_of(
        *again(acts),
        asked=[b"a"],
        links=again(links),
        changes=again(changes),
        holds=again(holds),
    )
    assert seen(known) == seen(other)


@given(all_acts, all_links, all_changes, categories, policies, keys, seconds)
def test_nobodys_opt_out_ever_opens(acts, links, changes, category, policy, key, second):
    around = {"asked": [b"a"], "forms": [b"b"], "links": links, "changes": changes}
    before = verdict(category, known_of(*acts, **around), policy)
    stopped = verdict(category, known_of(*acts, Said(key, OUT, second), **around), policy)
    assert before.may_send or not stopped.may_send
    own = known_of(*acts, Said(b"a", OUT, 7), **around)
    assert not verdict(category, own, policy).may_send


@given(all_acts, all_links, all_changes, st.builds(Link, keys, keys, st.booleans()))
def test_learning_more_names_loses_no_opt_out(acts, links, changes, link):
    known = known_of(*acts, asked=[b"a"], links=links[1:], changes=changes[1:])
    more = known_of(*acts, asked=[b"a"], links=[*links, link], changes=changes)
    for switch in Switch:
        stopped = known.on(switch).opted_out_at
        assert stopped is None or more.on(switch).opted_out_at >= stopped
