"""Subscriptions are made, kept, and follow the mailboxes that are watched."""

import pytest

from message_store.errors import RingCentralError
from message_store.mailbox import Mailbox
from sandbox import RingCentral
from tests.support import breaking
from tests.support.cover import dark, names, synchronise, to_synchronise
from tests.support.making import Make
from worker.ledger import Ledger
from worker.subscription_plan import Kind
from worker.subscriptions import NO_ADDRESS, TOKENLESS, Subscriptions


def filters(ringcentral: RingCentral, part: str = "message-store") -> list[list[str]]:
    """The filters of each subscription that are of this kind."""
    return [[f.text for f in one.filters if part in f.text] for one in ringcentral.subscriptions]


async def test_one_is_made_and_kept(
    ringcentral: RingCentral, subscriptions: Subscriptions, mailboxes: list[Mailbox], ledger: Ledger
) -> None:
    """The first check makes a subscription for all; the next ones cost one call and no sync."""
    [made] = await subscriptions.heal(mailboxes)
    assert made.action.kind is Kind.CREATE
    assert await to_synchronise(ledger) == names(mailboxes)
    assert await dark(ledger) == {}
    await synchronise(ledger)
    before = len(ringcentral.requests.matching("/subscription"))

    assert await subscriptions.heal(mailboxes) == []

    assert len(ringcentral.requests.matching("/subscription")) == before + 1
    assert await to_synchronise(ledger) == []
    [only] = ringcentral.subscriptions
    assert len(only.filters) == len(mailboxes) + 2  # a reminder, and the list of extensions


async def test_the_own_mailbox_alone_needs_no_list_of_extensions(
    ringcentral: RingCentral, subscriptions: Subscriptions, mailboxes: list[Mailbox]
) -> None:
    """Nobody joins or leaves where only the own mailbox is watched."""
    await subscriptions.heal(mailboxes[:1])
    assert len(ringcentral.subscriptions[0].filters) == 2


async def test_every_mailbox_has_the_filters_that_are_chosen(
    ringcentral: RingCentral, make: Make, mailboxes: list[Mailbox], ledger: Ledger
) -> None:
    """Several filters for each mailbox; one that loses any of them is dark."""
    chosen = ("message-store/instant?type=SMS", "voicemail", "fax?direction=Inbound")
    await make(filters=chosen).heal(mailboxes)

    [made] = ringcentral.subscriptions
    kinds = sorted(one.kind for one in made.filters if one.extension == mailboxes[0].extension_id)
    assert kinds == ["fax", "message-store/instant", "voicemail"]
    assert await dark(ledger) == {}
    breaking.disable_filter(ringcentral, made, f"{mailboxes[0].extension_id}/voicemail")
    ringcentral.fails("/subscription/", status=403, code="CMN-401", method="PUT")
    with pytest.raises(RingCentralError):
        await make(filters=chosen).heal(mailboxes)
    assert list(await dark(ledger)) == [str(mailboxes[0])]


async def test_an_old_one_is_renewed(
    ringcentral: RingCentral, subscriptions: Subscriptions, mailboxes: list[Mailbox], ledger: Ledger
) -> None:
    """When half of its life is over it is renewed, not replaced, and nothing is synchronised."""
    await subscriptions.heal(mailboxes)
    await synchronise(ledger)
    before = ringcentral.subscriptions[0].id
    await ringcentral.passes(3 * 24 * 3600)
    assert await subscriptions.heal(mailboxes) == []
    await ringcentral.passes(24 * 3600)

    [done] = await subscriptions.heal(mailboxes)

    assert done.action.kind is Kind.RENEW
    assert ringcentral.count("/renew") == 1
    assert [one.id for one in ringcentral.subscriptions] == [before]
    assert await to_synchronise(ledger) == []


async def test_half_of_what_the_server_granted(
    ringcentral: RingCentral, make: Make, mailboxes: list[Mailbox]
) -> None:
    """A server that grants less is obeyed: renewal and reminder follow its answer, not our wish."""
    subscriptions = make(lifetime=100)
    await subscriptions.heal(mailboxes)
    [one] = ringcentral.subscriptions
    assert [f.threshold for f in one.filters if f.threshold] == [40]
    one.expires_in, one.expires_at = 20, one.expires_at - 80
    await subscriptions.heal(mailboxes)  # renews: far less than half of 100 is left
    assert one.expires_in == 20
    await subscriptions.heal(mailboxes)  # its reminder is too long for what is granted now

    assert ringcentral.count("/renew") == 1
    assert await subscriptions.heal(mailboxes) == []


async def test_joiners_and_leavers(
    ringcentral: RingCentral, make: Make, mailboxes: list[Mailbox], ledger: Ledger
) -> None:
    """They change the subscription that has room; the others and their mailboxes stay untouched."""
    subscriptions = make(most_filters=2)
    await subscriptions.heal(mailboxes[:2])
    await synchronise(ledger)
    before = {one.id: sorted(f.text for f in one.filters) for one in ringcentral.subscriptions}
    joined = Mailbox(mailboxes[0].account_id, breaking.join(ringcentral))
    await ledger.mailboxes.watch([*mailboxes, joined], 0)
    await synchronise(ledger)

    await subscriptions.heal([mailboxes[0], mailboxes[1], joined])

    after = {one.id: sorted(f.text for f in one.filters) for one in ringcentral.subscriptions}
    assert before.keys() == after.keys()
    assert sum(before[id_] != after[id_] for id_ in before) == 1
    assert await to_synchronise(ledger) == [str(joined)]
    await synchronise(ledger)

    await subscriptions.heal([mailboxes[0], joined])

    assert str(mailboxes[1]) not in await ledger.account("").coverage.read()
    assert not any(mailboxes[1].extension_id in f for one in filters(ringcentral) for f in one)
    assert await to_synchronise(ledger) == []


async def test_many_filters_are_spread(
    ringcentral: RingCentral, make: Make, mailboxes: list[Mailbox], ledger: Ledger
) -> None:
    """More filters than fit make more subscriptions; one that breaks darkens its own alone."""
    subscriptions = make(most_filters=2)
    await subscriptions.heal(mailboxes)
    await synchronise(ledger)
    assert len(ringcentral.subscriptions) == 2
    assert [len(filters(ringcentral, "/subscription/~")[n]) for n in (0, 1)] == [1, 1]
    broken = ringcentral.subscriptions[1]
    concerned = names(
        [m for m in mailboxes if any(m.extension_id in f.text for f in broken.filters)]
    )
    breaking.blacklist(ringcentral, broken)

    await subscriptions.heal(mailboxes)

    assert await to_synchronise(ledger) == concerned
    assert len(concerned) < len(mailboxes)


async def test_there_are_never_too_many(
    ringcentral: RingCentral, make: Make, mailboxes: list[Mailbox]
) -> None:
    """With so many filters that there would be more than 15 subscriptions each has more of them."""
    many = [
        *mailboxes,
        *(Mailbox(mailboxes[0].account_id, breaking.join(ringcentral)) for _ in range(40)),
    ]
    await make(most_filters=1).heal(many)
    assert len(ringcentral.subscriptions) <= 15


async def test_without_an_address_nothing_is_made(
    ringcentral: RingCentral, make: Make, ledger: Ledger, mailboxes: list[Mailbox]
) -> None:
    """Without a public address mailboxes are polled, and that is no error; nothing is asked."""
    assert await make(address=None).heal(mailboxes) == []

    assert ringcentral.subscriptions == []
    assert ringcentral.count("/subscription") == 0
    assert await dark(ledger) == dict.fromkeys(names(mailboxes), NO_ADDRESS)
    assert (await ledger.overview()).polling


async def test_without_a_token_nothing_is_made(
    ringcentral: RingCentral, make: Make, ledger: Ledger, mailboxes: list[Mailbox]
) -> None:
    """An address without a verification token is as good as none, and says so."""
    assert await make(token=None).heal(mailboxes) == []
    assert set((await dark(ledger)).values()) == {TOKENLESS}


async def test_the_address_is_taken_away(
    ringcentral: RingCentral, make: Make, ledger: Ledger, mailboxes: list[Mailbox]
) -> None:
    """Without an address any more the subscription is deleted and mailboxes are polled."""
    await make().heal(mailboxes)
    await synchronise(ledger)

    [done] = await make(address=None).heal(mailboxes)

    assert done.action.kind is Kind.DELETE
    assert ringcentral.subscriptions == []
    assert await to_synchronise(ledger) == names(mailboxes)
    assert (await ledger.overview()).polling
