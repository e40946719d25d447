"""Whatever befalls a subscription, the next check repairs it and what came meanwhile is delivered.

The check interval is one second; sweeps come every hour, and so does polling here: nothing but
the repair can have found the message.
"""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from sandbox import RingCentral
from sandbox.state.subscriptions import Subscription
from tests.support import breaking
from tests.support.in_process import CONFIGURATION, ShortLine
from tests.support.waiting import Eventually

SELDOM = CONFIGURATION.replace('"1s"', '"1h"')

Break = Callable[[RingCentral, Subscription], object]


@pytest.fixture(autouse=True)
def repaired_soon_and_polled_seldom(monkeypatch: pytest.MonkeyPatch) -> None:
    """Checks that are asked for are half a second apart at least, and polls an hour."""
    monkeypatch.setattr("worker.ledger.subscription._CHECK_GAP", 0.5)
    monkeypatch.setattr("worker.schedule._POLL_SECONDS", 3600.0)


async def settled(line: ShortLine, eventually: Eventually) -> None:
    """Every mailbox is covered, and the syncs that follow a new subscription are over."""
    await eventually(line.is_covered)
    await eventually(line.is_quiet)


def no_filter(ringcentral: RingCentral, subscription: Subscription) -> None:
    breaking.disable_filter(ringcentral, subscription, f"/{ringcentral.extension_ids[1]}/")


def taken_out(ringcentral: RingCentral, subscription: Subscription) -> None:
    """Somebody has put other filters."""
    left = [one for one in subscription.filters if ringcentral.extension_ids[1] not in one.text]
    ringcentral.server.emulator.subscriptions.change_filters(subscription, left, [])


@pytest.mark.parametrize(
    "broken", [breaking.blacklist, breaking.lose, no_filter, taken_out], ids=lambda f: f.__name__
)
async def test_a_gap_is_closed_within_one_check(
    line: ShortLine, ringcentral: RingCentral, eventually: Eventually, broken: Break
) -> None:
    """Blacklisted, gone, a filter disabled or taken out: what came in the gap is delivered."""
    await line.start_worker()
    await settled(line, eventually)
    [subscription] = ringcentral.subscriptions

    broken(ringcentral, subscription)
    message = await ringcentral.receives_sms("in the gap", extension=ringcentral.extension_ids[1])

    await eventually(lambda: line.is_delivered(message))
    await eventually(line.is_covered)
    again = await ringcentral.receives_sms("after it", extension=ringcentral.extension_ids[1])
    await eventually(lambda: line.is_delivered(again))


async def test_one_that_has_run_out_while_nobody_looked(
    line: ShortLine, ringcentral: RingCentral, eventually: Eventually
) -> None:
    """After a week without a worker what came is delivered, and subscribed to again."""
    await line.start_worker()
    await settled(line, eventually)
    await line.stop_worker()
    await ringcentral.passes(8 * 24 * 3600)
    message = await ringcentral.receives_sms("nobody there")

    await line.start_worker()

    await eventually(lambda: line.is_delivered(message))
    await eventually(lambda: ringcentral.subscriptions)


async def test_another_address(
    line: ShortLine, ringcentral: RingCentral, eventually: Eventually
) -> None:
    """A worker that is told another address subscribes it; what the old one missed is delivered."""
    await line.start_worker(configuration=SELDOM)
    await settled(line, eventually)
    await line.stop_worker()
    await line.stop_webhook()
    message = await ringcentral.receives_sms("to an address that is gone")
    await eventually(lambda: any("failed" in n.outcome for n in ringcentral.notifications))
    line.port = 0
    await line.start_webhook()

    await line.start_worker(configuration=SELDOM)

    await eventually(lambda: line.is_delivered(message))
    await eventually(lambda: [one.address for one in ringcentral.subscriptions] == [line.address])


async def test_a_joiner_is_heard_at_once_and_a_leaver_forgotten(
    line: ShortLine, ringcentral: RingCentral, eventually: Eventually
) -> None:
    """RingCentral tells that extensions have changed: nobody waits for the next check."""
    await line.start_worker(configuration=SELDOM)
    await settled(line, eventually)
    [subscription] = ringcentral.subscriptions

    joined = breaking.join(ringcentral)
    breaking.tell_of_extensions(ringcentral, subscription)

    def hears() -> bool:
        return any(joined in one.text for one in subscription.filters)

    await eventually(hears)
    message = await ringcentral.receives_sms("welcome", extension=joined)
    await eventually(lambda: line.is_delivered(message))
    breaking.leave(ringcentral, joined)
    breaking.tell_of_extensions(ringcentral, subscription)
    await eventually(lambda: not hears())
    assert [one.id for one in ringcentral.subscriptions] == [subscription.id]


async def test_a_burst_of_reminders_costs_few_checks(
    line: ShortLine, ringcentral: RingCentral, eventually: Eventually
) -> None:
    """Reminders when nothing is due cost a list call for the first, and one for all others."""
    await line.start_worker(configuration=SELDOM)
    await settled(line, eventually)
    [subscription] = ringcentral.subscriptions
    before = ringcentral.count("listSubscriptions")

    for _ in range(50):
        breaking.remind(ringcentral, subscription)
    await eventually(lambda: all(n.outcome == "delivered" for n in ringcentral.notifications))
    await eventually(lambda: ringcentral.count("listSubscriptions") > before)
    message = await ringcentral.receives_sms("meanwhile")
    await eventually(lambda: line.is_delivered(message))

    assert ringcentral.count("listSubscriptions") <= before + 2
    assert ringcentral.count("/renew") == 0


async def test_only_what_is_dark_is_polled(
    line: ShortLine,
    ringcentral: RingCentral,
    eventually: Eventually,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A mailbox that cannot be subscribed to is polled every few seconds, the others are swept."""
    monkeypatch.setattr("worker.schedule._POLL_SECONDS", 5.0)
    await line.start_worker()
    await settled(line, eventually)
    assert line.worker is not None
    ledger = line.worker.ledger
    [subscription] = ringcentral.subscriptions
    ringcentral.fails("/subscription/", status=403, code="CMN-401", method="PUT", times=100)

    no_filter(ringcentral, subscription)
    await eventually(lambda: ringcentral.count("updateSubscription"))

    async def is_polled() -> bool:
        now = datetime.now(UTC)
        overview = await ledger.overview()
        waits = {
            one.dark_because is not None: one.next_sync and (one.next_sync - now).total_seconds()
            for one in overview.mailboxes
        }
        # not at once, as after a hint, but at the end of an interval
        return 1 < (waits.get(True) or 0) < 20 and (waits[False] or 0) > 300

    await eventually(is_polled)
