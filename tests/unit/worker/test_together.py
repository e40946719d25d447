"""Work done at once ends together."""

import asyncio

import pytest

from worker.together import all_of, cancel_all


async def test_a_swallowed_cancellation_is_repeated() -> None:
    """A task that takes its first cancellation for something else ends all the same."""
    swallowed = 0

    async def stubborn() -> None:
        nonlocal swallowed
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                swallowed += 1
                if swallowed > 1:
                    raise

    task = asyncio.create_task(stubborn())
    await asyncio.sleep(0)

    await cancel_all([task])

    assert task.cancelled()
    assert swallowed == 2


async def test_an_error_does_not_stop_the_others() -> None:
    """One piece of work that fails is reported after the others have ended."""
    ended = []

    async def fail() -> None:
        raise KeyError("first")

    async def work() -> None:
        await asyncio.sleep(0)
        ended.append("work")

    with pytest.raises(KeyError):
        await all_of([fail(), work()])

    assert ended == ["work"]
