"""Messages that may ask to stop: what waits, and what comes of deciding it."""

import asyncio
import json
from datetime import UTC, datetime

import asyncpg
import pytest

from check.reviews import Review, Reviews, State
from consent.model import Switch
from db.reviews import NoSuchReviewError, count_open, find_hold
from intake.review import AlreadyReviewedError, confirm, dismiss
from tests.kit import NOW, Service, changed, delivery

pytestmark = pytest.mark.anyio

PHONE, OTHER, THIRD = "5491112345678", "5491112345679", "5491112345670"
FORM, BSUID = "541112345678", "AR.1001"  # the other form of the first


async def listed(service: Service, *, decided: bool = False, limit: int = 100) -> list[Review]:
    app = service.app.app
    async with service.store.session() as conn:
        reviews = Reviews(conn, service.store.keys, app.app_id, app.keys)
        return await reviews.listed(decided=decided, limit=limit)


async def waiting(service: Service) -> int:
    found = await listed(service)
    async with service.store.session() as conn:
        assert await count_open(conn, service.app.app.app_id) >= len(found)
    return len(found)


async def decide(service: Service, start: str = "", *, how=confirm, by: str = "anna", **more):
    """Decide the review whose id begins so, or the only one that waits."""
    if not start:
        [start] = [one.hold.message_key.hex() for one in await listed(service)]
    async with service.store.session() as conn:
        app = service.app.app
        return await how(conn, app, await find_hold(conn, app.app_id, start), operator=by, **more)


async def state_of(service: Service, review: Review) -> Review:
    """The same review as it stands now."""
    every = await listed(service, decided=True)
    return next(one for one in every if one.hold.message_key == review.hold.message_key)


async def held(service: Service, phone: str = PHONE, at: int = NOW, **who: str) -> None:
    """Opted in, and then said what may be a stop."""
    await service.say("START", phone=phone, at=at - 10, **who)
    await service.say("baja", phone=phone, at=at, **who)
    assert await service.reason(phone) == "held"


async def test_what_waits_is_listed_with_its_words_the_oldest_first(service: Service) -> None:
    await held(service, OTHER, at=NOW + 5)
    await held(service, PHONE)
    first, second = await listed(service)
    assert (first.state, first.hold.said_at) == (State.OPEN, datetime.fromtimestamp(NOW, UTC))
    assert (first.told.evidence["words"], first.told.body["language"]) == ("baja", "es")
    assert second.hold.said_at > first.hold.said_at
    assert await listed(service, limit=1) == [first]


async def test_a_list_reads_on_page_by_page(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("check.reviews._PAGE", 2)
    for number in range(5):  # three of them in the same second
        await held(service, f"54911123456{number}0", at=NOW + min(number, 2))
    found = await listed(service)
    assert len({one.hold.message_key for one in found}) == 5
    assert [one.hold.said_at for one in found] == sorted(one.hold.said_at for one in found)


class TestConfirmed:
    async def test_it_is_an_opt_out_as_of_when_it_was_said(self, service: Service, owner) -> None:
        await held(service)
        assert await decide(service) is Switch.ALL
        answer = await service.ask(PHONE)
        assert answer.verdict.reason.value == "opted_out"
        assert answer.verdict.since == datetime.fromtimestamp(NOW, UTC)
        assert await service.reason(PHONE, "utility") == "opted_out"
        _, opened, done = [one.body for one in (await service.history(PHONE)).entries]
        assert (done["action"], done["actor"]) == ("opt_out", "operator:anna")
        assert done["review_of"] == opened["entry"]
        assert done["entry"] == list(answer.entry or ())
        assert done["after"]["opted_out_at"] == opened["said_at"]
        assert await waiting(service) == 0
        [review] = await listed(service, decided=True)
        assert (review.state, review.hold.reviewed_by) == (State.CONFIRMED, "anna")

    async def test_the_switch_is_what_the_words_asked_for(self, service: Service) -> None:
        await service.say("START", phone=PHONE, at=NOW - 10)
        await service.say("stop promotions?", phone=PHONE)
        [review] = await listed(service)
        assert review.told.body["asked"] == "marketing"
        assert await decide(service) is Switch.MARKETING
        assert await service.reason(PHONE) == "opted_out"
        assert await service.reason(PHONE, "utility") == "opted_in"

    async def test_the_switch_is_what_a_stop_closed_when_it_was_said(
        self, service: Service, owner
    ) -> None:
        await owner.execute("update app set stop_closes = 'marketing', changed_at = now()")
        await service.registry._load()
        await held(service)
        await owner.execute("update app set stop_closes = 'all', changed_at = now()")
        await service.registry._load()
        assert await decide(service) is Switch.MARKETING

    async def test_the_operator_may_choose_the_switch(self, service: Service) -> None:
        await held(service)
        assert await decide(service, switch=Switch.MARKETING) is Switch.MARKETING
        assert await service.reason(PHONE, "utility") == "opted_in"

    async def test_a_later_word_of_the_contact_wins(self, service: Service) -> None:
        await held(service)
        [review] = await listed(service)
        await service.say("START", phone=PHONE, at=NOW + 1)
        await decide(service, review.hold.message_key.hex())
        assert await service.reason(PHONE) == "opted_in"

    async def test_the_contact_can_opt_in_again(self, service: Service) -> None:
        await held(service)
        await decide(service)
        await service.say("START", phone=PHONE, at=NOW + 1)
        assert await service.reason(PHONE) == "opted_in"

    async def test_one_of_an_older_release_names_no_switch(self, service: Service, owner) -> None:
        await held(service)
        await owner.execute("alter table audit_entry disable trigger all")
        body = json.loads(
            await owner.fetchval("select body from audit_entry where action = 'hold_opened'")
        )
        del body["asked"]
        await owner.execute(
            "update audit_entry set body = $1 where action = 'hold_opened'",
            json.dumps(body).encode(),
        )
        assert await decide(service) is Switch.ALL


class TestDismissed:
    async def test_the_hold_is_lifted_and_nothing_else_moves(self, service: Service) -> None:
        await held(service)
        before = await service.count("consent")
        await decide(service, how=dismiss)
        assert await service.reason(PHONE) == "opted_in"
        assert await service.count("consent") == before
        *_, done = [one.body for one in (await service.history(PHONE)).entries]
        assert (done["action"], done["actor"]) == ("hold_dismissed", "operator:anna")
        assert "after" not in done
        [review] = await listed(service, decided=True)
        assert review.state is State.DISMISSED

    async def test_the_next_one_holds_again(self, service: Service) -> None:
        await held(service)
        await decide(service, how=dismiss)
        await service.say("baja", phone=PHONE, at=NOW + 5)
        assert await service.reason(PHONE) == "held"

    async def test_of_two_holds_the_other_stays(self, service: Service) -> None:
        await held(service)
        await service.say("baja", phone=PHONE, at=NOW + 5)
        first, _ = await listed(service)
        await decide(service, first.hold.message_key.hex(), how=dismiss)
        assert await service.reason(PHONE) == "held"
        assert await waiting(service) == 1

    async def test_it_does_not_come_back_when_meta_sends_again(self, service: Service) -> None:
        said = {"phone": PHONE, "wamid": "wamid.ONE"}
        await service.say("baja", **said)
        await decide(service, how=dismiss)
        await service.say("baja", **said)
        assert await waiting(service) == 0


class TestClosedByTheContact:
    @pytest.mark.parametrize("word", ["STOP", "START", "Stop promotions"])
    async def test_a_certain_act_either_way_closes_it(self, service: Service, word: str) -> None:
        await held(service)
        await service.say(word, phone=PHONE, at=NOW + 1)
        assert await waiting(service) == 0
        [review] = await listed(service, decided=True)
        assert review.state is State.CLOSED

    async def test_an_earlier_one_does_not(self, service: Service) -> None:
        await held(service)
        await service.say("START", phone=PHONE, at=NOW - 1)
        assert await waiting(service) == 1

    async def test_under_another_name_too(self, service: Service) -> None:
        await held(service)
        await service.say("hola", phone=PHONE, bsuid=BSUID)
        await service.say("START", bsuid=BSUID, at=NOW + 1)
        assert await service.reason(PHONE) == "opted_in"
        assert await listed(service) == []

    async def test_a_stop_under_the_other_form_of_the_phone(self, service: Service) -> None:
        await held(service)
        await service.say("START", phone=FORM, at=NOW + 1)
        assert len(await listed(service)) == 1  # as the check sees it: no opt-in of theirs
        await service.say("STOP", phone=FORM, at=NOW + 1)
        assert await listed(service) == []

    async def test_under_the_new_name_after_a_change(self, service: Service) -> None:
        await held(service)
        await service.take_in(delivery(changed(phone=PHONE, wa_id=OTHER, at=NOW + 5)))
        assert await service.reason(OTHER) == "held"
        assert len(await listed(service)) == 1
        await service.say("START", phone=OTHER, at=NOW + 6)
        assert await service.reason(OTHER) == "opted_in"
        assert await listed(service) == []

    async def test_not_by_whoever_has_the_old_name_next(self, service: Service) -> None:
        await held(service)
        await service.take_in(delivery(changed(phone=PHONE, wa_id=OTHER, at=NOW + 5)))
        await service.say("START", phone=PHONE, at=NOW + 9)
        assert await service.reason(OTHER) == "held"
        assert await waiting(service) == 1
        await decide(service)
        assert await service.reason(OTHER) == "opted_out"
        assert await service.reason(PHONE) == "opted_in"

    async def test_there_and_back_again(self, service: Service) -> None:
        await held(service)
        await service.take_in(delivery(changed(phone=PHONE, wa_id=OTHER, at=NOW + 5)))
        await service.take_in(delivery(changed(phone=OTHER, wa_id=PHONE, at=NOW + 6)))
        assert await waiting(service) == 1


async def test_where_nobody_can_tell_it_stays_open(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    await held(service)
    monkeypatch.setattr("db.standing.MOST_NAMES", 0)
    [review] = await listed(service)
    assert review.state is State.OPEN
    await decide(service)
    assert (await state_of(service, review)).state is State.CONFIRMED


class TestOnce:
    async def test_a_second_time_says_who_decided_what_and_when(self, service: Service) -> None:
        await held(service)
        [review] = await listed(service)
        await decide(service, how=dismiss)
        for how in (confirm, dismiss):
            with pytest.raises(AlreadyReviewedError, match=r"anna dismissed this review on 20"):
                await decide(service, review.hold.message_key.hex(), how=how, by="bert")
        assert await service.reason(PHONE) == "opted_in"
        assert await service.count("audit_entry") == 3

    async def test_of_two_operators_at_once_one_wins(self, service: Service) -> None:
        for number in range(5):
            phone = f"549111234560{number}"
            await held(service, phone)
            [review] = await listed(service)
            start = review.hold.message_key.hex()
            came = await asyncio.gather(
                decide(service, start, how=confirm, by="anna"),
                decide(service, start, how=dismiss, by="bert"),
                return_exceptions=True,
            )
            [told] = [one for one in came if isinstance(one, AlreadyReviewedError)]
            after = await state_of(service, review)
            winner = after.hold.reviewed_by
            assert f"{winner} {after.state.value}" in str(told)
            expected = "opted_out" if winner == "anna" else "opted_in"
            assert await service.reason(phone) == expected
            assert len((await service.history(phone)).entries) == 3

    async def test_while_the_contact_writes(self, service: Service) -> None:
        """Locks are taken in one order: nobody is refused, and the later word wins."""
        await held(service)
        [review] = await listed(service)  # before a START closes it
        decided = decide(service, review.hold.message_key.hex())
        starts = [service.say("START", phone=PHONE, at=NOW + 1 + n) for n in range(20)]
        await asyncio.gather(decided, *starts)
        assert await service.reason(PHONE) == "opted_in"


class TestIds:
    async def test_no_such(self, service: Service) -> None:
        await held(service)
        for start in ("", "zz", "%", "_", "0" * 33):
            with pytest.raises(NoSuchReviewError, match="no review"):
                await decide(service, start or " ")

    async def test_ambiguous(self, service: Service, owner) -> None:
        await held(service, PHONE)
        await held(service, OTHER)
        await owner.execute(
            "update hold set message_key = '\\xabcd'::bytea || substr(message_key, 3)"
        )
        with pytest.raises(NoSuchReviewError, match="give more of it"):
            await decide(service, "ABCD")

    async def test_of_another_app(self, service: Service) -> None:
        await held(service)
        [review] = await listed(service)
        other = await Service.start(service.store, "other")
        with pytest.raises(NoSuchReviewError):
            await decide(other, review.hold.message_key.hex())
        assert await listed(other, decided=True) == []
        await other.stop()


async def test_the_words_may_be_gone(service: Service, owner) -> None:
    await held(service)
    await owner.execute("delete from evidence")
    [review] = await listed(service)
    assert review.told.missing == "deleted"
    await decide(service)
    assert await service.reason(PHONE) == "opted_out"


async def test_a_forgotten_contact_stays_without_a_name(service: Service, owner) -> None:
    await held(service)
    await owner.execute("delete from contact")
    await decide(service)
    assert await service.reason(PHONE) == "opted_out"
    assert (await service.history(PHONE)).names == ({},)


async def test_the_entries_still_rebuild_the_consent_table(service: Service, owner) -> None:
    await held(service)
    await decide(service)
    rebuilt = await owner.fetch(
        """select switch, max(e.said_at) filter (where clock = 'opted_out_at') as opted_out_at
        from audit_entry e where clock is not null group by switch"""
    )
    assert rebuilt == await owner.fetch("select switch, opted_out_at from consent")


@pytest.mark.parametrize(
    "change",
    [
        "update hold set said_at = now()",
        "update hold set contact_key = message_key",
        "delete from hold",
    ],
)
async def test_the_service_may_decide_a_hold_and_change_nothing_else(
    service: Service, change: str
) -> None:
    conn = await asyncpg.connect(service.store.addresses.service)
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await conn.execute(change)
    finally:
        await conn.close()


async def test_a_decision_is_whole_or_none(service: Service, owner) -> None:
    await held(service)
    for half in ("reviewed_at = now()", "outcome = 'confirmed'", "outcome = 'perhaps'"):
        with pytest.raises(asyncpg.CheckViolationError):
            await owner.execute(f"update hold set {half}")


async def test_what_waits_is_counted_by_app(service: Service) -> None:
    await held(service)
    await held(service, OTHER)
    await held(service, THIRD)
    await service.say("STOP", phone=THIRD, at=NOW + 1)
    app_id = service.app.app.app_id
    async with service.store.session() as conn:
        assert await count_open(conn, app_id) == 2
        assert await count_open(conn, app_id + 1) == 0
