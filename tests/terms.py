"""The page of all terms, docs/terms.md, from the packs: `make terms`."""

from pathlib import Path

from keywords.decision import Intent
from keywords.pack import COMMON, Kind, Pack, Term, read_packs

PAGE = Path(__file__).parents[1] / "docs" / "terms.md"
_HEAD = """# All terms

Made of the packs in `keywords/packs/` with `make terms`; correct a pack, not this page. How they
are matched, and what the words in brackets mean: [keywords.md](keywords.md). Requests are found by
phrases as well, which stand in the packs: here are the words and sentences that are a request as
they stand.

"""
_WHERE = {
    Kind.BUTTON: "on a button",
    Kind.PAYLOAD: "hidden value of a button",
    Kind.TRANSLITERATION: "in other letters",
    Kind.ABBREVIATION: "short",
}
_TITLES = {Intent.OPT_OUT: "Stop", Intent.OPT_IN: "Start", Intent.HELP: "Help"}


def page() -> str:
    """Return docs/terms.md."""
    packs, _ = read_packs()
    total = sum(len(pack.terms) for pack in packs)
    languages = sum(pack.language != COMMON for pack in packs)
    counted = f"{total:,} terms in {languages} languages, and those of any language.\n"
    return _HEAD + counted + "".join(_of(pack) for pack in packs)


def _of(pack: Pack) -> str:
    lines = [f"\n## {pack.name} ({pack.language})\n"]
    for intent, title in _TITLES.items():
        groups: dict[str, list[str]] = {}
        for term in pack.terms:
            if term.intent is intent:
                groups.setdefault(_kind(term), []).append(_shown(term.say))
        for kind, said in groups.items():
            lines.append(f"- **{title}** ({kind}): {', '.join(said)}")
    return "\n".join(lines) + "\n"


def _kind(term: Term) -> str:
    said = [term.tier.value]
    if term.certain_in:
        said.append(f"certain in {', '.join(sorted(term.certain_in))}")
    if term.switch is not None and term.switch.value != "all":
        said.append(term.switch.value)
    if term.kind in _WHERE:
        said.append(_WHERE[term.kind])
    if term.anywhere:
        said.append("also inside a message")
    if term.local:
        said.append("where it is spoken")
    return ", ".join(said)


def _shown(say: str) -> str:
    """Return a term as Markdown shows it as it is."""
    return "".join(f"\\{sign}" if sign in "\\*_`[]<>|" else sign for sign in say)


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
