"""Carries a plan out, action by action; the ledger is written after each.

A crash in between leaves at most a subscription that the ledger does not know, and the next check
deletes it.
"""

import contextlib
import time
from collections.abc import Mapping
from dataclasses import dataclass

import structlog

from message_store.client import MessageStore
from message_store.errors import NotFound, RateLimited, RingCentralError
from message_store.subscription import Subscription

from .event_filters import same
from .ledger.coverage import RAN_OUT
from .ledger.subscription import SubscriptionLedger, SubscriptionRecord
from .subscription_calls import Request, SubscriptionCalls
from .subscription_cover import FilterCover
from .subscription_plan import Action, Desired, Kind, Plan, disabled, served, some
from .wording import in_brief

log = structlog.get_logger()

# How often "belongs to another account" may be the fault of a token that is fresh.
_PATIENT_CHECKS = 3


@dataclass(frozen=True)
class Done:
    """An action that was carried out, and which of its filters RingCentral still does not serve."""

    action: Action
    still_dark: tuple[str, ...] = ()

    def __str__(self) -> str:
        if not self.still_dark:
            return str(self.action)
        return f"{self.action}; still without effect: {some(self.still_dark)}"


class Repair:
    """One run through a plan; `ledger` and `cover` are kept up to date on the way.

    What is made has this verification token and shall live for `lifetime` seconds.
    """

    def __init__(
        self,
        store: MessageStore,
        ledger: SubscriptionLedger,
        cover: FilterCover,
        desired: Desired,
        token: str,
        lifetime: int,
    ) -> None:
        self._store = store
        self._ledger = ledger
        self._cover = cover
        self._desired = desired
        self._token = token
        self._lifetime = lifetime
        self._optional = [text for text, mailbox in desired.filters.items() if mailbox is None]
        self._removable: list[str] = []
        self._listed: Mapping[str, Subscription] = {}
        self._records: dict[str, SubscriptionRecord] = {}

    async def carry_out(
        self, plan: Plan, listed: Mapping[str, Subscription]
    ) -> tuple[list[Done], RingCentralError | None]:
        """Do it all; what was done, and the first error. What one hinders, others need not be."""
        self._listed = listed
        self._records = {record.id: record for record in await self._ledger.records()}
        self._removable = [
            action.subscription_id
            for action in plan.actions
            if action.kind in (Kind.REPLACE, Kind.DELETE) and action.subscription_id
        ]
        done: list[Done] = []
        first: RingCentralError | None = None
        for action in plan.actions:
            try:
                await self._carry_out(action)
            except RingCentralError as error:
                first = first or error
                log.warning("subscription not repaired", what=str(action), reason=in_brief(error))
                await self._cover.failed(action.filters, f"{action.reason}; {error}")
            else:
                if action.kind is not Kind.KEEP:
                    done.append(Done(action, self._cover.dark_of(action.filters)))
                    log.info("subscription looked after", what=str(done[-1]))
        return done, first

    async def _carry_out(self, action: Action) -> None:
        match action.kind:
            case Kind.KEEP:
                await self._keep(action, self._listed[action.subscription_id or ""])
            case Kind.RENEW:
                await self._renew(action)
            case Kind.UPDATE:
                await self._update(action)
            case Kind.CREATE | Kind.REPLACE:
                await self._create(action)
            case Kind.DELETE | Kind.FORGET:
                await self._delete(action.subscription_id or "")

    async def _keep(self, action: Action, actual: Subscription) -> None:
        await self._save(self._records[actual.id], actual)
        await self._cover.answered(action.filters, actual)

    async def _renew(self, action: Action) -> None:
        renewed = action.subscription_id or ""
        try:
            actual = await self._store.renew_subscription(renewed)
        except NotFound:
            await self._create_lost(action)
            return
        record = self._records[renewed]
        granted = {"lifetime": actual.expires_in or record.lifetime}
        self._records[renewed] = record.model_copy(update=granted)
        await self._keep(action, actual)

    async def _update(self, action: Action) -> None:
        record = self._records[action.subscription_id or ""]
        works = served(self._listed[record.id])
        kept = [text for text in action.filters if same(text) in works]
        request = Request(record.lifetime, record.id, kept)
        try:
            await self._ask(request, action)
        except NotFound:
            await self._create_lost(action)

    async def _create_lost(self, action: Action) -> None:
        """It has gone since it was listed."""
        await self._cover.darken(dict.fromkeys(action.filters, RAN_OUT))
        await self._create(action)

    async def _create(self, action: Action) -> None:
        granted = [record.lifetime for record in self._records.values() if record.lifetime]
        request = Request(min(granted, default=self._lifetime))
        try:
            await self._ask(request, action)
        except RingCentralError as error:
            if request.answer is None and error.transient and not isinstance(error, RateLimited):
                await self._remove_leftovers()
            raise
        if action.kind is Kind.REPLACE and action.subscription_id:
            await self._delete(action.subscription_id)
        elif action.subscription_id:
            await self._ledger.forget(action.subscription_id)

    async def _ask(self, request: Request, action: Action) -> None:
        joining = [text for text in action.filters if text not in request.filters]
        calls = SubscriptionCalls(
            self._store,
            self._desired.address or "",
            self._token,
            self._lifetime,
            self._make_room,
            patient=await self._ledger.failures() < _PATIENT_CHECKS,
        )
        try:
            await calls.ask(request, joining, self._optional)
        finally:
            if request.answer is not None:
                await self._note(request, request.answer)
                await self._cover.answered(action.filters, request.answer)
                await self._leave_out(request.answer)
            await self._ledger.refuse(request.refused)
            await self._cover.darken(request.refused)

    async def _leave_out(self, answer: Subscription) -> None:
        """What nobody's messages depend on is not asked for again and again."""
        dead = disabled(answer)
        off = {text: dead[same(text)].why for text in self._optional if same(text) in dead}
        if off:
            log.warning(
                "RingCentral will not tell of new extensions: they are found by the regular check",
                reason=next(iter(off.values())),
            )
            await self._ledger.refuse(off)

    async def _note(self, request: Request, answer: Subscription) -> None:
        record = SubscriptionRecord(
            id=answer.id,
            address=self._desired.address or "",
            token_digest=self._desired.token_digest,
            filters=request.filters,
            reminder=request.reminder,
            lifetime=request.lifetime,
            made=time.time(),
        )
        before = self._records.get(record.id)
        if before is not None:
            record = record.model_copy(update={"made": before.made})
        await self._save(record, answer)

    async def _save(self, record: SubscriptionRecord, actual: Subscription) -> None:
        now = time.time()
        checked = {"checked": now, "active_until": now + (actual.expires_in or 0)}
        self._records[record.id] = record.model_copy(update=checked)
        await self._ledger.save(self._records[record.id])

    async def _delete(self, subscription_id: str) -> None:
        await self._store.delete_subscription(subscription_id)
        await self._ledger.forget(subscription_id)

    async def _make_room(self) -> bool:
        """Delete what would be deleted anyway, before what takes its place is made."""
        removable, self._removable = self._removable, []
        for subscription_id in removable:
            await self._store.delete_subscription(subscription_id)
        return bool(removable)

    async def _remove_leftovers(self) -> None:
        """A create that was not answered may have been carried out all the same."""
        known = {*self._records, *self._listed}
        # what cannot be seen or deleted now the next check does
        with contextlib.suppress(RingCentralError):
            for one in await self._store.subscriptions():
                if one.delivery_mode.address == self._desired.address and one.id not in known:
                    await self._store.delete_subscription(one.id)
