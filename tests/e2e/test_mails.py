"""Mails that gather, and mails that only point, through worker and admin process."""

import re
import sys
from collections.abc import Awaitable, Callable
from email.message import EmailMessage

import aiohttp

from sandbox import RingCentral
from tests.support.line import Inbox, Line, answers, free_port
from tests.support.waiting import Eventually

Start = Callable[[], Awaitable[None]]


async def test_a_digest_and_a_link(
    line: Line,
    started: Start,
    ringcentral: RingCentral,
    inbox: tuple[Inbox, str],
    eventually: Eventually,
) -> None:
    """Texts are read when their digest is out; a private fax is behind links, each for one view."""
    mailed, smtp = inbox
    address = f"http://127.0.0.1:{free_port()}"
    line.environment |= {
        "LINKS_URL": address,
        "LINKS_PORT": address.rpartition(":")[2],
        "ADMIN_PORT": str(free_port()),
    }
    line.commands["admin"] = (sys.executable, "-m", "ringpost", "admin")
    mail = f'smtp = "{smtp}"\nfrom = "phone@example.com"\nto = ["office@example.com"]'
    line.configure(
        f"""
[handlers.evening]
use = "soon:Digest"
digest = "daily 18:00"
{mail}
[handlers.private]
use = "email"
content = "link"
{mail}
[[routes]]
name = "Texts in the evening"
match.type = "SMS"
steps = ["evening", "mark-read"]
[[routes]]
name = "Faxes in private"
match.type = "Fax"
steps = ["private"]
"""
    )
    line.start("admin")
    await started()
    texts = [await ringcentral.receives_sms(text) for text in ("one", "two", "three")]
    fax = await ringcentral.receives_fax()
    await eventually(lambda: len(mailed.mails) == 1)
    assert not any(line.is_read(text["id"]) for text in texts)
    await eventually(lambda: len(mailed.mails) == 2)
    await eventually(lambda: all(line.is_read(text["id"]) for text in texts))

    private, digest = map(_text, mailed.mails)
    assert {"one", "two", "three"} <= set(digest.split())
    assert fax["from"]["phoneNumber"] not in private
    await eventually(lambda: answers(f"{address}/webhook"))
    async with aiohttp.ClientSession() as session:
        (link,) = set(re.findall(rf"{address}/[\w-]+", private))
        async with session.get(link) as page:
            assert "Open" in await page.text()
        async with session.post(link) as page:
            (inner,) = set(re.findall(rf"{address}/[\w-]+", await page.text()))
        async with session.post(inner) as file:
            assert await file.read() == ringcentral.content(fax["id"], fax["attachments"][0]["id"])
        for spent in (link, inner):
            async with session.post(spent) as page:
                assert page.status == 404
    assert not any((line.data / "links").iterdir())
    for token in (link, inner):
        assert token.rpartition("/")[2] not in line.log.read_text()


def _text(mail: EmailMessage) -> str:
    part = mail.get_body(("plain",))
    assert part is not None
    return str(part.get_content())
