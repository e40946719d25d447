"""`match`: the conditions of a route, nested with `not` and `any`, compiled at once."""

import json
from collections.abc import Iterable, Mapping
from typing import Annotated, ClassVar, NamedTuple, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    ModelWrapValidatorHandler,
    PrivateAttr,
    StrictBool,
    model_validator,
)
from pydantic import ValidationInfo as Info

from worker.comparisons import MEASURES, Comparison, HasFile
from worker.conditions import Condition, OneOf, check_value
from worker.facts import FACTS, Facts
from worker.hours import WithinHours
from worker.named import Named
from worker.problems import Wrong, in_words, nearest
from worker.tables import Table

DEEPEST = 4
"""How many tables of `not` and `any` may stand in one another."""


class Written(NamedTuple):
    """A condition with its key and value as the file has them."""

    key: str
    value: object
    condition: Condition

    def __str__(self) -> str:
        """As a line of a file."""
        return f"match.{self.key} = {_in_toml(self.value)}"


def _one(written: object) -> object:
    """A list of one text means the same as the text."""
    if isinstance(written, list) and len(written) == 1 and isinstance(written[0], str):
        return written[0]
    return written


def _in_toml(value: object) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key} = {_in_toml(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_in_toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False)  # TOML writes these as JSON does


def _named(info: Info) -> Named:
    return info.context if isinstance(info.context, Named) else Named()


def _listed(value: object) -> object:
    if isinstance(value, list | tuple):
        if not value:
            raise Wrong("must name at least one value; write one, or leave the condition out")
        return value
    if isinstance(value, dict):
        raise Wrong("must be text or a list of texts, not a table")
    return (value,)


def _known(value: str, info: Info) -> str:
    key = Match.model_fields[info.field_name or ""].alias or info.field_name or ""
    check_value(value, FACTS[key], _named(info).contacts)
    return value


def _comparison(value: object, info: Info) -> object:
    Comparison.of_text(info.field_name or "", value)
    return value


def _hours(value: str, info: Info) -> str:
    names = _named(info).hour_names
    if value not in names:
        right = nearest(value, names)
        meant = f'did you mean "{right}"?' if right else "write a table [hours.NAME]"
        raise Wrong(f"names no hours; {meant}")
    return value


def _set(value: object) -> object:
    if not isinstance(value, dict | Match):
        raise Wrong(f'must be conditions such as {{type = "Fax"}}, not {in_words(value)}')
    if not value:
        raise Wrong("must have at least one condition")
    return value


def _sets(value: object) -> object:
    if not isinstance(value, list | tuple):
        raise Wrong(f'must be a list such as [{{type = "Fax"}}], not {in_words(value)}')
    if not value:
        raise Wrong("must have at least one set of conditions")
    return value


def check_depth(value: object, depth: int = 0) -> None:
    """Raise Wrong for conditions (as the file has them) nested deeper than anybody can read."""
    if depth > DEEPEST:
        raise Wrong(f"must not be nested more than {DEEPEST} deep; write a second route")
    if isinstance(value, Mapping):
        inner = value.get("any")
        for one in (value.get("not"), *(inner if isinstance(inner, list) else ())):
            check_depth(one, depth + 1)


Values = Annotated[
    tuple[Annotated[str, AfterValidator(_known)], ...],
    BeforeValidator(_listed, json_schema_input_type=str | tuple[str, ...]),
]
Compared = Annotated[str | None, BeforeValidator(_comparison)]
HourNames = Annotated[
    tuple[Annotated[str, AfterValidator(_hours)], ...],
    BeforeValidator(_listed, json_schema_input_type=str | tuple[str, ...]),
]
Set = Annotated["Match", BeforeValidator(_set)]


class Match(Table):
    """What a message must be for a route to run: every condition given holds, any value of each."""

    meant: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(("sender", "caller", "number", "phone", "phonenumber"), "from"),
        **dict.fromkeys(("subject", "body", "message", "words"), "text"),
        **dict.fromkeys(("day", "days", "time", "date", "creationtime"), "hours"),
        "recipient": "to",
        "mailbox": "extension",
        "or": "any",
        "status": "messageStatus",
    }

    type: Values = ()
    """Fax, SMS, MMS, VoiceMail, Pager or Text; SMS also holds for an MMS."""
    direction: Values = ()
    """Inbound or Outbound."""
    from_: Values = Field(default=(), alias="from")
    """The sender's phone number, extension number or name; @NAME for a list of contacts."""
    to: Values = ()
    """A recipient's phone number, extension number or name; @NAME for a list of contacts."""
    extension: Values = ()
    """The id, number or name of the extension whose mailbox holds the message."""
    owner: Values = ()
    """The id or name of the extension that a shared message belongs to."""
    conversation: Values = ()
    """The id of the conversation."""
    text: Values = ()
    """The text of an SMS or pager message: words, wildcards, or a /regular expression/."""
    transcription: Values = ()
    """The text of a voicemail's transcription."""
    vm_transcription_status: Values = Field(default=(), alias="vmTranscriptionStatus")
    """How far the transcription of a voicemail is."""
    attachment: StrictBool | None = None
    """Whether there is a file: a fax, a recording, a picture."""
    content_type: Values = Field(default=(), alias="contentType")
    """The type of a file, such as application/pdf."""
    pages: Compared = None
    """The pages of a fax that is rendered, such as ">= 10"."""
    duration: Compared = None
    """The length of a voicemail, such as "> 30s"."""
    read_status: Values = Field(default=(), alias="readStatus")
    """Read or Unread."""
    message_status: Values = Field(default=(), alias="messageStatus")
    """Whether it was sent, delivered or received."""
    priority: Values = ()
    """Normal or High."""
    fax_resolution: Values = Field(default=(), alias="faxResolution")
    """High or Low."""
    hours: HourNames = ()
    """The hours, by their names, in which the message came."""
    not_: Set | None = Field(default=None, alias="not")
    """Conditions that must not all hold."""
    any: Annotated[tuple[Set, ...], BeforeValidator(_sets)] = ()
    """Sets of conditions, one of which must hold."""
    _written: tuple[Written, ...] = PrivateAttr(default=())
    _conditions: tuple[Condition, ...] = PrivateAttr(default=())

    @model_validator(mode="wrap")
    @classmethod
    def _compile_now(
        cls, value: object, handler: ModelWrapValidatorHandler[Self], info: Info
    ) -> Self:
        """While the file is read, rather than under the first message."""
        match = handler(value)
        if isinstance(value, Mapping):
            match._written = tuple(
                Written(key, _one(written), match._compiled(key, _named(info)))
                for key, written in value.items()
            )
            match._conditions = in_order(one.condition for one in match._written)
        return match

    @property
    def written(self) -> tuple[Written, ...]:
        """The conditions as they stand in the file."""
        return self._written

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """The conditions, those that are quickly answered first."""
        return self._conditions

    def _compiled(self, key: str, named: Named) -> Condition:
        if key == "attachment":
            return HasFile(bool(self.attachment))
        if key == "hours":
            return WithinHours(self.hours, named.hours)
        if key == "not" and self.not_ is not None:
            return NoneOf(self.not_, self.not_.conditions)
        if key == "any":
            return AnyOf(self.any, tuple(match.conditions for match in self.any))
        value = getattr(self, _ATTRIBUTES[key])
        if key in MEASURES:
            return Comparison.of_text(key, value)
        return OneOf.of(key, FACTS[key], value, named.contacts)


_ATTRIBUTES = {field.alias or name: name for name, field in Match.model_fields.items()}


class NoneOf(NamedTuple):
    """`not`: holds unless all conditions of the set hold."""

    match: Match
    conditions: tuple[Condition, ...]

    @property
    def cost(self) -> int:
        """That of its conditions."""
        return 2 + _cost(self.conditions)

    def holds(self, facts: Facts) -> bool:
        """Whether the set does not hold."""
        return not all_hold(self.conditions, facts)

    def had(self, _: Facts) -> str:
        """Nothing of its own."""
        return ""


class AnyOf(NamedTuple):
    """`any`: holds if one of the sets holds."""

    matches: tuple[Match, ...]
    sets: tuple[tuple[Condition, ...], ...]

    @property
    def cost(self) -> int:
        """That of all its conditions."""
        return 2 + sum(map(_cost, self.sets))

    def holds(self, facts: Facts) -> bool:
        """Whether one of the sets holds."""
        for conditions in self.sets:  # noqa: SIM110  # as in all_hold
            if all_hold(conditions, facts):
                return True
        return False

    def had(self, _: Facts) -> str:
        """Nothing of its own."""
        return ""


def being(key: str, *values: str) -> Written:
    """The condition that a key is any of these values."""
    written = values[0] if len(values) == 1 else list(values)
    return Written(key, written, OneOf.of(key, FACTS[key], values, {}))


def all_hold(conditions: Iterable[Condition], facts: Facts) -> bool:
    """Whether every condition holds; none at all holds for every message."""
    for condition in conditions:  # noqa: SIM110  # the loop costs half of all() with a generator
        if not condition.holds(facts):
            return False
    return True


def in_order(conditions: Iterable[Condition]) -> tuple[Condition, ...]:
    """The conditions, the cheapest first."""
    return tuple(sorted(conditions, key=lambda condition: condition.cost))


def _cost(conditions: Iterable[Condition]) -> int:
    return sum(condition.cost for condition in conditions)
