"""Several workers: counted together, and replaced without anybody noticing."""

import http.client
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from tests.e2e.installed import APP, Installed, a_phone, figure, says, signature, until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="finds processes in /proc")

RECORDED = 'optledger_deliveries_total{outcome="recorded"}'


@pytest.fixture(scope="module")
def pair(copies: Callable[..., Installed]) -> Iterator[Installed]:
    running = copies(workers="2")
    try:
        running.start()
        assert len(running.workers()) == 2
        yield running
        assert running.stop() == 0
    finally:
        running.end()


def test_one_scrape_sees_what_all_workers_counted(pair: Installed) -> None:
    before = pair.metrics()
    for _ in range(60):  # a connection each, so that both workers get some
        assert pair.post(says("STOP", a_phone())).status == 200
    assert pair.get(f"/webhook/{APP}").status == 403
    wrong = 'optledger_deliveries_total{outcome="wrong_verify_token"}'
    until(  # a worker tells what it counted once a second
        lambda: counted(pair, RECORDED) == before.get(RECORDED, 0) + 60 and counted(pair, wrong),
        "all are counted",
        5,
    )
    for after in [pair.metrics() for _ in range(10)]:  # whichever worker answers
        assert after[RECORDED] == before.get(RECORDED, 0) + 60
        assert after["optledger_messages_total"] == before.get("optledger_messages_total", 0) + 60
        assert after[wrong] == 1
        name = 'optledger_entries_total{action="opt_out"}'
        assert after[name] == before.get(name, 0) + 60
        assert after["optledger_commit_seconds_count"] <= after[RECORDED]
        assert after['optledger_commit_seconds_bucket{le="0.25"}'] > 0
        assert 'optledger_commit_seconds_bucket{le="1.0"}' in after


def counted(service: Installed, name: str) -> float:
    return service.metrics().get(name, 0)


def test_workers_are_replaced_without_a_failed_request(pair: Installed) -> None:
    """Clients keep their connections, as Meta does, and ask anew when one was shut while idle."""
    before = set(pair.workers())
    recorded = counted(pair, RECORDED)
    enough = threading.Event()
    phones: list[str] = []
    failed: list[object] = []
    reopened = []

    def client() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", pair.public, timeout=20)
        while not enough.is_set():
            phone = a_phone()
            body = says("STOP", phone)
            for fresh in (False, True):
                try:
                    connection.request("POST", f"/webhook/{APP}", body, signature(body))
                    answer = connection.getresponse()
                    answer.read()
                except (http.client.RemoteDisconnected, ConnectionError) as exc:
                    connection.close()
                    reopened.append(phone)
                    if fresh:
                        failed.append(exc)
                    continue
                if answer.status != 200:
                    failed.append(answer.status)
                phones.append(phone)
                break
            time.sleep(0.005)
        connection.close()

    threads = [threading.Thread(target=client) for _ in range(4)]
    for thread in threads:
        thread.start()
    assert pair.process is not None
    began = time.monotonic()
    pair.process.send_signal(signal.SIGHUP)
    until(lambda: len(pair.workers()) == 2 and not before & set(pair.workers()), "all are new", 30)
    took = time.monotonic() - began
    goal = len(phones) + 100
    until(lambda: len(phones) >= goal, "the new ones answer")
    enough.set()
    for thread in threads:
        thread.join(20)
    figure(f"2 workers replaced in {took:.2f} s under {len(phones)} requests")
    assert failed == []
    assert len(reopened) <= 2 * len(threads)
    assert pair.entries_of(phones) == dict.fromkeys(phones, 1)
    until(  # counts outlive who counted
        lambda: counted(pair, RECORDED) >= recorded + len(phones), "all are counted", 5
    )


def test_a_worker_that_died_is_counted_no_longer(pair: Installed) -> None:
    def measured() -> set[str]:
        return {name for name in pair.metrics() if name.startswith("optledger_worker_resident")}

    def alive() -> set[str]:
        return {f'optledger_worker_resident_bytes{{pid="{pid}"}}' for pid in pair.workers()}

    until(lambda: measured() == alive(), "only the living are measured", 10)
