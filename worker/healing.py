"""Looks after mailboxes and subscriptions: what should be watched is, and notifications come."""

import asyncio
import contextlib
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import structlog

from message_store.errors import LoginRefused, RingCentralError
from message_store.mailbox import Mailbox

from .configuration import Configuration
from .ledger import Ledger
from .ledger.account import AccountLedger
from .ledger.leases import Lease
from .logins import Login, Logins
from .permissions import EDIT, READ, Permissions
from .spreading import spread
from .subscription_repair import Done
from .subscriptions import Subscriptions
from .together import all_of
from .watching import Found, find
from .wording import in_brief

log = structlog.get_logger()

# How soon another worker takes a check over from one that was killed.
_LEASE_SECONDS = 15.0


class Healer:
    """Compares what should be with what is, every check interval and soon after a failure.

    `subscriptions` are those of each login, by its scope; `closes` says whether any step changes
    mailboxes, which takes a permission of its own.
    """

    def __init__(
        self,
        logins: Logins,
        ledger: Ledger,
        subscriptions: Mapping[str, Subscriptions],
        configuration: Configuration,
        *,
        closes: bool,
    ) -> None:
        self._logins = logins
        self._ledger = ledger
        self._subscriptions = subscriptions
        self.closes = closes
        self._interval = configuration.subscriptions.check_interval.total_seconds()
        self._start = configuration.sync.start_at(datetime.now(UTC)).timestamp()
        self._assigning = asyncio.Lock()

    def lease(self) -> Lease:
        """What has to be held while healing: one process of the fleet does it at a time."""
        return self._ledger.lease("heal", _LEASE_SECONDS)

    async def begin(self) -> None:
        """Note the very first start, and check at once: what we are and may do may have changed."""
        await self._ledger.mailboxes.first_start(self._start)
        for login in self._logins:
            account = self._ledger.account(login.scope)
            await account.subscription.forget_refusals()
            await account.subscription.check_now()

    async def work(self) -> None:
        """Find the mailboxes and mend the subscriptions of the logins whose time it is."""
        async with self.lease().while_held() as held:
            if held:
                await all_of(self._work(login) for login in self._logins)

    async def _work(self, login: Login) -> None:
        account = self._ledger.account(login.scope)
        generation = await account.subscription.begin_check()
        if generation is None:
            return
        try:
            found = await self.find(login)
            await self.heal(login, await self.assign(login, found))
        except RingCentralError as error:
            if isinstance(error, LoginRefused):
                await self._hand_over(login)
            await self._failed(login, account, error, generation)
            return
        await account.subscription.end_check(generation, self._interval)
        unknown = ", ".join(f'"{name}"' for name in found.unknown)
        problem = f"RingCentral has no extension {unknown}; correct `mailboxes`" if unknown else ""
        if await account.subscription.set_problem(_of(login, problem) or None):
            log.log(30 if problem else 20, problem or "mailboxes and subscriptions are well again")

    async def find(self, login: Login) -> Found:
        """The mailboxes that this login is for; raises RingCentralError.

        While that cannot be found out, the subscriptions of those that are known are looked after.
        """
        try:
            return await find(login.store, login.account.mailboxes)
        except LoginRefused:
            raise  # nothing of this login's can be looked after
        except RingCentralError:
            if known := await self._assigned(login):
                with contextlib.suppress(RingCentralError):
                    await self.heal(login, known)
            raise

    async def assign(self, login: Login, found: Found) -> list[Mailbox]:
        """Watch what may be read; the mailboxes that this login is to look after.

        Each mailbox is looked after by one login, though several may read it.
        """
        account = self._ledger.account(login.scope)
        others = {mailbox: found.titles[mailbox] for mailbox in found.others}
        needed = (READ, EDIT) if self.closes else (READ,)
        lacking = await Permissions(login.store, account.permissions, needed).lacking(others)
        unread = {mailbox for mailbox, lack in lacking.items() if READ in lack.missing}
        readable = [mailbox for mailbox in found.mailboxes if mailbox not in unread]
        await self._ledger.extensions.save(found.names)
        await self._ledger.assignments.may_read(login.scope, readable)
        await self._spread(login)
        return await self._assigned(login)

    async def would_assign(self, login: Login, found: Found) -> list[Mailbox]:
        """What `assign` would answer as far as it is known; nothing is asked or changed."""
        lacking = await self._ledger.account(login.scope).permissions.load()
        assigned = await self._ledger.assignments.load()
        return [
            mailbox
            for mailbox in found.mailboxes
            if assigned.get(mailbox, login.scope) == login.scope
            and not (mailbox in lacking and READ in lacking[mailbox].missing)
        ]

    async def heal(self, login: Login, mailboxes: Sequence[Mailbox]) -> list[Done]:
        """Mend the subscriptions of a login now; what was done. Raises RingCentralError."""
        return await self._subscriptions[login.scope].heal(mailboxes)

    async def _spread(self, login: Login) -> None:
        async with self._assigning:
            before = await self._ledger.assignments.load()
            scopes = [other.scope for other in self._logins]
            readers = await self._ledger.assignments.readers(scopes)
            good = {s: m for s, m in readers.readable.items() if s not in readers.refused}
            assigned = spread(good, before)
            # What nobody else may read stays with whom it was, and says why it cannot be read.
            for scope in readers.readable.keys() - good.keys():
                for mailbox in readers.readable[scope]:
                    assigned.setdefault(mailbox, scope)
            # A mailbox that is watched is due at once: whose it is has to be known by then.
            await self._ledger.assignments.save(assigned)
            await self._logins.refresh()
            await self._ledger.mailboxes.watch(list(assigned), await self._floor(login))
            moved = [mailbox for mailbox in before if assigned.get(mailbox, "") != before[mailbox]]
            await self._ledger.mailboxes.retry_now(moved)
        await self._tell_others(login, before, assigned)

    async def _tell_others(
        self, login: Login, before: Mapping[Mailbox, str], after: Mapping[Mailbox, str]
    ) -> None:
        """Logins that were given mailboxes, or lost some, have subscriptions to change."""
        changed = {
            scope
            for mailbox in before.keys() | after.keys()
            if before.get(mailbox) != after.get(mailbox)
            for scope in (before.get(mailbox), after.get(mailbox))
        }
        for other in self._logins:
            if other.scope in changed - {login.scope}:
                await self._ledger.account(other.scope).subscription.check_now()

    async def _hand_over(self, login: Login) -> None:
        """Its mailboxes go to those who may read them as well."""
        await self._ledger.assignments.is_refused(login.scope)
        await self._spread(login)

    async def _assigned(self, login: Login) -> list[Mailbox]:
        assigned = await self._ledger.assignments.load()
        return sorted(mailbox for mailbox, scope in assigned.items() if scope == login.scope)

    async def _failed(
        self, login: Login, account: AccountLedger, error: RingCentralError, generation: str
    ) -> None:
        wait = await account.subscription.check_failed(
            generation, self._interval, at_least=error.retry_after or 0
        )
        problem = _of(login, in_brief(error))
        if await account.subscription.set_problem(problem):
            log.error(
                "mailboxes and subscriptions cannot be looked after",
                reason=problem,
                retry_in=round(wait),
            )

    async def _floor(self, login: Login) -> float:
        """The very first start in RingCentral's time, which may not be ours."""
        start = await self._ledger.mailboxes.first_start(self._start)
        now = datetime.now(UTC)
        ahead = (login.store.server_time() or now) - now
        # RingCentral may cut creation times to whole seconds.
        return math.floor(start + ahead.total_seconds())


def _of(login: Login, problem: str) -> str:
    name = login.account.name
    return f"account {name}: {problem}" if name and problem else problem
