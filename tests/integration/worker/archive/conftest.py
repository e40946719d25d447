"""A server that speaks S3, for the archives in buckets."""

import secrets
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from tests.support.seaweed import Seaweed, seaweed
from worker.handlers.archive import Archive
from worker.handlers.conformance import Bench
from worker.handlers.conformance_cases import Case
from worker.handlers.contract import Handler


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seaweed]:
    """One server for all tests."""
    with seaweed(tmp_path_factory.mktemp("s3")) as running:
        running.make_bucket("messages")
        running.make_bucket("locked", locks=True)
        yield running


@pytest.fixture
def to() -> str:
    """A place of its own for each test."""
    return f"s3://messages/{secrets.token_hex(4)}"


@pytest.fixture
def make(server: Seaweed, to: str) -> Callable[..., Archive]:
    """The handler, as two processes would have two of them."""
    return lambda **options: Archive(**{"to": to, **server.options(), **options})


@pytest.fixture
def attempt(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Awaitable[str]]:
    """`await attempt(handler, case)`: the handler's words for the message."""

    async def attempt(handler: Handler, case: Case, **happened: Any) -> str:
        bench = Bench(case, tmp_path_factory.mktemp("spool"))
        return await bench.attempt(handler, 1, **happened)

    return attempt
