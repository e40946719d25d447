"""Repairs what a comparison found: missing messages are delivered, failed deliveries replayed."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from message_store.mailbox import Mailbox
from message_store.message import Message
from worker.admitting import admitted
from worker.configuration import Configuration
from worker.happenings import CREATED, State, happened
from worker.ledger import DeliveryRecord, Ledger
from worker.ledger.records import Admitted, Delivery, read_lane
from worker.routes import routes_by_word

from .comparing import Difference
from .listing import Told, tell_nobody, walk
from .reconciling import Reconciled, StoreOf, owner_of

_DONE_BEFORE = "done before; only the archive is repaired"
_BATCH = 200


@dataclass(frozen=True, slots=True)
class Repaired:
    """How many missing messages were made due, and how many failed deliveries; in how many calls.

    `gone` are missing ones that RingCentral did not list any more when they were to be read.
    """

    admitted: int = 0
    replayed: int = 0
    gone: int = 0
    calls: int = 0

    @property
    def count(self) -> int:
        """How much was repaired."""
        return self.admitted + self.replayed


class Repairer:
    """Makes due what is missing or has failed, behind live work."""

    def __init__(
        self,
        ledger: Ledger,
        store_of: StoreOf,
        configuration: Configuration,
        archives: Iterable[str],
    ) -> None:
        self._ledger = ledger
        self._store_of = store_of
        self._routes = {route.name: route for route in configuration.routes}
        self._archives = frozenset(archives)
        self._owner = owner_of(configuration)

    async def repair(
        self, found: Reconciled, since: datetime, until: datetime, told: Told = tell_nobody
    ) -> Repaired:
        """Repair one mailbox as it was found; raises RingCentralError or LedgerError."""
        comparison = found.comparison
        replayed = await self._replay(found.mailbox, comparison.of("failed"))
        missing = comparison.of("missing")
        left = _routes_by_id(missing)
        count, calls = len(left), 0
        if missing:
            days = [one.day for one in missing]
            begin = max(since, _midnight(min(days)))
            end = min(until, _midnight(max(days) + timedelta(days=1)))
            store = self._store_of(found.mailbox).in_bulk()
            async for page in walk(store, found.mailbox, begin, end, owner=self._owner, told=told):
                calls += 1
                chosen = [(message, left[message.id]) for message in page if message.id in left]
                await self._admit(found.mailbox, chosen)
                for message, _ in chosen:
                    del left[message.id]
        return Repaired(count - len(left), replayed, len(left), calls)

    async def _replay(self, mailbox: Mailbox, failed: Iterable[Difference]) -> int:
        known = await self._ledger.reconciliation.known(mailbox, [one.id for one in failed])
        records = []
        for one in known:
            for name, state in one.states.items():
                if state == "failed":
                    route, on = read_lane(name)
                    records.append(
                        DeliveryRecord(
                            mailbox=str(mailbox), message_id=one.id, route=route, on=on, state=state
                        )
                    )
        return await self._ledger.replay(records) if records else 0

    async def _admit(
        self, mailbox: Mailbox, messages: Sequence[tuple[Message, Collection[str]]]
    ) -> None:
        for start in range(0, len(messages), _BATCH):
            some = [
                self._archiving(message, routes) if routes else self._whole(message, mailbox)
                for message, routes in messages[start : start + _BATCH]
            ]
            await self._ledger.deliveries.admit(mailbox, some)

    def _whole(self, message: Message, mailbox: Mailbox) -> Admitted:
        """Never seen: all that has happened to it goes its way, as if it had just come."""
        now = State.of(message)
        words = happened(message, None, now)
        moment = (message.last_modified_time or datetime.now(UTC)).isoformat(
            timespec="milliseconds"
        )
        by_word = routes_by_word(self._routes.values(), message, mailbox, words)
        deliveries = {
            (route, word): Delivery(at=None if word == CREATED else moment)
            for word, routes in by_word.items()
            for route in routes
        }
        return admitted(message, deliveries, only_unseen=True)

    def _archiving(self, message: Message, routes: Iterable[str]) -> Admitted:
        """Delivered before: nothing but the archive is repeated."""
        deliveries = {}
        for name in routes:
            others = [step for step in self._routes[name].steps if step not in self._archives]
            deliveries[name, CREATED] = Delivery(done=dict.fromkeys(others, _DONE_BEFORE))
        return admitted(message, deliveries)


def _routes_by_id(missing: Iterable[Difference]) -> dict[str, set[str]]:
    """What brings each message to the archives that lack it; nothing for one never seen."""
    found: dict[str, set[str]] = {}
    for one in missing:
        found.setdefault(one.id, set()).update(one.routes)
    return found


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
