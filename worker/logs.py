"""How a worker process logs: one line per fact on standard error, secrets and bodies never."""

import logging
import sys
from typing import TextIO

import structlog
from stamina.instrumentation import set_on_retry_hooks
from structlog.typing import EventDict, ExcInfo, WrappedLogger

from message_store.tracebacks import DiscreetFormatter, discreet_traceback

from .failures import OURS
from .masking import masked


def configure_logs() -> None:
    """Send structlog and the libraries' warnings to standard error, one line each."""
    # stamina's own lines repeat the arguments of the call, which may hold secrets
    set_on_retry_hooks([])
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False),
            structlog.dev.ConsoleRenderer(
                colors=False,
                pad_event_to=30,
                # the default shows the variables of each frame: messages, tokens, passwords
                exception_formatter=_write_traceback,
            ),
            _mask,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Masked(*OURS))
    logging.basicConfig(handlers=[handler], level=logging.WARNING)


class _Masked(DiscreetFormatter):
    def format(self, record: logging.LogRecord) -> str:
        return masked(super().format(record))


def _write_traceback(stream: TextIO, exc_info: ExcInfo) -> None:
    stream.write("\n" + discreet_traceback(exc_info[1], *OURS))


def _mask(_logger: WrappedLogger, _method: str, line: str | EventDict) -> str:
    return masked(str(line))
