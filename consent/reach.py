"""Which names speak for a contact, and up to when: the fold over links and changed names.

Nothing is copied from name to name when a link or a change is recorded, since then the result would
hang on what came first. Links, changes and acts are three sets that only grow; this fold over them
gives the same answer in whatever order they came.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

FOREVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Link:
    """One delivery named both. `only_opt_outs`: the other is a made-up form of a phone."""

    key: bytes
    other: bytes
    only_opt_outs: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """WhatsApp said that a contact left the name `old` for the name `new` at this time."""

    old: bytes
    new: bytes
    at: datetime


@dataclass(frozen=True, slots=True)
class Reach:
    """How far one name speaks for the contact asked about.

    Its opt-outs count up to `opt_outs_until`. Its opt-ins count after `opt_ins_after` (when the
    name last changed hands) and up to `opt_ins_until`; None there means that none counts.
    """

    opt_outs_until: datetime
    opt_ins_until: datetime | None
    opt_ins_after: datetime | None


# How a name was come to. Opt-ins are believed over one link; over two in a row the names may be two
# people's (a phone that was given to somebody else links both). A change that WhatsApp told is no
# link: after it another one may follow. Opt-outs are believed over any number.
_OWN, _LINKED, _OPT_OUTS_ONLY = _MODES = (0, 1, 2)


def reach(
    names: Iterable[bytes], forms: Iterable[bytes], links: Iterable[Link], changes: Iterable[Change]
) -> Mapping[bytes, Reach]:
    """Return how far each name speaks for the contact that is called `names`.

    `forms` are match keys: other ways to write its phone, good for opt-outs only. A changed name
    carries along what was said under the old one until the change, however many changes back.
    """
    steps = _steps(links)
    changes = tuple(changes)
    before: dict[bytes, list[Change]] = {}
    parted: dict[frozenset[bytes], datetime] = {}
    for change in changes:
        before.setdefault(change.new, []).append(change)
        pair = frozenset((change.old, change.new))
        parted[pair] = min(change.at, parted.get(pair, FOREVER))
    best: dict[tuple[bytes, int], datetime] = {}
    todo = [(key, _OWN, FOREVER) for key in names]
    todo += [(key, _OPT_OUTS_ONLY, FOREVER) for key in forms]
    while todo:
        key, mode, until = todo.pop()
        known = best.get((key, mode))
        if known is not None and known >= until:
            continue
        best[key, mode] = until
        for other, only_opt_outs in steps.get(key, ()):
            if mode == _OWN and not only_opt_outs:
                # Where one name was left for the other, the link ended with that.
                ended = parted.get(frozenset((key, other)), FOREVER)
                todo.append((other, _LINKED, min(until, ended)))
            todo.append((other, _OPT_OUTS_ONLY, until))
        for change in before.get(key, ()):
            kept = _OPT_OUTS_ONLY if mode == _OPT_OUTS_ONLY else _OWN
            todo.append((change.old, kept, min(until, change.at)))
    return {key: _summed(key, best, changes) for key, _ in best}


def left_at(names: Iterable[bytes], changes: Iterable[Change]) -> datetime | None:
    """Return when the contact last left any of these names for another, or None if it never did."""
    wanted = frozenset(names)
    return max((change.at for change in changes if change.old in wanted), default=None)


def _steps(links: Iterable[Link]) -> dict[bytes, list[tuple[bytes, bool]]]:
    steps: dict[bytes, list[tuple[bytes, bool]]] = {}
    for link in links:
        steps.setdefault(link.key, []).append((link.other, link.only_opt_outs))
        steps.setdefault(link.other, []).append((link.key, link.only_opt_outs))
    return steps


def _summed(
    key: bytes, best: Mapping[tuple[bytes, int], datetime], changes: tuple[Change, ...]
) -> Reach:
    untils = {mode: best[key, mode] for mode in _MODES if (key, mode) in best}
    opt_ins = max((untils[mode] for mode in (_OWN, _LINKED) if mode in untils), default=None)
    after = None
    if opt_ins is not None:
        # Whoever has a name after it was left agreed to nothing that was said before.
        after = max((c.at for c in changes if c.old == key and c.at < opt_ins), default=None)
    return Reach(max(untils.values()), opt_ins, after)
