"""What the webhook counts reaches Redis, also when that was away."""

from collections.abc import Awaitable, Callable
from typing import Any

import redis

from metrics.batches import KEY, Batches
from metrics.catalogue import COUNTS
from metrics.counting import Counts
from webhook.counting import RedisCounts, Reporter

Eventually = Callable[..., Awaitable[Any]]


def counted(url: str, field: str) -> float:
    """What Redis has for this field."""
    with redis.Redis.from_url(url, decode_responses=True) as client:
        return float(client.hget(KEY, field) or 0)


async def test_requests_are_counted(webhook: Any) -> None:
    """Each request by its outcome, each hint, and each answer's time."""
    COUNTS.take()
    assert (await webhook.post(webhook.notification("7/101"))).status == 200
    assert (await webhook.post(b"[]")).status == 400
    assert (await webhook.post(b"{}", token="wrong0wrong0wrong0")).status == 401
    found = COUNTS.take()
    answers = {name: n for name, n in found.items() if name.startswith("ringpost_answer_seconds")}
    assert sum(n for name, n in answers.items() if not name.endswith("sum")) == 2
    assert {name: n for name, n in found.items() if name not in answers} == {
        "ringpost_notifications_total\taccepted": 1,
        "ringpost_notifications_total\tnot_a_notification": 1,
        "ringpost_notifications_total\twrong_token": 1,
        "ringpost_hints_total\tpublished": 1,
    }


async def test_counts_outlive_an_absent_redis(broker: Any, eventually: Eventually) -> None:
    """What is counted while it is away is there when it is back, once."""
    counts = Counts()
    reporter = Reporter(RedisCounts(broker.url), Batches(counts), every=0.05)
    reporter.start()
    counts.add(("a",), 1)
    await eventually(lambda: not counts._added)  # a first attempt was made
    counts.add(("a",), 2)
    broker.start()
    await eventually(lambda: broker.socket.exists() and counted(broker.url, "a") == 3)
    counts.add(("b",), 0.5)
    await reporter.close()
    assert (counted(broker.url, "a"), counted(broker.url, "b")) == (3, 0.5)


async def test_the_end_hands_on_what_there_is(redis_url: str) -> None:
    """Stopped before the first interval is over, nothing is lost."""
    counts = Counts()
    reporter = Reporter(RedisCounts(redis_url), Batches(counts))
    reporter.start()
    counts.add(("a",), 1)
    await reporter.close()
    assert counted(redis_url, "a") == 1
