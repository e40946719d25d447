"""Subscriptions are made, kept, and repaired, whatever has happened to them."""

import dataclasses
import json
from collections.abc import AsyncIterator, Callable, Sequence

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from message_store.client import MessageStore
from message_store.errors import ConnectionFailed, RingCentralError
from message_store.mailbox import Mailbox
from sandbox import RingCentral
from tests.support import breaking
from worker.ledger import Ledger
from worker.subscription_plan import Kind
from worker.subscriptions import NO_ADDRESS, TOKENLESS, Subscriptions

TOKEN = "first0verification0token"
OTHER_TOKEN = "second0verification0token"
SCHEDULE = "ringpost:ledger:schedule"

Make = Callable[..., Subscriptions]


@pytest.fixture
async def address() -> AsyncIterator[str]:
    """A webhook that passes the handshake."""

    async def answer(request: web.Request) -> web.Response:
        headers = {"Validation-Token": request.headers.get("Validation-Token", "")}
        return web.Response(headers=headers, content_type="application/json")

    app = web.Application()
    app.router.add_post("/{name}", answer)
    async with TestServer(app) as server:
        yield str(server.make_url("/webhook"))


@pytest.fixture
async def mailboxes(ringcentral: RingCentral, store: MessageStore, ledger: Ledger) -> list[Mailbox]:
    """All mailboxes of the company, watched, and synchronised a moment ago."""
    account = (await store.signed_in()).account_id
    found = [Mailbox(account, id_) for id_ in ringcentral.extension_ids]
    await ledger.mailboxes.watch(found, 0)
    await ledger.account("").subscription.check_now()
    return found


@pytest.fixture
def make(store: MessageStore, ledger: Ledger, address: str) -> Make:
    """Healers of subscriptions: with another address, token, filters or sizes."""

    def subscriptions(
        address: str | None = address, token: str | None = TOKEN, **choices: object
    ) -> Subscriptions:
        return Subscriptions(store, ledger.account(""), address, token, **choices)  # type: ignore[arg-type]  # as given

    return subscriptions


@pytest.fixture
def subscriptions(make: Make) -> Subscriptions:
    return make()


async def synchronise(ledger: Ledger) -> None:
    """All that is due to be synchronised has been."""
    seconds, _ = await ledger.connection.redis.time()
    later = {str(mailbox): seconds + 900 for mailbox in await ledger.mailboxes.watched()}
    await ledger.connection.redis.zadd(SCHEDULE, later)


async def to_synchronise(ledger: Ledger) -> list[str]:
    """The mailboxes that are due to be synchronised soon."""
    schedule = await ledger.connection.redis.zrange(SCHEDULE, 0, -1, withscores=True)
    seconds, _ = await ledger.connection.redis.time()
    return sorted(name for name, at in schedule if at < seconds + 10)


async def dark(ledger: Ledger) -> dict[str, str]:
    """The mailboxes of which nothing is heard, and why."""
    covers = await ledger.account("").coverage.read()
    return {name: cover.darkness.why for name, cover in covers.items() if cover.darkness}


def filters(ringcentral: RingCentral, part: str = "message-store") -> list[list[str]]:
    """The filters of each subscription that are of this kind."""
    return [[f.text for f in one.filters if part in f.text] for one in ringcentral.subscriptions]


def names(mailboxes: Sequence[Mailbox]) -> list[str]:
    return sorted(map(str, mailboxes))


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


@pytest.mark.parametrize("how", ["lost", "blacklisted", "expired"])
async def test_one_that_does_not_work_is_replaced(
    ringcentral: RingCentral,
    subscriptions: Subscriptions,
    mailboxes: list[Mailbox],
    ledger: Ledger,
    how: str,
) -> None:
    """Gone or blacklisted: a new one is made, the old one deleted, and the gap synchronised."""
    await subscriptions.heal(mailboxes)
    await synchronise(ledger)
    [before] = ringcentral.subscriptions
    if how == "lost":
        breaking.lose(ringcentral, before)
    elif how == "blacklisted":
        breaking.blacklist(ringcentral, before)
    else:
        await ringcentral.passes(8 * 24 * 3600)

    [done] = await subscriptions.heal(mailboxes)

    assert done.action.kind is (Kind.REPLACE if how == "blacklisted" else Kind.CREATE)
    [now] = ringcentral.subscriptions
    assert now.id != before.id
    assert now.status == "Active"
    assert await to_synchronise(ledger) == names(mailboxes)
    assert await dark(ledger) == {}


async def test_a_blacklisted_one_says_since_when_it_is_dark(
    ringcentral: RingCentral, subscriptions: Subscriptions, mailboxes: list[Mailbox], ledger: Ledger
) -> None:
    """While no new one can be made, the mailboxes are dark since RingCentral gave up, with why."""
    await subscriptions.heal(mailboxes)
    await synchronise(ledger)
    [one] = ringcentral.subscriptions
    breaking.blacklist(ringcentral, one)
    one.blacklisted_at = 1_700_000_000.0
    ringcentral.fails("/subscription", status=400, code="SUB-521", method="POST", times=9)

    with pytest.raises(RingCentralError, match="WEBHOOK_URL"):
        await subscriptions.heal(mailboxes)

    overview = await ledger.overview()
    first = overview.mailboxes[0]
    assert first.dark_since is not None
    assert first.dark_since.timestamp() == 1_700_000_000.0
    assert "Blacklisted" in (first.dark_because or "")
    assert "cannot be reached" in (first.dark_because or "")
    assert overview.polling
    # they are polled from now on, not only when the next sweep comes
    assert await to_synchronise(ledger) == names(mailboxes)


async def test_a_disabled_filter_is_asked_for_again(
    ringcentral: RingCentral, subscriptions: Subscriptions, mailboxes: list[Mailbox], ledger: Ledger
) -> None:
    """Only the mailbox of the filter that was disabled is synchronised, and only its filter put."""
    await subscriptions.heal(mailboxes)
    await synchronise(ledger)
    [one] = ringcentral.subscriptions
    breaking.disable_filter(ringcentral, one, f"/extension/{mailboxes[1].extension_id}/")

    [done] = await subscriptions.heal(mailboxes)

    assert "1 filter disabled by RingCentral" in str(done)
    [same] = ringcentral.subscriptions
    assert (same.id, same.disabled) == (one.id, [])
    assert await to_synchronise(ledger) == [str(mailboxes[1])]


async def test_filters_that_are_disabled_from_the_start(
    ringcentral: RingCentral, subscriptions: Subscriptions, mailboxes: list[Mailbox], ledger: Ledger
) -> None:
    """A subscription may be active without a filter: its mailbox is dark and not synchronised."""
    await subscriptions.heal(mailboxes)
    await synchronise(ledger)
    [one] = ringcentral.subscriptions
    gone = breaking.disable_filter(ringcentral, one, f"/extension/{mailboxes[2].extension_id}/")
    answer = one.to_json(ringcentral.api_url, ringcentral.server.emulator.clock.time())
    ringcentral.fails("/subscription/", status=200, body=json.dumps(answer), method="PUT")

    await subscriptions.heal(mailboxes)

    assert gone in json.dumps(answer["disabledFilters"])
    assert list(await dark(ledger)) == [str(mailboxes[2])]
    assert "SUB-412" in (await dark(ledger))[str(mailboxes[2])]
    assert await to_synchronise(ledger) == [str(mailboxes[2])]  # it is polled from now on
    assert (await ledger.overview()).mailboxes[0].covered_until is not None


@pytest.mark.parametrize("change", ["token", "address"])
async def test_another_token_or_address_means_another_subscription(
    ringcentral: RingCentral,
    make: Make,
    mailboxes: list[Mailbox],
    ledger: Ledger,
    address: str,
    change: str,
) -> None:
    """It cannot be changed in a subscription: a new one is made first, then the old one deleted."""
    await make().heal(mailboxes)
    await synchronise(ledger)
    before = ringcentral.subscriptions[0].id
    changed = {"token": OTHER_TOKEN} if change == "token" else {"address": f"{address}2"}

    [done] = await make(**changed).heal(mailboxes)

    assert done.action.kind is Kind.REPLACE
    [now] = ringcentral.subscriptions
    assert now.id != before
    calls = [r.operation for r in ringcentral.requests.matching("/subscription")][-2:]
    assert calls == ["createSubscription", "deleteSubscription"]
    assert await to_synchronise(ledger) == names(mailboxes)


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


async def test_orphans_and_strangers(
    ringcentral: RingCentral,
    subscriptions: Subscriptions,
    store: MessageStore,
    mailboxes: list[Mailbox],
    address: str,
) -> None:
    """One with our address that the ledger does not know is deleted; another's is left alone."""
    wanted = [f"/restapi/v1.0/account/~/extension/{mailboxes[0].extension_id}/message-store"]
    orphan = await store.create_subscription(wanted, address, TOKEN, 600)
    foreign = await store.create_subscription(wanted, f"{address}-of-another", TOKEN, 600)

    await subscriptions.heal(mailboxes)

    left = {one.id for one in ringcentral.subscriptions}
    assert orphan.id not in left
    assert foreign.id in left
    assert len(left) == 2


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


async def test_all_thirty_are_in_use(
    ringcentral: RingCentral,
    make: Make,
    store: MessageStore,
    mailboxes: list[Mailbox],
    address: str,
) -> None:
    """Old ones of ours make room for the new one; without any the error says what is the matter."""
    await make().heal(mailboxes)
    wanted = [f"/restapi/v1.0/account/~/extension/{mailboxes[0].extension_id}/message-store"]
    for _ in range(29):
        await store.create_subscription(wanted, f"{address}-of-another", TOKEN, 600)

    await make(token=OTHER_TOKEN).heal(mailboxes)

    ours = [one for one in ringcentral.subscriptions if one.address == address]
    assert [one.verification_token for one in ours] == [OTHER_TOKEN]
    assert len(ringcentral.subscriptions) == 30
    breaking.lose(ringcentral, ours[0])
    await store.create_subscription(wanted, f"{address}-of-another", TOKEN, 600)
    with pytest.raises(RingCentralError, match="all 30 subscriptions"):
        await make(token=OTHER_TOKEN).heal(mailboxes)


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


@pytest.mark.parametrize("code", ["CMN-401", "SUB-508"])
async def test_the_list_of_extensions_is_refused(
    ringcentral: RingCentral,
    subscriptions: Subscriptions,
    mailboxes: list[Mailbox],
    ledger: Ledger,
    code: str,
) -> None:
    """Without ReadAccounts the others are subscribed to, and it is not asked for each time."""
    ringcentral.fails("/subscription", status=403, code=code, method="POST")
    await subscriptions.heal(mailboxes)
    assert await dark(ledger) == {}
    [one] = ringcentral.subscriptions
    assert not any(f.text.endswith("/extension") for f in one.filters)
    calls = ringcentral.count("updateSubscription") + ringcentral.count("createSubscription")

    assert await subscriptions.heal(mailboxes) == []

    assert (
        ringcentral.count("updateSubscription") + ringcentral.count("createSubscription") == calls
    )


async def test_the_list_of_extensions_is_disabled(
    ringcentral: RingCentral, subscriptions: Subscriptions, mailboxes: list[Mailbox]
) -> None:
    """When it comes back disabled it is left out from then on: no check asks for it again."""
    await subscriptions.heal(mailboxes)
    [one] = ringcentral.subscriptions
    [text] = [f.text for f in one.filters if f.text.endswith("/extension")]
    left = [f for f in one.filters if f.text != text]
    off = {"filter": text, "reason": "SUB-412", "message": "permission is missing"}
    ringcentral.server.emulator.subscriptions.change_filters(one, left, [off])
    answer = one.to_json(ringcentral.api_url, ringcentral.server.emulator.clock.time())
    ringcentral.fails("/subscription/", status=200, body=json.dumps(answer), method="PUT")

    [done] = await subscriptions.heal(mailboxes)

    assert done.still_dark == (text,)
    assert await subscriptions.heal(mailboxes) == []
    assert ringcentral.count("updateSubscription") == 1


async def test_a_user_who_may_read_the_own_mailbox_only(
    ringcentral: RingCentral, subscriptions: Subscriptions, mailboxes: list[Mailbox], ledger: Ledger
) -> None:
    """The own mailbox is subscribed to; the others are dark and say which permission is missing."""
    emulator = ringcentral.server.emulator
    emulator.settings = dataclasses.replace(emulator.settings, admin=False)

    await subscriptions.heal(mailboxes)

    found = await dark(ledger)
    assert list(found) == names(mailboxes[1:])
    assert all("SUB-405" in why for why in found.values())
    assert await subscriptions.heal(mailboxes) == []


async def test_one_that_goes_between_looking_and_mending(
    ringcentral: RingCentral, subscriptions: Subscriptions, mailboxes: list[Mailbox], ledger: Ledger
) -> None:
    """One that is not there any more when it is renewed is made again, and the gap synchronised."""
    await subscriptions.heal(mailboxes)
    await synchronise(ledger)
    before = ringcentral.subscriptions[0].id
    await ringcentral.passes(4 * 24 * 3600)
    ringcentral.fails("/renew", status=404, code="SUB-507")

    await subscriptions.heal(mailboxes)

    assert before not in [record.id for record in await ledger.account("").subscription.records()]
    assert await to_synchronise(ledger) == names(mailboxes)
    assert await dark(ledger) == {}


async def test_one_bad_filter_does_not_cost_the_others(
    ringcentral: RingCentral, subscriptions: Subscriptions, mailboxes: list[Mailbox], ledger: Ledger
) -> None:
    """A mailbox that RingCentral refuses is found out, left out, and dark with the reason."""
    stranger = Mailbox(mailboxes[0].account_id, "999999999008")
    everyone = [mailboxes[0], stranger, *mailboxes[1:]]
    for _ in range(3):  # a fresh token may be to blame at first
        with pytest.raises(RingCentralError, match="SUB-406"):
            await subscriptions.heal(everyone)
        await ledger.account("").subscription.check_failed("0", 300, 0)

    await subscriptions.heal(everyone)

    found = await dark(ledger)
    assert list(found) == [str(stranger)]
    assert "SUB-406" in found[str(stranger)]
    assert await subscriptions.heal(everyone) == []


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


async def test_one_that_cannot_be_deleted_is_left(
    ringcentral: RingCentral, make: Make, mailboxes: list[Mailbox], ledger: Ledger
) -> None:
    """When the old one cannot be deleted the new one stands and works; the next check deletes."""
    await make().heal(mailboxes)
    ringcentral.fails("/subscription/", status=403, code="CMN-401", times=1, method="DELETE")

    with pytest.raises(RingCentralError):
        await make(token=OTHER_TOKEN).heal(mailboxes)

    assert await dark(ledger) == {}
    await make(token=OTHER_TOKEN).heal(mailboxes)
    assert ringcentral.count("createSubscription", status=200) == 2
    assert len(ringcentral.subscriptions) == 1


async def test_what_cannot_be_checked_is_polled(
    ringcentral: RingCentral, subscriptions: Subscriptions, mailboxes: list[Mailbox], ledger: Ledger
) -> None:
    """When the list is refused no cover is certain; when it comes back all is synchronised."""
    await subscriptions.heal(mailboxes)
    await synchronise(ledger)
    ringcentral.denies("SubscriptionWebhook", to="app")
    ringcentral.fails("/subscription", status=403, code="CMN-401", method="GET")

    with pytest.raises(RingCentralError):
        await subscriptions.heal(mailboxes)
    assert sorted(await dark(ledger)) == names(mailboxes)
    assert await to_synchronise(ledger) == names(mailboxes)
    await synchronise(ledger)
    ringcentral.recovers()

    assert await subscriptions.heal(mailboxes) == []
    assert await dark(ledger) == {}
    assert await to_synchronise(ledger) == names(mailboxes)
