"""What deliveries go by is replaced while they run, and nothing is half old and half new."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from pydantic import PrivateAttr

from message_store.mailbox import Mailbox
from tests.support.delivering import Line, Recorder
from worker.ledger import Ledger
from worker.started import StartedHandlers

Arrive = Callable[..., Awaitable[None]]
Eventually = Callable[..., Awaitable[Any]]


class Closed(Recorder):
    """Notes whether it is closed."""

    _closed: bool = PrivateAttr(default=False)

    async def close(self) -> None:
        self._closed = True


async def test_a_delivery_ends_with_the_handlers_it_began_with(
    ledger: Ledger, arrive: Arrive, mailbox: Mailbox, eventually: Eventually
) -> None:
    """Also for steps to come; the next one has the new handlers, and the old ones are closed."""
    line = Line(ledger)
    old = {"first": Closed(), "second": Closed()}
    old["first"]._held = asyncio.Event()
    line.go_by(old)
    handlers = line.deliverer.in_force.handlers
    await arrive(mailbox, "1")
    work = asyncio.create_task(line.deliverer.work())
    await eventually(lambda: old["first"]._calls)

    new = {"first": Recorder(), "second": Recorder()}
    line.go_by(new)
    closing = asyncio.create_task(handlers.close_when_idle())
    await arrive(mailbox, "2")
    await line.deliverer.work()
    await eventually(lambda: new["second"]._calls == ["2"])
    assert not closing.done()

    old["first"]._held.set()
    await work
    await closing
    assert old["second"]._calls == ["1"]
    assert old["first"]._closed
    assert old["second"]._closed
    assert new["first"]._calls == ["2"]


async def test_handlers_that_nobody_uses_are_closed_at_once() -> None:
    """There is nothing to wait for."""
    one = Closed()
    await StartedHandlers({"one": one}).close_when_idle()
    assert one._closed
