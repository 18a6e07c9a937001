"""Runs the parser over every *.json below a folder: python tests/try_payloads.py DIR [-v].

For trying it on samples that are not ours. Exits 1 if anything but NotADelivery was raised.
"""
# ruff: noqa: T201

import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from webhook.delivery import Delivery
from webhook.errors import NotADelivery
from webhook.parse import parse_delivery


def counts_of(delivery: Delivery) -> Counter[str]:
    """Count what one delivery says, by kind."""
    counted = Counter(
        messages=len(delivery.messages),
        words=sum(len(message.words) for message in delivery.messages),
        preferences=len(delivery.preferences),
        stopped_at_meta=len(delivery.stopped_at_meta),
        name_changes=len(delivery.name_changes),
        links=len(delivery.links),
    )
    counted.update(f"unread {item.code}" for item in delivery.unread)
    counted.update({f"ignored {what}": times for what, times in delivery.ignored.items()})
    return +counted


def told(counted: Counter[str]) -> str:
    """Write counts on one line."""
    return ", ".join(f"{times} {what}" for what, times in counted.items())


def main(folder: Path, *, verbose: bool) -> int:
    """Parse everything, print a line per folder and the totals; return the exit status."""
    by_folder: dict[Path, Counter[str]] = {}
    raised = 0
    for path in sorted(folder.rglob("*.json")):
        try:
            counted = counts_of(parse_delivery(path.read_bytes()))
        except NotADelivery:
            counted = Counter({"not a delivery": 1})
        except Exception as exc:
            raised += 1
            print(f"{path}: {type(exc).__name__}: {exc}")
            continue
        if verbose:
            print(f"{path.relative_to(folder)}: {told(counted)}")
        by_folder.setdefault(path.parent, Counter()).update(counted, files=1)
    for parent, counted in by_folder.items():
        print(f"{parent.relative_to(folder)}: {told(counted)}")
    print(f"in all: {told(sum(by_folder.values(), Counter()))}; {raised} raised")
    return 1 if raised else 0


if __name__ == "__main__":
    arguments = [word for word in sys.argv[1:] if word != "-v"]
    if len(arguments) != 1:
        sys.exit(__doc__)
    sys.exit(main(Path(arguments[0]), verbose="-v" in sys.argv))
