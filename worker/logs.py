"""How a worker process logs: one line per fact on standard error, secrets and bodies never."""

import logging
import sys

import structlog
from stamina.instrumentation import set_on_retry_hooks


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
                exception_formatter=structlog.dev.plain_traceback,
            ),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(
        stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s"
    )
