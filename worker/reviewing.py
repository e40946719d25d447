"""Looks a configuration over for what is allowed but cannot be meant. Pure."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from worker.configuration import Configuration
from worker.document import Document
from worker.doubts import doubts, unnamed
from worker.happenings import DELIVERED, FAILED, READ, SENT, TRANSCRIBED
from worker.implying import Reasoning
from worker.matches import AnyOf, NoneOf, Written, being
from worker.problems import quoted
from worker.routes import STOP, Route
from worker.tables import Path


class Remark(NamedTuple):
    """Something in a configuration, and why it has no effect; `is_sure` if that is a mistake."""

    path: Path
    words: str
    is_sure: bool = False


# A match sees the message as it is when this has happened to it.
_AFTER = {
    READ: (being("readStatus", "Read"), being("direction", "Inbound")),
    SENT: (being("messageStatus", "Sent", "Delivered"),),
    DELIVERED: (being("messageStatus", "Delivered"),),
    FAILED: (being("messageStatus", "DeliveryFailed", "SendingFailed"),),
    TRANSCRIBED: (
        being("type", "VoiceMail"),
        being("vmTranscriptionStatus", "Completed", "CompletedPartially"),
    ),
}


def remarks(configuration: Configuration) -> Iterator[Remark]:
    """Routes that can never match or are never reached, and tables that no route names."""
    owner = configuration.sync.owner
    for index, route in enumerate(configuration.routes):
        if why := _never(route):
            words = f"can never match: {why}; mend its conditions, or remove it"
            yield Remark(("routes", index), words, is_sure=True)
        elif hiding := _hidden_by(route, configuration.routes[:index]):
            names = " and ".join(quoted(name) for name in hiding)
            ends = "ends" if len(hiding) == 1 else "end"
            words = f'is never reached: {names} {ends} the search for all its messages ("stop")'
            yield Remark(("routes", index), f"{words}; put it before, or remove it")
        else:
            yield from (Remark(("routes", index), words) for words in doubts(route, owner))
    steps = {step for route in configuration.routes for step in route.steps}
    used = steps | _models(configuration.document)
    for name in configuration.handlers:
        if name not in used:
            words = "is in the steps of no route; put it into one, or remove it"
            yield Remark(("handlers", name), words)
    yield from (Remark(*one) for one in unnamed(configuration))


def _never(route: Route) -> str | None:
    """Why it matches no message on any of the occasions that it is for."""
    if reason := Reasoning().conflict(_own_terms(route)):
        return reason
    reasons = [Reasoning().conflict(_terms(route, word)) for word in route.on]
    return f'on = "{route.on[0]}": {reasons[0]}' if all(reasons) else None


def _hidden_by(route: Route, before: tuple[Route, ...]) -> list[str]:
    """Earlier routes that together end the search for all its messages, if they do."""
    hiding: dict[str, None] = {}
    for word in route.on:
        terms = _terms(route, word)
        first = next((one for one in before if _ends_search(one, terms, word)), None)
        if first is None:
            return []
        hiding[first.name] = None
    return list(hiding)


def _ends_search(route: Route, terms: list[Written], word: str) -> bool:
    if route.then != STOP or word not in route.on:
        return False
    reasoning = Reasoning()
    # those without others inside are quickly seen not to hold
    own = sorted(_own_terms(route), key=lambda one: isinstance(one.condition, AnyOf | NoneOf))
    return all(reasoning.implied(terms, one) for one in own)


def _terms(route: Route, word: str) -> list[Written]:
    return [*_own_terms(route), *_AFTER.get(word, ())]


def _own_terms(route: Route) -> list[Written]:
    expression = route.expression
    asked = [] if expression is None else [Written("if", expression.text, expression)]
    return [*route.match.written, *asked]


def _models(document: Document) -> set[str]:
    """The handlers that others are like."""
    tables = document.values.get("handlers", {})
    return {
        table["like"] for table in tables.values() if isinstance(table, Mapping) and "like" in table
    }
