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


class Clients:
    """Some who post one STOP after the other, until they have done enough.

    They keep their connections, as Meta does, and ask anew when one was shut while idle.
    """

    def __init__(self, service: Installed, count: int = 4) -> None:
        self.phones: list[str] = []  # whose STOP was answered
        self.failed: list[object] = []
        self.reopened: list[str] = []
        self._service = service
        self._enough = threading.Event()
        self.threads = [threading.Thread(target=self._post) for _ in range(count)]

    def __enter__(self) -> "Clients":
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._enough.set()
        for thread in self.threads:
            thread.join(20)

    def _post(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._service.public, timeout=20)
        while not self._enough.is_set():
            phone = a_phone()
            body = says("STOP", phone)
            if not self._posted(connection, body, phone):
                self._posted(connection, body, phone, again=True)
            time.sleep(0.005)
        connection.close()

    def _posted(
        self,
        connection: http.client.HTTPConnection,
        body: bytes,
        phone: str,
        *,
        again: bool = False,
    ) -> bool:
        try:
            connection.request("POST", f"/webhook/{APP}", body, signature(body))
            answer = connection.getresponse()
            answer.read()
        except (http.client.RemoteDisconnected, ConnectionError) as exc:
            connection.close()
            self.reopened.append(phone)
            if again:
                self.failed.append(exc)
            return False
        if answer.status != 200:
            self.failed.append(answer.status)
        self.phones.append(phone)
        return True


def test_workers_are_replaced_without_a_failed_request(pair: Installed) -> None:
    before = set(pair.workers())
    recorded = counted(pair, RECORDED)
    assert pair.process is not None
    with Clients(pair) as clients:
        began = time.monotonic()
        pair.process.send_signal(signal.SIGHUP)
        until(
            lambda: len(pair.workers()) == 2 and not before & set(pair.workers()), "all are new", 30
        )
        took = time.monotonic() - began
        goal = len(clients.phones) + 100
        until(lambda: len(clients.phones) >= goal, "the new ones answer")
    phones = clients.phones
    figure(f"2 workers replaced in {took:.2f} s under {len(phones)} requests")
    assert clients.failed == []
    assert len(clients.reopened) <= 2 * len(clients.threads)
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
