"""The check that finds the mailboxes, looks after their subscriptions, and says what is wrong."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from message_store.client import MessageStore
from message_store.mailbox import Mailbox
from sandbox import RingCentral
from tests.support import breaking
from tests.support.cover import dark, names, synchronise, to_synchronise
from tests.support.making import login_with
from worker.configuration import load
from worker.healing import Healer
from worker.ledger import Ledger
from worker.logins import Logins
from worker.subscriptions import Subscriptions

CONFIGURATION = """
mailboxes = "all"
[[routes]]
name = "all"
steps = ["mark-read"]
"""


@pytest.fixture
async def healer(
    store: MessageStore, ledger: Ledger, subscriptions: Subscriptions, tmp_path: Path
) -> AsyncIterator[Healer]:
    path = tmp_path / "ringpost.toml"
    path.write_text(CONFIGURATION)
    async with aiohttp.ClientSession() as session:
        logins = Logins([login_with(store, session)], ledger.assignments)
        yield Healer(logins, ledger, {"": subscriptions}, load(path, {}), closes=True)


async def test_mailboxes_are_found_and_subscribed_to(
    ringcentral: RingCentral, healer: Healer, ledger: Ledger, mailboxes: list[Mailbox]
) -> None:
    """A check is carried out when it is due, and not again before the interval is over."""
    await healer.begin()
    await healer.work()
    assert await ledger.mailboxes.watched() == sorted(mailboxes)
    assert await dark(ledger) == {}
    known = await ledger.extensions.load()
    assert known.keys() == set(mailboxes)
    assert all(number and name for number, name in known.values())
    requests = len(ringcentral.requests)

    await healer.work()

    assert len(ringcentral.requests) == requests
    assert (await ledger.overview()).problem is None


async def test_mailboxes_cannot_be_found(
    ringcentral: RingCentral, healer: Healer, ledger: Ledger, mailboxes: list[Mailbox]
) -> None:
    """Those that are known keep their subscriptions; the reason is kept until it is over."""
    await healer.begin()
    await healer.work()
    await synchronise(ledger)
    breaking.lose(ringcentral, ringcentral.subscriptions[0])
    ringcentral.denies("ReadAccounts", to="app")

    await healer.begin()
    await healer.work()

    assert "ReadAccounts" in ((await ledger.overview()).problem or "")
    assert len(ringcentral.subscriptions) == 1
    assert await to_synchronise(ledger) == names(mailboxes)
    ringcentral.recovers()
    await healer.begin()
    await healer.work()
    assert (await ledger.overview()).problem is None


async def test_another_process_heals(
    ringcentral: RingCentral, healer: Healer, ledger: Ledger
) -> None:
    """While it does, this one leaves the subscriptions alone."""
    await healer.begin()
    async with healer.lease().while_held() as held:
        assert held
        await healer.work()
    assert ringcentral.subscriptions == []


async def test_a_start_forgets_what_was_refused(healer: Healer, ledger: Ledger) -> None:
    """Whoever has granted a permission restarts the worker, and need not wait."""
    await ledger.account("").subscription.refuse({"/a": "permission is missing"})
    await healer.begin()
    assert await ledger.account("").subscription.refused(["/a"]) == {}
