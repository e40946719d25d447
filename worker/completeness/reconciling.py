"""Reads what RingCentral, ledger and archives hold of a mailbox, and has it compared."""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from message_store.client import MessageStore
from message_store.mailbox import Mailbox
from message_store.message import Message
from worker.archive.chain import Head, read_heads
from worker.configuration import Configuration
from worker.happenings import State
from worker.ledger import Ledger
from worker.ledger.backfills import Run
from worker.ledger.mailboxes import PERSONAL
from worker.ledger.reconciliation import Known
from worker.ledger.records import lane_in_words, read_lane

from .archives import Archiving, kept_in
from .comparing import Archived, Bounds, Comparison, Held, Listed, compare
from .listing import Told, tell_nobody, walk

StoreOf = Callable[[Mailbox], MessageStore]
"""The Message Store through which a mailbox is read."""

# What came within the last minutes may be on its way.
MARGIN = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What was found of one mailbox, in how many calls.

    `heads` are those of each archive's chains, by archive and month.
    """

    mailbox: Mailbox
    comparison: Comparison
    calls: int
    heads: Mapping[str, Mapping[str, Head]] = field(default_factory=dict)


class Reconciler:
    """Compares mailboxes one at a time; `archives` are the folders by step."""

    def __init__(
        self,
        ledger: Ledger,
        store_of: StoreOf,
        configuration: Configuration,
        archives: Mapping[str, Path],
    ) -> None:
        self._ledger = ledger
        self._store_of = store_of
        self._archives = archives
        self._archiving = Archiving(configuration.routes, archives)
        self._owner = owner_of(configuration)

    async def reconcile(
        self, mailbox: Mailbox, since: datetime, until: datetime, told: Told = tell_nobody
    ) -> Reconciled:
        """Compare what was created in this period, `until` excluded.

        Raises RingCentralError, LedgerError, and OSError if an archive cannot be read.
        """
        began, floor = await self._ledger.reconciliation.memory(mailbox)
        runs = await self._ledger.backfills.all()
        listed: list[Listed] = []
        calls = 0
        store = self._store_of(mailbox).in_bulk()
        async for page in walk(store, mailbox, since, until, owner=self._owner, told=told):
            calls += 1
            listed += (
                Listed(
                    message.id,
                    message.created,
                    message.type,
                    message.availability or "Alive",
                    self._wanted(message, mailbox, began, runs),
                )
                for message in page
            )
        held = await self._held(mailbox, since, until, (one.id for one in listed))
        wanted = {archive for one in listed for archive in one.archiving}
        kept, heads = await asyncio.to_thread(self._kept, mailbox, since, until, wanted)
        bounds = Bounds(since, until, _moment(floor))
        comparison = await asyncio.to_thread(compare, listed, held, kept, bounds)
        return Reconciled(mailbox, comparison, calls, heads)

    def _wanted(
        self, message: Message, mailbox: Mailbox, began: float, runs: Sequence[Run]
    ) -> Mapping[str, frozenset[str]]:
        """The archives that should hold it: of old messages those that a backfill brought there."""
        wanted = self._archiving.of(message, mailbox)
        if message.created.timestamp() >= began:
            return wanted
        if message.is_deleted:
            return {}  # a backfill leaves it out
        covered = {
            archive: frozenset(
                route
                for route in routes
                if any(
                    run.has_covered(str(mailbox), route, message.id, message.created)
                    for run in runs
                )
            )
            for archive, routes in wanted.items()
        }
        return {archive: routes for archive, routes in covered.items() if routes}

    async def _held(
        self, mailbox: Mailbox, since: datetime, until: datetime, listed: Iterable[str]
    ) -> list[Held]:
        seen = await self._ledger.reconciliation.seen(mailbox, since, until)
        known = await self._ledger.reconciliation.known(mailbox, dict.fromkeys([*listed, *seen]))
        return [_held(one) for one in known]

    def _kept(
        self, mailbox: Mailbox, since: datetime, until: datetime, wanted: Collection[str]
    ) -> tuple[dict[str, list[Archived]], dict[str, dict[str, Head]]]:
        for name in wanted:
            if not (root := self._archives[name]).is_dir():
                # Not mounted, most likely: nothing in it is lost, and nothing is to be repaired.
                raise NotADirectoryError(f"{root} is no folder; mount it, or make it if it is lost")
        first, last = since.astimezone(UTC).date(), until.astimezone(UTC).date()
        kept = {name: kept_in(root, mailbox, first, last) for name, root in self._archives.items()}
        return kept, {name: read_heads(root, mailbox) for name, root in self._archives.items()}


def owner_of(configuration: Configuration) -> str | None:
    """Whose messages are listed, as RingCentral spells it; None for its default."""
    owner = configuration.sync.owner
    return None if owner == PERSONAL else owner.capitalize()


def period(since: datetime, until: datetime | None, now: datetime) -> tuple[datetime, datetime]:
    """What to compare: from the beginning of a day (UTC) to some minutes ago, or to `until`."""
    end = min(until, now) if until else now - MARGIN
    first = min(since, end).astimezone(UTC)
    return first.replace(hour=0, minute=0, second=0, microsecond=0), end


def _held(known: Known) -> Held:
    by_state: dict[str, set[str]] = {}
    for lane, state in known.states.items():
        name = state if state in {"failed", "skipped"} else "open"
        by_state.setdefault(name, set()).add(lane_in_words(*read_lane(lane)))
    return Held(
        known.id,
        _moment(known.seen) if known.seen is not None else None,
        seen=known.seen is not None,
        missed=known.missed,
        availability=State.parse(known.print).availability or "Alive" if known.print else "Alive",
        **{name: frozenset(lanes) for name, lanes in by_state.items()},
    )


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
