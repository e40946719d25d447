"""One attempt at a handler, with a mailbox and a network in memory."""

from collections.abc import Awaitable, Callable

import pytest

from worker.handlers.conformance import Bench
from worker.handlers.conformance_cases import Case
from worker.handlers.contract import Handler


@pytest.fixture
def attempt(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Awaitable[str]]:
    """`await attempt(handler, case, on=..., at=...)`: the handler's words for the message."""

    async def attempt(handler: Handler, case: Case, **happened: str) -> str:
        bench = Bench(case, tmp_path_factory.mktemp("spool"))
        try:
            return await bench.attempt(handler, 1, **happened)
        finally:
            await handler.close()

    return attempt
