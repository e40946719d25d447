"""`[[tests]]`: examples of messages, and the routes that each is expected to take."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Annotated, Any, ClassVar, NamedTuple

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field

from message_store.mailbox import Mailbox
from message_store.message import Attachment, Message, Owner, Party
from worker.facts import FACTS, Facts, Known
from worker.happenings import CREATED
from worker.problems import Wrong, in_words, remedy
from worker.routes import Route, RouteSearch, Word
from worker.tables import Table

_INNER: dict[str, type[BaseModel]] = {
    "from": Party,
    "to": Party,
    "attachments": Attachment,
    "owner": Owner,
}
_LISTS = {"to", "attachments"}


def _given(value: object) -> object:
    if not isinstance(value, Mapping):
        raise Wrong(f'must be fields such as {{type = "Fax"}}, not {in_words(value)}')
    _check_keys(value, Message, "")
    if value.get("type") == "MMS":
        raise Wrong(
            'must have type = "SMS" and attachments = [{type = "MmsAttachment"}] for an MMS, '
            "as RingCentral has it"
        )
    for key, fact in FACTS.items():
        if fact.known and key in value and value[key] not in fact.known:
            raise Wrong(f'must have another "{key}"; {remedy(str(value[key]), fact.known)}')
    # what RingCentral might send is taken, what we write ourselves is to be right
    message = _message(value)
    parts = (message, message.from_, message.owner, *message.to, *message.attachments)
    odd = {key for part in parts if part for key in part.model_extra or {}} - {"conversation"}
    if odd:
        raise Wrong(f'must have another value for "{min(odd)}", one that RingCentral may send')
    return value


def _check_keys(value: Mapping[str, Any], model: type[BaseModel], before: str) -> None:
    known = {field.alias or name for name, field in model.model_fields.items()}
    if model is Message:
        known = (known | {"conversation"}) - {"transcription"}
    for key, inner in value.items():
        if model is Message and key == "transcription":
            raise Wrong('must not have the field "transcription"; write it beside given')
        if key not in known:
            raise Wrong(f'must not have the field "{before}{key}"; {remedy(key, sorted(known))}')
        if key not in _INNER:
            continue
        if not isinstance(inner, list) and key in _LISTS:
            raise Wrong(f'must have a list for "{key}", not {in_words(inner)}')
        for one in inner if key in _LISTS else [inner]:
            if not isinstance(one, Mapping):
                raise Wrong(f'must have a table for "{key}", not {in_words(one)}')
            _check_keys(one, _INNER[key], f"{key}.")


def _message(given: Mapping[str, Any]) -> Message:
    parts = enumerate(given.get("attachments", []), 1)
    attachments = [{"id": str(number), **part} for number, part in parts]
    return Message.model_validate({"id": "1", **given, "attachments": attachments})


def _moment(value: object) -> object:
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, str):
        try:
            return _moment(datetime.fromisoformat(value))
        except ValueError:
            raise Wrong('is no time; write such as "2026-12-24T18:00:00+01:00"') from None
    shown = "a date without a time" if isinstance(value, date) else in_words(value)
    raise Wrong(f'must be a time such as "2026-12-24T18:00:00+01:00", not {shown}')


def _expected(value: object) -> object:
    if not isinstance(value, list | tuple):
        raise Wrong(f"must be a list of names of routes, [] for none, not {in_words(value)}")
    return value


def _extension_id(value: str) -> str:
    try:
        return Mailbox("1", value.strip()).extension_id
    except ValueError:
        raise Wrong('is no id of an extension; write digits, or a "number" or "name"') from None


class GivenExtension(Table):
    """The extension whose mailbox holds the message."""

    id: Annotated[str, AfterValidator(_extension_id)] = "1"
    number: str | None = None
    name: str | None = None


class RouteTest(Table):
    """One `[[tests]]` table.

    `given` are fields of a message as RingCentral spells them; what is left out it does not have.
    `on` is what happened to it, `at` when: its creation unless told. Times without a zone are UTC.
    """

    meant: ClassVar[Mapping[str, str]] = {"mailbox": "extension", "message": "given"}

    name: Annotated[str, Field(examples=["A fax reaches accounting"], min_length=1)]
    """What is true."""
    given: Annotated[dict[str, Any], BeforeValidator(_given), Field(examples=[{"type": "Fax"}])]
    """Fields of a message as RingCentral spells them."""
    extension: GivenExtension = GivenExtension()
    """Whose mailbox holds it."""
    transcription: str = ""
    """What was said."""
    on: Word = CREATED
    """What happened to the message."""
    at: Annotated[datetime | None, BeforeValidator(_moment)] = None
    """When that was; a time without a zone is UTC."""
    expect: Annotated[
        tuple[Annotated[str, AfterValidator(str.strip)], ...],
        BeforeValidator(_expected),
        Field(examples=[["Faxes to accounting"]]),
    ]
    """The names of the routes that run; [] for none."""

    def facts(self) -> Facts:
        """What a route sees of the message."""
        extension = self.extension
        known = Known(extension.number, extension.name, self.transcription)
        created = {"creationTime": self.at} if self.at and self.on == CREATED else {}
        message = _message({**created, **self.given})
        return Facts(message, Mailbox("1", extension.id), known, self.at)


class Result(NamedTuple):
    """What became of a test: the routes that were expected, and those that ran, in order."""

    test: RouteTest
    ran: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether exactly the expected routes ran; the order of names means nothing."""
        return set(self.ran) == set(self.test.expect)

    @property
    def missing(self) -> tuple[str, ...]:
        """Expected, but did not run."""
        return tuple(name for name in self.test.expect if name not in self.ran)

    @property
    def surplus(self) -> tuple[str, ...]:
        """Ran, but was not expected."""
        return tuple(name for name in self.ran if name not in self.test.expect)


def run_tests(tests: Iterable[RouteTest], routes: Iterable[Route]) -> list[Result]:
    """Which routes the message of each test takes."""
    search = RouteSearch(routes)
    return [
        Result(test, tuple(route.name for route in search.running(test.facts(), test.on)))
        for test in tests
    ]
