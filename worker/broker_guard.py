"""Keeps a worker alive when the broker goes away under a running task.

kombu 5.7.0 rebuilds its Redis pool from a connection that is gone already and dies of an
AttributeError, which Celery takes for unrecoverable; the error raised here is recoverable.
To be removed when kombu raises one itself (the regression test tells).
"""

from typing import Any

import kombu
from kombu.transport.redis import Channel
from redis.exceptions import ConnectionError as RedisConnectionError

_AFFECTED = (5, 7)


def guard_broker_loss() -> None:
    """Install the guard on the kombu versions that need it; again is harmless."""
    if tuple(kombu.VERSION[:2]) != _AFFECTED or hasattr(Channel, "_ringpost_guard"):
        return
    original = Channel._connparams  # noqa: SLF001  # there is no public place for it

    def connection_parameters(self: Any, *args: Any, **kwargs: Any) -> Any:
        if self.connection is None or self.connection.client is None:
            raise RedisConnectionError("the broker's channel is closed")
        return original(self, *args, **kwargs)

    Channel._connparams = connection_parameters  # noqa: SLF001
    Channel._ringpost_guard = True  # noqa: SLF001
