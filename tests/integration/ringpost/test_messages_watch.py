"""`ringpost messages watch`: what comes and changes is told once, whatever goes wrong between."""

import asyncio
import json
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from message_store.mailbox import Mailbox
from ringpost.mailbox_by_hand import open_mailboxes
from ringpost.message_filters import Filters
from ringpost.sightings import News
from ringpost.watch import Watch, in_one_line
from sandbox import RingCentral
from tests.support.waiting import Eventually
from worker.together import cancel_all

Told = list[tuple[str, str]]
Watching = Callable[..., AbstractAsyncContextManager[Told]]


@pytest.fixture
def watching(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    ringcentral: RingCentral,
    eventually: Eventually,
) -> Watching:
    """A watch in this process that polls often; what it tells, as kind and id."""
    monkeypatch.chdir(tmp_path)
    for name, value in ringcentral.environment().items():
        monkeypatch.setenv(name, value)

    @asynccontextmanager
    async def run(
        *mailboxes: str, filters: Filters | None = None, since: datetime | None = None
    ) -> AsyncIterator[Told]:
        told: Told = []

        def tell(mailbox: Mailbox, news: News) -> None:
            told.append((news.kind, news.message.id))

        watch = Watch(filters or Filters(), tell, since=since, interval=0.05)

        async def work() -> None:
            async with open_mailboxes(mailboxes or ["~"]) as opened:
                await watch.run(opened)

        task = asyncio.create_task(work())
        begun = ringcentral.count("syncMessages") + len(mailboxes or ["~"]) + 1
        await eventually(lambda: ringcentral.count("syncMessages") >= begun or task.done())
        try:
            yield told
            assert not task.done(), task.result()
        finally:
            await cancel_all([task])

    return run


async def polled(ringcentral: RingCentral, eventually: Eventually, times: int = 3) -> None:
    """It has looked so often again."""
    enough = ringcentral.count("syncMessages", status=200) + times
    await eventually(lambda: ringcentral.count("syncMessages", status=200) >= enough)


async def test_new_changed_and_deleted(
    watching: Watching, ringcentral: RingCentral, eventually: Eventually
) -> None:
    """Each once, though RingCentral repeats records; what was there before is no news."""
    old = str((await ringcentral.receives_sms())["id"])
    async with watching() as told:
        new = str((await ringcentral.receives_fax())["id"])
        await eventually(lambda: told == [("new", new)])
        await ringcentral.changes(old, readStatus="Read")
        await eventually(lambda: told[1:] == [("changed", old)])
        await ringcentral.changes(new, availability="Deleted")
        await eventually(lambda: told[2:] == [("deleted", new)])
        await polled(ringcentral, eventually)
        assert len(told) == 3


async def test_filters_and_since(
    watching: Watching, ringcentral: RingCentral, eventually: Eventually
) -> None:
    """Only what is meant is told, also of its deletion, of which RingCentral gives no type."""
    fax = str((await ringcentral.receives_fax())["id"])
    sms = await ringcentral.receives_sms()
    hour_ago = datetime.now(UTC) - timedelta(hours=1)
    async with watching(filters=Filters(message_types=("Fax",)), since=hour_ago) as told:
        await eventually(lambda: told == [("new", fax)])
        await ringcentral.changes(sms["id"], availability="Deleted")
        await ringcentral.changes(fax, availability="Deleted")
        await eventually(lambda: told[1:] == [("deleted", fax)])


async def test_several_mailboxes(
    watching: Watching, ringcentral: RingCentral, eventually: Eventually
) -> None:
    """All are watched; one that may not be read any more costs the others nothing."""
    _, second, third = ringcentral.extension_ids
    async with watching("all") as told:
        await ringcentral.receives_sms(extension=second)
        await eventually(lambda: len(told) == 1)
        ringcentral.fails(f"{second}/message-sync", status=403, code="CMN-419", times=99)
        await ringcentral.receives_sms(extension=third)
        await eventually(lambda: len(told) == 2)


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 0},
        {"status": 500},
        {"status": 503, "body": "<html>maintenance</html>"},
        {"status": 429, "code": "CMN-301", "retry_after": 0.2},
    ],
)
async def test_failures_are_survived(
    watching: Watching, ringcentral: RingCentral, eventually: Eventually, fault: dict[str, Any]
) -> None:
    """What came meanwhile is told when RingCentral answers again."""
    async with watching() as told:
        ringcentral.fails("/message-sync", times=4, **fault)
        message = str((await ringcentral.receives_sms())["id"])
        await eventually(lambda: told == [("new", message)])


async def test_a_token_that_is_refused(
    watching: Watching, ringcentral: RingCentral, eventually: Eventually
) -> None:
    """The gap is looked through: what came and changed in it is told, and nothing twice."""
    old = str((await ringcentral.receives_sms())["id"])
    async with watching() as told:
        first = str((await ringcentral.receives_sms())["id"])
        await eventually(lambda: told == [("new", first)])
        await ringcentral.forgets_sync_tokens()
        await ringcentral.changes(old, readStatus="Read")
        begin = time.time() - 40
        others = [
            str((await ringcentral.receives_sms(created=begin + number / 10))["id"])
            for number in range(300)
        ]
        await ringcentral.passes(10)  # or the overlap of two answers would hide what is passed over
        await eventually(lambda: len(told) >= 302)
        await polled(ringcentral, eventually)
        assert sorted(message for _, message in told[1:]) == sorted([old, *others])


async def test_a_line_cannot_be_forged(
    watching: Watching, ringcentral: RingCentral, eventually: Eventually
) -> None:
    """Whatever a sender writes, a message is one line."""
    async with open_mailboxes(["~"]) as opened:
        sms = await ringcentral.receives_sms("one\n2026-11-25  new  two", sender_name="A\nB")
        message = await opened.store.get(opened.mailboxes[0], str(sms["id"]))
    line = in_one_line(News("new", message, {"readStatus": "Read"}), None)
    assert "\n" not in line
    assert "A B (+16505550199) -> " in line
    assert "readStatus Read -> Unread" in line


async def test_the_real_command(
    ringcentral: RingCentral, environ: dict[str, str], tmp_path: Path, eventually: Eventually
) -> None:
    """A JSON document a line, at once, without any effect; Ctrl-C ends it with 130."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "ringpost", "messages", "watch", "--json"),
        cwd=tmp_path,
        env=environ,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    await eventually(lambda: ringcentral.count("syncMessages", status=200))
    sms = await ringcentral.receives_sms()
    line = json.loads(await asyncio.wait_for(process.stdout.readline(), 100))
    process.send_signal(signal.SIGINT)
    rest, errors = await asyncio.wait_for(process.communicate(), 100)
    assert str(line["message"]["id"]) == str(sms["id"])
    assert (process.returncode, rest, errors) == (130, b"", b"stopped\n")
    assert {request.method for request in ringcentral.requests} == {"GET", "POST"}
    assert ringcentral.count(method="POST") == 1, "the token"
