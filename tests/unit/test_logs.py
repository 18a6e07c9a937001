import asyncio
import json
import logging
import sys

import pytest
import structlog

from service.logs import configure_logs

PLANTED = "Rumpelstilz 15551230001"
OURS = ("", "uvicorn", "uvicorn.error", "uvicorn.access", "alembic")


@pytest.fixture(autouse=True)
def _logs_as_before():
    loggers = [logging.getLogger(name) for name in OURS]
    before = [(one, one.level, one.handlers[:], one.propagate) for one in loggers]
    yield
    for one, level, handlers, propagate in before:
        one.setLevel(level)
        one.handlers, one.propagate = handlers, propagate
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


@pytest.fixture
def lines(capsys):
    """What was written to standard error, as one JSON object a line."""

    def written():
        captured = capsys.readouterr()
        assert captured.out == ""
        assert PLANTED not in captured.err
        assert "Traceback" not in captured.err
        return [json.loads(line) for line in captured.err.splitlines()]

    return written


def raise_planted():
    number = PLANTED
    raise ValueError(f"can't read {number}")


def fail_inside_another():
    try:
        raise_planted()
    except ValueError as exc:
        raise RuntimeError(f"while reading {PLANTED}") from exc


def with_notes():
    error = ValueError(PLANTED)
    error.add_note(PLANTED)
    raise ExceptionGroup(PLANTED, [error])


def log_structured(error):
    structlog.get_logger().error("not_recorded", app="demo", exc_info=error)


def log_structured_as_it_is_handled(_error):
    structlog.get_logger().exception("not_recorded", app="demo")


def log_plain(error):
    logging.getLogger("some.library").error("not_recorded", exc_info=error)


def log_plain_as_it_is_handled(_error):
    logging.getLogger("some.library").exception("not_recorded")


def log_of_the_server(error):
    logging.getLogger("uvicorn.error").error("not_recorded", exc_info=error)


@pytest.mark.parametrize(
    "log",
    [
        pytest.param(log_structured, id="logged by us"),
        pytest.param(log_structured_as_it_is_handled, id="logged by us where it is handled"),
        pytest.param(log_plain, id="logged by a library"),
        pytest.param(log_plain_as_it_is_handled, id="logged by a library where it is handled"),
        pytest.param(log_of_the_server, id="logged by the server"),
    ],
)
@pytest.mark.parametrize(
    ("fail", "name"),
    [
        pytest.param(raise_planted, "ValueError", id="an error that quotes"),
        pytest.param(fail_inside_another, "RuntimeError", id="an error behind an error"),
        pytest.param(with_notes, "ExceptionGroup", id="errors in a group"),
    ],
)
def test_of_an_error_only_kind_and_place_are_logged(lines, log, fail, name):
    configure_logs("info")
    try:
        fail()
    except Exception as exc:
        log(exc)
    [line] = lines()
    assert (line["event"], line["error"]) == ("not_recorded", name)
    assert fail.__name__ in line["at"]
    assert "test_logs.py:" in line["at"]
    assert not {"exc_info", "exception", "stack"} & set(line)


def test_the_place_names_files_and_not_folders(lines):
    configure_logs("info")
    try:
        fail_inside_another()
    except RuntimeError as exc:
        log_structured(exc)
    [line] = lines()
    assert "/" not in line["at"]
    assert line["at"].count("test_logs.py:") == 2


def deep(frames):
    return deep(frames - 1) if frames else raise_planted()


def test_of_a_deep_error_the_innermost_frames_are_kept(lines):
    configure_logs("info")
    try:
        deep(50)
    except ValueError as exc:
        log_structured(exc)
    [line] = lines()
    assert line["at"].count(" < ") == 5
    assert "raise_planted" in line["at"]


@pytest.mark.parametrize(
    "nothing",
    [
        pytest.param(True, id="asked for where nothing is handled"),
        pytest.param(None, id="none given"),
        pytest.param((None, None, None), id="none, as a tuple"),
        pytest.param(False, id="not asked for"),
    ],
)
def test_a_line_without_an_error_has_none(lines, nothing):
    configure_logs("info")
    structlog.get_logger().error("not_recorded", exc_info=nothing)
    [line] = lines()
    assert not {"error", "at", "exc_info"} & set(line)


def test_a_line_is_json_with_time_and_level(lines):
    configure_logs("info")
    structlog.contextvars.bind_contextvars(worker=2)
    structlog.get_logger().info("started", app="demo", deliveries=3)
    logging.getLogger("some.library").warning("slow by %s seconds", 3)
    ours, theirs = lines()
    assert ours.pop("timestamp").endswith("Z")
    assert ours == {
        "event": "started", "level": "info", "app": "demo", "deliveries": 3, "worker": 2,
    }  # fmt: skip
    assert (theirs["event"], theirs["level"]) == ("slow by 3 seconds", "warning")


@pytest.mark.parametrize(
    ("level", "events"),
    [
        pytest.param("debug", ["d", "i", "w", "server"], id="debug"),
        pytest.param("info", ["i", "w"], id="info, and the server only when it is worth it"),
        pytest.param("warning", ["w"], id="warning"),
        pytest.param("error", [], id="error"),
    ],
)
def test_levels(lines, level, events):
    configure_logs(level)
    for name, event in (("debug", "d"), ("info", "i"), ("warning", "w")):
        getattr(structlog.get_logger(), name)(event)
    logging.getLogger("uvicorn.error").info("server")
    assert [line["event"] for line in lines()] == events


def test_configured_twice_a_line_is_written_once(lines):
    configure_logs("info")
    configure_logs("info")
    structlog.get_logger().info("started")
    logging.getLogger("uvicorn.error").warning("server")
    assert [line["event"] for line in lines()] == ["started", "server"]


def test_text_that_is_half_an_emoji_can_be_logged(lines):
    configure_logs("info")
    structlog.get_logger().info("odd", code="\ud83d\x00\n")
    [line] = lines()
    assert line["code"] == "\ud83d\x00\n"


def test_an_error_that_no_task_took_does_not_show(lines):
    configure_logs("info")

    async def forgotten():
        raise_planted()

    async def forget():
        task = asyncio.ensure_future(forgotten())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        del task

    asyncio.run(forget())
    assert [line["level"] for line in lines()] == ["error"]
    assert sys.exc_info() == (None, None, None)
