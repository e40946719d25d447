"""What `ringpost subscriptions` does: looks at the subscriptions, compares them, and heals them."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from message_store.subscription import Subscription
from ringpost.connection import credentials_of, ledger, message_store
from ringpost.data_directory import DataDirectory
from ringpost.refusal import Refusal
from worker.configuration import Configuration, load
from worker.healing import Healer
from worker.ledger import Ledger, credential_scope
from worker.problems import ConfigurationError
from worker.settings import Settings, environment
from worker.subscription_repair import Done
from worker.subscriptions import Comparison, Subscriptions

# A worker that heals right now is waited for; if it was killed its lease lapses within this.
_PATIENCE = 20.0

OURS, LEFT_BEHIND, FOREIGN = "ours", "left behind", "another's"


@dataclass(frozen=True, slots=True)
class Owned:
    """A subscription, and whose it is: ours, left behind by an earlier run of ours, another's."""

    subscription: Subscription
    owner: str


@dataclass(frozen=True, slots=True)
class _Parts:
    """What looks after subscriptions in a worker, put together for one command."""

    ledger: Ledger
    subscriptions: Subscriptions
    healer: Healer


async def find() -> list[Owned]:
    """All that RingCentral has of this app and user."""
    async with message_store() as connection, _ledger_of(connection.settings) as opened:
        known = {record.id for record in await opened.subscription.records()}
        return [
            Owned(one, _owner(one, known, connection.settings.webhook_url))
            for one in await connection.store.subscriptions()
        ]


async def compare() -> Comparison:
    """What should be against what is; nothing is changed."""
    async with _parts() as parts:
        return await parts.subscriptions.compare(await parts.healer.mailboxes())


async def heal() -> list[Done]:
    """Mend all differences now, as a worker would; what was done."""
    async with _parts() as parts:
        lease, deadline = parts.healer.lease(), time.monotonic() + _PATIENCE
        while True:
            async with lease.while_held() as held:
                if held:
                    await parts.ledger.subscription.forget_refusals()
                    done = await parts.healer.heal()
                    await parts.ledger.subscription.set_problem(None)
                    return done
            if time.monotonic() > deadline:
                raise Refusal(
                    f"a worker has been healing the subscriptions for {_PATIENCE:.0f} s; look "
                    "again with `ringpost subscriptions diff`",
                    exit_code=1,
                )
            await asyncio.sleep(0.5)


def _owner(subscription: Subscription, known: set[str], address: str | None) -> str:
    if subscription.id in known:
        return OURS
    same_address = address is not None and subscription.delivery_mode.address == address
    return LEFT_BEHIND if same_address else FOREIGN


@asynccontextmanager
async def _ledger_of(settings: Settings) -> AsyncIterator[Ledger]:
    credentials = credentials_of(settings)
    scope = credential_scope(credentials.client_id, credentials.jwt.get_secret_value())
    async with ledger(scope) as opened:
        yield opened


@asynccontextmanager
async def _parts() -> AsyncIterator[_Parts]:
    async with message_store() as connection, _ledger_of(connection.settings) as opened:
        settings = connection.settings
        configuration = _configuration(settings)
        subscriptions = Subscriptions(
            connection.store,
            opened,
            settings.webhook_url,
            _verification_token(settings),
            configuration.subscriptions.filters,
        )
        healer = Healer(connection.store, opened, subscriptions, configuration)
        yield _Parts(opened, subscriptions, healer)


def _configuration(settings: Settings) -> Configuration:
    running = DataDirectory(settings.data).running_environ()
    if not settings.config.exists():
        raise Refusal(f"{settings.config}: no such configuration file; see `ringpost init`")
    try:
        return load(settings.config, {**running, **environment()})
    except ConfigurationError as error:
        raise Refusal(*error.problems) from None


def _verification_token(settings: Settings) -> str | None:
    """The token that the workers have: with another one each subscription would be replaced."""
    if settings.webhook_verification_token:
        return settings.webhook_verification_token[0].get_secret_value()
    kept = DataDirectory(settings.data)
    if kept.has_verification_token:
        return kept.verification_token()
    if settings.webhook_url is None:
        return None
    raise Refusal(
        "WEBHOOK_VERIFICATION_TOKEN is not set: set it to the one that your workers have, or run "
        "this where `ringpost run` keeps its data (RINGPOST_DATA)"
    )
