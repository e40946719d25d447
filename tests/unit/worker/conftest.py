"""One attempt at a handler, with a mailbox and a network in memory."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from worker.handlers.conformance import Bench
from worker.handlers.conformance_cases import MAILBOX, Case
from worker.handlers.conformance_fakes import FakeStore
from worker.handlers.context import DeliveryContext
from worker.handlers.contract import Handler
from worker.handlers.egress import Egress
from worker.spool import Spool


@pytest.fixture
def attempt(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Awaitable[str]]:
    """`await attempt(handler, case, on=..., at=...)`: the handler's words for the message."""

    async def attempt(handler: Handler, case: Case, **happened: Any) -> str:
        bench = Bench(case, tmp_path_factory.mktemp("spool"))
        try:
            return await bench.attempt(handler, 1, **happened)
        finally:
            await handler.close()

    return attempt


@pytest.fixture
def online(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Awaitable[str]]:
    """`await online(handler, case, attempt=...)`: as `attempt`, over the real network."""

    async def online(handler: Handler, case: Case, attempt: int = 1) -> str:
        store, egress = FakeStore(case), Egress()
        context = DeliveryContext(
            mailbox=MAILBOX,
            message=case.message,
            route="Online",
            step="tested",
            attempt=attempt,
            store=store,
            spool=Spool(tmp_path_factory.mktemp("spool"), store),
            http=egress,
        )
        try:
            words = await handler.handle(case.message, context)
            assert isinstance(words, str)
            return words
        finally:
            await handler.close()
            await egress.close()

    return online
