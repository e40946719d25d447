"""Several pieces of work at once: all finished, or all cancelled."""

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any

_PATIENCE = 0.5


async def cancel_all(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel the tasks until each has ended, however it ended.

    Once is not enough: a cancellation that meets a timeout inside a library call can be taken for
    that timeout and swallowed (seen with redis-py 8.1).
    """
    pending = {task for task in tasks if not task.done()}
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=_PATIENCE)


async def all_of(works: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Do all the works at once, each to its end; then raise the first error, if there was one."""
    for result in await asyncio.gather(*works, return_exceptions=True):
        if result is not None:
            raise result
