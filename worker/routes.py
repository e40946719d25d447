"""Routes: which steps become of a message when something happens to it.

Pure, and compiled once when the file is read.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, Field, PrivateAttr

from message_store.mailbox import Mailbox
from message_store.message import Message
from worker.conditions import Condition, OneOf
from worker.durations import Duration
from worker.expressions import Expression
from worker.facts import Facts, Known
from worker.happenings import CREATED, WORDS
from worker.matches import AnyOf, Match, NoneOf, check_depth, in_order
from worker.problems import Wrong, in_words, quoted, remedy
from worker.tables import Table

STOP = "stop"
IN_PROGRESS = "InProgress"
"""The `vmTranscriptionStatus` of a voicemail whose transcription is still to come."""

_SORTED_BY = ("type", "direction")  # what routes are sorted by beforehand
_WITHOUT_RECORD = {"extension", "hours"}
_MOST_KINDS = 200
_COMES_IN = {"received", "arrived", "new", "incoming"}  # other words for created


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
    check_depth(value)
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
    if "," in word:
        several = ", ".join(quoted(one.strip()) for one in word.split(","))
        raise Wrong("is not known", f"; for any of several write a list: [{several}]")
    if word not in WORDS:
        right = CREATED if word in _COMES_IN else word
        raise Wrong(f"is not known; {remedy(right, WORDS)}")
    return word


def _expression(value: str) -> str:
    Expression(value)
    return value


Word = Annotated[str, AfterValidator(_word)]


class Wait(Table):
    """`wait`: for what, and how long after the message came, its steps wait."""

    transcript: Duration | None = None
    """So long after a voicemail came its steps wait for the transcription."""


class Route(Table):
    """One `[[routes]]` table; its name is part of the identity of its deliveries.

    `then` is "stop" if no later route is looked at for a message that this one is for; `once_per`
    is the time in which its steps run once for each sender.
    """

    meant: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(("handler", "handlers", "step", "action", "actions", "to"), "steps"),
        "stop": "then",
        "conditions": "match",
        "when": "match",
    }

    name: Annotated[str, AfterValidator(_name), Field(examples=["Faxes reach the office"])]
    """Its name, which is part of the identity of what is under way."""
    on: Annotated[
        tuple[Word, ...], BeforeValidator(_words, json_schema_input_type=str | tuple[str, ...])
    ] = (CREATED,)
    """What happened to a message: created, transcribed, sent, delivered, failed, read, deleted."""
    match: Annotated[Match, BeforeValidator(_table)] = Match()
    """Conditions that all must hold; none for every message."""
    if_: Annotated[str, AfterValidator(_expression)] | None = Field(default=None, alias="if")
    """A condition in the Common Expression Language."""
    steps: Annotated[tuple[str, ...], BeforeValidator(_steps), Field(examples=[["vault"]])]
    """Handlers in order: names of [handlers.NAME] tables, or built-ins without options."""
    once_per: Duration | None = None
    """Its steps run once for each sender in this time."""
    wait: Wait = Wait()
    """What its steps wait for."""
    then: Literal["go on", "stop"] = "go on"
    """"stop": no later route is looked at for a message that this one is for."""
    _expression: Expression | None = PrivateAttr(default=None)
    _conditions: tuple[Condition, ...] = PrivateAttr(default=())

    def model_post_init(self, _: object) -> None:
        """Compile now, while the file is read, rather than under the first message."""
        self._expression = Expression(self.if_) if self.if_ is not None else None
        expression = [] if self._expression is None else [self._expression]
        self._conditions = in_order([*self.match.conditions, *expression])

    @property
    def expression(self) -> Expression | None:
        """The expression of `if`, compiled."""
        return self._expression

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """All its conditions, those that are quickly answered first."""
        return self._conditions

    def can_tell(self, facts: Facts) -> bool:
        """Whether its conditions can be answered; a `not` of what nobody knows proves nothing."""
        if facts.is_of_record:
            return True
        return self.if_ is None and _WITHOUT_RECORD.issuperset(_keys(self.match))

    def waits(self, message: Message, now: datetime) -> timedelta | None:
        """How much longer its steps wait for what will be known of the message; None: no longer."""
        longest = self.wait.transcript
        if longest is None or message.vm_transcription_status != IN_PROGRESS:
            return None
        left = longest - max(now - message.created, timedelta())
        return left if left > timedelta() else None


Candidate = tuple[Route, tuple[Condition, ...]]
"""A route with those of its conditions that are still to be asked."""


class RouteSearch:
    """Finds the routes that run for messages; made once for a configuration.

    Most routes are for some types or one direction only: which are in question for such a message
    on what happened to it is worked out once.
    """

    def __init__(self, routes: Iterable[Route]) -> None:
        self.routes = tuple(routes)
        self._in_question: dict[tuple[object, ...], tuple[Candidate, ...]] = {}

    def running(self, facts: Facts, on: str) -> list[Route]:
        """The routes that run when this happened to a message, in order."""
        found = []
        for route, conditions in self._candidates(facts, on):
            for condition in conditions:
                if not condition.holds(facts):
                    break
            else:
                found.append(route)
                if route.then == STOP:
                    break
        return found

    def by_word(
        self,
        message: Message,
        mailbox: Mailbox,
        happened: Collection[str],
        known: Known = Known(),  # noqa: B008  # immutable
        at: datetime | None = None,
    ) -> dict[str, list[str]]:
        """For each thing that happened to a message, the names of the routes that run for it.

        `at` is when it happened; the creation has its own time.
        """
        new = Facts(message, mailbox, known)
        changed = new if at is None else Facts(message, mailbox, known, at)
        return {
            word: [route.name for route in self.running(new if word == CREATED else changed, word)]
            for word in happened
        }

    def _candidates(self, facts: Facts, on: str) -> tuple[Candidate, ...]:
        kind = (on, facts.is_of_record, *(facts[key] for key in _SORTED_BY))
        found = self._in_question.get(kind)
        if found is None:
            if len(self._in_question) >= _MOST_KINDS:  # their names come from outside
                self._in_question.clear()
            on_it = (
                (route, _left(route.conditions, facts))
                for route in self.routes
                if on in route.on and route.can_tell(facts)
            )
            found = tuple((route, left) for route, left in on_it if left is not None)
            self._in_question[kind] = found
        return found


def _left(conditions: Iterable[Condition], facts: Facts) -> tuple[Condition, ...] | None:
    """Those that the kind of message does not decide; None if they do not hold for this kind."""
    left: list[Condition] = []
    for condition in conditions:
        if isinstance(condition, OneOf) and condition.key in _SORTED_BY:
            if not condition.holds(facts):
                return None
        elif isinstance(condition, AnyOf):
            sets = [one for some in condition.sets if (one := _left(some, facts)) is not None]
            if not sets:
                return None
            if () not in sets:
                left.append(condition._replace(sets=tuple(sets)))
        elif isinstance(condition, NoneOf):
            inner = _left(condition.conditions, facts)
            if inner == ():
                return None
            if inner is not None:
                left.append(condition._replace(conditions=inner))
        else:
            left.append(condition)
    return tuple(left)


def matching(routes: Iterable[Route], message: Message, mailbox: Mailbox) -> list[Route]:
    """The routes that run for a new message of the mailbox of which nothing else is known."""
    return RouteSearch(routes).running(Facts(message, mailbox), CREATED)


def asks_for(routes: Iterable[Route], key: str) -> bool:
    """Whether some route has a condition on this key, or an expression that may name it."""
    return any(key in _keys(route.match) or key in (route.if_ or "") for route in routes)


def _keys(match: Match) -> Iterator[str]:
    """The keys of its conditions and of those within them."""
    yield from (one.key for one in match.written if one.key not in {"any", "not"})
    for inner in (*match.any, *([match.not_] if match.not_ else ())):
        yield from _keys(inner)
