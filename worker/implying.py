"""What can be said of conditions without any message: that some exclude or imply others. Pure.

Sound, not complete: what is said holds for every message, and much that holds is not found.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import combinations

from worker.comparisons import Comparison, HasFile
from worker.conditions import OneOf, pattern_of, regex_in
from worker.expressions import Expression
from worker.facts import FACTS, folded
from worker.hours import WithinHours
from worker.matches import AnyOf, NoneOf, Written

Terms = Sequence[Written]
"""Conditions that all hold."""

# A message has several values at most of what is not here.
_ONE_VALUE = frozenset(
    ("direction", "conversation", "text", "transcription", "vmTranscriptionStatus", "readStatus")
) | {"messageStatus", "priority", "faxResolution"}
_TEXTS = frozenset({"sms", "mms", "pager", "text"})
_TYPES = {
    "pages": frozenset({"fax"}),
    "faxResolution": frozenset({"fax"}),
    "duration": frozenset({"voicemail"}),
    "vmTranscriptionStatus": frozenset({"voicemail"}),
    "transcription": frozenset({"voicemail"}),
    "text": _TEXTS,
}
"""The types of messages that may have a value."""

_SEVERAL_TYPES = {"mms": ({"sms", "mms"},), "sms": ({"sms"}, {"sms", "mms"})}
_LEAST = {"pages": 1, "duration": 0}
_ENDLESS = 10**12
_MOST_STEPS = 20_000
_WILD = re.compile(r"[*?]")


class Reasoning:
    """Compares conditions; after very many comparisons it says no more."""

    def __init__(self) -> None:
        self._steps = 0

    def conflict(self, terms: Terms) -> str | None:
        """Why no message can have all of these, None if nothing is known of that."""
        for one in terms:
            if isinstance(one.condition, Comparison) and _is_empty(_bounds(one.condition)):
                return f"{one} holds for nothing"
        for one, other in combinations(terms, 2):
            if self._exclude(one, other) or self._exclude(other, one):
                return f"{one} and {other} exclude each other"
        for one, rest in _each(terms):
            if isinstance(one.condition, NoneOf):
                inner = one.condition.match.written
                if all(self.implied(rest, term) for term in inner):
                    return f"{one} takes all that the other conditions leave"
            if isinstance(one.condition, AnyOf) and all(
                self.conflict([*rest, *match.written]) for match in one.condition.matches
            ):
                return "no set of match.any can hold beside the other conditions"
        return None

    def implied(self, terms: Terms, goal: Written) -> bool:
        """Whether each message that has all of the terms has the goal, as far as is known."""
        if any(self._gives(term, goal) for term in terms):
            return True
        if isinstance(goal.condition, NoneOf):
            return self.conflict([*terms, *goal.condition.match.written]) is not None
        if isinstance(goal.condition, AnyOf) and any(
            all(self.implied(terms, inner) for inner in match.written)
            for match in goal.condition.matches
        ):
            return True
        return any(
            all(self.implied([*rest, *match.written], goal) for match in one.condition.matches)
            for one, rest in _each(terms)
            if isinstance(one.condition, AnyOf)
        )

    def _exclude(self, one: Written, other: Written) -> bool:
        if self._gives_up():
            return False
        a, b = one.condition, other.condition
        if isinstance(a, Comparison) and isinstance(b, Comparison):
            (low, high), (least, most) = _bounds(a), _bounds(b)
            return a.key == b.key and _is_empty((max(low, least), min(high, most)))
        if isinstance(a, HasFile) and not a.wanted:
            mms = isinstance(b, OneOf) and b.key == "type" and _exact(b) == {"mms"}
            return other.key == "contentType" or mms
        if not isinstance(a, OneOf):
            return False
        if a.key == "type" and other.key in _TYPES:
            return bool(_exact(a)) and _exact(a).isdisjoint(_TYPES[other.key])
        if isinstance(b, OneOf) and a.key == b.key and (a.key in _ONE_VALUE or a.key == "type"):
            kinds = [kind for value in _exact(a) for kind in _kinds(a.key, value)]
            return bool(kinds) and not b.regexes and not any(fits(b, kind) for kind in kinds)
        return False

    def _gives(self, one: Written, goal: Written) -> bool:
        if self._gives_up():
            return False
        a, b = one.condition, goal.condition
        if isinstance(a, Comparison) and isinstance(b, Comparison):
            (low, high), (least, most) = _bounds(a), _bounds(b)
            return a.key == b.key and least <= low and high <= most
        if isinstance(b, HasFile):
            same = isinstance(a, HasFile) and a.wanted == b.wanted
            mms = isinstance(a, OneOf) and a.key == "type" and _exact(a) == {"mms"}
            return same or (b.wanted and (one.key == "contentType" or mms))
        if isinstance(a, WithinHours) and isinstance(b, WithinHours):
            return set(a.names) <= set(b.names)
        if isinstance(a, Expression):
            return a == b
        if isinstance(a, OneOf) and isinstance(b, OneOf) and a.key == b.key:
            return _is_within(one, a, goal, b)
        return False

    def _gives_up(self) -> bool:
        self._steps += 1
        return self._steps > _MOST_STEPS


def _each(terms: Terms) -> Iterator[tuple[Written, list[Written]]]:
    """Each term that has others inside, with the rest."""
    for index, one in enumerate(terms):
        if isinstance(one.condition, AnyOf | NoneOf):
            yield one, [*terms[:index], *terms[index + 1 :]]


def _exact(condition: OneOf) -> frozenset[str]:
    """All values that it holds for, if it holds for no other; else none."""
    is_open = condition.wild is not None or condition.regexes
    return frozenset() if is_open else condition.exact


def _kinds(key: str, value: str) -> Sequence[set[str]]:
    """What values a message may have that has this one."""
    several = _SEVERAL_TYPES.get(value) if key == "type" else None
    return several or ({value},)


def fits(condition: OneOf, values: set[str]) -> bool:
    """Whether it holds for a message with these values; regular expressions apart."""
    wild = condition.wild
    return not condition.exact.isdisjoint(values) or (
        wild is not None and any(wild.fullmatch(value) for value in values)
    )


def _is_within(one: Written, a: OneOf, goal: Written, b: OneOf) -> bool:
    """Whether each value for which `a` holds is one for which `b` does."""
    values = _values(goal)
    if "*" in values:
        return True
    for value in a.exact:
        if not all(fits(b, kind) for kind in _kinds(a.key, value)):
            return False
    others = [value for value in _values(one) if _is_open(a.key, value)]
    return all(
        value in values or any(_is_part(a.key, value, other) for other in values)
        for value in others
    )


def _values(written: Written) -> list[str]:
    values = written.value if isinstance(written.value, list | tuple) else [written.value]
    return [str(value).strip() for value in values]


def _is_open(key: str, value: str) -> bool:
    """Whether a value stands for more than itself."""
    fact = FACTS[key]
    if fact.numbers and value.startswith("@"):
        return False  # its people are among the exact ones
    return bool(regex_in(value) or _WILD.search(value) or fact.contained)


def _is_part(key: str, value: str, other: str) -> bool:
    """Whether all that the pattern `value` describes is described by `other`."""
    if regex_in(value) or regex_in(other) or FACTS[key].numbers:
        return False
    if FACTS[key].contained:
        value, other = (one if _WILD.search(one) else f"*{one}*" for one in (value, other))
    # one `*` must not be taken for one character
    if "?" in other and "*" in value:
        return False
    return re.fullmatch(pattern_of(folded(other)), folded(value)) is not None


def _bounds(comparison: Comparison) -> tuple[int, int]:
    """The least and the most for which it holds."""
    number, least = comparison.number, _LEAST[comparison.key]
    below, at, above = (comparison.compare(number + step, number) for step in (-1, 0, 1))
    low = least if below else number if at else number + 1
    high = _ENDLESS if above else number if at else number - 1
    return max(low, least), high


def _is_empty(bounds: tuple[int, int]) -> bool:
    return bounds[0] > bounds[1]
