"""Puts the Message Store client and the ledger together for one command and takes them apart."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import aiohttp
import structlog

from message_store.auth import Authenticator, Credentials, MemoryTokenStore, TokenStore
from message_store.client import MessageStore
from message_store.errors import RingCentralError
from message_store.limits import Limits, NoLimits
from ringpost.checks.redis import no_answer
from ringpost.refusal import Refusal
from ringpost.surroundings import insist_on_credentials, running_settings
from worker.ledger import Ledger, LedgerError, credential_scope, open_ledger
from worker.settings import Settings

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Connection:
    """A Message Store that is ready to be asked, and what it was made of."""

    store: MessageStore
    authenticator: Authenticator
    tokens: TokenStore
    settings: Settings


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run it to its end; what RingCentral, Redis or the disk refuses becomes one line."""
    # The table or the error is the command's word; the client's log would only repeat it.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    try:
        return asyncio.run(work)
    except RingCentralError as error:
        words = str(error)
        named = words if words.startswith("RingCentral") else f"RingCentral: {words}"
        raise Refusal(named, exit_code=1) from None


@asynccontextmanager
async def ledger(scope: str = "") -> AsyncIterator[Ledger]:
    """The ledger of REDIS_URL or of the instance that runs here; raises Refusal without either.

    `scope` names a credential (see `credential_scope`) for what is kept per credential.
    """
    settings = running_settings()
    if settings.redis_url is None:
        raise Refusal(
            f"RINGPOST_DATA={settings.data}: REDIS_URL is not set and no `ringpost run` uses this "
            "data directory; start one, or set REDIS_URL to the Redis of your workers"
        )
    with _answering(settings.redis_url):
        async with open_ledger(settings.redis_url, scope=scope) as opened:
            yield opened


@asynccontextmanager
async def message_store() -> AsyncIterator[Connection]:
    """The Message Store of the credentials, or of the sandbox that runs here.

    Token and pauses are shared with the workers if their Redis is within reach.
    """
    settings = running_settings()
    insist_on_credentials(settings)
    credentials = credentials_of(settings)
    async with AsyncExitStack() as stack:
        if settings.redis_url is not None:
            stack.enter_context(_answering(settings.redis_url))
        tokens, limits = await _shared(settings, stack)
        session = await stack.enter_async_context(aiohttp.ClientSession())
        authenticator = Authenticator(session, settings.server, credentials, tokens, limits)
        store = MessageStore(session, settings.server, authenticator, limits)
        yield Connection(store, authenticator, tokens, settings)


@contextmanager
def _answering(redis_url: str) -> Iterator[None]:
    try:
        yield
    except LedgerError as error:
        raise no_answer(redis_url, error, exit_code=1) from None


def credentials_of(settings: Settings) -> Credentials:
    """The credentials, all of which must be set."""
    if not (settings.rc_client_id and settings.rc_client_secret and settings.rc_jwt):
        raise ValueError("credentials are incomplete")
    return Credentials(settings.rc_client_id, settings.rc_client_secret, settings.rc_jwt)


async def _shared(settings: Settings, stack: AsyncExitStack) -> tuple[TokenStore, Limits]:
    if settings.redis_url is None:
        return MemoryTokenStore(), NoLimits()
    credentials = credentials_of(settings)
    scope = credential_scope(credentials.client_id, credentials.jwt.get_secret_value())
    opened = await stack.enter_async_context(open_ledger(settings.redis_url, scope=scope))
    try:
        await opened.ping()
    except LedgerError:
        return MemoryTokenStore(), NoLimits()  # reading messages by hand works without it
    return opened.tokens, opened.limits
