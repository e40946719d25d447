"""What is at the heart of some recipes in docs/recipes, on a running line."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from aiosmtpd.smtp import SMTP
from standardwebhooks import Webhook

from sandbox import RingCentral
from tests.support.in_process import ShortLine
from tests.support.line import Inbox
from tests.support.waiting import Eventually
from worker import process

RECIPES = Path(__file__).parents[3] / "docs" / "recipes"
MORE = """
[sync]
start = "1h"
[subscriptions]
check_interval = "1s"
"""
STRANGER = "+16505550199"


@pytest.fixture
async def ringcentral() -> AsyncIterator[RingCentral]:
    async with RingCentral(penalty=0) as ringcentral:
        yield ringcentral


def recipe(name: str, changes: dict[str, str]) -> str:
    """The recipe with these texts in place of its own, each of which it has."""
    text = (RECIPES / name).read_text() + MORE
    for before, after in changes.items():
        assert before in text, before
        text = text.replace(before, after)
    return text


def holiday(text: str) -> str:
    """The recipe as if it were a holiday, wherever its clock stands."""
    days = [datetime.now(UTC).date() + timedelta(days) for days in (-1, 0, 1)]
    text, count = re.subn(r"holidays = \[.*\]", f"holidays = {[*map(str, days)]}", text)
    assert count == 1
    return text


def texts_sent(ringcentral: RingCentral) -> list[tuple[str, str]]:
    """To whom texts were sent from the signed-in mailbox, and their words."""
    sent = [one for one in ringcentral.messages() if one["direction"] == "Outbound"]
    return [(one["to"][0]["phoneNumber"], one["subject"]) for one in sent]


async def test_urgent_voicemails(
    line: ShortLine, ringcentral: RingCentral, eventually: Eventually
) -> None:
    """Words follow a voicemail in one thread; if they are urgent, who is on call has a text."""
    inbox = Inbox()
    server = await asyncio.get_running_loop().create_server(lambda: SMTP(inbox), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    own = {"${SMTP_URL}": f"smtp://127.0.0.1:{port}", "+16505550100": "+16505550101"}
    await line.start_worker(configuration=holiday(recipe("02-urgent-voicemails.toml", own)))
    try:
        await eventually(line.is_covered)
        calm, urgent = [await ringcentral.receives_voicemail(transcribing=True) for _ in range(2)]
        await eventually(lambda: len(inbox.mails) == 2)
        assert texts_sent(ringcentral) == []
        await ringcentral.transcribes(calm["id"], "I would like an appointment.")
        await ringcentral.transcribes(urgent["id"], "It is URGENT, please call.")
        await eventually(lambda: len(inbox.mails) == 4)
        await eventually(lambda: len(texts_sent(ringcentral)) == 1)
    finally:
        await line.stop_worker()
        server.close()
    first = {mail["Message-ID"]: mail["X-Ringpost-Message"] for mail in inbox.mails[:2]}
    for mail in inbox.mails[2:]:
        assert first[mail["In-Reply-To"]] == mail["X-Ringpost-Message"]
        assert mail["Subject"].startswith("Re: Voicemail from ")
    [(to, words)] = texts_sent(ringcentral)
    assert to == "+16505550177"
    assert words.startswith("Urgent voicemail from ")


async def test_archive_then_delete(
    line: ShortLine,
    ringcentral: RingCentral,
    eventually: Eventually,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is archived, read and old leaves the mailbox; what is unread stays."""
    monkeypatch.setattr(process, "_POSTPONED_SECONDS", 0.2)
    own = {"file:///srv/messages": f"file://{tmp_path}/archive", 'after = "30d"': 'after = "1s"'}
    await line.start_worker(configuration=recipe("04-archive-then-delete.toml", own))
    await eventually(line.is_covered)
    unread = await ringcentral.receives_fax()
    read = await ringcentral.receives_sms("Hello", read_status="Read")

    def availability(message: dict[str, Any]) -> str:
        return str(ringcentral.message(message["id"])["availability"])

    await eventually(lambda: availability(read) == "Deleted")
    await eventually(lambda: line.is_delivered(unread))
    assert line.is_delivered(read)
    assert availability(unread) == "Alive"


async def test_extension_to_webhook(
    line: ShortLine, ringcentral: RingCentral, eventually: Eventually
) -> None:
    """The customer gets what comes to their extension, signed, and hears when it is read."""
    secret = "whsec_" + "a" * 40
    posted: list[tuple[str, str]] = []

    async def take(request: web.Request) -> web.Response:
        document = Webhook(secret).verify(await request.text(), dict(request.headers))
        posted.append((document["type"], document["data"]["message"]["id"]))
        return web.json_response({"status": "done"})

    app = web.Application()
    app.router.add_post("/messages", take)
    async with TestServer(app) as customer:
        url = f'"{customer.make_url("/messages")}"\nallow = ["127.0.0.1"]'
        own = {
            '"https://customer.example.com/messages"': url,
            "${CUSTOMER_SECRET}": secret,
            'match.extension = "201"': 'match.extension = "102"',
        }
        await line.start_worker(configuration=recipe("06-extension-to-webhook.toml", own))
        await eventually(line.is_covered)
        await ringcentral.receives_sms("For somebody else", extension="101")
        message = await ringcentral.receives_sms("For the customer", extension="102")
        await eventually(lambda: posted)
        await ringcentral.changes(message["id"], readStatus="Read")
        await eventually(lambda: len(posted) > 1)
        await eventually(line.is_idle)
        await line.stop_worker()
    assert posted == [
        ("message.created", str(message["id"])),
        ("message.read", str(message["id"])),
    ]


async def test_holiday_replies(
    line: ShortLine, ringcentral: RingCentral, eventually: Eventually, tmp_path: Path
) -> None:
    """On a holiday who texts twice is answered once."""
    kept = f'[handlers.vault]\nuse = "archive"\nto = "file://{tmp_path}/archive"\n'
    kept += '[[routes]]\nname = "kept"\nmatch.direction = "Inbound"\nsteps = ["vault"]\n'
    await line.start_worker(configuration=holiday(recipe("10-holiday-replies.toml", {})) + kept)
    await eventually(line.is_covered)
    first = await ringcentral.receives_sms("Are you open?", sender=STRANGER)
    await eventually(lambda: texts_sent(ringcentral))
    second = await ringcentral.receives_sms("Hello?", sender=STRANGER)
    await eventually(lambda: line.is_delivered(first) and line.is_delivered(second))
    await eventually(line.is_idle)
    [(to, words)] = texts_sent(ringcentral)
    assert to == STRANGER
    assert words.startswith("Thank you")
