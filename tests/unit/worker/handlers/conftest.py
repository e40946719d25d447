"""One attempt at a handler, with a mailbox and a network in memory."""

from collections.abc import Awaitable, Callable

import pytest

from worker.handlers.conformance import Bench
from worker.handlers.conformance_cases import Case
from worker.handlers.contract import Handler


@pytest.fixture
def attempt(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Handler, Case], Awaitable[str]]:
    """`await attempt(handler, case)`: the handler's words for the case's message."""

    async def attempt(handler: Handler, case: Case) -> str:
        bench = Bench(case, tmp_path_factory.mktemp("spool"))
        try:
            return await bench.attempt(handler)
        finally:
            await handler.close()

    return attempt
