"""What an operator does: apps and secrets, settings, and finding out what is wrong."""

import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.installed import (
    APP,
    SECRET,
    TOKEN,
    Installed,
    a_phone,
    ends_in_a_sentence,
    figure,
    free_ports,
    says,
    side_by_side,
    until,
)

NEW = "the-new-secret-after-rotation"
AWAY = "postgresql://owner:secret-word@127.0.0.1:{}/nothing"


# Apps and their secrets


def test_secrets_are_rotated_without_a_refused_delivery(shop: Installed) -> None:
    began = time.monotonic()
    made = ("--app-secret", SECRET, "--verify-token", TOKEN, "--number", "100000000000777")
    shop.ok("app", "create", "rotating", *made)
    body = says("STOP", a_phone())
    until(lambda: shop.post(body, app="rotating").status == 200, "the new app is served", 5)
    figure(f"a new app is served {time.monotonic() - began:.2f} s after the command began")

    added = shop.ok("app", "secret", "add", "rotating", "--app-secret", NEW)
    until(lambda: shop.post(body, app="rotating", secret=NEW).status == 200, "both are taken", 3)
    assert shop.post(body, app="rotating", secret=SECRET).status == 200

    secrets = _app(shop, "rotating")["secrets"]
    mine = [one for one in secrets if one["kind"] == "app_secret"]
    assert [one["retired_at"] for one in mine] == [None, None]
    (old,) = (one["id"] for one in mine if not one["id"].startswith(added.split()[1].rstrip(".")))
    shop.ok("app", "secret", "retire", "rotating", old[:8])
    began = time.monotonic()
    until(lambda: shop.post(body, app="rotating", secret=SECRET).status == 401, "it is refused", 5)
    figure(f"the old one is refused {time.monotonic() - began:.2f} s after it was retired")
    assert shop.post(body, app="rotating", secret=NEW).status == 200
    assert shop.ok("send", "START", "--from", a_phone(), "--app", "rotating")  # signs with the new

    last = next(one["id"] for one in mine if one["id"] != old)
    refused = shop.run("app", "secret", "retire", "rotating", last)
    assert refused.returncode == 2
    assert "only active app_secret" in refused.stderr
    shown = shop.ok("app", "list")
    assert "rotating   numbers: 100000000000777" in shown
    assert "retired" in shown
    for text in (shown, json.dumps(shop.json("app", "list")), shop.log()):
        assert SECRET not in text
        assert NEW not in text
        assert TOKEN not in text


def _app(shop: Installed, slug: str) -> dict:
    (one,) = (one for one in shop.json("app", "list") if one["slug"] == slug)
    return one


# Settings


def test_config_shows_what_is_in_force_and_no_secret(shop: Installed, tmp_path: Path) -> None:
    address = "postgresql://owner:secret-word@db.example/ledger"
    (tmp_path / "address").write_text(address + "\n")
    for settings in (
        {"OPTLEDGER_DATABASE_URL": address},
        {"OPTLEDGER_DATABASE_URL_FILE": str(tmp_path / "address")},
    ):
        done, plain = side_by_side(
            lambda given=settings: shop.run("config", "--json", settings=given),
            lambda given=settings: shop.run("config", settings=given),
        )
        shown = json.loads(done.stdout)
        assert shown["OPTLEDGER_DATABASE_URL"] == "********"
        assert shown["OPTLEDGER_PUBLIC_PORT"] == str(shop.public)
        assert shown["OPTLEDGER_DATA_DIR"] == str(shop.data_dir)
        for name in shown:
            assert name in plain.stdout
        assert "secret-word" not in done.stdout + plain.stdout


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        pytest.param({"PUBLIC_PROT": "1"}, "did you mean OPTLEDGER_PUBLIC_PORT", id="unknown"),
        pytest.param({"PUBLIC_PORT": "eighty"}, "OPTLEDGER_PUBLIC_PORT", id="no number"),
        pytest.param({"INTERNAL_PORT": "7001", "PUBLIC_PORT": "7001"}, "differ", id="one port"),
        pytest.param({"DATABASE_URL": "mysql://u:secret-word@h/d"}, "postgresql://", id="scheme"),
        pytest.param(
            {"DATABASE_OWNER_URL": "postgresql://u:secret-word@h/d"},
            "needs OPTLEDGER_DATABASE_URL",
            id="an owner's address alone",
        ),
        pytest.param({"DATABASE_URL_FILE": "/nowhere"}, "can't read", id="no such file"),
    ],
)
def test_a_wrong_setting_is_refused_at_start(
    empty: Installed, settings: dict[str, str], said: str
) -> None:
    named = {f"OPTLEDGER_{name}": value for name, value in settings.items()}
    done = empty.run("serve", settings=named)
    assert done.returncode == 2
    assert said in done.stderr
    assert "secret-word" not in done.stderr
    assert not empty.data_dir.exists()


# Whatever one types

BAD = [
    (),
    ("send", "STOP"),
    ("send", "STOP", "--from", "not-a-number"),
    ("send", "STOP", "--from", "12125550000", "--secret", "x", "--url", "http://["),
    ("send", "STOP", "--from", "12125550000", "--secret", "x", "--url", "http://127.0.0.1:x/"),
    ("send", "STOP", "--from", "12125550000", "--secret", "x", "--app", "ü/\udcff"),
    ("send", "STOP", "--from", "12125550000", "--secret", "\udcff"),
    ("send", "STOP", "--from", "12125550000", "--secret", ""),
    ("check", "--app", APP, "--to", "9" * 400, "--category", "marketing"),
    ("check", "--app", APP, "--to", "US.\udcff", "--category", "marketing"),
    ("check", "--app", "\udcff", "--to", "12125550000", "--category", "marketing"),
    ("app", "create", "UPPER", "--app-secret", "12345678", "--verify-token", "12345678"),
    ("app", "create", APP, "--app-secret", "12345678", "--verify-token", "12345678"),
    ("app", "create", "odd", "--app-secret", "\udcff123456", "--verify-token", "12345678"),
    ("app", "create", "odd", "--app-secret", "123456", "--verify-token", "t", "--number", "\udcff"),
    ("app", "secret", "add", APP),
    ("quarantine", "show", "zz"),
]


@pytest.fixture(scope="module")
def typed(shop: Installed) -> dict[tuple[str, ...], "subprocess.CompletedProcess[str]"]:
    """What came of each of them; run side by side, since starting Python is what takes time."""
    with ThreadPoolExecutor(3) as pool:
        return dict(zip(BAD, pool.map(lambda args: shop.run_any(*args), BAD), strict=True))


@pytest.mark.parametrize("args", BAD, ids=lambda args: " ".join(args).encode("ascii", "replace"))
def test_whatever_one_types_ends_in_a_sentence(typed, args: tuple[str, ...]) -> None:
    done = typed[args]
    ends_in_a_sentence(done)
    assert done.returncode == 2, (done.stdout, done.stderr)
    assert done.stderr or not args


def test_help_teaches(shop: Installed) -> None:
    shown = shop.ok("--help")
    for part in ("serve", "send", "check", "history", "quarantine", "doctor", "First steps"):
        assert part in shown


SET = {
    "an address that is none": {"DATABASE_URL": "postgresql://["},
    "a port of letters": {"DATABASE_URL": "postgresql://u:p@127.0.0.1:x/d"},
    "no such host": {"DATABASE_URL": "postgresql://u:p@nowhere.invalid/d"},
    "a data folder that is a device": {"DATA_DIR": "/dev/null"},
    "a key file that is a folder": {"KEY_FILE": "/etc"},
    "a key file that everybody may read": {"KEY_FILE": "/etc/passwd"},
}

EXAMINED = (
    "an address that is none",
    "a data folder that is a device",
    "a key file that is a folder",
)


@pytest.fixture(scope="module")
def set_wrong(shop: Installed) -> dict[tuple[str, str], "subprocess.CompletedProcess[str]"]:
    """What two commands said with each of them."""

    def run(which: tuple[str, str]) -> "subprocess.CompletedProcess[str]":
        what, command = which
        named = {f"OPTLEDGER_{name}": value for name, value in SET[what].items()}
        return shop.run_any(*command.split(), settings=named)

    every = [(what, "app list") for what in SET] + [(what, "doctor") for what in EXAMINED]
    with ThreadPoolExecutor(3) as pool:
        return dict(zip(every, pool.map(run, every), strict=True))


@pytest.mark.parametrize("what", SET)
def test_whatever_is_set_ends_in_a_sentence(set_wrong, what: str) -> None:
    done = set_wrong[what, "app list"]
    ends_in_a_sentence(done)
    assert done.returncode == 2, (done.stdout, done.stderr)
    assert "optledger: " in done.stderr


@pytest.mark.parametrize("what", EXAMINED)
def test_doctor_finds_what_is_set_wrong(set_wrong, what: str) -> None:
    done = set_wrong[what, "doctor"]
    ends_in_a_sentence(done)
    assert done.returncode == 1
    assert "FAIL" in done.stdout


# What is wrong, and what to do


def findings(service: Installed, **settings: str) -> dict[str, tuple[bool, str]]:
    named = {f"OPTLEDGER_{name.upper()}": value for name, value in settings.items()}
    done = service.run("doctor", "--json", settings=named)
    found = {one["what"]: (one["ok"], one["said"]) for one in json.loads(done.stdout)}
    assert done.returncode == (0 if all(ok for ok, _ in found.values()) else 1)
    return found


def test_doctor_finds_all_well(shop: Installed) -> None:
    found = findings(shop)
    assert {what for what, (ok, _) in found.items() if ok} == set(found)
    assert {"settings", "database", "tables", "key file", "apps", "clock"} <= set(found)
    assert "in use by optledger" in found["public port"][1]


def test_before_the_first_start_every_command_says_so(empty: Installed) -> None:
    ok, said = findings(empty)["database"]
    assert not ok
    assert "optledger serve" in said
    for args in (("migrate",), ("app", "list")):
        done = empty.run(*args)
        assert done.returncode == 2
        assert "optledger serve" in done.stderr
    assert not empty.data_dir.exists()


def test_doctor_finds_a_port_that_is_taken(shop: Installed) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ok, said = findings(shop, public_port=str(taken.getsockname()[1]))["public port"]
    assert not ok
    assert "take another" in said


def test_doctor_finds_the_database_away(shop: Installed) -> None:
    found = findings(shop, database_url=AWAY.format(*free_ports(1)))
    ok, said = found["database"]
    assert not ok
    assert "can't reach" in said
    assert "secret-word" not in said
    assert found["public port"][0]  # it goes on looking


def test_serve_says_that_a_port_is_taken(copy: Installed) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = copy.run("serve", "--public-port", port)
    assert done.returncode == 2
    assert port in done.stderr
    assert "--public-port" in done.stderr
    assert not copy.postgres()


# The key file


@contextmanager
def away(path: Path) -> Iterator[Path]:
    elsewhere = path.with_name("moved-keys.json")
    path.rename(elsewhere)
    try:
        yield elsewhere
    finally:
        elsewhere.replace(path)


def test_without_its_key_file_nothing_starts_and_none_is_made(copy: Installed) -> None:
    phone = a_phone()
    with away(copy.key_file) as moved:
        for args in (("serve",), ("check", "--app", APP, "--to", phone, "--category", "utility")):
            done = copy.run(*args)
            assert done.returncode == 2
            for part in ("no key file", str(copy.key_file), "OPTLEDGER_KEY_FILE", "copy of it"):
                assert part in done.stderr
            assert not copy.key_file.exists()
        ok, said = findings(copy)["key file"]
        assert not ok
        assert "put your copy" in said
        assert findings(copy, key_file=str(moved))["key file"][0]
    assert copy.check(phone, "utility")["may_send"]


def test_with_a_wrong_key_file_nothing_starts(copy: Installed) -> None:
    with away(copy.key_file) as moved:
        keys = json.loads(moved.read_text())
        keys["index_key"] = keys["index_key"][::-1].lstrip("=") + "="
        handle = os.open(copy.key_file, os.O_CREAT | os.O_WRONLY, 0o600)
        with os.fdopen(handle, "w") as file:
            json.dump(keys, file)
        done = copy.run("serve")
        assert done.returncode == 2
        assert "was sealed with" in done.stderr
        ok, said = findings(copy)["key file"]
        assert not ok
        assert "restore that" in said
        copy.key_file.chmod(0o644)
        assert "chmod 600" in findings(copy)["key file"][1]
        copy.key_file.write_text("{}")
        copy.key_file.chmod(0o600)
        assert "damaged" in findings(copy)["key file"][1]
    assert all(ok for ok, _ in findings(copy).values())


def test_migrate_has_nothing_to_do_a_second_time(copy: Installed) -> None:
    assert "up to date" in copy.ok("migrate")
