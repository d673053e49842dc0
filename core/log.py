"""Structured logs for every process: `thing.happened` with keys, never prose, never a secret."""

import contextlib
import logging
import sys

import structlog


class _Lines:
    """Writes lines to stderr. One that cannot be written is lost, and nothing else fails by it."""

    def msg(self, line: str) -> None:
        """Write a line at once."""
        with contextlib.suppress(OSError, ValueError):  # full, without a reader, or closed
            sys.stderr.write(line + "\n")
            sys.stderr.flush()

    debug = info = warning = error = critical = exception = msg


def configure_logging(*, json: bool | None = None, level: int = logging.INFO) -> None:
    """Send structured logs to stderr: lines for people on a terminal, JSON everywhere else.

    The standard library's loggers (web server, queue, SSH) go through the same renderer.
    """
    as_json = not sys.stderr.isatty() if json is None else json
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer()
    )
    # Written at once: by way of a record of the standard library a line takes twice as long.
    structlog.configure(
        processors=[*shared, structlog.processors.format_exc_info, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: _Lines(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.processors.format_exc_info],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                renderer,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # A line per request of the queue and of every SSH packet would bury ours.
    for noisy in ("asyncssh", "kombu", "celery", "urllib3", "paramiko", "alembic"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
