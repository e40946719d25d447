"""How the webhook logs: one line per fact on standard output, headers and bodies never."""

import logging
import sys

import structlog


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
                exception_formatter=structlog.dev.plain_traceback,
            ),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stdout),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(
        stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s"
    )
