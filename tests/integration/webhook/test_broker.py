"""Hints and a real broker: in crowds, without it, and back again."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp

Tasks = Callable[[str], list[Any]]
Eventually = Callable[..., Awaitable[Any]]


async def post_many(webhook: Any, count: int, mailboxes: int) -> list[int]:
    """Post so many notifications at once, over as many mailboxes; the statuses."""
    connector = aiohttp.TCPConnector(limit=100)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def post(number: int) -> int:
            body = webhook.notification(f"7/{number % mailboxes}")
            url = f"http://127.0.0.1:{webhook.port}/webhook"
            headers = {"Verification-Token": webhook.token}
            async with session.post(url, data=body, headers=headers) as reply:
                return reply.status

        return list(await asyncio.gather(*(post(number) for number in range(count))))


async def test_a_thousand_at_once_are_few_tasks(webhook: Any, redis_url: str, tasks: Tasks) -> None:
    """A burst costs few tasks, each names a mailbox once at most, and none is missing."""
    assert set(await post_many(webhook, 1000, 500)) == {200}
    sent = [kwargs["mailboxes"] for _, _, kwargs in tasks(redis_url)]
    assert len(sent) < 250
    assert all(len(set(mailboxes)) == len(mailboxes) for mailboxes in sent)
    assert {one for mailboxes in sent for one in mailboxes} == {f"7/{n}" for n in range(500)}
    assert webhook.outcomes.counts == {"accepted": 1000}


async def test_without_a_broker_all_is_well(
    start_webhook: Any, broker: Any, tasks: Tasks, eventually: Eventually
) -> None:
    """A webhook that starts before its broker answers 200 at once and hands on when it is there."""
    webhook = await start_webhook(broker=broker.url)
    async with asyncio.timeout(webhook.hints._patience / 2):
        assert set(await post_many(webhook, 300, 50)) == {200}
    assert webhook.outcomes.counts == {"hint kept": 300}
    assert (await webhook.post(path="/healthz", method="GET")).status == 200
    broker.start()
    await eventually(broker.socket.exists)
    sent = await eventually(lambda: tasks(broker.url))
    assert sorted(sent[0][2]["mailboxes"]) == sorted(f"7/{number}" for number in range(50))


async def test_a_broker_that_goes_and_comes(
    start_webhook: Any, broker: Any, tasks: Tasks, eventually: Eventually
) -> None:
    """A broker killed under the webhook costs nobody his 200 and no hint its way."""
    broker.start()
    await eventually(broker.socket.exists)
    webhook = await start_webhook(broker=broker.url)
    assert (await webhook.post(webhook.notification("7/1"))).status == 200
    assert len(tasks(broker.url)) == 1
    broker.stop()
    assert (await webhook.post(webhook.notification("7/2"))).status == 200
    assert (await webhook.post(webhook.notification("7/3"))).status == 200
    assert webhook.outcomes.counts["hint kept"] == 2
    broker.start()
    await eventually(broker.socket.exists)
    sent = await eventually(lambda: tasks(broker.url))
    assert sorted(sent[0][2]["mailboxes"]) == ["7/2", "7/3"]
    await eventually(lambda: _accepted(webhook))


async def _accepted(webhook: Any) -> bool:
    before = webhook.outcomes.counts.get("accepted", 0)
    assert (await webhook.post(webhook.notification("7/4"))).status == 200
    return bool(webhook.outcomes.counts.get("accepted", 0) > before)


async def test_a_broker_restarted_unnoticed(
    start_webhook: Any, broker: Any, tasks: Tasks, eventually: Eventually
) -> None:
    """A connection that went stale while nothing came is replaced without anybody noticing."""
    broker.start()
    await eventually(broker.socket.exists)
    webhook = await start_webhook(broker=broker.url)
    assert (await webhook.post(webhook.notification("7/1"))).status == 200
    broker.stop()
    broker.start()
    await eventually(lambda: _answers(broker))
    assert (await webhook.post(webhook.notification("7/2"))).status == 200
    assert webhook.outcomes.counts == {"accepted": 2}


async def _answers(broker: Any) -> bool:
    try:
        _, writer = await asyncio.open_unix_connection(broker.socket)
    except OSError:
        return False
    writer.close()
    return True


async def test_a_broker_that_does_not_answer(start_webhook: Any, eventually: Eventually) -> None:
    """A broker that takes the connection and then is silent holds nobody up for long."""

    over = asyncio.Event()
    silences: set[Any] = set()

    async def silent(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        silences.add(asyncio.current_task())
        await over.wait()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        webhook = await start_webhook(broker=f"redis://127.0.0.1:{port}/0", patience=0.3)
        assert set(await post_many(webhook, 200, 200)) == {200}
        webhook.hints._patience = 60
        async with asyncio.timeout(30):
            assert (await webhook.post(webhook.notification("7/1"))).status == 200
        server.close()
        over.set()
        await asyncio.gather(*silences)
