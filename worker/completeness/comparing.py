"""Compares what RingCentral lists of one mailbox with what ledger and archive hold of it. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, date, datetime
from typing import Literal

Kind = Literal["missing", "extra", "failed"]

UNSEEN = "the ledger has not seen it"
DELETED = "deleted at RingCentral"
MISSED = "deleted at RingCentral before it could be read"
NOT_LISTED = "RingCentral does not list it any more: purged, or past its retention"
_ALIVE = "Alive"
_UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Listed:
    """A message as RingCentral lists it.

    `archiving`: the archives that should hold it, each with the routes that bring it there.
    """

    id: str
    created: datetime
    type: str | None
    availability: str = _ALIVE
    archiving: Mapping[str, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Held:
    """What the ledger knows of a message.

    `seen`: it remembers it. `open`, `failed` and `skipped` are the routes on which it is not
    settled; `availability` is the last one it heard of.
    """

    id: str
    created: datetime | None = None
    seen: bool = True
    missed: bool = False
    availability: str = _ALIVE
    open: frozenset[str] = frozenset()
    failed: frozenset[str] = frozenset()
    skipped: frozenset[str] = frozenset()

    @property
    def state(self) -> str | None:
        """In one word, the worst first: a field of Counts; None if nothing is known."""
        if self.failed:
            return "failed"
        if self.open:
            return "open"
        if self.skipped:
            return "skipped"
        if self.missed:
            return "missed"
        return "settled" if self.seen else None


@dataclass(frozen=True, slots=True)
class Archived:
    """A message as an archive holds it; only its day of creation (UTC) is known.

    `removed`: it held it, and let it go when its time was over, which its chain tells.
    """

    id: str
    day: date
    type: str
    removed: bool = False


@dataclass(frozen=True, slots=True)
class Bounds:
    """What counts: messages created in `since <= created < until`.

    Those from before `floor` the ledger may have forgotten, or they were never meant to come.
    """

    since: datetime
    until: datetime
    floor: datetime


@dataclass(slots=True)
class Counts:
    """One day and type of a mailbox.

    `to_archive` are the listed messages that an archive should hold (once for each archive),
    `archived` those that it does hold, listed or not.
    """

    listed: int = 0
    settled: int = 0
    open: int = 0
    failed: int = 0
    skipped: int = 0
    missed: int = 0
    to_archive: int = 0
    archived: int = 0

    def add(self, other: "Counts") -> None:
        """Count the other's messages as well."""
        for one in fields(self):
            setattr(self, one.name, getattr(self, one.name) + getattr(other, one.name))


@dataclass(frozen=True, slots=True)
class Difference:
    """A message that is not where it should be, and why.

    `routes`: what it failed on, or what brings it to the archive that lacks it; none: all it
    matches.
    """

    kind: Kind
    id: str
    day: date
    type: str
    why: str
    routes: tuple[str, ...] = ()


@dataclass(slots=True)
class Comparison:
    """What is where in one mailbox, by day and type, and each message that is not."""

    counts: dict[tuple[date, str], Counts] = field(default_factory=dict)
    differences: list[Difference] = field(default_factory=list)

    def of(self, kind: Kind) -> list[Difference]:
        """The differences of one kind."""
        return [one for one in self.differences if one.kind == kind]

    @property
    def is_complete(self) -> bool:
        """Whether nothing is missing and nothing has failed; what others deleted is no gap."""
        return not (self.of("missing") or self.of("failed"))

    @property
    def total(self) -> Counts:
        """All days and types together."""
        total = Counts()
        for counts in self.counts.values():
            total.add(counts)
        return total


def compare(
    listed: Iterable[Listed],
    held: Iterable[Held],
    archives: Mapping[str, Iterable[Archived]],
    bounds: Bounds,
) -> Comparison:
    """Compare one mailbox; `archives` are all that may hold messages of it, by name.

    Read them in this order: what arrives meanwhile is then never taken for missing.
    """
    there = {one.id: one for one in listed if bounds.since <= one.created < bounds.until}
    known = {one.id: one for one in held}
    kept = {name: {one.id: one for one in found} for name, found in archives.items()}
    comparison = Comparison()
    ids = {*there, *known, *(id_ for found in kept.values() for id_ in found)}
    for id_ in sorted(ids, key=lambda text: (len(text), text)):
        copies = {name: found[id_] for name, found in kept.items() if id_ in found}
        _compare_one(
            comparison, there.get(id_), known.get(id_) or Held(id_, seen=False), copies, bounds
        )
    return comparison


def _compare_one(
    comparison: Comparison,
    listed: Listed | None,
    held: Held,
    copies: Mapping[str, Archived],
    bounds: Bounds,
) -> None:
    place = _place(listed, held, copies, bounds)
    if place is None:
        return
    counts = comparison.counts.setdefault(place, Counts())
    alive = listed is not None and listed.availability == _ALIVE
    if alive:
        counts.listed += 1
    if held.state is not None:
        setattr(counts, held.state, getattr(counts, held.state) + 1)
    counts.archived += sum(not copy.removed for copy in copies.values())
    if listed is not None:
        let_go = {name for name, copy in copies.items() if copy.removed}
        counts.to_archive += len(listed.archiving.keys() - let_go)

    def differs(kind: Kind, why: str, routes: Iterable[str] = ()) -> None:
        comparison.differences.append(Difference(kind, held.id, *place, why, tuple(sorted(routes))))

    if held.failed:
        differs("failed", f"given up on {_named(held.failed)}", held.failed)
    if not alive and (held.state is not None or any(not one.removed for one in copies.values())):
        differs("extra", _why_extra(listed, held))
    if listed is None:
        return
    if held.state is None and listed.created >= bounds.floor:
        differs("missing", UNSEEN)
        return
    for archive, routes in sorted(listed.archiving.items()):
        if archive not in copies and not routes & (held.open | held.failed):
            differs("missing", f"{archive} does not hold it", routes)


def _place(
    listed: Listed | None, held: Held, copies: Mapping[str, Archived], bounds: Bounds
) -> tuple[date, str] | None:
    """The day and type to count it under; None if it does not belong to the period."""
    copy = next(iter(copies.values()), None)
    type_ = (listed and listed.type) or (copy and copy.type) or _UNKNOWN
    created = listed.created if listed else held.created
    if created is not None:
        inside = bounds.since <= created < bounds.until
        return (created.astimezone(UTC).date(), type_) if inside else None
    if copy is None:
        return None
    # An archive tells days only: of one that the period cuts, nobody knows on which side it is.
    first, last = bounds.since.astimezone(UTC), bounds.until.astimezone(UTC)
    begins = first.date() < copy.day or (first.date() == copy.day and first == _midnight(copy.day))
    return (copy.day, type_) if begins and copy.day < last.date() else None


def _why_extra(listed: Listed | None, held: Held) -> str:
    if held.missed:
        return MISSED
    if listed is not None or held.availability != _ALIVE:
        return DELETED
    return NOT_LISTED


def _named(routes: Iterable[str]) -> str:
    return ", ".join(f'"{route}"' for route in sorted(routes))


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
