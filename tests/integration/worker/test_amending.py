"""What happens to a message later amends what was done when it came, and never overtakes it."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from message_store.mailbox import Mailbox
from tests.support.delivering import Line
from worker import amending
from worker.handlers.contract import PermanentError, TransientError
from worker.ledger import Ledger
from worker.ledger.mailboxes import Happened, Page, Seen, SyncLease

Come = Callable[..., Awaitable[None]]
READ_AT = "2026-01-01T00:00:00Z"


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waits looks again at once."""
    monkeypatch.setattr(amending, "_SHORTEST_WAIT", 0.02)
    monkeypatch.setattr(amending, "_LONGEST_WAIT", 0.02)


@pytest.fixture
def come(ledger: Ledger, mailbox: Mailbox, lease: SyncLease) -> Come:
    """`await come("created", "read")`: these are told of message 1 at once."""

    async def come(*words: str) -> None:
        news = [Happened(word, ["route"], None if word == "created" else READ_AT) for word in words]
        page = Page(created=[Seen("1", 1.0, "print", '{"id": 1}', news)], token="t")
        assert await ledger.mailboxes.commit(lease, page)

    return come


async def deliver(line: Line, ledger: Ledger) -> dict[str, dict[str, int]]:
    """Until nothing is due any more; what became of it."""
    while (await ledger.overview()).due:
        await line.deliverer.work()
        await asyncio.sleep(0.01)
    return (await ledger.overview()).counts


async def test_only_what_the_route_did_is_amended(ledger: Ledger, come: Come) -> None:
    """On a route that is on the creation too it is `amend`, on another one it is `handle`."""
    await come("created", "read")
    line = Line(ledger, ("amender",), on=("created", "read"))
    await deliver(line, ledger)
    assert line.amender._calls == ["1", "amend 1"]
    assert [address.amends for address in line.addresses] == [False, True]


async def test_a_route_that_is_not_on_the_creation_amends_nothing(
    ledger: Ledger, come: Come
) -> None:
    """There is nothing of its own that could be amended."""
    await come("read")
    line = Line(ledger, ("amender",), on=("read",))
    await deliver(line, ledger)
    assert line.amender._calls == ["1"]


async def test_a_handler_without_amend_handles(ledger: Ledger, come: Come) -> None:
    """It is called as ever for each thing that happens."""
    await come("created", "read")
    line = Line(ledger, ("first",), on=("created", "read"))
    await deliver(line, ledger)
    assert line.first._calls == ["1", "1"]


async def test_it_waits_until_the_message_itself_is_through(ledger: Ledger, come: Come) -> None:
    """While the creation is retried the amendment waits, without losing an attempt."""
    line = Line(ledger, ("first", "amender"), on=("created", "read"))
    line.amender._errors = [TransientError("busy", only_this=True)] * 3
    await come("created", "read")
    counts = await deliver(line, ledger)
    assert line.amender._calls == ["1"] * 4 + ["amend 1"]
    assert line.first._calls == ["1", "1"]
    assert counts == {"route": {"done": 1}, "route (read)": {"done": 1}}


async def test_it_does_not_wait_for_what_has_failed(ledger: Ledger, come: Come) -> None:
    """If the message itself was given up, what happened to it is still told."""
    line = Line(ledger, ("amender",), on=("created", "read"))
    line.amender._errors = [PermanentError("no such room")]
    await come("created", "read")
    await deliver(line, ledger)
    assert line.amender._calls == ["1", "amend 1"]
    assert [failure.on for failure in await ledger.failures()] == ["created"]
