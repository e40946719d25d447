"""Looks a configuration over for what is allowed but cannot be meant. Pure."""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from worker.conditions import OneOf
from worker.configuration import Configuration
from worker.document import Document
from worker.facts import FACTS
from worker.happenings import CREATED, DELIVERED, FAILED, READ, SENT, TRANSCRIBED
from worker.implying import Reasoning, fits
from worker.matches import Match, Written
from worker.problems import quoted, remedy
from worker.routes import STOP, Route, asks_for
from worker.tables import Path


class Remark(NamedTuple):
    """Something in a configuration, and why it has no effect; `is_sure` if that is a mistake."""

    path: Path
    words: str
    is_sure: bool = False


def _being(key: str, *values: str) -> Written:
    written = values[0] if len(values) == 1 else list(values)
    return Written(key, written, OneOf.of(key, FACTS[key], values, {}))


# A match sees the message as it is when this has happened to it.
_AFTER = {
    READ: (_being("readStatus", "Read"), _being("direction", "Inbound")),
    SENT: (_being("messageStatus", "Sent", "Delivered"),),
    DELIVERED: (_being("messageStatus", "Delivered"),),
    FAILED: (_being("messageStatus", "DeliveryFailed", "SendingFailed"),),
    TRANSCRIBED: (
        _being("type", "VoiceMail"),
        _being("vmTranscriptionStatus", "Completed", "CompletedPartially"),
    ),
}
_VOICEMAIL = _being("type", "VoiceMail")
_INBOUND = _being("direction", "Inbound")

# What is seldom so when a message is new, and what a route is to be on to hear of it.
_LATER = {
    "messageStatus": {
        "Sent": SENT,
        "Delivered": DELIVERED,
        "DeliveryFailed": FAILED,
        "SendingFailed": FAILED,
    },
    "vmTranscriptionStatus": {"Completed": TRANSCRIBED, "CompletedPartially": TRANSCRIBED},
    "readStatus": {"Read": READ},
}

# These are what they say all year round, where the clocks of the place are not.
_WITHOUT_SUMMER = {"EST": "America/New_York", "MST": "America/Denver", "GMT": "Europe/London"}

_COMPARED = re.compile(r"""\bmessage\.(\w+)\s*[=!]=\s*["']([^"']*)["']""")
_QUESTION = re.compile(r"[^*?]*\w\?")


def remarks(configuration: Configuration) -> Iterator[Remark]:
    """Routes that can never match or are never reached, and tables that no route names."""
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
            yield from (Remark(("routes", index), words) for words in _doubts(route))
        if configuration.sync.owner == "personal" and _asks_for_owner(route):
            words = (
                'asks for the owner, which only shared messages have; write [sync] owner = "any"'
            )
            yield Remark(("routes", index), words)
    steps = {step for route in configuration.routes for step in route.steps}
    used = steps | _models(configuration.document)
    for name in configuration.handlers:
        if name not in used:
            words = "is in the steps of no route; put it into one, or remove it"
            yield Remark(("handlers", name), words)
    yield from _lists(configuration)


def _doubts(route: Route) -> Iterator[str]:
    """What a route asks for that will hardly be so."""
    if CREATED in route.on and TRANSCRIBED not in route.on and asks_for([route], "transcription"):
        yield (
            "asks for the transcription when a message is new, which is before it is there; "
            'write on = "transcribed"'
        )
    yield from _too_early(route)
    if route.wait.transcript and Reasoning().conflict([*_own_terms(route), _VOICEMAIL]):
        yield "wait.transcript has no effect, as no voicemail comes to it; remove it"
    for key, value in _COMPARED.findall(route.if_ or ""):
        if key in FACTS and FACTS[key].known and value not in FACTS[key].known:
            right = remedy(value, FACTS[key].known)
            yield f"if: message.{key} is never {quoted(value)}, case counts here; {right}"
    for one in _all_written(route.match):
        for value in _texts(one):
            if FACTS[one.key].contained and _QUESTION.fullmatch(value.strip()):
                yield (
                    f"{one}: ? is any one character, and the value describes the whole text; "
                    f"write {quoted(f'*{value.strip()}*')} for one that may stand anywhere"
                )


def _asks_for_owner(route: Route) -> bool:
    keys = {one.key for one in _all_written(route.match)}
    return "owner" in keys or "message.owner" in (route.if_ or "")


def _too_early(route: Route) -> Iterator[str]:
    """Conditions of a route for new messages on what comes later."""
    for one in route.match.written if CREATED in route.on else ():
        condition, later = one.condition, _LATER.get(one.key, {})
        if not isinstance(condition, OneOf) or condition.regexes or not later:
            continue
        if one.key == "readStatus" and not Reasoning().implied(route.match.written, _INBOUND):
            continue  # what was sent from the mailbox is read from the start
        wanted = [value for value in FACTS[one.key].known if fits(condition, {value.casefold()})]
        words = list(dict.fromkeys(later.get(value, CREATED) for value in wanted))
        if words and not set(words) & set(route.on):
            on = quoted(words[0]) if len(words) == 1 else f"[{', '.join(map(quoted, words))}]"
            yield f"{one} is seldom so when a message is new; write on = {on}"


def _lists(configuration: Configuration) -> Iterator[Remark]:
    """Hours and contacts that no condition names, and hours that know no summer."""
    written = [one for route in configuration.routes for one in _all_written(route.match)]
    hours = {str(name) for one in written if one.key == "hours" for name in _values(one)}
    named = {value.strip() for one in written for value in _texts(one) if _is_party(one)}
    for name, table in configuration.hours.items():
        if name not in hours:
            words = f"no route asks for it; write match.hours = {quoted(name)}, or remove it"
            yield Remark(("hours", name), words)
        if place := _WITHOUT_SUMMER.get(table.zone):
            words = f"has no daylight saving time; if it is to have one, write {quoted(place)}"
            yield Remark(("hours", name, "zone"), f"{quoted(table.zone)} {words}")
    for name in configuration.contacts:
        if f"@{name}" not in named:
            words = f'no route asks for them; write match.from = "@{name}", or remove it'
            yield Remark(("contacts", name), words)


def _all_written(match: Match) -> Iterator[Written]:
    """All conditions, those within others too."""
    yield from (one for one in match.written if one.key not in {"not", "any"})
    for inner in (*match.any, *([match.not_] if match.not_ else ())):
        yield from _all_written(inner)


def _is_party(written: Written) -> bool:
    return written.key in FACTS and FACTS[written.key].numbers


def _texts(written: Written) -> Iterator[str]:
    """The values of a condition that is compared with texts."""
    if written.key in FACTS:
        yield from map(str, _values(written))


def _values(written: Written) -> list[object]:
    value = written.value
    return list(value) if isinstance(value, list | tuple) else [value]


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
    return all(reasoning.implied(terms, one) for one in _own_terms(route))


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
