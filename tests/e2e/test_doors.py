"""Both ports, knocked at as strangers do."""

import hashlib
import hmac
import http.client
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode

import pytest

from tests.e2e.installed import (
    APP,
    SECRET,
    TOKEN,
    Installed,
    a_message_id,
    a_phone,
    answer_of,
    figure,
    request,
    says,
    signature,
    stopped,
    until,
)
from tests.kit import delivery, message

PATH = f"/webhook/{APP}"
NOT_THERE = (
    "/",
    "/metrics",
    "/livez",
    "/readyz",
    "/webhook",
    "/webhook/",
    "/docs",
    "/openapi.json",
)


def challenge(shop: Installed, **asked: str):
    query = urlencode({f"hub.{name}": value for name, value in asked.items()})
    return shop.get(f"{PATH}?{query}")


@pytest.mark.parametrize(
    "said",
    [
        pytest.param("1158201444", id="digits, as Meta sends them"),
        pytest.param("<script>alert(1)</script>", id="what a browser would run stays text"),
    ],
)
def test_a_challenge_comes_back_as_text(shop: Installed, said: str) -> None:
    answer = challenge(shop, mode="subscribe", verify_token=TOKEN, challenge=said)
    assert (answer.status, answer.body) == (200, said.encode())
    assert answer.headers["content-type"].startswith("text/plain")
    assert "server" not in answer.headers


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param({}, id="nothing was asked"),
        pytest.param({"mode": "subscribe", "challenge": "1"}, id="no token"),
        pytest.param({"mode": "subscribe", "verify_token": TOKEN}, id="no challenge"),
        pytest.param({"verify_token": TOKEN, "challenge": "1"}, id="no mode"),
        pytest.param(
            {"mode": "subscribe", "verify_token": TOKEN + "x", "challenge": "1"}, id="wrong token"
        ),
        pytest.param(
            {"mode": "subscribe", "verify_token": SECRET, "challenge": "1"}, id="the app secret"
        ),
    ],
)
def test_a_challenge_without_the_token_is_refused(shop: Installed, asked: dict[str, str]) -> None:
    answer = challenge(shop, **asked)
    assert (answer.status, answer.code) == (403, "wrong_verify_token")
    assert TOKEN.encode() not in answer.body


def sha1(body: bytes) -> dict[str, str]:
    return {"x-hub-signature": "sha1=" + hmac.new(SECRET.encode(), body, hashlib.sha1).hexdigest()}


@pytest.mark.parametrize(
    "signed",
    [
        pytest.param(lambda body: {}, id="not signed"),
        pytest.param(lambda body: signature(body, "another-secret"), id="signed by somebody else"),
        pytest.param(lambda body: signature(body + b" "), id="the signature of other bytes"),
        pytest.param(sha1, id="only the old SHA-1 header"),
        pytest.param(
            lambda body: {"x-hub-signature-256": sha1(body)["x-hub-signature"]},
            id="SHA-1 in the place of SHA-256",
        ),
        pytest.param(lambda body: {"x-hub-signature-256": "sha256="}, id="an empty signature"),
    ],
)
def test_a_delivery_that_meta_did_not_sign_is_refused(
    shop: Installed, signed: Callable[[bytes], dict[str, str]]
) -> None:
    phone = a_phone()
    body = says("STOP", phone)
    answer = request(shop.public, "POST", PATH, body, signed(body))
    assert (answer.status, answer.code) == (401, "bad_signature")
    assert shop.entries_of([phone]) == {phone: 0}
    for shown in (SECRET, signature(body)["x-hub-signature-256"], phone):
        assert shown.encode() not in answer.body


def test_other_apps_methods_and_paths(shop: Installed) -> None:
    body = says("STOP", a_phone())
    unknown = request(shop.public, "POST", "/webhook/nobody", body, signature(body))
    assert (unknown.status, unknown.code) == (404, "unknown_app")
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"):
        answer = request(shop.public, method, PATH)
        assert (answer.status, answer.headers["allow"]) == (405, "GET, POST"), method
    for path in (*NOT_THERE, f"{PATH}/", f"{PATH}/x", f"{PATH}%2Fx", "/webhook/../metrics"):
        for method in ("GET", "POST"):
            assert request(shop.public, method, path).status == 404, (method, path)


def test_which_door_is_told_by_the_port_alone(shop: Installed) -> None:
    inside = {"host": f"127.0.0.1:{shop.internal}", "x-forwarded-port": str(shop.internal)}
    assert request(shop.public, "GET", "/metrics", headers=inside).status == 404
    body = says("STOP", a_phone())
    assert request(shop.internal, "POST", PATH, body, signature(body)).status == 404
    assert [shop.ask_inside(path).status for path in ("/livez", "/readyz", "/metrics")] == [200] * 3


def chunks_of(size: int) -> Iterator[bytes]:
    for _ in range(size // 65536 + 1):
        yield b"x" * 65536


def test_a_body_that_is_too_large(shop: Installed) -> None:
    limit = 4 * 1024 * 1024
    told = request(shop.public, "POST", PATH, None, {"content-length": str(limit + 1)})
    assert (told.status, told.code) == (413, "too_large")
    assert told.seconds < 2  # the body is not waited for
    try:
        untold = request(shop.public, "POST", PATH, chunks_of(limit))
    except ConnectionError:
        pass  # we were still sending when it was shut
    else:
        assert (untold.status, untold.code) == (413, "too_large")


def test_the_largest_delivery_meta_sends(shop: Installed) -> None:
    first, *others = [a_phone() for _ in range(1000)]
    long = "we had a lovely time and will be back. " * 70
    messages = [message(long, phone=phone, id=a_message_id()) for phone in others]
    body = delivery(*messages, message("STOP", phone=first, id=a_message_id()))
    assert 2_500_000 < len(body) < 3 * 1024 * 1024
    assert shop.post(body).status == 200
    assert shop.entries_of([first, others[0]]) == {first: 1, others[0]: 0}


# A database that stands still


def test_no_database_means_503_and_nothing_acknowledged_is_lost(copy: Installed) -> None:
    copy.settings["OPTLEDGER_ANSWER_WITHIN"] = "0.5"
    copy.start()
    before, *away = [a_phone() for _ in range(11)]
    assert copy.post(says("STOP", before)).status == 200
    bodies = {phone: says("STOP", phone) for phone in away}
    with stopped(copy.postgres()), ThreadPoolExecutor(len(away)) as pool:
        answers = list(pool.map(copy.post, bodies.values()))
        ready = request(copy.internal, "GET", "/readyz")
        livez = request(copy.internal, "GET", "/livez")
    for answer in answers:
        assert (answer.status, answer.code) == (503, "store_unavailable")
        assert int(answer.headers["retry-after"]) > 0
        assert answer.seconds < 2, "0.5 s were promised; the rest is for a busy machine"
    slowest = max(answer.seconds for answer in answers)
    assert (ready.status, livez.status) == (503, 200)
    assert ready.seconds < 4
    began = time.monotonic()
    left = dict(bodies)
    while left:
        left = {phone: body for phone, body in left.items() if copy.post(body).status != 200}
        assert time.monotonic() - began < 10
    again = time.monotonic() - began
    figure(
        f"503 after at most {slowest:.2f} s, readyz after {ready.seconds:.2f} s; "
        f"all recorded {again:.2f} s after the database went on"
    )
    assert again < 5
    assert copy.entries_of(list(bodies)) == dict.fromkeys(bodies, 1)
    assert copy.entries_of([before]) == {before: 1}
    assert copy.ready()
    assert copy.stop() == 0


# Whoever is slow


@pytest.fixture(scope="module")
def hasty(copies: Callable[..., Installed]) -> Iterator[Installed]:
    """Waits a second for a request, and no longer."""
    running = copies(request_deadline="1")
    try:
        running.start()
        yield running
        assert running.stop() == 0
    finally:
        running.end()


def headers_of(body: bytes, **more: str) -> bytes:
    lines = {"host": "x", "content-length": str(len(body)), **signature(body), **more}
    told = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"POST {PATH} HTTP/1.1\r\n{told}\r\n".encode()


def seconds_until_cut(
    port: int, first: bytes = b"", dripped: bytes = b"", answers: int = 0
) -> float:
    """Say something, then the rest a byte at a time; return when the other side hung up."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(first)
        seen = b""
        while seen.count(b"HTTP/1.1 ") < answers:
            seen += client.recv(4096)
        began = time.monotonic()
        client.settimeout(0.1)
        for byte in (dripped * 100)[:100] or b" " * 100:
            try:
                if dripped:
                    client.sendall(bytes([byte]))
                if not client.recv(4096):
                    break
            except TimeoutError:
                continue
            except ConnectionError:
                break
        else:
            pytest.fail("it was never cut")
        return time.monotonic() - began


BODY = says("hello", "12125559999", id="wamid.slow")
ELSEWHERE = b"POST /webhook/nobody HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\n\r\n"


@pytest.mark.parametrize(
    ("first", "dripped", "answers"),
    [
        pytest.param(b"", b"", 0, id="it says nothing"),
        pytest.param(b"POST /webhook", b"", 0, id="half a request line"),
        pytest.param(b"GET / HTTP/1.1\r\nx: ", b"y", 0, id="headers, a byte at a time"),
        pytest.param(headers_of(BODY), b"", 0, id="no body"),
        pytest.param(headers_of(BODY), BODY, 0, id="a body, a byte at a time"),
        pytest.param(headers_of(BODY) + BODY, b"POST /webhook", 1, id="a slow second request"),
        pytest.param(
            headers_of(BODY) + BODY + headers_of(BODY), b"", 1, id="a second request in the packet"
        ),
        pytest.param(
            ELSEWHERE + b"body" + headers_of(BODY), BODY, 1, id="behind one refused unread"
        ),
    ],
)
def test_a_slow_client_is_cut(hasty: Installed, first: bytes, dripped: bytes, answers: int) -> None:
    with ThreadPoolExecutor(2) as pool:
        ports = (hasty.public, hasty.internal)
        for cut in pool.map(lambda port: seconds_until_cut(port, first, dripped, answers), ports):
            assert 0.5 < cut < 4


def test_slow_clients_hold_up_nobody(hasty: Installed) -> None:
    """Fifty that say nothing and one that keeps its connection for longer than the deadline."""
    silent = [socket.create_connection(("127.0.0.1", hasty.public)) for _ in range(50)]
    good = http.client.HTTPConnection("127.0.0.1", hasty.public, timeout=5)
    good.connect()
    own = good.sock
    end = time.monotonic() + 2.5
    slowest = 0.0
    while time.monotonic() < end:
        began = time.monotonic()
        body = says("hello", a_phone())
        good.request("POST", PATH, body, signature(body))
        answer = answer_of(good, began)
        assert answer.status == 200
        slowest = max(slowest, answer.seconds)
        threading.Event().wait(0.3)  # a pause between two requests is no slow request
    assert good.sock is own, "the connection was kept"
    good.close()
    for client in silent:
        client.settimeout(2)
        assert client.recv(1) == b""
        client.close()
    figure(f"slowest answer next to 50 silent connections: {slowest:.3f} s")


def test_a_client_that_leaves_in_the_middle_is_no_error(hasty: Installed) -> None:
    def gone() -> float:
        return hasty.metrics().get('optledger_deliveries_total{outcome="disconnected"}', 0)

    before = gone()
    with socket.create_connection(("127.0.0.1", hasty.public)) as client:
        client.sendall(headers_of(BODY) + BODY[:10])
    until(lambda: gone() > before, "it was counted")
    assert "Traceback" not in hasty.log()
    assert "exception" not in hasty.log().lower()
