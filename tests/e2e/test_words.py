"""`optledger explain` and `optledger match`: no database, no service."""

import json
import os
import subprocess
import time

import pytest

from tests import accuracy
from tests.e2e.installed import COMMAND, Installed, ends_in_a_sentence


def match(lines: bytes) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run([COMMAND, "match"], input=lines, capture_output=True, timeout=60)


@pytest.mark.parametrize(
    ("text", "more", "told"),
    [
        pytest.param(
            "hola no me manden más cobros duplicados, gracias",
            ("--lang", "es"),
            ("cobros (not in the pack)", "asks for nothing"),
            id="the words as they are read",
        ),
        pytest.param(
            "she said: stop sending me messages",
            (),
            ("stop send? me? messages|promotions", "somebody else said it", "counts as none"),
            id="the guard that spoke",
        ),
        pytest.param(
            "ok stop texting me", (), ("opt_out, certain: acts at once", "switch    all"), id="sure"
        ),
        pytest.param("cancel", ("--country", "US"), ("47 CFR 64.1200(a)(10)", "certain"), id="US"),
        pytest.param("cancel", ("--lang", "fr"), ("means something else", "nothing"), id="French"),
        pytest.param("Stop promotions", ("--surface", "button"), ("marketing",), id="a button"),
    ],
)
def test_a_text_is_explained(empty: Installed, text, more, told):
    shown = empty.ok("explain", text, *more)
    for part in told:
        assert part in shown


def test_an_explanation_for_programs_and_none_of_it_is_kept(empty: Installed):
    found = json.loads(empty.ok("explain", "no me escriban más", "--lang", "es", "--json"))
    assert found["decision"]["intent"] == "opt_out"
    assert found["phrases"][0]["against"] == []
    assert not empty.data_dir.exists()


def test_lines_are_matched_in_order_as_decided_one_by_one():
    rows = [row | {"id": number} for number, row in enumerate(accuracy.rows())]
    asked = [
        {"id": row["id"], "text": row["text"], "lang": row["language"], "country": row["country"]}
        | ({"surface": row["surface"]} if "surface" in row else {})
        for row in rows
    ]
    done = match("\n".join(json.dumps(row) for row in asked).encode())
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    matcher = accuracy.load_matcher()
    expected = [accuracy.decided(matcher, row) for row in rows]
    assert [
        (one["id"], one["intent"], one["tier"], one["switch"], one["term"] or "") for one in found
    ] == [(i, d.intent, d.tier, d.switch, d.term) for i, d in enumerate(expected)]


def test_a_line_that_cannot_be_read_has_its_answer_in_its_place():
    lines = [
        b'{"id": "a", "text": "stop"}',
        b"not json",
        b"",
        b'{"id": 2, "text": 7}',
        b'{"id": 3, "text": "x", "surface": "wall"}',
        b'{"id": 4, "text": "\xff"}',
        b'{"id": {"any": [1]}, "text": "\\u0000 \\ud800 stop"}',
        b'{"text": "start"}',
    ]
    done = match(b"\r\n".join(lines))
    assert done.returncode == 1
    assert b"Traceback" not in done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one.get("line") for one in found] == [None, 2, 4, 5, 6, 7, None]
    assert found[0]["intent"] == "opt_out"
    assert found[-1] == {
        "id": None,
        "intent": "opt_in",
        "tier": "certain",
        "switch": "all",
        "term": "start",
        "language": "mul",
    }


def test_a_line_without_end_is_refused_and_the_next_one_read():
    done = match(b'{"text": "' + b"x" * (20 << 20) + b'"}\n{"id": 1, "text": "stop"}\n')
    assert done.returncode == 1
    first, second = (json.loads(line) for line in done.stdout.splitlines())
    assert "longer than" in first["error"]
    assert second["intent"] == "opt_out"


def test_an_answer_comes_before_the_next_line_is_written():
    with subprocess.Popen([COMMAND, "match"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as one:
        assert one.stdin is not None
        assert one.stdout is not None
        for text in ("stop", "hello"):
            one.stdin.write(json.dumps({"text": text}).encode() + b"\n")
            one.stdin.flush()
            assert json.loads(one.stdout.readline())["id"] is None
        one.stdin.close()
        assert one.wait(10) == 0


def test_a_reader_that_goes_away_ends_it_quietly():
    lines = b'{"text": "hello"}\n' * 200_000
    with subprocess.Popen(
        [COMMAND, "match"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as one:
        assert one.stdin is not None
        assert one.stdout is not None
        assert one.stderr is not None
        os.set_blocking(one.stdin.fileno(), True)
        one.stdout.close()
        began = time.monotonic()
        try:
            one.stdin.write(lines)
            one.stdin.close()
        except BrokenPipeError:
            pass
        told = one.stderr.read().decode()
        one.wait(30)
        assert time.monotonic() - began < 30
        ends_in_a_sentence(subprocess.CompletedProcess([], one.returncode, "", told))
