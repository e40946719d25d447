"""Places of handlers: few until one answers, then many, and nobody waits where none gets free."""

import asyncio
import time

import pytest

from worker import places
from worker.places import Places


async def test_few_until_the_destination_answers() -> None:
    """Five calls find out whether it is there; then there is room for all that are allowed."""
    room = Places(20)
    assert all([await room.take("mail") for _ in range(5)])
    waiting = [asyncio.create_task(room.take("mail")) for _ in range(16)]
    await asyncio.sleep(0)
    assert not any(task.done() for task in waiting)

    room.leave("mail", answered=True)

    assert all(await asyncio.gather(*waiting))


async def test_failures_make_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """A place that is given back without an answer is one place, not twenty."""
    monkeypatch.setattr(places, "_PATIENCE", 0.05)
    room = Places(20)
    assert all([await room.take("mail") for _ in range(5)])
    waiting = [asyncio.create_task(room.take("mail")) for _ in range(6)]
    await asyncio.sleep(0)

    room.leave("mail", answered=False)

    assert sum(await asyncio.gather(*waiting)) == 1


async def test_nobody_waits_where_none_gets_free(monkeypatch: pytest.MonkeyPatch) -> None:
    """After one has waited in vain the next are sent away at once, until somebody leaves."""
    monkeypatch.setattr(places, "_PATIENCE", 0.05)
    room = Places(20)
    assert all([await room.take("mail") for _ in range(5)])
    assert not await room.take("mail")
    monkeypatch.setattr(places, "_PATIENCE", 60)

    began = time.monotonic()
    assert not any([await room.take("mail") for _ in range(100)])
    assert time.monotonic() - began < 10

    room.leave("mail", answered=False)
    assert await room.take("mail")


async def test_handlers_have_places_of_their_own() -> None:
    """One that is full takes nothing from another."""
    room = Places(1)
    assert await room.take("mail")
    assert await room.take("vault")
