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
    """Install the guard, once a process, on the kombu versions that need it."""
    if tuple(kombu.VERSION[:2]) != _AFFECTED:
        return
    channel: Any = Channel  # untyped, and there is no public place for this
    original = channel._connparams

    def connection_parameters(self: Any, *args: Any, **kwargs: Any) -> Any:
        if self.connection is None or self.connection.client is None:
            raise RedisConnectionError("the broker's channel is closed")
        return original(self, *args, **kwargs)

    channel._connparams = connection_parameters
