"""`optledger keywords`: an app's own words, in force in all workers within two seconds."""

import http.client
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from tests.e2e.installed import (
    APP,
    SECRET,
    TOKEN,
    Installed,
    a_phone,
    figure,
    says,
    signature,
    until,
)

FOR_APP = ("--app", APP)
STOP = (*FOR_APP, "--intent", "opt_out")


@pytest.fixture(scope="module")
def pair(copies: Callable[..., Installed]) -> Iterator[Installed]:
    running = copies(workers="2")
    try:
        running.start()
        yield running
        assert running.stop() == 0
    finally:
        running.end()


class Lines:
    """Connections that stay, so that both workers have some."""

    def __init__(self, service: Installed, count: int = 12) -> None:
        self.all = [
            http.client.HTTPConnection("127.0.0.1", service.public, timeout=20)
            for _ in range(count)
        ]

    def say(self, word: str) -> list[str]:
        """Say a word once over each, as somebody else each time; return the phones."""
        phones = []
        for line in self.all:
            phone = a_phone()
            body = says(word, phone)
            line.request("POST", f"/webhook/{APP}", body, signature(body))
            answer = line.getresponse()
            answer.read()
            assert answer.status == 200
            phones.append(phone)
        return phones

    def close(self) -> None:
        for line in self.all:
            line.close()


def lines_to_all(service: Installed) -> Lines | None:
    """Return lines of which each worker has some; None where one got none."""
    lines = Lines(service)
    lines.say("hola")
    if workers_on(lines, service) == set(service.workers()):
        return lines
    lines.close()
    return None


def workers_on(lines: Lines, service: Installed) -> set[int]:
    """Which workers serve these lines."""
    ours = {line.sock.getsockname()[1] for line in lines.all}
    rows = [row.split() for row in Path("/proc/net/tcp").read_text("ascii").splitlines()[1:]]
    # Columns: local and remote address and port, in hex; the tenth is the socket's inode.
    there = {f"socket:[{row[9]}]" for row in rows if int(row[2].split(":")[1], 16) in ours}
    return {pid for pid in service.workers() if there & open_files(pid)}


def open_files(pid: int) -> set[str]:
    found = set()
    for one in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):  # closed meanwhile
            found.add(str(one.readlink()))
    return found


def last_of_before(
    service: Installed, lines: Lines, change: tuple[str, ...], *, stops: int
) -> float:
    """Change the words while people say one of them; return when (Unix seconds) one of them was
    last decided as before."""
    said: list[tuple[float, str]] = []
    with ThreadPoolExecutor(1) as pool:
        command = pool.submit(service.ok, *change)
        end = float("inf")
        while time.time() < end:
            now = time.time()
            said += [(now, phone) for phone in lines.say("Chau chau, gracias")]
            if command.done():
                end = min(end, now + 2.5)
            time.sleep(0.03)
        command.result()
    entries = service.entries_of([phone for _, phone in said])
    assert entries[said[-1][1]] == stops
    return max(at for at, phone in said if entries[phone] != stops)


@pytest.mark.skipif(sys.platform != "linux", reason="finds sockets in /proc")
def test_in_force_in_all_workers_within_two_seconds(pair: Installed) -> None:
    workers = set(pair.workers())
    lines = until(lambda: lines_to_all(pair), "each worker has a line", pause=0.2)
    before = lines.say("chau chau")
    assert pair.entries_of(before) == dict.fromkeys(before, 0)
    added = last_of_before(pair, lines, ("keywords", "add", "chau chau", *STOP), stops=1)
    removed = last_of_before(pair, lines, ("keywords", "remove", "chau chau", *FOR_APP), stops=0)
    (row,) = pair.sql("select added_at, removed_at from app_keyword where say = 'chau chau'")
    took = added - row["added_at"].timestamp(), removed - row["removed_at"].timestamp()
    figure("an own word is in force after {:.2f} s, and gone after {:.2f} s".format(*took))
    assert max(took) < 2
    assert set(pair.workers()) == workers  # none was restarted
    lines.close()


def test_added_listed_and_removed(shop: Installed) -> None:
    more = ("--switch", "marketing", "--tier", "likely", "--operator", "anna")
    told = shop.ok("keywords", "add", "Hasta la vista", "ciao", *STOP, *more)
    assert told.splitlines() == [
        "Added 'Hasta la vista': opt_out, likely, marketing. In force within two seconds.",
        "Added 'ciao': opt_out, likely, marketing. In force within two seconds.",
    ]
    first, second = shop.json("keywords", "list", *FOR_APP)
    assert (first["word"], first["intent"], first["tier"]) == (
        "Hasta la vista",
        "opt_out",
        "likely",
    )
    assert (second["added_by"], second["removed_at"]) == ("anna", None)
    assert "by anna" in shop.ok("keywords", "list", *FOR_APP)
    told = shop.ok("keywords", "remove", "CIAO", *FOR_APP, "--operator", "bert")
    assert told.startswith("Removed 'ciao'")
    shop.ok("keywords", "remove", "hasta la vista", *FOR_APP)
    assert "no words of its own" in shop.ok("keywords", "list", *FOR_APP)
    _, second = shop.json("keywords", "list", *FOR_APP, "--all")
    assert second["removed_by"] == "bert"
    assert "by bert" in shop.ok("keywords", "list", *FOR_APP, "--all")
    actions = shop.sql("select action, actor from audit_entry where action like 'keyword%'")
    assert [tuple(row) for row in actions].count(("keyword_added", "operator:anna")) == 2
    assert ("keyword_removed", "operator:bert") in [tuple(row) for row in actions]


@pytest.mark.parametrize(
    ("args", "told"),
    [
        pytest.param(("add", "x", *STOP), "at least two letters", id="one letter"),
        pytest.param(
            ("add", "ok", *FOR_APP, "--intent", "opt_in"), "said all day", id="an everyday answer"
        ),
        pytest.param(
            ("add", "baja", *FOR_APP, "--intent", "opt_in"),
            "'baja' is an opt_out already, by 'baja' in the pack",
            id="the packs' own, otherwise",
        ),
        pytest.param(
            ("add", "club oro", *FOR_APP, "--intent", "opt_in", "--tier", "likely"),
            "an opt-in is certain or none",
            id="a likely opt-in",
        ),
        pytest.param(
            ("add", "asesor", *FOR_APP, "--intent", "help", "--switch", "all"),
            "leave --switch out",
            id="help with a switch",
        ),
        pytest.param(("remove", "nunca", *FOR_APP), "is no word of this app", id="not there"),
        pytest.param(("add", "nunca", "--intent", "opt_out"), "--app", id="for no app"),
        pytest.param(("add", "nunca", *FOR_APP), "--intent", id="for nothing"),
        pytest.param(("add", "caf\udce9", *STOP), "one line", id="bytes that are no text"),
    ],
)
def test_what_is_wrong_is_said(shop: Installed, args: tuple[str, ...], told: str) -> None:
    done = shop.run("keywords", *args)
    assert done.returncode == 2
    assert told in " ".join(done.stderr.replace("│", " ").split())


def test_a_stop_said_to_the_brand_is_a_stop(shop: Installed) -> None:
    phone = a_phone()
    body = says("STOP Acme Shop", phone)
    shop.ok("app", "create", "branded", "--app-secret", SECRET, "--verify-token", TOKEN)
    until(lambda: shop.post(body, app="branded").status == 200, "the new app is served", 5)
    asked = ("check", "--app", "branded", "--to", phone, "--category", "service")
    assert shop.run(*asked).returncode == 0
    refused = shop.run("app", "set", "branded", "--brands", "x")
    assert refused.returncode == 2
    assert "two letters" in refused.stderr
    shop.ok("app", "set", "branded", "--brands", "Acme, Acme Shop")
    assert "Acme, Acme Shop" in shop.ok("app", "show", "branded")

    def is_blocked() -> bool:
        assert shop.post(says("STOP Acme Shop", phone), app="branded").status == 200
        return shop.run(*asked).returncode == 1

    until(is_blocked, "the name is known", 10)
