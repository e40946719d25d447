"""A sandbox, a mail server and a line between them, ready to be configured and started."""

import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller

from sandbox import RingCentral
from tests.support.line import Inbox, Line, free_port
from tests.support.waiting import Eventually


@pytest.fixture
def inbox() -> Iterator[tuple[Inbox, str]]:
    """A mail server and its address."""
    inbox = Inbox()
    controller = Controller(inbox, hostname="127.0.0.1", port=free_port())
    controller.start()
    yield inbox, f"smtp://127.0.0.1:{controller.port}"
    controller.stop()


@pytest.fixture
async def ringcentral() -> AsyncIterator[RingCentral]:
    async with RingCentral(extensions=2) as ringcentral:
        yield ringcentral


@pytest.fixture
async def line(ringcentral: RingCentral, redis_url: str, tmp_path: Path) -> AsyncIterator[Line]:
    """A line that is neither configured nor started; in the end no secret is in its log."""
    line = Line(ringcentral, redis_url, tmp_path)
    yield line
    line.stop()
    sys.stdout.write(line.log.read_text() if line.log.exists() else "")
    assert not line.leaks()


@pytest.fixture
def started(line: Line, eventually: Eventually) -> Callable[[], Awaitable[None]]:
    """`await started()`: everything runs, and the sync that follows a new subscription is over."""

    async def start() -> None:
        line.start("webhook", "worker")
        await eventually(lambda: line.ringcentral.subscriptions)
        await eventually(lambda: line.ringcentral.count("syncMessages", status=200) >= 1)

    return start
