"""The configuration file: what becomes of each message, read strictly and all at once.

Every problem of a file is reported together, one line each, by `ConfigurationError`.
"""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    InstanceOf,
    PrivateAttr,
    ValidationError,
)

from worker.account_tables import AccountTable, once_each
from worker.checks import check_names
from worker.document import Document
from worker.durations import parse_duration
from worker.event_filters import MESSAGE_STORE, checked_filter
from worker.handlers.tables import HandlerTable, handler_tables
from worker.mailbox_names import OWN, MailboxNames
from worker.problems import ConfigurationError, Wrong, in_words
from worker.routes import Route
from worker.tables import Finding, Table, findings

_MOST_RETRIES = 50


def _duration(value: object) -> timedelta:
    if isinstance(value, timedelta):
        return value
    if not isinstance(value, str):
        raise Wrong(f'must be a length of time such as "15m", not {in_words(value)}')
    return parse_duration(value)


def _start(value: object) -> str:
    if isinstance(value, date):  # a TOML date; a datetime is one too
        return value.isoformat()
    if not isinstance(value, str):
        raise Wrong(f'must be text such as "now", "30d" or "2026-01-31", not {in_words(value)}')
    _start_at(value, datetime.now(UTC))
    return value


def _start_at(text: str, now: datetime) -> datetime:
    text = text.strip()
    if text.lower() == "now":
        return now
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        try:
            return now - parse_duration(text)
        except Wrong:
            raise Wrong('is no start; write "now", how far back such as "30d", or a date') from None
    try:
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except OverflowError:
        raise Wrong("is outside the calendar; write a date such as 2026-01-31") from None


def _routes(value: object) -> object:
    if isinstance(value, dict):
        raise Wrong("must be written [[routes]], in double brackets, once for each route")
    if not isinstance(value, list | tuple):
        raise Wrong(f"must be [[routes]] tables, not {in_words(value)}")
    if not value:
        raise Wrong("must be at least one [[routes]] table with a name and steps")
    return value


def _accounts(value: object) -> object:
    if isinstance(value, dict):
        raise Wrong("must be written [[accounts]], in double brackets, once for each credential")
    if not isinstance(value, list | tuple):
        raise Wrong(f"must be [[accounts]] tables, not {in_words(value)}")
    return value


def _every(value: object) -> object:
    if isinstance(value, str) and value.strip().lower() == NEVER:
        return None
    return value if value is None else _duration(value)


def _time_of_day(value: object) -> time:
    if isinstance(value, str):
        with contextlib.suppress(ValueError):
            value = time.fromisoformat(value.strip())
    if not isinstance(value, time) or value.tzinfo is not None:
        raise Wrong('is no time of day; write such as "02:00", which is UTC')
    return value


def _filters(value: object) -> object:
    if not isinstance(value, list | tuple):
        raise Wrong(f'must be a list such as ["{MESSAGE_STORE}"], not {in_words(value)}')
    if not value:
        raise Wrong(f'must name at least one filter; "{MESSAGE_STORE}" tells of everything')
    return value


def _schedule(value: object) -> object:
    if not isinstance(value, list | tuple):
        raise Wrong(f'must be a list such as ["30s", "2m", "1h"], not {in_words(value)}')
    if not 0 < len(value) <= _MOST_RETRIES:
        raise Wrong(f'must be a list of 1 to {_MOST_RETRIES} lengths of time such as ["30s", "1h"]')
    return value


def _once_each(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))


Duration = Annotated[timedelta, BeforeValidator(_duration)]
NEVER = "never"


class Sync(Table):
    """`[sync]`: how mailboxes are synchronised.

    `owner` is whose messages count: the extension's own, those shared with it (voicemail and text
    messages of call queues), or both.
    """

    start: Annotated[str, BeforeValidator(_start)] = "now"
    sweep_interval: Duration = timedelta(minutes=15)
    owner: Literal["personal", "shared", "any"] = "personal"

    def start_at(self, now: datetime) -> datetime:
        """The time from which messages count, on the very first run; a date is midnight UTC."""
        return _start_at(self.start, now)


class Subscriptions(Table):
    """`[subscriptions]`: how the subscriptions at RingCentral are looked after."""

    check_interval: Duration = timedelta(minutes=5)
    filters: Annotated[
        tuple[Annotated[str, AfterValidator(checked_filter)], ...],
        BeforeValidator(_filters),
        AfterValidator(_once_each),
    ] = (MESSAGE_STORE,)


class Reconcile(Table):
    """`[reconcile]`: the look by itself at whether everything that RingCentral lists has come.

    `every` is None for never; `at` is UTC.
    """

    every: Annotated[timedelta | None, BeforeValidator(_every)] = timedelta(days=1)
    at: Annotated[time, BeforeValidator(_time_of_day)] = time(2)
    since: Duration = timedelta(days=2)
    repair: bool = True


class Retries(Table):
    """`[retries]`: how long after each failed try of a step the next one is; then it has failed."""

    schedule: Annotated[tuple[Duration, ...], BeforeValidator(_schedule)] = tuple(
        map(parse_duration, ("30s", "2m", "10m", "1h", "6h", "24h"))
    )


class Configuration(Table):
    """The whole file."""

    mailboxes: MailboxNames = (OWN,)
    accounts: Annotated[
        tuple[AccountTable, ...], BeforeValidator(_accounts), AfterValidator(once_each)
    ] = ()
    sync: Sync = Sync()
    subscriptions: Subscriptions = Subscriptions()
    reconcile: Reconcile = Reconcile()
    retries: Retries = Retries()
    handlers: dict[str, InstanceOf[HandlerTable]] = Field(default_factory=dict)
    routes: Annotated[
        tuple[Route, ...], BeforeValidator(_routes), Field(validate_default=True)
    ] = ()
    _document: Document = PrivateAttr(default=Document())

    @property
    def document(self) -> Document:
        """The file it was read from, to say where something stands."""
        return self._document


@dataclass(frozen=True)
class Draft:
    """A file as far as it can be understood; `configuration` is there if nothing was found."""

    document: Document
    handlers: dict[str, HandlerTable]
    found: tuple[Finding, ...]
    configuration: Configuration | None


def load(path: Path, environ: Mapping[str, str]) -> Configuration:
    """Read the file; raises ConfigurationError with a line for each problem."""
    draft = examine(path, environ)
    if draft.configuration is None:
        raise ConfigurationError(draft.document.lines(draft.found))
    return draft.configuration


def examine(path: Path, environ: Mapping[str, str]) -> Draft:
    """Look at the file whatever is wrong with it; raises only if it cannot be read at all."""
    document = Document.read(path, environ)
    found: list[Finding] = []
    handlers = dict(handler_tables(document, environ, found))
    configuration = None
    try:
        configuration = Configuration.model_validate({**document.values, "handlers": handlers})
    except ValidationError as error:
        found += findings(error, Configuration, document.written)
    found += check_names(document)
    if found or document.unset:
        configuration = None
    if configuration is not None:
        configuration._document = document
    return Draft(document, handlers, tuple(found), configuration)
