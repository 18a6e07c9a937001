"""Logs: one JSON object a line on standard error, with codes and counts and never with content."""

import logging
import sys

import structlog


def configure_logs(level: str) -> None:
    """Send our log lines and those of the libraries through one JSON renderer."""
    stamped: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _without_traceback,
    ]
    structlog.configure(
        processors=[*stamped, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[_without_quotes, *stamped],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for name in ("uvicorn", "uvicorn.error"):
        logging.getLogger(name).handlers = []
        logging.getLogger(name).propagate = True
    # A line for each request costs more than the request, and would quote a verify token.
    logging.getLogger("uvicorn.access").handlers = []
    logging.getLogger("uvicorn.access").propagate = False
    # uvicorn tells each worker's start and stop on "info"; who runs a service needs it once.
    for name in ("uvicorn.error", "alembic"):
        logging.getLogger(name).setLevel("WARNING" if level != "debug" else "DEBUG")


def _without_quotes(
    _logger: object, _method: str, line: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """Cut what asyncio says of a lost error to its first line: the others quote the error."""
    record = line.get("_record")
    if record is not None and record.name == "asyncio":
        line["event"] = str(line["event"]).split("\n", 1)[0]
    return line


def _without_traceback(
    _logger: object, _method: str, line: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """Replace a traceback by where it happened: values in it, and its message, may be content."""
    info = line.pop("exc_info", None)
    error = info[1] if isinstance(info, tuple) else info
    if info is True:
        error = sys.exc_info()[1]
    if isinstance(error, BaseException):
        line["error"] = type(error).__name__
        line["at"] = _place_of(error)
    return line


def _place_of(error: BaseException) -> str:
    """Return file and line of the last frames, the innermost first."""
    frames = []
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        frames.append(f"{code.co_filename.rsplit('/', 1)[-1]}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    return " < ".join(reversed(frames[-6:]))
