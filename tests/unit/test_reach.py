from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.reach import FOREVER, Change, Link, Reach, left_at, reach

PHONE, BSUID, OTHER, FORM = b"phone", b"bsuid", b"other", b"form"
NEW, NEWER = b"new", b"newer"


def at(second):
    return datetime(2025, 6, 1, tzinfo=UTC) + timedelta(seconds=second)


ALWAYS = Reach(FOREVER, FOREVER, None)
OPT_OUTS_ALWAYS = Reach(FOREVER, None, None)


def until(second, after=None):
    return Reach(at(second), at(second), None if after is None else at(after))


@pytest.mark.parametrize(
    ("names", "forms", "links", "changes", "reached"),
    [
        pytest.param([PHONE], [], [], [], {PHONE: ALWAYS}, id="a name alone speaks for itself"),
        pytest.param([], [], [Link(PHONE, BSUID)], [], {}, id="nobody is nobody"),
        pytest.param(
            [PHONE],
            [],
            [Link(PHONE, BSUID)],
            [],
            {PHONE: ALWAYS, BSUID: ALWAYS},
            id="a link makes two names one contact",
        ),
        pytest.param(
            [BSUID],
            [],
            [Link(PHONE, BSUID)],
            [],
            {PHONE: ALWAYS, BSUID: ALWAYS},
            id="from either side",
        ),
        pytest.param(
            [PHONE],
            [],
            [Link(BSUID, OTHER)],
            [],
            {PHONE: ALWAYS},
            id="a link of others says nothing",
        ),
        pytest.param(
            [BSUID],
            [],
            [Link(BSUID, PHONE), Link(PHONE, OTHER)],
            [],
            {BSUID: ALWAYS, PHONE: ALWAYS, OTHER: OPT_OUTS_ALWAYS},
            id="opt-ins over two links do not count, opt-outs do",
        ),
        pytest.param(
            [BSUID],
            [],
            [Link(BSUID, PHONE), Link(PHONE, OTHER), Link(BSUID, OTHER)],
            [],
            {BSUID: ALWAYS, PHONE: ALWAYS, OTHER: ALWAYS},
            id="the shortest way is believed",
        ),
        pytest.param(
            [PHONE],
            [FORM],
            [],
            [],
            {PHONE: ALWAYS, FORM: OPT_OUTS_ALWAYS},
            id="another form of the phone is good for opt-outs alone",
        ),
        pytest.param(
            [PHONE],
            [FORM],
            [Link(FORM, OTHER)],
            [],
            {PHONE: ALWAYS, FORM: OPT_OUTS_ALWAYS, OTHER: OPT_OUTS_ALWAYS},
            id="so is whom another form is linked with",
        ),
        pytest.param(
            [BSUID],
            [],
            [Link(BSUID, FORM, only_opt_outs=True)],
            [],
            {BSUID: ALWAYS, FORM: OPT_OUTS_ALWAYS},
            id="a link to a made-up form brings opt-outs alone",
        ),
        pytest.param(
            [FORM],
            [],
            [Link(BSUID, FORM, only_opt_outs=True)],
            [],
            {FORM: ALWAYS, BSUID: OPT_OUTS_ALWAYS},
            id="in both directions",
        ),
        pytest.param(
            [NEW],
            [],
            [],
            [Change(PHONE, NEW, at(5))],
            {NEW: ALWAYS, PHONE: until(5)},
            id="the old name speaks up to the change",
        ),
        pytest.param(
            [PHONE],
            [],
            [],
            [Change(PHONE, NEW, at(5))],
            {PHONE: Reach(FOREVER, FOREVER, at(5))},
            id="the old name says nothing of the new; opt-ins from before it was left are void",
        ),
        pytest.param(
            [NEWER],
            [],
            [],
            [Change(PHONE, NEW, at(5)), Change(NEW, NEWER, at(9))],
            {NEWER: ALWAYS, NEW: until(9), PHONE: until(5)},
            id="two changes, each up to its time",
        ),
        pytest.param(
            [NEWER],
            [],
            [],
            [Change(PHONE, NEW, at(9)), Change(NEW, NEWER, at(5))],
            {NEWER: ALWAYS, NEW: until(5), PHONE: until(5)},
            id="what was carried on after the contact went on is not theirs",
        ),
        pytest.param(
            [NEW],
            [],
            [],
            [Change(PHONE, NEW, at(5)), Change(PHONE, NEW, at(9))],
            {NEW: ALWAYS, PHONE: until(9, after=5)},
            id="a name left twice speaks from the first leaving to the last",
        ),
        pytest.param(
            [NEW],
            [],
            [],
            [Change(PHONE, OTHER, at(3)), Change(PHONE, NEW, at(9))],
            {NEW: ALWAYS, PHONE: until(9, after=3)},
            id="opt-ins of who had the old name before do not come along",
        ),
        pytest.param(
            [NEW],
            [],
            [],
            [Change(PHONE, NEW, at(5)), Change(PHONE, OTHER, at(9))],
            {NEW: ALWAYS, PHONE: until(5)},
            id="who leaves the old name later is somebody else",
        ),
        pytest.param(
            [NEW],
            [],
            [Link(PHONE, BSUID)],
            [Change(PHONE, NEW, at(5))],
            {NEW: ALWAYS, PHONE: until(5), BSUID: until(5)},
            id="names linked with the old one speak up to the change too",
        ),
        pytest.param(
            [PHONE],
            [FORM],
            [],
            [Change(OTHER, FORM, at(5))],
            {PHONE: ALWAYS, FORM: OPT_OUTS_ALWAYS, OTHER: Reach(at(5), None, None)},
            id="an older name of another form is good for opt-outs alone",
        ),
        pytest.param(
            [PHONE],
            [],
            [],
            [Change(PHONE, NEW, at(3)), Change(NEW, PHONE, at(7))],
            {PHONE: Reach(FOREVER, FOREVER, at(3)), NEW: until(7)},
            id="there and back again",
        ),
    ],
)
def test_reach(names, forms, links, changes, reached):
    assert reach(names, forms, links, changes) == reached


@pytest.mark.parametrize(
    ("asked", "old"),
    [
        pytest.param(BSUID, PHONE, id="the old phone of a BSUID that stayed"),
        pytest.param(PHONE, BSUID, id="the BSUID of one who left the phone"),
    ],
)
def test_a_link_ends_for_opt_ins_where_one_name_was_left_for_the_other(asked, old):
    """Number changed, BSUID unchanged: `intake.reading` records (phone, new) and (phone, bsuid)."""
    changes = [Change(PHONE, NEW, at(5)), Change(PHONE, BSUID, at(5))]
    spoken_for = reach([asked], [], [Link(PHONE, BSUID), Link(NEW, BSUID)], changes)[old]
    assert spoken_for.opt_ins_until is None or spoken_for.opt_ins_until <= at(5)


@pytest.mark.parametrize(
    ("names", "changes", "left"),
    [
        pytest.param([PHONE], [], None, id="nobody left"),
        pytest.param([PHONE], [Change(PHONE, NEW, at(5))], at(5), id="left once"),
        pytest.param(
            [PHONE],
            [Change(PHONE, NEW, at(5)), Change(PHONE, NEWER, at(9)), Change(PHONE, NEW, at(2))],
            at(9),
            id="the last time counts",
        ),
        pytest.param([NEW], [Change(PHONE, NEW, at(5))], None, id="taken up is not left"),
        pytest.param([PHONE, FORM], [Change(FORM, NEW, at(5))], at(5), id="any of several names"),
    ],
)
def test_left_at(names, changes, left):
    assert left_at(names, changes) == left


keys = st.sampled_from([b"a", b"b", b"c", b"d"])
times = st.integers(1, 5).map(at)
all_links = st.lists(st.builds(Link, keys, keys, st.booleans()), max_size=4)
all_changes = st.lists(st.builds(Change, keys, keys, times), max_size=4)
some_keys = st.lists(keys, max_size=2, unique=True)


def walked(names, forms, links, changes):
    """Go every way there is, one after the other, and note all that it says.

    A way is believed for opt-ins while it takes no made-up form, and one link at most; after a
    change of name, which WhatsApp itself told, links are counted anew. A link between two names of
    which one was left for the other is believed up to then.
    """
    noted = {}

    def parted(one, other):
        ends = [change.at for change in changes if {change.old, change.new} == {one, other}]
        return min(ends, default=FOREVER)

    def go(key, linked, doubtful, time, been):
        here = (key, linked, doubtful)
        if here in been:
            return
        been = been | {here}
        noted.setdefault(key, []).append((time, not doubtful))
        for link in links:
            for one, other in ((link.key, link.other), (link.other, link.key)):
                if one == key:
                    believed = min(time, parted(one, other))
                    go(other, True, doubtful or linked or link.only_opt_outs, believed, been)
                    go(other, True, True, time, been)
        for change in changes:
            if change.new == key:
                go(change.old, False, doubtful, min(time, change.at), been)

    for name in names:
        go(name, False, False, FOREVER, frozenset())
    for form in forms:
        go(form, True, True, FOREVER, frozenset())
    reached = {}
    for key, ways in noted.items():
        opt_ins = max((time for time, believed in ways if believed), default=None)
        earlier = [c.at for c in changes if c.old == key and opt_ins is not None and c.at < opt_ins]
        reached[key] = Reach(max(t for t, _ in ways), opt_ins, max(earlier, default=None))
    return reached


@given(some_keys, some_keys, all_links, all_changes)
def test_reach_is_what_walking_every_way_gives(names, forms, links, changes):
    assert reach(names, forms, links, changes) == walked(names, forms, links, changes)


@given(some_keys, some_keys, all_links, all_changes, st.data())
def test_any_order_and_repetition_of_links_and_changes_gives_the_same_reach(
    names, forms, links, changes, data
):
    shuffled = data.draw(st.permutations(links + links[:2]))
    turned = [Link(one.other, one.key, one.only_opt_outs) for one in shuffled]
    again = data.draw(st.permutations(changes + changes[:2]))
    reached = reach(names, forms, links, changes)
    assert reach(names[::-1] + names, forms, shuffled, again) == reached
    assert reach(names, forms + forms, turned, iter(again)) == reached


@given(some_keys, some_keys, all_links, all_changes, st.builds(Link, keys, keys, st.booleans()))
def test_learning_of_a_link_or_a_change_never_shortens_the_reach_of_opt_outs(
    names, forms, links, changes, link
):
    known = reach(names, forms, links[1:], changes[1:])
    more = reach(names, forms, [*links, link], changes)
    for key, spoken_for in known.items():
        assert more[key].opt_outs_until >= spoken_for.opt_outs_until


@given(some_keys, all_links, all_changes)
def test_forms_carry_nothing_but_opt_outs(forms, links, changes):
    for spoken_for in reach([], forms, links, changes).values():
        assert spoken_for.opt_ins_until is None
        assert spoken_for.opt_ins_after is None


@given(some_keys, some_keys, all_links, all_changes)
def test_opt_outs_reach_as_far_as_opt_ins_and_a_name_speaks_for_itself(
    names, forms, links, changes
):
    reached = reach(names, forms, links, changes)
    for spoken_for in reached.values():
        if spoken_for.opt_ins_until is not None:
            assert spoken_for.opt_ins_until <= spoken_for.opt_outs_until
        if spoken_for.opt_ins_after is not None:
            assert spoken_for.opt_ins_after < spoken_for.opt_ins_until
    for name in names:
        assert reached[name].opt_ins_until == FOREVER
    assert left_at(names, changes) == max((c.at for c in changes if c.old in names), default=None)


def test_a_long_chain_of_links_and_changes_is_walked_to_its_end():
    names = [str(number).encode() for number in range(3000)]
    links = [Link(one, other) for one, other in pairwise(names)]
    assert len(reach(names[:1], [], links, [])) == len(names)
    changes = [Change(*pair, at(number)) for number, pair in enumerate(pairwise(names))]
    reached = reach(names[-1:], [], [], changes)
    assert reached[names[0]].opt_ins_until == at(0)
    assert len(reached) == len(names)
