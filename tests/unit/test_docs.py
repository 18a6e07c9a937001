"""The documents against the code: what the one says of the other is there, and all of it."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import Counter, Gauge, Histogram

from consent.verdict import EXPLAINED
from db.embedded import EmbeddedPostgresError
from db.tables import SQLModel
from intake.acts import Action
from service import metrics
from service.settings import PREFIX, SECRETS, Settings
from webhook.errors import REFUSALS, UNREAD_CODES
from webhook.fields import READ_FIELDS

ROOT = Path(__file__).resolve().parents[2]
DECISIONS = sorted((ROOT / "docs/decisions").glob("[0-9]*.md"))
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
README, OPERATIONS = ROOT / "README.md", ROOT / "docs/operations.md"

_LINK = re.compile(r"\]\(([^)\s]+)\)")
_OUTSIDE = ("http://", "https://", "mailto:")

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def table(page: Path, *head: str) -> list[list[str]]:
    """Return the rows of the table with this head, or one that begins so; empty if there is none.

    A cell that is all code is returned without the marks of code.
    """
    rows: list[list[str]] = []
    lines = iter(page.read_text("utf-8").splitlines())
    for line in lines:
        if not line.lstrip().startswith(f"| {' | '.join(head)} |"):
            continue
        next(lines)  # the rule below the head
        for row in lines:
            if not row.lstrip().startswith("|"):
                return rows
            cells = row.strip().removeprefix("|").removesuffix("|").split(" |")
            rows.append([re.sub(r"^`([^`]*)`$", r"\1", cell.strip()) for cell in cells])
    return rows


def flat(text: str) -> str:
    return " ".join(text.split())


def test_settings() -> None:
    told = {row[0]: (row[1], row[2]) for row in table(OPERATIONS, "setting")}
    assert told == {
        PREFIX + name.upper(): (
            "" if field.default is None else str(field.default),
            field.description,
        )
        for name, field in Settings.model_fields.items()
    }


def test_settings_that_may_stand_in_a_file() -> None:
    text = flat(OPERATIONS.read_text("utf-8"))
    listed = " and ".join(f"`{PREFIX}{name.upper()}`" for name in SECRETS)
    assert f"Each secret, {listed}, may stand in a file" in text


def test_answers_of_the_public_port() -> None:
    told = {(int(row[0]), row[1]) for row in table(OPERATIONS, "status") if row[1]}
    assert told == {(refusal.status, refusal.code) for refusal in REFUSALS}


def test_quarantine_codes() -> None:
    told = {row[0]: row[1] for row in table(OPERATIONS, "code", "what it means, and what to do")}
    assert told == dict(UNREAD_CODES)


def sources(folder: str) -> Iterator[str]:
    for path in sorted((ROOT / folder).rglob("*.py")):
        yield path.read_text("utf-8")


def test_every_code_that_intake_sets_aside_with_is_explained() -> None:
    code = re.compile(r"""(?:QuarantineRow\(key|_whole\(app, body, received_at), "(\w+)\"""")
    used = {match[1] for text in sources("intake") for match in code.finditer(text)}
    assert used
    assert used <= UNREAD_CODES.keys()


def test_errors_of_the_embedded_database() -> None:
    told = {row[0]: (row[1], row[2]) for row in table(OPERATIONS, "code", "means", "what to do")}
    assert told == {
        error.code: (flat(error.__doc__ or ""), error.remedy)
        for error in EmbeddedPostgresError.__subclasses__()
    }


def measured() -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Yield name, kind and labels of every metric."""
    for metric in vars(metrics).values():
        if isinstance(metric, Counter | Gauge | Histogram):
            name, labels = metric._name, tuple(metric._labelnames)
            if isinstance(metric, Counter):
                yield f"{name}_total", "counter", labels
            else:
                kind = "gauge" if isinstance(metric, Gauge) else "histogram"
                # Prometheus' library adds this one for a gauge that each process keeps for itself.
                own = isinstance(metric, Gauge) and metric._multiprocess_mode == "liveall"
                yield name, kind, ("pid", *labels) if own else labels


def test_metrics() -> None:
    told = {(row[0], row[1], row[2].replace("`", "")) for row in table(OPERATIONS, "metric")}
    assert told == {(name, kind, ", ".join(labels)) for name, kind, labels in measured()}


def test_metrics_in_alerts() -> None:
    names = {name for name, _, _ in measured()}
    alerts = " ".join(row[0] for row in table(OPERATIONS, "when", "why"))
    used = {name.removesuffix("_bucket") for name in re.findall(r"optledger_\w+", alerts)}
    assert used
    assert used <= names


def test_actions_that_are_counted() -> None:
    (row,) = [row for row in table(OPERATIONS, "metric") if row[0] == "optledger_entries_total"]
    assert re.findall(r"`(\w+)`", row[3]) == [action.value for action in Action]


def test_reasons_of_a_verdict() -> None:
    told = {row[0]: row[2] for row in table(README, "reason")}
    assert told == {reason.value: text for reason, text in EXPLAINED.items()}


def test_tables_of_the_database() -> None:
    rows = table(ROOT / "docs/architecture.md", "table")
    told = {name for row in rows for name in re.findall(r"\w+", row[0])}
    assert told == set(SQLModel.metadata.tables)


def test_webhook_fields_that_are_read() -> None:
    told = {row[0] for row in table(README, "field")}
    # The withdrawn one can't be subscribed to; the last is known, and goes with `standby`.
    assert told == READ_FIELDS - {"user_id_update"} | {"messaging_handovers"}


def targets() -> set[str]:
    return set(
        re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    )


@each_page
def test_make_targets_are_there(page: Path) -> None:
    text = page.read_text("utf-8")
    used = re.findall(r"(?:`|^ {4}|\s)make ([a-z][a-z-]*)(?=`|\s{2,}#|$)", text, re.MULTILINE)
    assert set(used) <= targets()


def test_every_make_target_is_explained() -> None:
    told = " ".join(row[0] for row in table(ROOT / "CONTRIBUTING.md", "target"))
    assert set(re.findall(r"make ([a-z-]+)", told)) == targets()


@pytest.mark.parametrize("command", ["make serve", "make test"])
def test_the_readme_names_its_two_commands(command: str) -> None:
    assert re.search(rf"^    {command}\b", README.read_text("utf-8"), re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """Return what headings can be linked to by, as code hosts make it of their text."""
    heads = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@each_page
def test_links_lead_somewhere(page: Path) -> None:
    for link in _LINK.findall(page.read_text("utf-8")):
        if link.startswith(_OUTSIDE):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert target.is_relative_to(ROOT), link
        if anchor:
            assert anchor in anchors(target), link


@each_page
def test_no_path_of_a_developers_machine(page: Path) -> None:
    text = page.read_text("utf-8").replace("/home/you/", "")
    assert (
        re.search(r"(?<![\w.])/(?:home|mnt|opt|root|tmp|Users|work)/(?!optledger)\w", text) is None
    )


@pytest.mark.parametrize("page", DECISIONS, ids=lambda page: page.stem)
def test_a_decision_has_context_choice_and_price(page: Path) -> None:
    text = page.read_text("utf-8")
    assert text.startswith(f"# {page.name[:4]} ")
    assert re.findall(r"^\*\*(\w+)\.\*\*", text, re.MULTILINE) == ["Context", "Choice", "Price"]
    assert f"({page.name})" in (page.parent / "README.md").read_text("utf-8")


def test_the_picture_is_xml_with_a_text_for_those_who_cannot_see_it() -> None:
    picture = (ROOT / "docs/flow.svg").read_text("utf-8")
    assert "<title" in picture
    assert "<desc" in picture
    assert "prefers-color-scheme: dark" in picture
