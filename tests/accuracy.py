"""How well the packs understand the sentences in tests/keywords: `make accuracy`.

Prints a table by language, the one in docs/accuracy.md. `--write` writes that page, `--misses`
names each sentence that is understood otherwise than its author meant.
"""

import argparse
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from consent.model import Surface
from keywords.decision import Decision, Intent, Tier
from keywords.matcher import Matcher, load_matcher
from keywords.pack import read_packs

CORPUS = Path(__file__).parent / "keywords"
PAGE = Path(__file__).parents[1] / "docs" / "accuracy.md"
OWN = "own knowledge"
BARS = {True: (0.85, 0.97), False: (0.60, 0.85)}  # certain, certain or likely; by cited sources
COLUMNS = (
    *("language", "cited", "requests", "certain", "found", "opt-in, help"),
    *("ordinary", "acted on", "to review", "opposite"),
)
HEAD = """# How well words are understood

Our own sentences, by language: `tests/keywords/*.jsonl`, written by us, most of them by somebody
who had not seen the pack. Made with `make accuracy`; a test fails when this page is out of date.

- **requests**: sentences that ask to stop. **certain**: how many act at once, of those that leave
  no doubt ("cancel" leaves one). **found**: how many of all requests are certain or likely (a
  person looks, marketing pauses).
- **ordinary**: sentences that ask for nothing; many are written to look like a request. **acted
  on** and **to review** are the mistakes among them.
- **opposite**: a request to stop read as one to start, or the other way round.
- **cited**: some terms of the pack come from published lists; the others from what we know.

"""


@dataclass(slots=True)
class Score:
    """What became of the sentences of one language."""

    requests: int = 0
    sure: int = 0  # requests that leave no doubt, says their author
    certain: int = 0
    found: int = 0
    ordinary: int = 0
    acted: int = 0
    reviewed: int = 0
    opposite: int = 0
    other: int = 0  # asking to start or for help
    other_found: int = 0

    def add(self, expect: str, tier: str, decision: Decision) -> None:
        """Count one sentence by what its author meant and what was decided."""
        stops, starts = (decision.intent is i for i in (Intent.OPT_OUT, Intent.OPT_IN))
        if expect == Intent.OPT_OUT:
            self.requests += 1
            self.sure += tier == Tier.CERTAIN
            self.certain += stops and tier == decision.tier == Tier.CERTAIN
            self.found += stops
            self.opposite += starts
        elif expect == Intent.NONE:
            self.ordinary += 1
            self.acted += starts or (stops and decision.tier is Tier.CERTAIN)
            self.reviewed += stops and decision.tier is Tier.LIKELY
        else:
            self.other += 1
            self.other_found += decision.intent == expect
            self.opposite += stops and expect == Intent.OPT_IN

    def reaches(self, *, cited: bool) -> bool:
        """Tell whether the requests are understood as well as we set out to.

        There are some twenty of them, so one that is not found is no sign yet.
        """
        certain, found = BARS[cited]
        return self.certain >= certain * self.sure and self.found >= found * self.requests - 1


def rows() -> Iterator[dict[str, Any]]:
    """Yield the labelled sentences, with the language they belong to."""
    for path in sorted(CORPUS.glob("*.jsonl")):
        for line in path.read_text("utf-8").splitlines():
            yield json.loads(line)


def decided(matcher: Matcher, row: dict[str, Any]) -> Decision:
    """Return what is decided for a sentence from an app that serves its language."""
    return matcher.decide(
        row["text"],
        surface=Surface(row.get("surface", "text")),
        languages=[row["language"]],
        country=row.get("country"),
    )


def scores(matcher: Matcher) -> dict[str, Score]:
    """Return the score of each language."""
    found: dict[str, Score] = defaultdict(Score)
    for row in rows():
        found[row["language"]].add(row["expect"], row["tier"], decided(matcher, row))
    return dict(found)


def cited() -> dict[str, bool]:
    """Return the languages with packs, and whether some of their words come from a source."""
    packs, _ = read_packs()
    return {
        pack.language: any(not term.source.startswith(OWN) for term in pack.terms) for pack in packs
    }


def table(found: dict[str, Score]) -> str:
    """Return the scores as a Markdown table, the sum last."""
    sources = cited()
    lines = [
        f"| {' | '.join(COLUMNS)} |",
        f"|---|---|{'---:|' * (len(COLUMNS) - 2)}",
    ]
    lines += [_line(name, sources.get(name, False), found[name]) for name in sorted(found)]
    lines.append(_line("**all**", None, _sum(found.values())))
    return "\n".join(lines) + "\n"


def _sum(all_scores: Iterable[Score]) -> Score:
    total = Score()
    for score in all_scores:
        for name in Score.__slots__:
            setattr(total, name, getattr(total, name) + getattr(score, name))
    return total


def _line(name: str, has_source: bool | None, s: Score) -> str:
    source = "" if has_source is None else "yes" if has_source else "no"
    certain, found = _percent(s.certain, s.sure), _percent(s.found, s.requests)
    others = f"{s.other_found} of {s.other}"
    return (
        f"| {name} | {source} | {s.requests} | {certain} | {found} | {others} | {s.ordinary} "
        f"| {s.acted} | {s.reviewed} | {s.opposite} |"
    )


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} %" if whole else "–"


def page(found: dict[str, Score]) -> str:
    """Return docs/accuracy.md."""
    lines, languages = sum(1 for _ in rows()), len(found)
    return f"{HEAD}{lines:,} sentences in {languages} languages.\n\n{table(found)}"


def misses(matcher: Matcher) -> Iterator[str]:
    """Yield a line for each sentence that is understood otherwise than meant."""
    for row in rows():
        d = decided(matcher, row)
        if (d.intent, d.tier) != (row["expect"], row["tier"]):
            wanted, got = f"{row['expect']} {row['tier']}", f"{d.intent} {d.tier}"
            read = f"{wanted}, read as {got} ({d.language} {d.term!r})"
            yield f"{row['language']}: {row['text']!r}: {read}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="write docs/accuracy.md")
    parser.add_argument("--misses", action="store_true", help="name each sentence misunderstood")
    asked = parser.parse_args()
    matcher = load_matcher()
    if asked.misses:
        print("\n".join(misses(matcher)))
    found = scores(matcher)
    if asked.write:
        PAGE.write_text(page(found), "utf-8")
    print(table(found), end="")


if __name__ == "__main__":
    main()
