"""`optledger review`: what may ask to stop is worked off by a person, in the open."""

import getpass

import pytest

from db.contact_keys import ContactKeys
from db.keyfile import read_key_file
from tests.e2e.installed import APP, Installed, a_message_id, says, side_by_side, until

LIST = ("review", "list", "--app", APP)
_phones = iter(range(34_600_550_000, 34_600_560_000))  # Spanish: "baja" may ask to stop there


def held(shop: Installed, words: str = "baja") -> tuple[str, str]:
    """Somebody who agreed, and said what may be a stop: their phone, and the review's id."""
    phone, wamid = str(next(_phones)), a_message_id()
    assert shop.post(says("START", phone, at=1_790_000_000)).status == 200
    assert shop.post(says(words, phone, at=1_790_000_100, id=wamid)).status == 200
    (app_id,) = shop.sql("select app_id from app where slug = $1", APP)[0]
    keys = ContactKeys(read_key_file(shop.key_file).index_key, app_id)
    return phone, keys.wamid(wamid).hex()


def state(shop: Installed, id_: str) -> str:
    (one,) = (one for one in shop.json(*LIST, "--all") if one["id"] == id_)
    return one["state"]


def test_what_waits_is_shown_with_its_words(shop: Installed) -> None:
    phone, id_ = held(shop, "baja 🙏")
    assert shop.check(phone)["reason"] == "held"
    (one,) = (one for one in shop.json(*LIST) if one["id"] == id_)
    assert (one["words"], one["term"]) == ("baja 🙏", "baja")
    assert (one["state"], one["since"]) == ("open", "2026-09-21T14:15:00+00:00")
    shown = shop.ok(*LIST)
    assert f"{id_[:12]}  2026-09-21 14:15:00Z  open" in shown
    assert "words     baja 🙏" in shown
    assert f"found     'baja' ({one['language']})" in shown
    assert phone not in shown
    assert "shows what people wrote" in " ".join(shop.ok("review", "list", "--help").split())


def test_confirmed_it_is_an_opt_out_of_then(shop: Installed) -> None:
    phone, id_ = held(shop)
    told = shop.ok("review", "confirm", id_[:12], "--app", APP, "--operator", "anna")
    assert told == (
        "Confirmed by anna: opted out of all since 2026-09-21 14:15:00Z; marketing to this "
        "contact may not be sent: they asked to stop\n"
    )
    answer = shop.check(phone, "utility")
    assert (answer["reason"], answer["since"]) == ("opted_out", "2026-09-21T14:15:00Z")
    assert state(shop, id_) == "confirmed"
    shown = shop.ok("history", phone, "--app", APP)
    opened, confirmed = shown.split("\n\n")[2:]
    assert "hold opened" in opened
    assert "opt out (all)" in confirmed
    assert "by        operator:anna, text" in confirmed
    assert "changed   opted_in -> opted_out" in confirmed
    assert f"entry {answer['entry']}" in confirmed
    entry = opened.split("entry ")[1].split()[0]
    assert f"review    of entry {entry}" in confirmed


def test_of_marketing_alone_where_the_operator_says_so(shop: Installed) -> None:
    phone, id_ = held(shop)
    shop.ok("review", "confirm", id_, "--app", APP, "--switch", "marketing")
    assert shop.check(phone)["reason"] == "opted_out"
    assert shop.check(phone, "utility")["reason"] == "opted_in"


def test_dismissed_it_blocks_no_longer(shop: Installed) -> None:
    phone, id_ = held(shop)
    told = shop.ok("review", "dismiss", id_[:12], "--app", APP)
    assert told.startswith(f"Dismissed by {getpass.getuser()}: this hold is lifted; marketing to ")
    assert "may be sent: they agreed" in told
    assert shop.check(phone)["reason"] == "opted_in"
    assert state(shop, id_) == "dismissed"
    shown = shop.ok("history", phone, "--app", APP)
    assert "hold dismissed" in shown
    assert f"by        operator:{getpass.getuser()}" in shown


def test_who_called_sudo_is_named(shop: Installed) -> None:
    _, id_ = held(shop)
    args = ("review", "dismiss", id_, "--app", APP)
    assert "by carla:" in shop.ok(*args, settings={"SUDO_USER": "carla"})


def test_a_second_time_is_told_who_was_first(shop: Installed) -> None:
    phone, id_ = held(shop)
    shop.ok("review", "dismiss", id_, "--app", APP, "--operator", "anna")
    for verb in ("confirm", "dismiss"):
        again = shop.run("review", verb, id_, "--app", APP, "--operator", "bert")
        assert again.returncode == 2
        assert "anna dismissed this review on 20" in again.stderr
        assert "nothing was changed" in again.stderr
    assert shop.check(phone)["reason"] == "opted_in"


def test_of_two_at_once_one_is_told(shop: Installed) -> None:
    phone, id_ = held(shop)
    done = side_by_side(
        lambda: shop.run("review", "confirm", id_, "--app", APP, "--operator", "anna"),
        lambda: shop.run("review", "dismiss", id_, "--app", APP, "--operator", "bert"),
    )
    assert sorted(one.returncode for one in done) == [0, 2]
    won = "confirmed" if done[0].returncode == 0 else "dismissed"
    assert state(shop, id_) == won
    assert shop.check(phone)["reason"] == {"confirmed": "opted_out", "dismissed": "opted_in"}[won]


@pytest.mark.parametrize("word", ["STOP", "START"])
def test_the_contact_closes_it_by_a_clear_word(shop: Installed, word: str) -> None:
    phone, id_ = held(shop)
    assert shop.post(says(word, phone, id=a_message_id())).status == 200
    assert id_ not in {one["id"] for one in shop.json(*LIST)}
    assert state(shop, id_) == "closed by the contact"


@pytest.mark.parametrize(
    ("args", "told"),
    [
        pytest.param(("confirm", "zz"), "no review of this app has an id that begins so", id="id"),
        pytest.param(("confirm", ""), "no review of this app", id="no id"),
        pytest.param(("dismiss", "0", "--operator", ""), "--operator NAME", id="no name"),
        pytest.param(("dismiss", "0", "--operator", "a\nb"), "printable", id="a broken name"),
        pytest.param(("list", "--limit", "0"), "greater than or equal to 1", id="no limit"),
    ],
)
def test_what_is_wrong_is_said(shop: Installed, args: tuple[str, ...], told: str) -> None:
    done = shop.run("review", *args, "--app", APP)
    assert done.returncode == 2
    assert told in " ".join(done.stderr.split())


def test_what_waits_is_counted(shop: Installed) -> None:
    name = f'optledger_reviews_open{{app="{APP}"}}'

    def counts() -> bool:
        return shop.metrics().get(name) == len(shop.json(*LIST))

    _, id_ = held(shop)
    until(counts, "the review is counted", 15, 0.5)
    shop.ok("review", "dismiss", id_, "--app", APP)
    until(counts, "it is no longer", 15, 0.5)
