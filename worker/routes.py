"""Routes: which steps become of a message when something happens to it.

Pure, and compiled once when the file is read.
"""

from collections.abc import Collection, Iterable
from functools import cached_property
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic import ValidationInfo as Info

from message_store.mailbox import Mailbox
from message_store.message import Message
from worker.conditions import Condition, check_value
from worker.facts import FACTS, Facts
from worker.happenings import CREATED, WORDS
from worker.problems import Wrong, in_words, remedy
from worker.tables import Table


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
    check_value(value, FACTS[key])
    return value


Values = Annotated[tuple[Annotated[str, AfterValidator(_known)], ...], BeforeValidator(_listed)]


class Match(Table):
    """What a message must be for a route to run: every condition given holds, any value of each."""

    type: Values = ()
    direction: Values = ()
    from_: Values = Field(default=(), alias="from")
    to: Values = ()
    extension: Values = ()
    owner: Values = ()
    text: Values = ()
    read_status: Values = Field(default=(), alias="readStatus")
    message_status: Values = Field(default=(), alias="messageStatus")

    @cached_property
    def conditions(self) -> tuple[Condition, ...]:
        """The conditions given, compiled."""
        given = self.model_dump(by_alias=True, exclude_unset=True)
        return tuple(Condition.of(key, FACTS[key], values) for key, values in given.items())

    def model_post_init(self, _: object) -> None:
        """Compile now, while the file is read, rather than under the first message."""
        _ = self.conditions


def _name(value: str) -> str:
    if not value.strip() or len(value) > 100 or not value.isprintable():
        raise Wrong("is no name; write up to 100 characters on one line")
    return value.strip()


def _steps(value: object) -> object:
    if not isinstance(value, list | tuple):
        raise Wrong(f"must be a list of step names, not {in_words(value)}")
    if not value:
        raise Wrong("must name at least one step")
    return value


def _table(value: object) -> object:
    if not isinstance(value, dict | Match):
        raise Wrong(f'must be conditions such as match.type = "Fax", not {in_words(value)}')
    return value


def _words(value: object) -> object:
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, list | tuple):
        raise Wrong(f'must be a list such as ["{CREATED}"], not {in_words(value)}')
    if not value:
        raise Wrong(f"must name at least one of {', '.join(WORDS)}; or leave it out")
    return value


def _word(value: str) -> str:
    word = value.strip().casefold()
    if word not in WORDS:
        raise Wrong(f"is not known; {remedy(word, WORDS)}")
    return word


class Route(Table):
    """One `[[routes]]` table; its name is part of the identity of its deliveries."""

    name: Annotated[str, AfterValidator(_name), Field(examples=["Faxes reach the office"])]
    on: Annotated[tuple[Annotated[str, AfterValidator(_word)], ...], BeforeValidator(_words)] = (
        CREATED,
    )
    match: Annotated[Match, BeforeValidator(_table)] = Match()
    steps: Annotated[tuple[str, ...], BeforeValidator(_steps), Field(examples=[["vault"]])]


def matching(routes: Iterable[Route], message: Message, mailbox: Mailbox) -> list[Route]:
    """The routes that run for a message of the mailbox, in the order given."""
    facts = Facts(message, mailbox)
    return [route for route in routes if all_hold(route.match.conditions, facts)]


def routes_by_word(
    routes: Iterable[Route], message: Message, mailbox: Mailbox, happened: Collection[str]
) -> dict[str, list[str]]:
    """For each thing that happened to a message, the names of the routes that run for it."""
    on_it = [route for route in routes if not set(happened).isdisjoint(route.on)]
    found = matching(on_it, message, mailbox) if on_it else []
    return {word: [route.name for route in found if word in route.on] for word in happened}


def all_hold(conditions: Iterable[Condition], facts: Facts) -> bool:
    """Whether every condition holds; none at all holds for every message."""
    for condition in conditions:  # noqa: SIM110  # the loop costs half of all() with a generator
        if not condition.holds(facts):
            return False
    return True
