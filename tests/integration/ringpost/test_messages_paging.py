"""`ringpost messages list`: years, limits that make it wait, and an end before its time."""

import asyncio
import json
import signal
import sys
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ringpost.mailbox_by_hand import open_mailboxes
from ringpost.message_filters import Filters
from ringpost.message_pages import Page, pages
from ringpost.waiting import Told
from sandbox import RingCentral
from tests.support.asking import Ask

DAY = 86_400.0
YEARS_AGO = "2020-01-01"


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, ringcentral: RingCentral) -> None:
    """This process is what speaks to RingCentral."""
    monkeypatch.chdir(tmp_path)
    for name, value in ringcentral.environment().items():
        monkeypatch.setenv(name, value)


async def walk(
    filters: Filters, per_page: int, told: Told = lambda until: None
) -> AsyncIterator[Page]:
    """The pages of the signed-in extension's mailbox."""
    async with open_mailboxes(["~"]) as opened:
        (mailbox,) = opened.mailboxes
        async for page in pages(opened.store, mailbox, filters, told, per_page):
            yield page


async def sent_over(
    ringcentral: RingCentral, count: int, step: float, ago: float = 900 * DAY, **wish: Any
) -> list[str]:
    """Ids of messages that came one after the other, so many seconds apart; the newest first."""
    first = time.time() - ago
    return [
        str((await ringcentral.receives_sms(created=first + step * number, **wish))["id"])
        for number in range(count)
    ][::-1]


def ids_on(*found: Page) -> list[str]:
    """The ids in the order in which they were found."""
    return [message.id for page in found for message in page.messages]


async def test_every_message_once(ask: Ask, ringcentral: RingCentral) -> None:
    """Years are listed whole, in few calls, a JSON document a line or one array."""
    ids = await sent_over(ringcentral, 2_300, 30_000)
    code, out, errors = await ask("list", "--all", "--jsonl", "--date-from", YEARS_AGO)
    assert (code, errors) == (0, "")
    assert [str(json.loads(line)["id"]) for line in out.splitlines()] == ids
    assert ringcentral.count("listMessages") == 3
    _, out, _ = await ask("list", "--limit", "0", "--json", "--date-from", YEARS_AGO)
    assert [str(one["id"]) for one in json.loads(out)] == ids
    _, out, _ = await ask("list", "--limit", "1200", "--json", "--date-from", YEARS_AGO)
    assert [str(one["id"]) for one in json.loads(out)] == ids[:1_200]


async def test_nothing_at_all(ask: Ask) -> None:
    """An empty mailbox is an empty array, no line, or a sentence."""
    assert await ask("list", "--json") == (0, "[]\n", "")
    assert await ask("list", "--jsonl") == (0, "", "")
    assert await ask("list") == (0, "no messages\n", "")


async def test_what_disappears_meanwhile_hides_nothing(
    here: None, ringcentral: RingCentral
) -> None:
    """Messages of earlier pages are deleted, new ones come: the others are found all the same."""
    ids = await sent_over(ringcentral, 60, 1_000)
    found = []
    async for page in walk(Filters(date_from=datetime(2020, 1, 1, tzinfo=UTC)), 10):
        found += ids_on(page)
        for one in ids_on(page)[:5]:
            await ringcentral.changes(one, availability="Deleted")
        await ringcentral.receives_sms()
    assert found == ids


@pytest.mark.parametrize("step", [0.0, 0.2, 1.0])
async def test_more_in_a_second_than_on_a_page(
    here: None, ringcentral: RingCentral, step: float
) -> None:
    """Times are cut to seconds; a page that ends inside of one neither loses nor repeats."""
    await sent_over(ringcentral, 25, step, ago=100)
    await sent_over(ringcentral, 25, 60, ago=20_000)
    found = [page async for page in walk(Filters(), 10)]
    assert sorted(ids_on(*found)) == sorted(str(one["id"]) for one in ringcentral.messages())
    assert found[-1].left == 0


async def test_a_limit_loses_no_walk(here: None, ringcentral: RingCentral) -> None:
    """It waits as long as it is told to, says until when, and goes on where it was."""
    ids = await sent_over(ringcentral, 30, 60, ago=3_600)
    pauses: list[object] = []
    found: list[str] = []
    async for page in walk(Filters(), 10, pauses.append):
        found += ids_on(page)
        if len(found) == 10:
            ringcentral.fails("/message-store", status=429, code="CMN-301", retry_after=0.3)
    assert found == ids
    begun, over = pauses
    assert begun is not None
    assert over is None


async def test_ctrl_c_ends_a_walk(
    ask: Ask, ringcentral: RingCentral, environ: dict[str, str], tmp_path: Path
) -> None:
    """The array is whole, and a line says how far it came and how to go on there."""
    ids = await sent_over(ringcentral, 1_500, 3_600)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "ringpost", "messages", "list"),
        *("--all", "--json", "--date-from", YEARS_AGO),
        cwd=tmp_path,
        env={**environ, "TZ": "UTC"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=2**24,
    )
    assert process.stdout is not None
    ringcentral.fails("dateTo=", status=429, code="CMN-301", retry_after=30, times=9)
    last = f'"id": "{ids[999]}",'.encode()
    begun = await asyncio.wait_for(process.stdout.readuntil(last), 100)
    process.send_signal(signal.SIGINT)
    rest, errors = await asyncio.wait_for(process.communicate(), 100)
    assert process.returncode == 130
    shown = [str(one["id"]) for one in json.loads(begun + rest)]
    assert shown == ids[:1_000]
    stopped, far = errors.decode().splitlines()
    assert stopped == "stopped"
    assert far.startswith("listed so far: 1,000 messages, of mailbox ~ back to 20")
    ringcentral.recovers()
    go_on = far.partition("to go on there: ")[2].split()
    _, out, _ = await ask("list", "--all", "--jsonl", "--date-from", YEARS_AGO, *go_on, TZ="UTC")
    others = [str(json.loads(line)["id"]) for line in out.splitlines()]
    assert len(others) == 501
    assert {*shown, *others} == {*ids}
