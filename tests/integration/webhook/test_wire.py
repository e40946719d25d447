"""The wire to the worker from the webhook's side: what lies in Redis, and that Celery takes it."""

import json
from typing import Any

import redis
from celery import Celery

from webhook.settings import broker_url


async def test_what_lies_in_redis(webhook: Any, redis_url: str) -> None:
    """One list under our prefix holds one message: JSON, the task's name, and mailboxes only."""
    await webhook.post(webhook.notification("7/101"))
    with redis.Redis.from_url(redis_url) as store:
        (raw,) = store.lrange("ringpost:live", 0, -1)
        keys = {key.decode() for key in store.keys("*")}
    assert all(key.startswith("ringpost:") for key in keys)
    assert {key for key in keys if "_kombu.binding" not in key} == {"ringpost:live"}
    message = json.loads(raw)
    assert message["content-type"] == "application/json"
    headers = message["headers"]
    assert (headers["task"], headers["lang"]) == ("worker.sync", "py")
    assert (headers["eta"], headers["expires"], headers["retries"]) == (None, None, 0)
    assert message["properties"]["delivery_info"]["routing_key"] == "live"


async def test_celery_takes_it(webhook: Any, redis_url: str) -> None:
    """A stock Celery application with the worker's names finds the task and its arguments."""
    await webhook.post(webhook.notification("7/101"))
    app = Celery("stock", broker=broker_url(redis_url), set_as_current=False)
    app.conf.update(
        task_default_queue="live",
        accept_content=["json"],
        broker_transport_options={"global_keyprefix": "ringpost:"},
    )
    seen: list[Any] = []

    @app.task(name="worker.sync", shared=False)  # type: ignore[untyped-decorator]  # Celery ships no types
    def sync(mailboxes: list[str]) -> None:
        seen.append(mailboxes)

    with app.connection_for_read() as connection:
        queue = app.amqp.queues["live"]
        message = queue.bind(connection.default_channel).get(accept=["json"])
        args, kwargs, _ = message.payload
        app.tasks[message.headers["task"]](*args, **kwargs)
        message.ack()
    assert seen == [["7/101"]]
