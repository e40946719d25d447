"""Puts the Message Store client and the ledger together for one command and takes them apart."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import Any, NamedTuple, TypeVar

import aiohttp
import structlog

from message_store.auth import MemoryTokenStore
from message_store.errors import RingCentralError
from message_store.limits import LocalLimits
from message_store.mailbox import Mailbox
from ringpost.checks.redis import no_answer
from ringpost.refusal import Refusal
from ringpost.surroundings import (
    insist_on_credentials,
    names_accounts,
    read_configuration,
    running_settings,
)
from worker.accounts import accounts_of
from worker.configuration import Configuration
from worker.handlers.contract import Links
from worker.handlers.notes import Notes
from worker.ledger import Ledger, LedgerError, open_ledger
from worker.links.making import LinkMaker
from worker.logins import Account, Login, log_in, log_in_with
from worker.settings import Settings

T = TypeVar("T")

ExtensionNames = Mapping[Mailbox, tuple[str | None, str | None]]

# Somebody waits at the terminal; a longer wait is said.
_PATIENCE = 5.0


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
async def ledger() -> AsyncIterator[Ledger]:
    """The ledger of REDIS_URL or of the instance that runs here; raises Refusal without either."""
    settings = running_settings()
    if settings.redis_url is None:
        raise Refusal(
            f"RINGPOST_DATA={settings.data}: REDIS_URL is not set and no `ringpost run` uses this "
            "data directory; start one, or set REDIS_URL to the Redis of your workers"
        )
    with _answering(settings.redis_url):
        async with open_ledger(settings.redis_url, keys=settings.keys) as opened:
            yield opened


@asynccontextmanager
async def message_store(account: str | None = None) -> AsyncIterator[Login]:
    """A login with the account of this name, by default the first there is.

    Raises Refusal if there is none.
    """
    async with logins() as found:
        named = [login for login in found if account in (None, login.account.name)]
        if not named:
            names = ", ".join(login.account.name or "(of the environment)" for login in found)
            raise Refusal(f'account "{account}": there is none of this name; there are {names}')
        yield named[0]


@asynccontextmanager
async def logins(configuration: Configuration | None = None) -> AsyncIterator[list[Login]]:
    """A login for each account of the configuration, or one in the sandbox that runs here.

    Token and budget are shared with the workers if their Redis is within reach.
    """
    settings = running_settings()
    accounts = accounts_here(settings, configuration)
    async with AsyncExitStack() as stack:
        if settings.redis_url is not None:
            stack.enter_context(_answering(settings.redis_url))
        opened = await _within_reach(settings, stack)
        session = await stack.enter_async_context(aiohttp.ClientSession())
        if opened is not None:
            yield [log_in(one, session, opened, patience=_PATIENCE) for one in accounts]
            return
        yield [
            log_in_with(
                one, session, MemoryTokenStore(), LocalLimits(_PATIENCE), LocalLimits(_PATIENCE)
            )
            for one in accounts
        ]


class OfWorkers(NamedTuple):
    """What the workers' handlers have noted, and where they make links."""

    notes: Notes | None = None
    links: Links | None = None


@asynccontextmanager
async def of_workers() -> AsyncIterator[OfWorkers]:
    """What a handler tried by hand shares with those of the workers, if Redis is within reach."""
    settings = running_settings()
    async with AsyncExitStack() as stack:
        opened = await _within_reach(settings, stack)
        if opened is None:
            yield OfWorkers()
            return
        links = None
        if settings.links_url is not None:
            links = LinkMaker(settings.data / "links", opened.links, settings.links_url)
        yield OfWorkers(opened.notes, links)


@asynccontextmanager
async def extensions_within_reach() -> AsyncIterator[ExtensionNames]:
    """Number and name of each extension, as the workers have noted them; none without Redis."""
    async with AsyncExitStack() as stack:
        opened = await _within_reach(running_settings(), stack)
        yield await opened.extensions.load() if opened is not None else {}


def accounts_here(settings: Settings, configuration: Configuration | None) -> list[Account]:
    """The accounts of the configuration, else that of the environment; raises Refusal."""
    if configuration is None and names_accounts(settings.config):
        configuration, _ = read_configuration(settings.config)
    if configuration is None or not configuration.accounts:
        insist_on_credentials(settings)
    return accounts_of(settings, configuration)


@contextmanager
def _answering(redis_url: str) -> Iterator[None]:
    try:
        yield
    except LedgerError as error:
        raise no_answer(redis_url, error, exit_code=1) from None


async def _within_reach(settings: Settings, stack: AsyncExitStack) -> Ledger | None:
    if settings.redis_url is None:
        return None
    opened = await stack.enter_async_context(open_ledger(settings.redis_url, keys=settings.keys))
    try:
        await opened.ping()
    except LedgerError:
        return None  # reading messages by hand works without it
    return opened
