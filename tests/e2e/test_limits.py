"""RingCentral's limits, a minute scaled down to a second, under more work than they allow."""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from sandbox import InMemory, RingCentral
from tests.support.line import Line
from tests.support.waiting import Eventually

Start = Callable[[], Awaitable[None]]

PICTURE = InMemory(b"\x89PNG\r\n\x1a\n" + b"x" * 2000, "picture.png", "image/png")
KEPT_AND_READ = """
[[routes]]
name = "Everything is kept"
steps = ["vault", "mark-read"]
"""


@pytest.fixture
async def ringcentral() -> AsyncIterator[RingCentral]:
    """A RingCentral with its documented limits, whose minute lasts a second."""
    limits = {"light": 50, "medium": 40, "heavy": 10, "auth": 5}
    async with RingCentral(extensions=20, limits=limits, window=1.0) as ringcentral:
        yield ringcentral


def refused(ringcentral: RingCentral) -> Counter[str]:
    """How many requests of each group were answered 429."""
    return Counter(request.group for request in ringcentral.requests if request.status == 429)


async def test_more_downloads_than_ten_windows_allow(
    line: Line, started: Start, ringcentral: RingCentral, eventually: Eventually
) -> None:
    """400 MMS in one mailbox are all delivered; no limit is tripped, no penalty restarted."""
    line.configure(KEPT_AND_READ)
    await started()
    for n in range(400):
        await ringcentral.receives_mms(f"picture {n}", attachments=[PICTURE])

    await eventually(lambda: len(line.archived()) == 400)
    await eventually(
        lambda: all(record["readStatus"] == "Read" for record in ringcentral.messages())
    )

    assert not refused(ringcentral)
    assert not [request for request in ringcentral.requests if request.in_penalty]
    assert ringcentral.count("readMessageContent", status=200) == 400


async def test_a_burst_of_texts_costs_few_calls(
    line: Line, started: Start, ringcentral: RingCentral, eventually: Eventually
) -> None:
    """A thousand SMS in one mailbox cost at most 20 light calls, and no text is downloaded."""
    line.configure(KEPT_AND_READ.replace(', "mark-read"', ""))
    await started()
    ringcentral.requests.clear()
    for n in range(1000):
        await ringcentral.receives_sms(f"text {n}")

    await eventually(lambda: len(line.archived()) == 1000)

    groups = Counter(request.group for request in ringcentral.requests)
    assert groups["light"] <= 20
    assert groups["medium"] == 0


async def test_a_lone_message_beside_a_backlog(
    line: Line, started: Start, ringcentral: RingCentral, eventually: Eventually
) -> None:
    """While one mailbox has hundreds of faxes waiting, an SMS and a fax of others pass them."""
    line.configure(KEPT_AND_READ)
    text = (line.data / "ringpost.toml").read_text()
    (line.data / "ringpost.toml").write_text(text.replace('["~"]', '"all"'))
    await started()
    busy, quiet, lone = ringcentral.extension_ids[:3]
    for _ in range(400):
        await ringcentral.receives_fax(extension=busy, attachments=[PICTURE])
    await eventually(lambda: len(line.archived()) >= 40)

    sms = await ringcentral.receives_sms("excuse me", extension=quiet)
    fax = await ringcentral.receives_fax(extension=lone, attachments=[PICTURE])

    for record in (sms, fax):
        await eventually(lambda: _is_archived(line.archive, record["id"]))  # noqa: B023
    assert len(line.archived()) < 300
    assert not refused(ringcentral)


def _is_archived(archive: Path, message_id: object) -> bool:
    return any(archive.rglob(f"*-{message_id}/manifest.json"))
