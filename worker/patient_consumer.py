"""Keeps a worker alive while the broker is there but refuses: full, without disk, a replica.

Celery takes a refusal for the end of the worker. Told that it is none, it connects anew at once,
many times a second for as long as that lasts.
"""

import time
from typing import Any

import structlog
from celery.worker.consumer import Consumer
from redis.exceptions import ResponseError

from .wording import in_brief

log = structlog.get_logger()

_PAUSE = 2.0
_TELL_EVERY = 60.0

SETTINGS = {
    "broker_channel_error_retry": True,
    "worker_consumer": f"{__name__}:PatientConsumer",
}


class PatientConsumer(Consumer):  # type: ignore[misc]  # untyped
    """Celery's consumer, with a pause before it tries a broker again that has refused."""

    _told_at = -_TELL_EVERY

    def on_connection_error_before_connected(self, exc: Any) -> None:
        """It has not come so far that it can take tasks."""
        if not self._has_waited(exc):
            super().on_connection_error_before_connected(exc)

    def on_connection_error_after_connected(self, exc: Any) -> None:
        """It cannot take tasks any more."""
        if not self._has_waited(exc):
            super().on_connection_error_after_connected(exc)

    def _has_waited(self, error: Exception) -> bool:
        if not isinstance(error, ResponseError):
            return False
        if time.monotonic() - self._told_at >= _TELL_EVERY:
            self._told_at = time.monotonic()
            log.error("broker refuses, waiting for it", reason=in_brief(error))
        time.sleep(_PAUSE)
        return True
