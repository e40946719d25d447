"""How the webhook logs: one line per fact on standard output, headers and bodies never."""

import logging
import sys
from typing import TextIO

import structlog
from structlog.typing import ExcInfo

from message_store.tracebacks import DiscreetFormatter, discreet_traceback


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
    handler.setFormatter(DiscreetFormatter())
    logging.basicConfig(handlers=[handler], level=logging.WARNING)


def _write_traceback(stream: TextIO, exc_info: ExcInfo) -> None:
    stream.write("\n" + discreet_traceback(exc_info[1]))
