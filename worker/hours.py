"""`[hours.NAME]`: when an office is open, by the wall clock of its own time zone."""

import contextlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Annotated, ClassVar, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import AfterValidator, BeforeValidator, Field

from worker.facts import Facts
from worker.problems import Wrong, in_words, nearest, quoted
from worker.tables import Table

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SHORTEST_DAY = 3
_WEEK = 7
_MIDNIGHT = 24 * 60
_OPEN = re.compile(r"([A-Za-z, -]+?)\s+([0-9:]{4,5})\s*-\s*([0-9:]{4,5})")
_TIME = re.compile(r"([0-9]{1,2}):([0-9]{2})")
_EXAMPLE = 'write such as "Mon-Fri 09:00-17:00"'


class Span(NamedTuple):
    """Open on these days (Monday is 0) from minute to minute; `end` may be beyond midnight."""

    days: frozenset[int]
    start: int
    end: int


def _zone(value: str) -> str:
    with contextlib.suppress(OSError, ValueError, ZoneInfoNotFoundError):
        ZoneInfo(value)
        return value
    right = nearest(value, available_timezones())
    meant = f'did you mean "{right}"?' if right else 'write such as "Europe/Berlin"'
    raise Wrong(f"is no time zone; {meant}")


def _listed(value: object) -> object:
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, list | tuple):
        raise Wrong(f'must be a list such as ["Mon-Fri 09:00-17:00"], not {in_words(value)}')
    if not value:
        raise Wrong("must have at least one entry, or the office is never open")
    return value


def _opening(value: str) -> str:
    span(value)
    return value


def span(text: str) -> Span:
    """Read such as `Mon-Fri 09:00-17:00` or `Sat,Sun 22:00-06:00`; raises Wrong."""
    found = _OPEN.fullmatch(text.strip())
    if not found:
        raise Wrong(f"is no opening time; {_EXAMPLE}")
    start, end = _minute(found[2]), _minute(found[3])
    if start in {end, _MIDNIGHT}:
        raise Wrong(f"ends when it begins; {_EXAMPLE}")
    return Span(_days(found[1]), start, end if end > start else end + _MIDNIGHT)


def _days(text: str) -> frozenset[int]:
    days: set[int] = set()
    for part in text.split(","):
        first, dash, last = (word.strip() for word in part.partition("-"))
        begin, end = _day(first), _day(last if dash else first)
        days |= {day % _WEEK for day in range(begin, end + 1 if end >= begin else end + 8)}
    return frozenset(days)


def _day(word: str) -> int:
    for number, day in enumerate(_DAYS):
        if day.startswith(word.casefold()) and len(word) >= _SHORTEST_DAY:
            return number
    detail = f": {quoted(word)} is no day; days are Mon, Tue, Wed, Thu, Fri, Sat, Sun"
    raise Wrong("is no opening time", detail)


def _minute(text: str) -> int:
    found = _TIME.fullmatch(text)
    minute = int(found[1]) * 60 + int(found[2]) if found else _MIDNIGHT + 1
    if not found or int(found[2]) > 59 or minute > _MIDNIGHT:
        detail = f": {quoted(text)} is no time; times are from 00:00 to 24:00"
        raise Wrong("is no opening time", detail)
    return minute


def _holidays(value: object) -> object:
    if not isinstance(value, list | tuple):
        raise Wrong(
            'must be a list such as ["2026-12-25"], or a file with one date a line, '
            f"not {in_words(value)}"
        )
    return value


def dates_in(path: Path) -> list[date]:
    """The dates in a file, one a line, `#` begins a remark; raises Wrong."""
    try:
        lines = path.read_bytes().decode("utf-8-sig").splitlines()
    except OSError as error:
        raise Wrong(f"cannot be read: {error.strerror}; it is to have one date a line") from None
    except UnicodeDecodeError:
        raise Wrong("is not UTF-8 text; save the file as UTF-8") from None
    dates = []
    for number, line in enumerate(lines, 1):
        if text := line.partition("#")[0].strip():
            try:
                dates.append(date.fromisoformat(text))
            except ValueError:
                words = f'line {number}: {quoted(text)} is no date; write such as "2026-12-25"'
                raise Wrong(words) from None
    return dates


def _date(value: object) -> date:
    if isinstance(value, datetime) or not isinstance(value, date | str):
        shown = "a time" if isinstance(value, datetime) else in_words(value)
        raise Wrong(f'must be a date such as "2026-12-25", not {shown}')
    try:
        return date.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        raise Wrong('is no date; write such as "2026-12-25"') from None


Opening = Annotated[str, AfterValidator(_opening)]


class OfficeHours(Table):
    """One `[hours.NAME]` table.

    `open` are weekly times of the wall clock in `zone`; one that ends before it begins goes on
    into the next day. On `holidays` nothing begins. Daylight saving time is the zone's.
    """

    zone: Annotated[str, AfterValidator(_zone), Field(examples=["Europe/Berlin"])]
    """The time zone, such as Europe/Berlin."""
    open: Annotated[
        tuple[Opening, ...],
        BeforeValidator(_listed, json_schema_input_type=str | tuple[str, ...]),
        Field(examples=[["Mon-Fri 09:00-17:00"]]),
    ]
    """Weekly times of the wall clock, such as "Mon-Fri 09:00-17:00"."""
    holidays: Annotated[
        frozenset[Annotated[date, BeforeValidator(_date)]],
        BeforeValidator(_holidays, json_schema_input_type=str | tuple[str, ...]),
    ] = frozenset()
    """Dates on which nothing begins, or a file with one a line."""

    @cached_property
    def _by_day(self) -> tuple[tuple[tuple[int, int], ...], ...]:
        spans = [span(text) for text in self.open]
        return tuple(
            tuple((one.start, one.end) for one in spans if day in one.days) for day in range(_WEEK)
        )

    @cached_property
    def _clock(self) -> ZoneInfo:
        return ZoneInfo(self.zone)

    def are_open(self, at: datetime) -> bool:
        """Whether the office is open at a moment; never at the ends of the calendar."""
        try:
            local = at.astimezone(self._clock)
            today, yesterday = local.date(), local.date() - timedelta(days=1)
        except OverflowError:
            return False
        minute = local.hour * 60 + local.minute
        return self._open_on(today, minute) or self._open_on(yesterday, minute + _MIDNIGHT)

    def _open_on(self, day: date, minute: int) -> bool:
        for start, end in self._by_day[day.weekday()]:
            if start <= minute < end:
                return day not in self.holidays
        return False


@dataclass(frozen=True, slots=True)
class WithinHours:
    """Holds for a message whose time is within any of these hours."""

    names: tuple[str, ...]
    hours: Mapping[str, OfficeHours]

    cost: ClassVar[int] = 6

    def holds(self, facts: Facts) -> bool:
        """Whether some of the offices is open at the time that counts for the message."""
        return any(self._are_open(name, facts) for name in self.names)

    def had(self, facts: Facts) -> str:
        """The time, by the wall clocks of the hours."""
        zones = dict.fromkeys(self.hours[name].zone for name in self.names)
        try:
            times = {zone: facts.at.astimezone(ZoneInfo(zone)) for zone in zones}
        except OverflowError:
            return str(facts.at)
        return ", ".join(f"{time:%a %d %b %Y %H:%M} {zone}" for zone, time in times.items())

    def _are_open(self, name: str, facts: Facts) -> bool:
        # many routes ask for the same hours
        kept, key = facts.kept, ("hours", name)
        if key not in kept:
            kept[key] = self.hours[name].are_open(facts.at)
        return bool(kept[key])
