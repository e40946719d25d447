"""Hands hints to the worker: one small Celery task that names mailboxes, sent by blocking calls."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from celery import Celery
    from kombu.messaging import Producer

TASK = "worker.sync"
QUEUE = "live"
KEY_PREFIX = "ringpost:"


class CeleryPublisher:
    """A held connection to the broker. Not for the event loop's thread: every call may block.

    A broker that is away costs no more than the time limits below. Nothing is tried twice in here:
    after an error the next call begins with a fresh connection.
    """

    def __init__(self, broker_url: str) -> None:
        self._broker_url = broker_url
        self._app: Celery | None = None
        self._producer: Producer | None = None

    def connect(self) -> None:
        """Open the connection ahead of the first hint, so that this one is as fast as any."""
        if self._producer is None:
            self._producer = self._connected()

    def publish(self, mailboxes: Sequence[str]) -> None:
        """Send one task for these mailboxes; it is in the queue when this returns without error."""
        self.connect()
        try:
            self._send(mailboxes)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Drop the connection without a word to the broker."""
        producer, self._producer = self._producer, None
        if producer is not None:
            producer.connection.collect()

    def _send(self, mailboxes: Sequence[str]) -> None:
        # `send_task` would do the same in almost twice the time; it also renders the arguments for
        # the worker's log, at a cost that grows with their number.
        assert self._app is not None  # noqa: S101  # for the type checker: connect() has
        assert self._producer is not None  # noqa: S101  # made both
        task = self._app.amqp.as_task_v2(
            str(uuid.uuid4()),
            TASK,
            kwargs={"mailboxes": list(mailboxes)},
            argsrepr="()",
            kwargsrepr=f"{{'mailboxes': {len(mailboxes)} of them}}",
            ignore_result=True,
        )
        self._producer.publish(  # type: ignore[no-untyped-call]  # kombu's
            task.body,
            exchange="",
            routing_key=QUEUE,
            serializer="json",
            headers=task.headers,
            retry=False,
            **task.properties,
        )

    def _connected(self) -> Producer:
        if self._app is None:
            self._app = _celery(self._broker_url)
        connection = self._app.connection_for_write()
        try:
            producer: Producer = self._app.amqp.Producer(connection)
            producer.maybe_declare(self._app.amqp.queues[QUEUE])  # type: ignore[no-untyped-call]  # kombu's
        except BaseException:
            connection.collect()
            raise
        return producer


def _celery(broker_url: str) -> Celery:
    # imported here because it takes longer than all the rest: the listener does not wait for it
    from celery import Celery

    app = Celery("webhook", broker=broker_url, set_as_current=False)
    app.conf.update(
        task_default_queue=QUEUE,
        task_serializer="json",
        task_publish_retry=False,
        broker_connection_timeout=1,
        broker_transport_options={
            "global_keyprefix": KEY_PREFIX,
            "client_name": "ringpost-webhook",
            "socket_connect_timeout": 1,
            "socket_timeout": 2,
            "max_retries": 0,
        },
    )
    return app
