"""Cancelling gets its way."""

import asyncio

from worker.cancelling import cancel_all


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
