"""An app's own words: taken on and given up with an entry each, and in force when loaded."""

import asyncio
import json

import asyncpg
import pytest

from consent.model import Switch
from db.app_keywords import KeywordRow, list_keywords
from db.apps import load_app
from db.quarantine import list_items
from intake.own_words import Asks, add_own_words, remove_own_word
from keywords.decision import Intent, Tier
from keywords.own import BadOwnWordError
from service.commands.quarantine import _feed
from tests.kit import NOW, Service, delivery, matcher, message

pytestmark = pytest.mark.anyio

PHONE, OTHER = "5491112345678", "5491112345679"
STOP = Asks(Intent.OPT_OUT, Tier.CERTAIN, Switch.ALL)
NO_ADS = Asks(Intent.OPT_OUT, Tier.CERTAIN, Switch.MARKETING)
MAYBE = Asks(Intent.OPT_OUT, Tier.LIKELY, Switch.ALL)
START = Asks(Intent.OPT_IN, Tier.CERTAIN, Switch.ALL)
HELP = Asks(Intent.HELP, Tier.CERTAIN, None)


async def add(service: Service, *words: str, asks: Asks = STOP, by: str = "anna"):
    async with service.store.session() as conn:
        app_id = service.app.app.app_id
        rows = await add_own_words(conn, app_id, matcher(), words, asks, operator=by)
    await service.registry._load()
    return rows


async def remove(service: Service, word: str, by: str = "anna") -> KeywordRow:
    async with service.store.session() as conn:
        row = await remove_own_word(conn, service.app.app.app_id, word, operator=by)
    await service.registry._load()
    return row


async def in_force(service: Service) -> list[str]:
    async with service.store.session() as conn:
        found = await list_keywords(conn, [service.app.app.app_id])
        return [row.say for row in found.get(service.app.app.app_id, ())]


@pytest.mark.parametrize(
    ("asks", "word", "marketing", "utility"),
    [
        pytest.param(STOP, "Chau", "opted_out", "opted_out", id="a stop"),
        pytest.param(NO_ADS, "Chau", "opted_out", "opted_in", id="of marketing"),
        pytest.param(MAYBE, "Chau", "held", "opted_in", id="a likely one holds"),
        pytest.param(HELP, "Chau", "opted_in", "opted_in", id="help changes nothing"),
    ],
)
async def test_a_word_acts_as_it_was_added(
    service: Service, asks: Asks, word: str, marketing: str, utility: str
) -> None:
    await service.say("START", phone=PHONE, at=NOW - 10)
    await service.say("chau, gracias", phone=PHONE, at=NOW - 5)
    assert await service.reason(PHONE) == "opted_in"
    await add(service, word, asks=asks)
    await service.say("chau, gracias", phone=PHONE)
    assert await service.reason(PHONE) == marketing
    assert await service.reason(PHONE, "utility") == utility


async def test_an_opt_in_of_ones_own(service: Service) -> None:
    await add(service, "Club Dorado", asks=START)
    await service.say("STOP", phone=PHONE, at=NOW - 1)
    await service.say("club dorado", phone=PHONE)
    assert await service.reason(PHONE) == "opted_in"


async def test_the_entry_names_the_word_by_its_id_beside_the_packs(service: Service) -> None:
    [row] = await add(service, "Chau")
    await service.say("chau", phone=PHONE)
    [told] = (await service.history(PHONE)).entries
    assert (told.body["language"], told.body["keyword"]) == ("own", str(row.keyword_id))
    assert told.body["pack"]["digest"] == matcher().digest
    assert told.evidence["term"] == "Chau"
    assert "chau" not in json.dumps(told.body).lower()


async def test_what_a_stop_closes_holds_for_own_words_too(service: Service, owner) -> None:
    await owner.execute("update app set stop_closes = 'marketing', changed_at = now()")
    await add(service, "Chau")
    await service.say("chau", phone=PHONE)
    assert await service.reason(PHONE, "utility") == "no_opt_in_needed"


async def test_a_stop_of_the_packs_beside_an_own_opt_in_stands(service: Service, owner) -> None:
    """Packs grow: what was free when the word was added may be a stop today."""
    await add(service, "Chau", asks=START)
    await owner.execute("update app_keyword set say = 'STOP', folded = 'stop'")
    await owner.execute("update app set changed_at = clock_timestamp()")
    await service.registry._load()
    await service.say("stop", phone=PHONE)
    assert await service.reason(PHONE) == "opted_out"
    await service.say("START", phone=OTHER, at=NOW - 5)
    await service.say("baja", phone=OTHER)
    await owner.execute("update app_keyword set say = 'baja', folded = 'baja'")
    await owner.execute("update app set changed_at = clock_timestamp()")
    await service.registry._load()
    await service.say("baja", phone=OTHER, at=NOW + 1)
    assert await service.reason(OTHER) == "held"


async def test_an_own_stop_makes_a_likely_word_certain(service: Service) -> None:
    await add(service, "baja")
    await service.say("baja", phone=PHONE)
    assert await service.reason(PHONE) == "opted_out"


async def test_a_tapped_button_with_a_word_of_ones_own(service: Service) -> None:
    await add(service, "Dejar de seguir")
    tapped = {"type": "button", "button": {"payload": "x", "text": "dejar de seguir"}}
    await service.take_in(delivery(message(None, phone=PHONE, **tapped)))
    assert await service.reason(PHONE) == "opted_out"


async def test_another_app_does_not_know_it(service: Service) -> None:
    await add(service, "Chau")
    other = await Service.start(service.store, "other")
    await other.say("chau", phone=PHONE)
    assert await other.count("audit_entry") == 1  # that the word was added, to the first
    await other.stop()


async def test_removed_it_decides_no_more_and_what_it_decided_stays(service: Service) -> None:
    await add(service, "Chau")
    await service.say("chau", phone=PHONE)
    removed = await remove(service, "CHAU", by="bert")
    await service.say("chau", phone=OTHER)
    assert await service.reason(PHONE) == "opted_out"
    assert await service.reason(OTHER) == "no_opt_in"
    assert service.app.app.own_words is None
    [row] = await add(service, "chau")  # and may come back
    assert row.keyword_id != removed.keyword_id
    assert await in_force(service) == ["chau"]


async def test_each_change_has_an_entry_of_nobody(service: Service, owner) -> None:
    rows = await add(service, "Chau", "Hasta nunca", asks=NO_ADS)
    await remove(service, "chau", by="bert")
    entries = await owner.fetch("select * from audit_entry order by recorded_at, number")
    assert [(one["action"], one["actor"]) for one in entries] == [
        ("keyword_added", "operator:anna"),
        ("keyword_added", "operator:anna"),
        ("keyword_removed", "operator:bert"),
    ]
    assert {one["contact_ref"] for one in entries} == {None}
    body = json.loads(entries[1]["body"])
    assert body["entry"] == [entries[1]["lane"], entries[1]["number"]]
    assert (body["contact"], body["switch"]) == (None, "marketing")
    assert body["keyword"] == {
        "id": str(rows[1].keyword_id),
        "say": "Hasta nunca",
        "intent": "opt_out",
        "tier": "certain",
    }
    assert await service.count("evidence") == 0


class TestRefused:
    async def test_twice_names_the_one_there_is(self, service: Service) -> None:
        await add(service, "Chau", asks=MAYBE)
        with pytest.raises(BadOwnWordError, match=r"as 'Chau' \(opt_out, likely\), added by anna"):
            await add(service, "CHÁU")

    async def test_twice_in_one_go(self, service: Service) -> None:
        with pytest.raises(BadOwnWordError, match="there already, as 'chau'"):
            await add(service, "chau", "Chau!")

    async def test_all_or_none(self, service: Service) -> None:
        with pytest.raises(BadOwnWordError, match="too little"):
            await add(service, "chau", "?")
        assert await in_force(service) == []
        assert await service.count("audit_entry") == 0

    async def test_more_than_an_app_may_have(self, service: Service) -> None:
        await add(service, *(f"palabra {number}" for number in range(499)))
        with pytest.raises(BadOwnWordError, match=r"at most 500 .* 501"):
            await add(service, "una", "otra")
        await add(service, "una")

    async def test_to_remove_what_is_not_there(self, service: Service) -> None:
        with pytest.raises(BadOwnWordError, match="'chau' is no word of this app"):
            await remove(service, "chau")

    async def test_of_two_at_once_one_is_told(self, service: Service) -> None:
        came = await asyncio.gather(
            *(add(service, "chau", by=who) for who in ("anna", "bert")), return_exceptions=True
        )
        assert sum(isinstance(one, BadOwnWordError) for one in came) == 1
        assert await in_force(service) == ["chau"]

    @pytest.mark.parametrize(
        "change",
        [
            "update app_keyword set say = 'x'",
            "update app_keyword set intent = 'opt_in'",
            "delete from app_keyword",
        ],
    )
    async def test_the_service_may_add_and_remove_and_change_nothing(
        self, service: Service, change: str
    ) -> None:
        conn = await asyncpg.connect(service.store.addresses.service)
        try:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await conn.execute(change)
        finally:
            await conn.close()

    @pytest.mark.parametrize(
        "change",
        [
            "tier = 'likely', intent = 'opt_in'",
            "intent = 'help'",
            "switch = null",
            "switch = 'native_marketing'",
        ],
    )
    async def test_the_schema_refuses_what_makes_no_sense(
        self, service: Service, owner, change: str
    ) -> None:
        await add(service, "chau")
        with pytest.raises(asyncpg.CheckViolationError):
            await owner.execute(f"update app_keyword set {change}")


async def test_a_message_set_aside_is_read_with_them_when_tried_again(
    service: Service, owner
) -> None:
    """A retry runs in a process of its own, which loads the words too."""
    await add(service, "Chau")
    app = service.app.app
    body = delivery(message("chau", phone=PHONE))
    key = app.keys.item(body)
    await owner.execute(
        "insert into quarantine (app_id, item_key, code, reason, sealed, received_at) "
        "values ($1, $2, 'not_a_delivery', 'an older parser', $3, now())",
        app.app_id,
        key,
        app.seal_aside(key, body),
    )
    async with service.store.session() as conn:
        record = await load_app(conn, service.store.keys, "shop")
        items = await list_items(conn, app.app_id)
    assert await _feed(service.store, record, items) == (1, 0)
    assert await service.reason(PHONE) == "opted_out"


async def test_two_apps_changed_at_once_are_both_noticed(service: Service, owner) -> None:
    """The change that was begun first may be committed last."""
    other = await Service.start(service.store, "other")
    await other.registry._load()
    slow = owner.transaction()
    await slow.start()
    await owner.execute("update app set changed_at = clock_timestamp(), languages = '{es}' "
                        "where slug = 'shop'")  # fmt: skip
    async with service.store.session() as conn:
        await conn.execute(
            "update app set changed_at = clock_timestamp(), languages = '{pt}' where slug = 'other'"
        )
    await other.registry._load()
    await slow.commit()
    await other.registry._load()
    known = other.registry.find("shop")
    assert known is not None
    assert known.app.languages == ("es",)
    await other.stop()
