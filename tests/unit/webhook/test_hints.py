"""Group commit: what goes together, who waits for what, and what happens without a broker."""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

import pytest

from webhook.hints import EVERY_MAILBOX, Hints

Eventually = Callable[..., Awaitable[Any]]
LONG = 60.0


class Broker:
    """A publisher under the test's control: it can be held up, and it can be away."""

    def __init__(self) -> None:
        self.published: list[list[str]] = []
        self.tries = 0
        self.away = False
        self.open = threading.Event()
        self.open.set()

    def connect(self) -> None:
        self._call()

    def publish(self, mailboxes: Sequence[str]) -> None:
        self._call()
        self.published.append(list(mailboxes))

    def close(self) -> None:
        self.away = True

    def _call(self) -> None:
        self.tries += 1
        self.open.wait(LONG)
        if self.away:
            raise ConnectionRefusedError("nobody there")


@pytest.fixture
def broker() -> Broker:
    return Broker()


@pytest.fixture
async def hints(broker: Broker) -> AsyncIterator[Hints]:
    """Hints that have begun, and that a thread which comes late does not make impatient."""
    hints = Hints(broker, capacity=100, patience=LONG, longest_pause=0.1)
    await hints.start(within=LONG)
    yield hints
    broker.open.set()
    await hints.close(within=0.5)


async def give_many(hints: Hints, *mailboxes: str) -> list[asyncio.Task[bool]]:
    """Give these, and let each begin to wait."""
    tasks = [asyncio.create_task(hints.give(mailbox)) for mailbox in mailboxes]
    await asyncio.sleep(0)
    return tasks


async def test_a_lone_hint_goes_at_once(hints: Hints, broker: Broker) -> None:
    """One hint is one publish, and whoever gave it knows that it is in the broker."""
    assert await hints.give("1/2") is True
    assert broker.published == [["1/2"]]


async def test_hints_gather_while_a_publish_is_under_way(
    hints: Hints, broker: Broker, eventually: Eventually
) -> None:
    """All hints given during a publish go with the next, each mailbox once; all givers wait."""
    tries = broker.tries
    broker.open.clear()
    first = await give_many(hints, "1/0")
    await eventually(lambda: broker.tries == tries + 1)
    others = await give_many(hints, *(f"1/{number % 25}" for number in range(50)))
    assert not any(task.done() for task in first + others)
    broker.open.set()
    assert await asyncio.gather(*first, *others) == [True] * 51
    assert broker.published[0] == ["1/0"]
    assert sorted(broker.published[1]) == sorted(f"1/{number}" for number in range(25))
    assert len(broker.published) == 2


async def test_too_many_become_every_mailbox(
    hints: Hints, broker: Broker, eventually: Eventually
) -> None:
    """More mailboxes than are kept become the one hint for all, also for those that follow."""
    tries = broker.tries
    broker.open.clear()
    first = await give_many(hints, "1/0")
    await eventually(lambda: broker.tries == tries + 1)
    others = await give_many(hints, *(f"2/{number}" for number in range(150)))
    broker.open.set()
    assert all(await asyncio.gather(*first, *others))
    assert broker.published == [["1/0"], [EVERY_MAILBOX]]


async def test_nobody_waits_for_a_broker_known_to_be_away(
    hints: Hints, broker: Broker, eventually: Eventually
) -> None:
    """Away, hints are kept and their givers go on at once; back, all go in one publish."""
    broker.away = True
    assert await hints.give("1/1") is False
    async with asyncio.timeout(LONG / 2):
        for number in range(1000):
            assert await hints.give(f"1/{number % 50}") is False
    broker.away = False
    await eventually(lambda: broker.published)
    assert sorted(broker.published[0]) == sorted(f"1/{number}" for number in range(50))
    assert await hints.give("1/2") is True


async def test_nobody_waits_long_for_a_broker_that_hangs(hints: Hints, broker: Broker) -> None:
    """A publish that hangs counts as a broker away, for those who wait and for those who come."""
    hints._patience = 0.1
    broker.open.clear()
    assert await asyncio.gather(*await give_many(hints, "1/1", "1/2")) == [False, False]
    hints._patience = LONG
    async with asyncio.timeout(LONG / 2):
        assert await hints.give("1/3") is False


async def test_what_was_kept_meanwhile_follows_a_late_success(
    hints: Hints, broker: Broker, eventually: Eventually
) -> None:
    """Hints given while a publish hangs are handed on once it has come through."""
    hints._patience = 0.1
    broker.open.clear()
    assert await hints.give("1/1") is False
    assert await hints.give("1/2") is False
    broker.open.set()
    await eventually(lambda: ["1/2"] in broker.published)
    assert broker.published == [["1/1"], ["1/2"]]


async def test_a_hint_for_a_mailbox_under_way_goes_again(
    hints: Hints, broker: Broker, eventually: Eventually
) -> None:
    """The publish under way may already have been read: a later hint needs its own."""
    tries = broker.tries
    broker.open.clear()
    first = await give_many(hints, "1/1")
    await eventually(lambda: broker.tries == tries + 1)
    second = await give_many(hints, "1/1")
    broker.open.set()
    await asyncio.gather(*first, *second)
    assert broker.published == [["1/1"], ["1/1"]]


async def test_a_giver_that_goes_away_harms_nobody(
    hints: Hints, broker: Broker, eventually: Eventually
) -> None:
    """A cancelled request takes neither its hint nor its neighbours with it."""
    tries = broker.tries
    broker.open.clear()
    first = await give_many(hints, "1/1")
    await eventually(lambda: broker.tries == tries + 1)
    gone, stays = await give_many(hints, "1/2", "1/3")
    gone.cancel()
    broker.open.set()
    assert await stays is True
    assert await first[0] is True
    assert sorted(broker.published[1]) == ["1/2", "1/3"]


async def test_closing_hands_on_what_is_kept(broker: Broker) -> None:
    """On the way out all that is kept goes, as soon as the broker is back."""
    hints = Hints(broker, patience=LONG, longest_pause=LONG)
    await hints.start(within=LONG)
    broker.away = True
    assert await hints.give("1/1") is False
    asyncio.get_running_loop().call_later(0.2, setattr, broker, "away", False)
    await hints.close(within=LONG / 2)
    assert broker.published == [["1/1"]]


async def test_closing_is_bounded(broker: Broker) -> None:
    """A broker that stays away does not hold up the exit."""
    hints = Hints(broker, patience=LONG)
    await hints.start(within=LONG)
    broker.away = True
    await hints.give("1/1")
    async with asyncio.timeout(LONG / 2):
        await hints.close(within=0.3)


async def test_starting_waits_for_the_connection_but_not_for_long(broker: Broker) -> None:
    """The first hint finds a connection; a broker that hangs does not hold up the start."""
    broker.open.clear()
    hints = Hints(broker, patience=LONG)
    async with asyncio.timeout(LONG / 2):
        await hints.start(within=0.1)
    broker.open.set()
    assert await hints.give("1/1") is True
    await hints.close()
