"""What deliveries come to in the database."""

import asyncio
import json
import time
from datetime import datetime, timedelta

import pytest

from tests.kit import (
    NOW,
    Service,
    changed,
    delivery,
    message,
    preference,
    preferences,
    refused,
    statuses,
)

pytestmark = pytest.mark.anyio

PHONE, BSUID = "15551230001", "US.1001"


async def test_a_typed_stop_closes_everything(service: Service) -> None:
    await service.say("STOP", phone=PHONE)
    assert await service.reason(PHONE, "marketing") == "opted_out"
    assert await service.reason(PHONE, "utility") == "opted_out"
    answer = await service.ask(PHONE)
    assert answer.verdict.since is not None
    assert answer.verdict.since.timestamp() == NOW
    assert answer.entry is not None


async def test_an_app_may_let_stop_close_marketing_only(service: Service, owner) -> None:
    await owner.execute("update app set stop_closes = 'marketing', changed_at = now()")
    await service.registry._load()
    await service.say("STOP", phone=PHONE)
    assert await service.reason(PHONE, "marketing") == "opted_out"
    assert await service.reason(PHONE, "utility") == "no_opt_in_needed"


async def test_start_lifts_an_older_stop_and_not_a_newer(service: Service) -> None:
    await service.say("STOP", phone=PHONE, at=NOW)
    await service.say("START", phone=PHONE, at=NOW + 1)
    assert await service.reason(PHONE) == "opted_in"
    await service.say("START", phone="15551230002", at=NOW)
    await service.say("STOP", phone="15551230002", at=NOW)
    assert await service.reason("15551230002") == "opted_out"


async def test_a_stop_that_comes_late_is_overtaken_by_a_newer_start(service: Service) -> None:
    await service.say("START", phone=PHONE, at=NOW + 10)
    await service.say("STOP", phone=PHONE, at=NOW)
    assert await service.reason(PHONE) == "opted_in"
    told = (await service.history(PHONE)).entries
    assert [one.body["moved"] for one in told] == [True, True]
    assert told[0].body["after"]["state"] == "opted_in"


async def test_an_ordinary_message_brings_no_entry(service: Service) -> None:
    await service.say("see you tomorrow", phone=PHONE, bsuid=BSUID)
    assert await service.count("message") == 1
    assert await service.count("audit_entry") == 0
    assert await service.count("contact") == 0
    assert await service.count("contact_link") == 1


async def test_a_message_seen_before_brings_nothing_new(service: Service) -> None:
    body = delivery(message("STOP", phone=PHONE, wamid="wamid.ONE"))
    await service.take_in(body, body)
    await asyncio.gather(*(service.take_in(body) for _ in range(20)))
    assert await service.count("message") == 1
    assert await service.count("audit_entry") == 1


async def test_the_same_message_on_messages_and_standby_counts_once(service: Service) -> None:
    said = message("STOP", phone=PHONE, wamid="wamid.ONE")
    standby = delivery(field="standby", standby={"messages": [said]})
    await service.take_in(standby, delivery(said))
    assert await service.count("audit_entry") == 1
    assert await service.reason(PHONE) == "opted_out"


async def test_twice_in_one_delivery_counts_once(service: Service) -> None:
    said = message("STOP", phone=PHONE, wamid="wamid.ONE")
    await service.take_in(delivery(said, said))
    assert await service.count("audit_entry") == 1


class TestNames:
    async def test_stop_by_bsuid_blocks_the_phone_once_both_were_named(
        self, service: Service
    ) -> None:
        await service.say("START", phone=PHONE, at=NOW - 10)
        await service.say("STOP", bsuid=BSUID, at=NOW)
        assert await service.reason(PHONE) == "opted_in"
        await service.say("hello", phone=PHONE, bsuid=BSUID, at=NOW + 5)
        assert await service.reason(PHONE) == "opted_out"
        assert await service.reason(BSUID) == "opted_out"

    async def test_a_status_that_names_both_links_them_too(self, service: Service) -> None:
        await service.say("STOP", bsuid=BSUID)
        status = {"id": "wamid.X", "status": "sent", "timestamp": str(NOW)}
        await service.take_in(
            statuses(status | {"recipient_id": PHONE, "recipient_user_id": BSUID})
        )
        assert await service.reason(PHONE) == "opted_out"

    @pytest.mark.parametrize(
        ("said", "asked"),
        [
            pytest.param("5511912345678"[:4] + "87654321", "5511987654321", id="Brazil, without 9"),
            pytest.param("5511987654321", "551187654321", id="Brazil, with 9"),
            pytest.param("5215512345678", "525512345678", id="Mexico, 521"),
            pytest.param("525512345678", "5215512345678", id="Mexico, 52"),
            pytest.param("5491112345678", "541112345678", id="Argentina, 549"),
        ],
    )
    async def test_an_opt_out_counts_in_the_other_form_and_an_opt_in_does_not(
        self, service: Service, said: str, asked: str
    ) -> None:
        await service.say("START", phone=said, at=NOW)
        assert await service.reason(asked) == "no_opt_in"
        await service.say("STOP", phone=said, at=NOW + 1)
        assert await service.reason(asked) == "opted_out"

    async def test_a_bsuid_is_blocked_by_the_other_form_of_its_phone(
        self, service: Service
    ) -> None:
        await service.say("STOP", phone="551187654321")
        await service.say("oi", phone="5511987654321", bsuid="BR.1")
        assert await service.reason("BR.1") == "opted_out"

    async def test_the_opt_out_goes_along_to_a_new_number(self, service: Service) -> None:
        await service.say("STOP", phone=PHONE, bsuid=BSUID, at=NOW)
        notice = changed(
            phone=PHONE, wa_id="15559990001", user_id="US.2", previous_user_id=BSUID, at=NOW + 5
        )
        await service.take_in(delivery(notice))
        for name in ("15559990001", "US.2"):
            assert await service.reason(name, "utility") == "opted_out"
        told = (await service.history("15559990001")).entries
        assert "name_changed" in [one.body["action"] for one in told]

    async def test_the_opt_in_goes_along_and_the_old_number_agreed_to_nothing(
        self, service: Service
    ) -> None:
        await service.say("START", phone=PHONE, at=NOW)
        await service.take_in(delivery(changed(phone=PHONE, wa_id="15559990001", at=NOW + 5)))
        assert await service.reason("15559990001") == "opted_in"
        answer = await service.ask(PHONE, "utility")
        assert answer.verdict.reason.value == "name_changed"
        assert answer.entry is not None
        await service.say("START", phone=PHONE, at=NOW + 9)
        assert await service.reason(PHONE) == "opted_in"

    async def test_what_the_next_owner_says_is_not_the_former_ones(self, service: Service) -> None:
        await service.say("START", phone=PHONE, at=NOW)
        await service.say("STOP", phone=PHONE, at=NOW + 9)  # by whoever has the number next
        await service.take_in(delivery(changed(phone=PHONE, wa_id="15559990001", at=NOW + 5)))
        assert await service.reason("15559990001") == "opted_in"
        assert await service.reason(PHONE) == "opted_out"


class TestOtherSources:
    async def test_stop_in_whatsapp_closes_marketing_only_and_only_resume_opens_it(
        self, service: Service
    ) -> None:
        await service.say("START", phone=PHONE, at=NOW)
        await service.take_in(preferences(preference("stop", phone=PHONE, at=NOW + 1)))
        assert await service.reason(PHONE) == "native_opt_out"
        assert await service.reason(PHONE, "utility") == "opted_in"
        await service.say("START", phone=PHONE, at=NOW + 2)
        assert await service.reason(PHONE) == "native_opt_out"
        await service.take_in(preferences(preference("resume", phone=PHONE, at=NOW + 3)))
        assert await service.reason(PHONE) == "opted_in"

    async def test_resume_in_whatsapp_does_not_lift_a_typed_stop(self, service: Service) -> None:
        await service.say("STOP", phone=PHONE, at=NOW)
        await service.take_in(preferences(preference("resume", phone=PHONE, at=NOW + 1)))
        assert await service.reason(PHONE) == "opted_out"

    async def test_a_preference_is_known_when_it_comes_again(self, service: Service) -> None:
        body = preferences(preference("stop", phone=PHONE))
        await service.take_in(body, body)
        assert await service.count("audit_entry") == 1

    async def test_a_signup_is_an_opt_in_to_marketing(self, service: Service) -> None:
        await service.take_in(preferences(preference("signup", phone=PHONE) | {"signup_id": "7"}))
        assert await service.reason(PHONE) == "opted_in"

    async def test_error_131050_closes_the_switch_in_whatsapp(self, service: Service) -> None:
        await service.say("START", phone=PHONE, at=NOW)
        await service.take_in(statuses(refused(phone=PHONE, at=NOW + 1)))
        assert await service.reason(PHONE) == "native_opt_out"

    async def test_a_likely_stop_holds_marketing_until_a_certain_word(
        self, service: Service
    ) -> None:
        await service.say("START", phone="5491112345678", at=NOW)
        await service.say("baja", phone="5491112345678", at=NOW + 1)
        answer = await service.ask("5491112345678")
        assert answer.verdict.reason.value == "held"
        assert answer.entry is not None
        assert await service.reason("5491112345678", "utility") == "opted_in"
        await service.say("START", phone="5491112345678", at=NOW + 2)
        assert await service.reason("5491112345678") == "opted_in"


class TestEvidence:
    async def test_nul_and_half_an_emoji_survive_to_the_audit(self, service: Service) -> None:
        said = message("STOP", phone=PHONE)
        said["text"]["body"] = "STOP\x00 \ud83d"
        await service.take_in(delivery(said))
        (told,) = (await service.history(PHONE)).entries
        assert told.evidence["words"] == "STOP\x00 \ud83d"
        assert json.loads(told.evidence["item"])["text"]["body"] == "STOP\x00 \ud83d"

    async def test_half_an_emoji_in_a_name_sinks_nothing(self, service: Service) -> None:
        contacts = [{"profile": {"name": "A\ud83d"}, "wa_id": PHONE, "user_id": BSUID}]
        await service.take_in(
            delivery(message("STOP", phone=PHONE, bsuid=BSUID), contacts=contacts)
        )
        assert await service.reason(PHONE) == "opted_out"
        assert await service.count("quarantine") == 0

    async def test_an_entry_names_nobody_and_commits_to_its_evidence(
        self, service: Service, owner
    ) -> None:
        await service.say("stop please 🛑", phone=PHONE, bsuid=BSUID)
        body = await owner.fetchval("select body from audit_entry")
        for secret in (PHONE, BSUID, "stop", "please", "wamid"):
            assert secret.encode() not in body
        assert json.loads(body)["evidence"]
        (told,) = (await service.history(PHONE)).entries
        assert told.missing == ""

    async def test_evidence_that_was_exchanged_is_noticed(self, service: Service, owner) -> None:
        await service.say("STOP", phone=PHONE)
        await service.say("STOP", phone="15551230009")
        rows = await owner.fetch("select number, sealed from evidence order by number")
        await owner.execute(
            "update evidence set sealed = $1 where number = $2",
            rows[0]["sealed"],
            rows[1]["number"],
        )
        (told,) = (await service.history("15551230009")).entries
        assert "another place" in told.missing

    async def test_a_deleted_evidence_leaves_the_entry(self, service: Service, owner) -> None:
        await service.say("STOP", phone=PHONE)
        await owner.execute("delete from evidence")
        (told,) = (await service.history(PHONE)).entries
        assert told.missing == "deleted"
        assert await service.reason(PHONE) == "opted_out"


async def test_a_clock_that_runs_ahead_is_taken_as_now(service: Service) -> None:
    await service.say("STOP", phone=PHONE, at=4_000_000_000)
    (told,) = (await service.history(PHONE)).entries
    assert told.body["clamped"]
    assert told.body["said_at"] < "2100"
    assert await service.count("message") == 1


async def test_a_stamp_ahead_is_known_again_when_our_clock_has_caught_up(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = int(time.time())
    start = delivery(message("START", phone=PHONE, at=now + 306, wamid="wamid.ONE"))
    await service.take_in(start)
    await service.say("STOP", phone=PHONE, at=now + 1)
    assert await service.reason(PHONE) == "opted_out"

    class Later(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) + timedelta(seconds=60)

    monkeypatch.setattr("intake.take_in.datetime", Later)
    await service.take_in(start)
    assert await service.count("audit_entry") == 2
    assert await service.reason(PHONE) == "opted_out"


async def test_one_unreadable_message_stops_no_other(service: Service) -> None:
    bad = {"id": "wamid.BAD", "from": PHONE, "timestamp": "never", "type": "text", "text": {}}
    await service.take_in(delivery(bad, message("STOP", phone="15551230009")))
    assert await service.reason("15551230009") == "opted_out"
    assert await service.count("quarantine") == 1


async def test_the_entries_rebuild_the_consent_table(service: Service, owner) -> None:
    for at, words in enumerate(["STOP", "START", "hello", "STOP", "parar", "START"]):
        for phone in (PHONE, "15551230002", "5511987654321"):
            await service.say(words, phone=phone, at=NOW + at * 7 % 5)
    await service.take_in(preferences(preference("stop", phone=PHONE)))
    await service.take_in(statuses(refused(phone="15551230002")))
    rebuilt = await owner.fetch(
        """select contact_key, switch,
            max(e.said_at) filter (where clock = 'opted_out_at') as opted_out_at,
            max(e.said_at) filter (where clock = 'opted_in_at') as opted_in_at,
            max(e.said_at) filter (where clock = 'vouched_at') as vouched_at
        from audit_entry e join contact using (app_id, contact_ref)
        where clock is not null group by contact_key, switch order by 1, 2"""
    )
    stands = await owner.fetch(
        "select contact_key, switch, opted_out_at, opted_in_at, vouched_at from consent "
        "order by 1, 2"
    )
    assert rebuilt == stands
    assert len(stands) >= 5


async def test_the_entry_behind_a_clock_is_the_one_that_moved_it(service: Service, owner) -> None:
    await service.say("STOP", phone=PHONE, at=NOW)
    await service.say("STOP", phone=PHONE, at=NOW + 5)
    await service.say("STOP", phone=PHONE, at=NOW + 1)
    entry = (await service.ask(PHONE)).entry
    assert entry is not None
    said_at = await owner.fetchval(
        "select said_at from audit_entry where lane = $1 and number = $2", *entry
    )
    assert said_at.timestamp() == NOW + 5
