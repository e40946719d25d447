"""One condition of a match, compiled once: any of several values, exact or with wildcards."""

import re
from collections.abc import Iterable
from typing import NamedTuple, Self

from worker.facts import Fact, Facts, folded
from worker.numbers import e164
from worker.problems import Wrong, nearest

_WILD = re.compile(r"[*?]")
_NUMBER_WITH_WILDCARDS = re.compile(r"\+[0-9 ()./*?-]+")
_PUNCTUATION = re.compile(r"[ ()./-]")


class Condition(NamedTuple):
    """Holds for a message if one of its values is one of ours."""

    key: str
    exact: frozenset[str]
    pattern: re.Pattern[str] | None

    @classmethod
    def of(cls, key: str, fact: Fact, values: Iterable[str]) -> Self:
        """The condition that `key` is any of the values as a file spells them."""
        exact: set[str] = set()
        patterns: list[str] = []
        for value in values:
            text = folded(value)
            if _WILD.search(text):
                if fact.numbers and _NUMBER_WITH_WILDCARDS.fullmatch(text):
                    text = _PUNCTUATION.sub("", text)
                patterns.append(_regex(text))
            elif fact.contained:
                patterns.append(_regex(f"*{text}*"))
            else:
                exact.add(text)
                if fact.numbers and (number := e164(value)):
                    exact.add(number)
        return cls(key, frozenset(exact), re.compile("|".join(patterns)) if patterns else None)

    def holds(self, facts: Facts) -> bool:
        """Whether any of the message's values fits."""
        values = facts[self.key]
        if not self.exact.isdisjoint(values):
            return True
        pattern = self.pattern
        return pattern is not None and any(map(pattern.fullmatch, values))


def check_value(value: str, fact: Fact) -> None:
    """Raise Wrong for a value that no message can have; one with wildcards always passes."""
    if not value.strip():
        raise Wrong("is empty; write a value, or leave the condition out")
    if not fact.known or _WILD.search(value):
        return
    if value.strip().casefold() not in {known.casefold() for known in fact.known}:
        right = nearest(value, fact.known)
        others = f"one of {', '.join(fact.known)} is expected"
        raise Wrong(
            f'is not known; did you mean "{right}"?' if right else f"is not known; {others}"
        )


def _regex(text: str) -> str:
    """A regular expression for the whole of a value: `*` is any text, `?` any one character.

    All but the last `*` are atomic: the first place where the next part fits is as good as any
    other, and a hostile text cannot make the search long.
    """
    first, *rest = (
        "".join("." if c == "?" else re.escape(c) for c in part) for part in text.split("*")
    )
    if not rest:
        return first
    *middle, last = rest
    return first + "".join(f"(?>.*?{part})" for part in middle) + f".*{last}"
