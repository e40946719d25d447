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
from worker.contacts import ContactTable
from worker.document import Document
from worker.durations import Duration, parse_duration
from worker.event_filters import MESSAGE_STORE, checked_filter
from worker.handlers.tables import HandlerTable, handler_tables
from worker.hours import OfficeHours
from worker.mailbox_names import OWN, MailboxNames
from worker.named import named_tables
from worker.problems import ConfigurationError, Wrong, in_words
from worker.route_tests import RouteTest
from worker.routes import Route
from worker.secret_files import with_secret_files
from worker.tables import Finding, Table, findings

_MOST_RETRIES = 50


def _start(value: object) -> str:
    if isinstance(value, date):  # a TOML date; a datetime is one too
        value = value.isoformat()
    if not isinstance(value, str):
        raise Wrong(f'must be text such as "now", "30d" or "2026-01-31", not {in_words(value)}')
    now = datetime.now(UTC)
    if _start_at(value, now) > now + timedelta(days=1):  # it is tomorrow somewhere
        raise Wrong("lies in the future, and what comes before it would never be told")
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
    return value


def _time_of_day(value: object) -> time:
    if isinstance(value, str):
        with contextlib.suppress(ValueError):
            value = time.fromisoformat(value.strip())
    if not isinstance(value, time) or value.tzinfo is not None:
        raise Wrong('is no time of day; write such as "02:00", which is UTC')
    return value


def _tests(value: object) -> object:
    if not isinstance(value, list | tuple):
        raise Wrong("must be written [[tests]], in double brackets, once for each test")
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


NEVER = "never"


class Sync(Table):
    """`[sync]`: how mailboxes are synchronised.

    `owner` is whose messages count: the extension's own, those shared with it (voicemail and text
    messages of call queues), or both.
    """

    start: Annotated[str, BeforeValidator(_start)] = "now"
    """On the very first run: "now", how far back such as "30d", or a date."""
    sweep_interval: Duration = timedelta(minutes=15)
    """Every mailbox is synchronised this often even if RingCentral says nothing."""
    owner: Literal["personal", "shared", "any"] = "personal"
    """Whose messages: the extension's own, those shared with it, or both."""

    def start_at(self, now: datetime) -> datetime:
        """The time from which messages count, on the very first run; a date is midnight UTC."""
        return _start_at(self.start, now)


class Subscriptions(Table):
    """`[subscriptions]`: how the subscriptions at RingCentral are looked after."""

    check_interval: Duration = timedelta(minutes=5)
    """How often subscriptions are compared with what they should be."""
    filters: Annotated[
        tuple[Annotated[str, AfterValidator(checked_filter)], ...],
        BeforeValidator(_filters),
        AfterValidator(_once_each),
    ] = (MESSAGE_STORE,)
    """What RingCentral is asked to tell of each mailbox."""


class Reconcile(Table):
    """`[reconcile]`: the look by itself at whether everything that RingCentral lists has come.

    `every` is None for never; `at` is UTC.
    """

    every: Annotated[
        Duration | None,
        BeforeValidator(_every, json_schema_input_type=Literal["never"] | timedelta),
    ] = timedelta(days=1)
    """How often one worker looks; "never": only the command does."""
    at: Annotated[time, BeforeValidator(_time_of_day)] = time(2)
    """The time of day (UTC) from which turns are counted."""
    since: Duration = timedelta(days=2)
    """How far back it looks."""
    repair: bool = True
    """Whether what is missing is delivered and what failed is tried again."""


class Retries(Table):
    """`[retries]`: how long after each failed try of a step the next one is; then it has failed."""

    schedule: Annotated[tuple[Duration, ...], BeforeValidator(_schedule)] = tuple(
        map(parse_duration, ("30s", "2m", "10m", "1h", "6h", "24h"))
    )
    """How long after each failed try of a step the next one is."""


class Configuration(Table):
    """The whole file."""

    mailboxes: MailboxNames = (OWN,)
    """Extensions by number or id; "~" is the signed-in one; or "all"."""
    include: tuple[str, ...] = ()
    """Other files, relative to this one; * is a wildcard."""
    accounts: Annotated[
        tuple[AccountTable, ...], BeforeValidator(_accounts), AfterValidator(once_each)
    ] = ()
    """Credentials of several companies, or of several users."""
    sync: Sync = Sync()
    """How mailboxes are synchronised."""
    subscriptions: Subscriptions = Subscriptions()
    """How RingCentral tells what is new."""
    reconcile: Reconcile = Reconcile()
    """Whether everything has come that RingCentral lists."""
    retries: Retries = Retries()
    """When failed steps are tried again."""
    handlers: dict[str, InstanceOf[HandlerTable]] = Field(default_factory=dict)
    """What can be done with a message, by names of your own."""
    routes: Annotated[
        tuple[Route, ...], BeforeValidator(_routes), Field(validate_default=True)
    ] = ()
    """Which messages go where."""
    hours: dict[str, OfficeHours] = Field(default_factory=dict)
    """Business hours, by names of your own."""
    contacts: dict[str, ContactTable] = Field(default_factory=dict)
    """Lists of people, by names of your own."""
    tests: Annotated[tuple[RouteTest, ...], BeforeValidator(_tests)] = ()
    """Examples of messages, and the routes they take."""
    _document: Document = PrivateAttr(default=Document())
    _files: tuple[Path, ...] = PrivateAttr(default=())

    @property
    def document(self) -> Document:
        """The files it was read from, to say where something stands."""
        return self._document

    @property
    def files(self) -> tuple[Path, ...]:
        """All files that were read: if one changes, the configuration is another."""
        return self._files


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
    environ = with_secret_files(environ)
    document = Document.read(path, environ)
    found: list[Finding] = []
    handlers = dict(handler_tables(document, environ, found))
    named = named_tables(document, found)
    tables = {"handlers": handlers, "hours": named.hours, "contacts": named.contact_tables}
    configuration = None
    try:
        configuration = Configuration.model_validate({**document.values, **tables}, context=named)
    except ValidationError as error:
        found += findings(error, Configuration, document.written)
    found += check_names(document)
    if found or document.amiss:
        configuration = None
    if configuration is not None:
        configuration._document = document
        configuration._files = (*(file.path for file in document.files), *named.files)
    return Draft(document, handlers, tuple(found), configuration)
