"""Asks RingCentral for a subscription to as many of the wanted filters as it grants."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import structlog

from message_store.client import MessageStore
from message_store.errors import BadRequest, PermissionMissing
from message_store.subscription import Subscription

from .event_filters import reminder_filter
from .wording import in_brief

log = structlog.get_logger()

# Codes of refusals that single filters are to blame for. Which ones is found by halving, at the
# cost of so many refused calls at most.
_SINGLE_FILTERS = frozenset({"SUB-405", "SUB-406", "SUB-508"})
_MOST_REFUSALS = 24
# "Belongs to another account": also answered for a moment when the token is fresh.
_FRESH_TOKEN = "SUB-406"  # noqa: S105  # an error code
# Missing permissions that no filter is to blame for: that one, and the one for webhooks.
_NO_FILTER = frozenset({_FRESH_TOKEN, "SUB-528"})
_ALL_IN_USE = "SUB-505"
_BAD_REMINDER = frozenset({"SUB-515", "SUB-516"})


@dataclass
class Request:
    """One subscription to be made or changed (`subscription_id`), and what came of it.

    `filters` are those it has; `lifetime` is how many seconds it is granted as far as is known.
    `refused` are filters that would cost all others the subscription, with the reason.
    """

    lifetime: float
    subscription_id: str | None = None
    filters: list[str] = field(default_factory=list)
    reminder: str | None = None
    answer: Subscription | None = None
    refused: dict[str, str] = field(default_factory=dict)
    refusals: int = 0


class SubscriptionCalls:
    """The calls that make and change subscriptions to one address, for `lifetime` seconds.

    `make_room` is asked to delete what can go when all subscriptions are in use; False: nothing.
    A `patient` one takes no refusal for an answer that a fresh token may be to blame for.
    """

    def __init__(
        self,
        store: MessageStore,
        address: str,
        token: str,
        lifetime: int,
        make_room: Callable[[], Awaitable[bool]],
        *,
        patient: bool,
    ) -> None:
        self._store = store
        self._address = address
        self._token = token
        self._lifetime = lifetime
        self._make_room = make_room
        self._single_filters = _SINGLE_FILTERS - ({_FRESH_TOKEN} if patient else set())

    async def ask(self, request: Request, joining: Sequence[str], optional: Sequence[str]) -> None:
        """Add filters to the request's; those that are refused are left out and noted there.

        The `optional` ones are the first to be left out. Raises RingCentralError for whatever no
        single filter is to blame for; what the request says then has been achieved.
        """
        dispensable = [text for text in joining if text in optional]
        needed = [text for text in joining if text not in optional]
        try:
            await self._send(request, [*request.filters, *joining])
            return
        except (BadRequest, PermissionMissing) as error:
            single = error.code in self._single_filters
            permission = isinstance(error, PermissionMissing) and error.code not in _NO_FILTER
            if not (single and joining) and not (permission and dispensable):
                raise
            reason = in_brief(error)
        if dispensable:
            try:
                if request.filters or needed:
                    await self._send(request, [*request.filters, *needed])
                request.refused |= dict.fromkeys(dispensable, reason)
                return
            except (BadRequest, PermissionMissing) as error:
                if error.code not in self._single_filters:
                    raise
        await self._halve(request, list(joining), reason)

    async def _halve(self, request: Request, joining: list[str], reason: str) -> None:
        """Find out which of these are refused; together they are."""
        request.refusals += 1
        if len(joining) == 1 or request.refusals > _MOST_REFUSALS:
            request.refused |= dict.fromkeys(joining, reason)
            return
        middle = len(joining) // 2
        for half in (joining[:middle], joining[middle:]):
            try:
                await self._send(request, [*request.filters, *half])
            except (BadRequest, PermissionMissing) as error:
                if error.code not in self._single_filters:
                    raise
                await self._halve(request, half, in_brief(error))

    async def _send(self, request: Request, filters: list[str]) -> None:
        reminder = reminder_filter(request.lifetime)
        try:
            answer = await self._make_or_change(request.subscription_id, filters, reminder)
        except BadRequest as error:
            if reminder is None or error.code not in _BAD_REMINDER:
                raise
            log.warning("subscription goes without a reminder", reason=in_brief(error))
            reminder = None
            answer = await self._make_or_change(request.subscription_id, filters, None)
        request.subscription_id, request.answer = answer.id, answer
        request.filters, request.reminder = filters, reminder
        request.lifetime = answer.expires_in or request.lifetime

    async def _make_or_change(
        self, subscription_id: str | None, filters: list[str], reminder: str | None
    ) -> Subscription:
        asked = [*filters, reminder] if reminder else filters
        if subscription_id is not None:
            return await self._store.update_subscription(subscription_id, asked, self._lifetime)
        try:
            return await self._create(asked)
        except BadRequest as error:
            if error.code != _ALL_IN_USE or not await self._make_room():
                raise
            return await self._create(asked)

    async def _create(self, asked: list[str]) -> Subscription:
        return await self._store.create_subscription(
            asked, self._address, self._token, self._lifetime
        )
