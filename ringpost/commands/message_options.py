"""The options of `ringpost messages` that several of its commands share."""

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from functools import wraps
from inspect import Signature, signature
from typing import Annotated, Any, TypeVar

import typer

from ringpost.message_filters import Filters
from ringpost.periods import given_moment

_MOST_DIGITS = 20


class Type(StrEnum):
    """Message types as RingCentral spells them; it calls an MMS an SMS as well."""

    SMS = "SMS"
    MMS = "MMS"
    FAX = "Fax"
    VOICEMAIL = "VoiceMail"
    PAGER = "Pager"


class Direction(StrEnum):
    """Directions as RingCentral spells them."""

    INBOUND = "Inbound"
    OUTBOUND = "Outbound"


class ReadStatus(StrEnum):
    """Read statuses as RingCentral spells them."""

    READ = "Read"
    UNREAD = "Unread"


class Availability(StrEnum):
    """What a message can be, as RingCentral spells it; one that is purged is gone for good."""

    ALIVE = "Alive"
    DELETED = "Deleted"
    PURGED = "Purged"


Word = TypeVar("Word", bound=StrEnum)


def _one_of(words: type[Word]) -> Callable[[str], Word]:
    """Reads a word whatever its case; a wrong one is told with the right ones as they are spelled.

    Typer's own choice would show them in small letters.
    """

    def read(text: str) -> Word:
        for word in words:
            if word.value.casefold() == text.casefold():
                return word
        raise typer.BadParameter(f'"{text[:40]}" is none of {", ".join(words)}')

    return read


def _number(text: str) -> str:
    """A phone or extension number, without what people put between its digits."""
    digits = "".join(sign for sign in text if sign not in " -().")
    plain = digits.removeprefix("+")
    if not (plain.isascii() and plain.isdecimal() and len(plain) <= _MOST_DIGITS):
        raise typer.BadParameter(f'"{text[:40]}" is no number; write such as +16505550100')
    return digits


MessageIds = Annotated[
    list[str] | None, typer.Argument(metavar="[ID]...", help="Message ids.", show_default=False)
]
From = Annotated[
    str | None,
    typer.Option("--from", metavar="FILE", help="Ids from a file, one a line; - is the input."),
]
AllMatching = Annotated[
    bool, typer.Option("--all-matching", help="All that the filters find, instead of ids.")
]
Mailboxes = Annotated[
    list[str],
    typer.Option(
        "--mailbox",
        metavar="ID",
        help="~, an extension's id or number, account/extension, or all; may be repeated.",
    ),
]
Types = Annotated[
    list[Type] | None,
    typer.Option("--type", parser=_one_of(Type), metavar="|".join(Type), help="May be repeated."),
]
ByDirection = Annotated[
    Direction | None, typer.Option(parser=_one_of(Direction), metavar="|".join(Direction))
]
ByReadStatus = Annotated[
    ReadStatus | None, typer.Option(parser=_one_of(ReadStatus), metavar="|".join(ReadStatus))
]
ByAvailability = Annotated[
    Availability | None,
    typer.Option(
        parser=_one_of(Availability),
        metavar="|".join(Availability),
        help="Deleted is what can be restored.",
    ),
]
ByNumber = Annotated[
    str | None,
    typer.Option(
        "--phone-number", parser=_number, metavar="NUMBER", help="Of the sender or a recipient."
    ),
]
DateFrom = Annotated[
    datetime | None,
    typer.Option(
        parser=given_moment, metavar="TIME", help="Such as 30d or a date; default: a day ago."
    ),
]
DateTo = Annotated[
    datetime | None, typer.Option(parser=given_moment, metavar="TIME", help="Such as 2d or a date.")
]
Since = Annotated[
    datetime | None,
    typer.Option(parser=given_moment, metavar="TIME", help="Such as 2h or a date; default: now."),
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


def filters(
    *,
    message_type: Types = None,
    direction: ByDirection = None,
    read_status: ByReadStatus = None,
    availability: ByAvailability = None,
    phone_number: ByNumber = None,
    date_from: DateFrom = None,
    date_to: DateTo = None,
) -> Filters:
    """The options as filters."""
    return Filters(
        message_types=tuple(kind.value for kind in message_type or ()),
        directions=(direction.value,) if direction else (),
        read_statuses=(read_status.value,) if read_status else (),
        availability=(availability.value,) if availability else (),
        phone_number=phone_number,
        date_from=date_from,
        date_to=date_to,
    )


def with_filters(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of `filters`; it gets what they say as `filters`."""
    own = [p for p in signature(command).parameters.values() if p.name != "filters"]
    options = list(signature(filters).parameters.values())

    @wraps(command)
    def run(**values: Any) -> None:
        chosen = {option.name: values.pop(option.name) for option in options}
        command(**values, filters=filters(**chosen))

    # Typer reads the options from these two.
    run.__signature__ = Signature([*own, *options])  # type: ignore[attr-defined]  # as inspect documents it
    run.__annotations__ = {one.name: one.annotation for one in [*own, *options]}
    return run
