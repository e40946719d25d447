"""A repair that is cut off anywhere is completed by the next one."""

import pytest

from message_store.client import MessageStore
from message_store.errors import ConnectionFailed
from message_store.mailbox import Mailbox
from sandbox import RingCentral
from tests.support.cover import dark, names, synchronise, to_synchronise
from tests.support.making import OTHER_TOKEN, Make
from worker.ledger import Ledger
from worker.subscription_plan import Kind
from worker.subscriptions import Subscriptions


async def test_a_crash_between_making_and_deleting(
    ringcentral: RingCentral, make: Make, mailboxes: list[Mailbox], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A healing that ends after the new one is made is completed by the next one."""
    await make().heal(mailboxes)

    async def crash(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(MessageStore, "delete_subscription", crash)
        with pytest.raises(KeyboardInterrupt):
            await make(token=OTHER_TOKEN).heal(mailboxes)
    assert len(ringcentral.subscriptions) == 2

    [done] = await make(token=OTHER_TOKEN).heal(mailboxes)

    assert done.action.kind is Kind.DELETE
    [left] = ringcentral.subscriptions
    assert left.verification_token == OTHER_TOKEN
    assert await make(token=OTHER_TOKEN).heal(mailboxes) == []


async def test_a_crash_before_the_ledger_knows(
    ringcentral: RingCentral,
    subscriptions: Subscriptions,
    ledger: Ledger,
    mailboxes: list[Mailbox],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One that was made and never noted is deleted, and the gap synchronised all the same."""

    async def crash(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(type(ledger.account("").subscription), "save", crash)
        with pytest.raises(KeyboardInterrupt):
            await subscriptions.heal(mailboxes)
    await synchronise(ledger)
    [lost] = ringcentral.subscriptions

    done = await subscriptions.heal(mailboxes)

    assert [one.action.kind for one in done] == [Kind.CREATE, Kind.DELETE]
    [left] = ringcentral.subscriptions
    assert left.id != lost.id
    assert await to_synchronise(ledger) == names(mailboxes)


async def test_a_crash_before_the_gap_is_synchronised(
    ringcentral: RingCentral,
    subscriptions: Subscriptions,
    ledger: Ledger,
    mailboxes: list[Mailbox],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A mailbox counts as covered only when the sync of its gap is on record."""

    async def crash(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(type(ledger.mailboxes), "hint", crash)
        with pytest.raises(KeyboardInterrupt):
            await subscriptions.heal(mailboxes)
    await synchronise(ledger)
    assert sorted(await dark(ledger)) == names(mailboxes)

    assert await subscriptions.heal(mailboxes) == []

    assert len(ringcentral.subscriptions) == 1
    assert await to_synchronise(ledger) == names(mailboxes)


async def test_a_connection_lost_while_creating(
    ringcentral: RingCentral,
    subscriptions: Subscriptions,
    mailboxes: list[Mailbox],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What an unanswered create has made all the same is deleted at once."""
    create = MessageStore.create_subscription

    async def unanswered(store: MessageStore, *arguments: object) -> None:
        await create(store, *arguments)  # type: ignore[arg-type]  # as given
        raise ConnectionFailed("subscription-create: broken off")

    with monkeypatch.context() as patch:
        patch.setattr(MessageStore, "create_subscription", unanswered)
        with pytest.raises(ConnectionFailed):
            await subscriptions.heal(mailboxes)
    assert ringcentral.subscriptions == []

    await subscriptions.heal(mailboxes)
    assert len(ringcentral.subscriptions) == 1
