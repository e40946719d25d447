"""A RingCentral that often fails: everything arrives all the same."""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from sandbox import InMemory, RingCentral
from tests.support.line import Line
from tests.support.waiting import Eventually

Start = Callable[[], Awaitable[None]]
KINDS = ("sms", "mms", "fax", "voicemail", "pager")
FILE = InMemory(b"\x89PNG\r\n\x1a\n" + b"x" * 2000, "picture.png", "image/png")


@pytest.fixture
async def ringcentral() -> AsyncIterator[RingCentral]:
    # four times RingCentral's limits, so that failures and not they are what holds up
    limits = {"light": 200, "medium": 160, "heavy": 40, "auth": 5}
    async with RingCentral(extensions=5, limits=limits, window=2.0) as ringcentral:
        yield ringcentral


@pytest.mark.timeout(600)
async def test_every_tenth_call_fails(
    line: Line, started: Start, ringcentral: RingCentral, eventually: Eventually
) -> None:
    """A thousand messages of all kinds arrive, once each, and are marked, while each tenth call
    fails in a random documented way.
    """
    line.configure(
        """
[retries]
schedule = ["2s", "2s", "2s", "2s", "2s", "2s"]
[[routes]]
name = "Everything is kept"
steps = ["vault", "mark-read"]
""",
        sweep="10s",
    )
    text = (line.data / "ringpost.toml").read_text()
    (line.data / "ringpost.toml").write_text(text.replace('["~"]', '"all"'))
    await started()
    ringcentral.fails_every(10, seed=1)

    expected = []
    for n in range(1000):
        wish: dict[str, Any] = {} if n % 5 in {0, 4} else {"attachments": [FILE]}
        extension = ringcentral.extension_ids[n % 7 % 5]
        record = await ringcentral.receives(KINDS[n % 5], extension=extension, **wish)
        expected.append(str(record["id"]))

    await eventually(lambda: len(line.archived()) >= 1000, within=280)

    await eventually(lambda: all(line.is_read(id_) for id_ in expected))
    arrived = Counter(folder.name.partition("-")[2] for folder in line.archived())
    assert arrived == Counter(expected)
    # a penalty lasts two seconds; on a slow machine a request is on its way for long
    assert ringcentral.sent_in_penalty(under_way=1.5) == []
    failed = {(request.status, request.code) for request in ringcentral.requests}
    assert len(failed) >= 8, failed
