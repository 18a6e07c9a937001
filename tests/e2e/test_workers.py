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
    scrapes = [pair.metrics() for _ in range(10)]  # whichever worker answers
    for after in scrapes:
        assert after[RECORDED] == before.get(RECORDED, 0) + 60
        assert after["optledger_messages_total"] == before.get("optledger_messages_total", 0) + 60
        assert after['optledger_deliveries_total{outcome="wrong_verify_token"}'] == 1
        name = 'optledger_entries_total{action="opt_out"}'
        assert after[name] == before.get(name, 0) + 60
        assert after["optledger_commit_seconds_count"] <= after[RECORDED]
        assert after['optledger_commit_seconds_bucket{le="0.25"}'] > 0
        assert 'optledger_commit_seconds_bucket{le="1.0"}' in after


def test_workers_are_replaced_without_a_failed_request(pair: Installed) -> None:
    """Clients keep their connections, as Meta does, and ask anew when one was shut while idle."""
    before = set(pair.workers())
    recorded = pair.metrics()[RECORDED]
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
    assert pair.metrics()[RECORDED] >= recorded + len(phones)  # counts outlive who counted


def test_a_worker_that_died_is_counted_no_longer(pair: Installed) -> None:
    gauges = [name for name in pair.metrics() if name.startswith("optledger_worker_resident")]
    alive = {f'optledger_worker_resident_bytes{{pid="{pid}"}}' for pid in pair.workers()}
    assert set(gauges) == alive
