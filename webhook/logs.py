"""How the webhook logs: one line per fact on standard output, headers and bodies never."""

import logging
import sys
from typing import TextIO

import structlog
from structlog.typing import ExcInfo

from message_store.tracebacks import discreet_traceback


def configure_logs() -> None:
    """Send structlog to standard output; an error shows its traceback without any variable."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False),
            structlog.dev.ConsoleRenderer(
                colors=False,
                pad_event_to=30,
                # the default shows the variables of each frame: headers, tokens, numbers
                exception_formatter=_write_traceback,
            ),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stdout),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Lines("%(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(handlers=[handler], level=logging.WARNING)


class _Lines(logging.Formatter):
    """The libraries' lines, their errors without words, which may repeat a request."""

    def format(self, record: logging.LogRecord) -> str:
        """The record; of one that tells of an error, the first line."""
        if record.exc_info:
            record.msg, record.args = record.getMessage().partition("\n")[0], None
        return super().format(record)

    def formatException(self, ei: object) -> str:  # noqa: N802  # logging's name
        """The traceback, see `discreet_traceback`."""
        error = ei[1] if isinstance(ei, tuple) else None
        return discreet_traceback(error) if isinstance(error, BaseException) else ""


def _write_traceback(stream: TextIO, exc_info: ExcInfo) -> None:
    stream.write("\n" + discreet_traceback(exc_info[1]))
