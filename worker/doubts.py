"""Looks for what a configuration may say but will hardly mean, such as conditions asked too early.

Pure. What is sure is in `reviewing`.
"""

import re
from collections.abc import Iterator

from worker.conditions import OneOf, regex_in
from worker.configuration import Configuration
from worker.facts import FACTS
from worker.happenings import CREATED, DELIVERED, FAILED, READ, SENT, TRANSCRIBED
from worker.implying import Reasoning, fits
from worker.matches import Match, Written, being
from worker.problems import quoted, remedy
from worker.routes import Route, asks_for
from worker.tables import Path

_VOICEMAIL = being("type", "VoiceMail")
_INBOUND = being("direction", "Inbound")

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
_LIKE_A_REGEX = re.compile(r"\.[*+]|^\^|\w\|\w|\\[bdswBDSW]|\[\w-\w")
_BORDER = re.compile(r"\\b[^\W\x00-\x7f]|[^\W\x00-\x7f]\\b")
_QUESTION = re.compile(r"[^*?]*\w\?")


def doubts(route: Route, owner: str) -> Iterator[str]:
    """What a route asks for that will hardly be so; `owner` is whose messages there are."""
    if CREATED in route.on and TRANSCRIBED not in route.on and asks_for([route], "transcription"):
        yield (
            "asks for the transcription when a message is new, which is before it is there; "
            'write on = "transcribed"'
        )
    yield from _too_early(route)
    if owner == "personal" and _asks_for_owner(route):
        yield 'asks for the owner, which only shared messages have; write [sync] owner = "any"'
    if route.wait.transcript and Reasoning().conflict([*route.match.written, _VOICEMAIL]):
        yield "wait.transcript has no effect, as no voicemail comes to it; remove it"
    for key, value in _COMPARED.findall(route.if_ or ""):
        if key in FACTS and FACTS[key].known and value not in FACTS[key].known:
            right = remedy(value, FACTS[key].known)
            yield f"if: message.{key} is never {quoted(value)}, case counts here; {right}"
    for one in _all_written(route.match):
        for value in _texts(one):
            if (regex := regex_in(value)) and _BORDER.search(regex):
                yield f"{one}: \\b knows ASCII letters only; leave it out beside others"
            elif not regex and _LIKE_A_REGEX.search(value):
                yield f"{one}: a regular expression is written between slashes, '/.../'"
            elif FACTS[one.key].contained and _QUESTION.fullmatch(value.strip()):
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


def unnamed(configuration: Configuration) -> Iterator[tuple[Path, str]]:
    """Hours and contacts that no condition names, and hours that know no summer."""
    written = [one for route in configuration.routes for one in _all_written(route.match)]
    hours = {str(name) for one in written if one.key == "hours" for name in _values(one)}
    named = {value.strip() for one in written for value in _texts(one) if _is_party(one)}
    for name, table in configuration.hours.items():
        if name not in hours:
            words = f"no route asks for it; write match.hours = {quoted(name)}, or remove it"
            yield (("hours", name), words)
        if place := _WITHOUT_SUMMER.get(table.zone):
            words = f"has no daylight saving time; if it is to have one, write {quoted(place)}"
            yield (("hours", name, "zone"), f"{quoted(table.zone)} {words}")
    for name in configuration.contacts:
        if f"@{name}" not in named:
            words = f'no route asks for them; write match.from = "@{name}", or remove it'
            yield (("contacts", name), words)


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
