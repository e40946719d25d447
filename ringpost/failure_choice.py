"""Which failed deliveries are meant: what `ringpost failures` and `ringpost replay` share."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from worker.ledger import DeliveryRecord

_SOME = 10


@dataclass(frozen=True, slots=True)
class Choice:
    """What must be true of a failed delivery, all of it; None or nothing means any.

    `since` and `until` (excluded) are about when the message was created, `error` is part of the
    reason, whatever its case.
    """

    message: Sequence[str] = ()
    mailbox: str | None = None
    route: str | None = None
    handler: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    error: str | None = None

    def __bool__(self) -> bool:
        return any(getattr(self, one.name) for one in fields(self))

    def of(self, records: "Sequence[DeliveryRecord]") -> "list[DeliveryRecord]":
        """Those that are meant."""
        holds = [condition for _, _, condition in self._conditions()]
        return [record for record in records if all(one(record) for one in holds)]

    def why_none(self, records: "Sequence[DeliveryRecord]") -> str:
        """Why `of(records)` is empty: what was asked for that no delivery has."""
        if not records:
            return "no failed deliveries"
        for name, value, holds in self._conditions():
            if not any(holds(record) for record in records):
                words = f'no failed delivery has {name} "{value}"'
                found = {_FIELDS[name](record) for record in records}
                there = sorted(str(value) for value in found if value is not None)
                some = ", ".join(f'"{other}"' for other in there[:_SOME]) or "none"
                more = f" and {len(there) - _SOME} more" if len(there) > _SOME else ""
                return f"{words}; there are: {some}{more}"
        return "no failed delivery has all of this"

    def _conditions(self) -> "Iterator[tuple[str, str, Callable[[DeliveryRecord], bool]]]":
        """Each thing asked for: its name, the value, and whether it holds for a record."""
        since, until, error = self.since, self.until, self.error
        ids = set(self.message)
        if self.mailbox is not None:
            yield "mailbox", self.mailbox, _in_mailbox(self.mailbox)
        for name in ("route", "handler"):
            value = getattr(self, name)
            if value is not None:
                yield name, value, _is(name, value)
        if ids:
            yield "message", ", ".join(self.message), lambda one: one.message_id in ids
        if since is not None:
            yield (
                "created",
                f"since {since.astimezone():%Y-%m-%d %H:%M}",
                lambda one: _created(one) >= since,
            )
        if until is not None:
            yield (
                "created",
                f"until {until.astimezone():%Y-%m-%d %H:%M}",
                lambda one: _created(one) < until,
            )
        if error is not None:
            part = error.casefold()
            yield "error", error, lambda one: part in (one.reason or "").casefold()


def _in_mailbox(value: str) -> "Callable[[DeliveryRecord], bool]":
    """As `account/extension`, or by the extension's id alone."""
    return lambda record: value in {record.mailbox, record.mailbox.partition("/")[2]}


def _is(name: str, value: str) -> "Callable[[DeliveryRecord], bool]":
    return lambda record: bool(_FIELDS[name](record) == value)


def _created(record: "DeliveryRecord") -> datetime:
    """When the message was created; if nothing tells, when its delivery failed."""
    moment = record.created or record.since
    assert moment is not None  # noqa: S101  # a failed delivery always has the second
    return moment


_FIELDS: "dict[str, Callable[[DeliveryRecord], Any]]" = {
    "mailbox": lambda record: record.mailbox,
    "route": lambda record: record.route,
    "handler": lambda record: record.step,
    "message": lambda record: record.message_id,
    "created": lambda record: f"{_created(record).astimezone():%Y-%m-%d}",
    "error": lambda record: record.reason,
}
