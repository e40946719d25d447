"""What `ringpost subscriptions` does: looks at the subscriptions, compares them, and heals them."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from message_store.subscription import Subscription
from ringpost.connection import ledger, logins
from ringpost.data_directory import DataDirectory
from ringpost.refusal import Refusal
from ringpost.surroundings import read_running_configuration, running_settings
from worker.handlers.contract import ClosingHandler
from worker.healing import Healer
from worker.ledger import Ledger
from worker.logins import Login, Logins
from worker.settings import Settings
from worker.subscription_repair import Done
from worker.subscriptions import Comparison, Subscriptions, subscriptions_of
from worker.watching import find as find_mailboxes

# A worker that heals right now is waited for; if it was killed its lease lapses within this.
_PATIENCE = 20.0

OURS, LEFT_BEHIND, FOREIGN = "ours", "left behind", "another's"


@dataclass(frozen=True, slots=True)
class Owned:
    """A subscription, and whose it is: ours, left behind by an earlier run of ours, another's."""

    account: str
    subscription: Subscription
    owner: str


@dataclass(frozen=True, slots=True)
class _Parts:
    """What looks after subscriptions in a worker, put together for one command."""

    ledger: Ledger
    logins: list[Login]
    subscriptions: dict[str, Subscriptions]
    healer: Healer


async def find() -> list[Owned]:
    """All that RingCentral has of these apps and users."""
    settings = running_settings()
    found = []
    async with logins() as opened, ledger() as kept:
        for login in opened:
            records = await kept.account(login.scope).subscription.records()
            known = {record.id for record in records}
            found += [
                Owned(login.account.name, one, _owner(one, known, settings.webhook_url))
                for one in await login.store.subscriptions()
            ]
    return found


async def compare() -> dict[str, Comparison]:
    """What should be against what is, by account; nothing is changed."""
    async with _parts() as parts:
        compared = {}
        for login in parts.logins:
            found = await find_mailboxes(login.store, login.account.mailboxes)
            mailboxes = await parts.healer.would_assign(login, found)
            subscriptions = parts.subscriptions[login.scope]
            compared[login.account.name] = await subscriptions.compare(mailboxes)
        return compared


async def heal() -> list[Done]:
    """Mend all differences now, as a worker would; what was done."""
    async with _parts() as parts:
        lease, deadline = parts.healer.lease(), time.monotonic() + _PATIENCE
        while True:
            async with lease.while_held() as held:
                if held:
                    return [one for login in parts.logins for one in await _heal(parts, login)]
            if time.monotonic() > deadline:
                raise Refusal(
                    f"a worker has been healing the subscriptions for {_PATIENCE:.0f} s; look "
                    "again with `ringpost subscriptions diff`",
                    exit_code=1,
                )
            await asyncio.sleep(0.5)


async def _heal(parts: _Parts, login: Login) -> list[Done]:
    kept = parts.ledger.account(login.scope).subscription
    await kept.forget_refusals()
    found = await parts.healer.find(login)
    done = await parts.healer.heal(login, await parts.healer.assign(login, found))
    await kept.set_problem(None)
    return done


def _owner(subscription: Subscription, known: set[str], address: str | None) -> str:
    if subscription.id in known:
        return OURS
    same_address = address is not None and subscription.delivery_mode.address == address
    return LEFT_BEHIND if same_address else FOREIGN


@asynccontextmanager
async def _parts() -> AsyncIterator[_Parts]:
    settings = running_settings()
    _, configuration, handlers = read_running_configuration()
    token = _verification_token(settings)
    async with logins(configuration) as opened, ledger() as kept:
        subscriptions = subscriptions_of(opened, kept, settings.webhook_url, token, configuration)
        healer = Healer(
            Logins(opened, kept.assignments),
            kept,
            subscriptions,
            configuration,
            closes=any(isinstance(step, ClosingHandler) for step in handlers.values()),
        )
        yield _Parts(kept, opened, subscriptions, healer)


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
