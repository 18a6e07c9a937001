"""serve, send, check, history: what the ledger is for."""

import time

import pytest

from tests.e2e.installed import (
    APP,
    Installed,
    a_message_id,
    a_phone,
    figure,
    free_ports,
    request,
    says,
    side_by_side,
)
from tests.kit import delivery, message

NOBODY = "postgresql://nobody:secret-word@127.0.0.1:{}/nothing"


def test_a_stop_closes_and_a_start_opens_again(shop: Installed) -> None:
    phone = a_phone()
    now = int(time.time())
    never, utility = side_by_side(lambda: shop.check(phone), lambda: shop.check(phone, "utility"))
    assert (never["may_send"], never["reason"], never["entry"]) == (False, "no_opt_in", None)
    assert utility["reason"] == "no_opt_in_needed"

    sent = shop.ok("send", "STOP", "--from", phone, "--app", APP, "--at", str(now - 60))
    assert f"http://127.0.0.1:{shop.public}/webhook/{APP}" in sent
    assert "\n200" in sent
    written = f"+{phone[0]} ({phone[1:4]}) {phone[4:7]}-{phone[7:]}"
    said, answer, told, shown = side_by_side(
        lambda: shop.run("check", "--app", APP, "--to", written, "--category", "utility"),
        lambda: shop.check(phone),
        lambda: shop.json("history", phone, "--app", APP),
        lambda: shop.ok("history", phone, "--app", APP),
    )
    assert said.returncode == 1
    assert "may not send" in said.stdout
    assert answer["reason"] == "opted_out"
    assert answer["since"] == time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now - 60))
    for part in (answer["reason"], answer["since"], answer["entry"]):
        assert part in said.stdout

    assert [name["wa_id"] for name in told["names"]] == [phone]
    (one,) = told["entries"]
    assert "-".join(map(str, one["entry"]["entry"])) == answer["entry"]
    assert (one["entry"]["action"], one["entry"]["actor"]) == ("opt_out", "contact")
    assert (one["evidence"]["words"], one["evidence"]["term"]) == ("STOP", "stop")
    for part in ("STOP", "term 'stop'", answer["since"], answer["entry"], phone):
        assert part in shown

    shop.ok("send", "START", "--from", phone, "--app", APP, "--at", str(now - 30))
    again = shop.check(phone)
    assert (again["may_send"], again["reason"]) == (True, "opted_in")
    assert len(shop.json("history", phone, "--app", APP)["entries"]) == 2


def test_the_switch_inside_whatsapp(shop: Installed) -> None:
    phone = a_phone()
    now = int(time.time())
    for at, args, reason in (
        (now - 90, ("START",), "opted_in"),
        (now - 60, ("--native", "stop"), "native_opt_out"),
        (now - 30, ("--native", "resume"), "opted_in"),
    ):
        shop.ok("send", *args, "--from", phone, "--app", APP, "--at", str(at))
        assert shop.check(phone)["reason"] == reason


def test_a_tapped_button_counts(shop: Installed) -> None:
    phone = a_phone()
    shop.ok("send", "--button", "Stop promotions", "--from", phone, "--app", APP)
    assert shop.check(phone)["reason"] == "opted_out"


def test_a_stop_by_bsuid_alone_blocks_the_phone_once_both_were_named(shop: Installed) -> None:
    phone, bsuid = a_phone(), f"US.{a_phone()}"
    now = int(time.time())
    stop = ("send", "STOP", "--bsuid", bsuid, "--app", APP, "--at", str(now - 60))
    assert "\n200" in shop.ok(*stop)
    named, unnamed = side_by_side(
        lambda: shop.check(bsuid, "utility"), lambda: shop.check(phone, "utility")
    )
    assert (named["reason"], unnamed["reason"]) == ("opted_out", "no_opt_in_needed")
    both = message("good morning", phone=phone, bsuid=bsuid, at=now, id=f"wamid.both{phone}")
    assert shop.post(delivery(both)).status == 200
    answer, told = side_by_side(
        lambda: shop.check(phone, "utility"), lambda: shop.json("history", phone, "--app", APP)
    )
    assert answer["reason"] == "opted_out"
    assert len(told["entries"]) == 1


def test_the_same_message_twice_brings_one_entry(shop: Installed) -> None:
    phone = a_phone()
    body = says("STOP", phone)
    assert [shop.post(body).status for _ in range(3)] == [200, 200, 200]
    again = ("--message-id", a_message_id(), "--at", str(int(time.time())))
    for _ in range(2):
        shop.ok("send", "STOP", "--from", phone, "--app", APP, *again)
    assert shop.entries_of([phone]) == {phone: 2}


def test_nothing_known_of_a_contact(shop: Installed) -> None:
    phone = a_phone()
    told = shop.json("history", phone, "--app", APP)
    assert told == {"names": [], "entries": []}
    assert "Nothing about consent" in shop.ok("history", phone, "--app", APP)


@pytest.mark.parametrize(
    ("app", "to", "settings", "said"),
    [
        pytest.param("nobody", "12125550000", {}, "no app nobody", id="an app there is not"),
        pytest.param(APP, "tomorrow", {}, "country code", id="a contact that names nobody"),
        pytest.param(
            APP, "12125550000", {"OPTLEDGER_DATABASE_URL": NOBODY}, "can't reach", id="no database"
        ),
    ],
)
def test_check_can_not_tell(
    shop: Installed, app: str, to: str, settings: dict[str, str], said: str
) -> None:
    gone = {name: value.format(*free_ports(1)) for name, value in settings.items()}
    args = ("check", "--app", app, "--to", to, "--category", "marketing")
    done = shop.run(*args, settings=gone)
    assert done.returncode == 2
    assert said in done.stderr
    assert "secret-word" not in done.stderr
    assert not done.stdout


def test_send_says_what_the_service_answered(shop: Installed) -> None:
    refused = shop.run("send", "STOP", "--from", a_phone(), "--app", APP, "--secret", "not-ours")
    assert refused.returncode == 1
    assert "401" in refused.stdout
    (port,) = free_ports(1)
    nobody = f"http://127.0.0.1:{port}/webhook/{APP}"
    gone = shop.run("send", "STOP", "--from", a_phone(), "--app", APP, "--url", nobody)
    assert gone.returncode == 2
    assert "optledger serve" in gone.stderr


def test_commands_work_without_a_running_service(copy: Installed) -> None:
    phone = a_phone()
    assert copy.check(phone)["reason"] == "no_opt_in"
    assert not copy.postgres()  # what it started for itself it stopped again
    assert copy.json("app", "list")


def test_the_first_start_greets_and_the_demo_app_works(empty: Installed) -> None:
    seconds = empty.start()
    figure(f"first start: {seconds:.2f} s")
    greeting = empty.logs[0].read_text()
    assert f"http://127.0.0.1:{empty.public}/webhook/" in greeting
    token = greeting.split("Verify token")[1].split()[0]
    asked = f"/webhook/demo?hub.mode=subscribe&hub.verify_token={token}&hub.challenge=1234"
    assert empty.get(asked).body == b"1234"
    assert empty.key_file.stat().st_mode & 0o777 == 0o600
    phone = a_phone()
    empty.ok("send", "STOP", "--from", phone)
    assert empty.check(phone, app="demo")["reason"] == "opted_out"
    assert request(empty.internal, "GET", "/livez").status == 200
    assert empty.stop() == 0
    again = empty.start()
    figure(f"second start: {again:.2f} s")
    assert again < 6
    assert empty.check(phone, app="demo")["reason"] == "opted_out"
    assert empty.logs[0].read_text().count("Verify token") == 1  # said once, at the first start
