"""Conditions on what can be counted: the pages of a fax, the length of a voicemail, files."""

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, NamedTuple, Self

from message_store.message import Message
from worker.durations import parse_duration
from worker.facts import Facts, pages, seconds
from worker.problems import Wrong, in_words

_WRITTEN = re.compile(r"\s*(<=|>=|<|>|=)\s*(.*?)\s*")
_WHOLE = re.compile(r"[0-9]{1,9}")
_OPERATORS = {
    "<": operator.lt,
    "<=": operator.le,
    "=": operator.eq,
    ">=": operator.ge,
    ">": operator.gt,
}


class Measure(NamedTuple):
    """One key of `match` that is compared with a number."""

    of: Callable[[Message], int | None]
    read: Callable[[str], int]
    example: str


def _count(text: str) -> int:
    if not _WHOLE.fullmatch(text):
        raise Wrong('is no comparison; write such as ">= 10"')
    return int(text)


def _length(text: str) -> int:
    if text == "0s":
        return 0
    try:
        return int(parse_duration(text).total_seconds())
    except Wrong:
        raise Wrong('is no comparison; write such as "> 30s" or "<= 2m"') from None


MEASURES = {
    "pages": Measure(pages, _count, ">= 10"),
    "duration": Measure(seconds, _length, "> 30s"),
}


@dataclass(frozen=True, slots=True)
class Comparison:
    """Holds for a message that has the number, if it compares so with ours."""

    key: str
    of: Callable[[Message], int | None]
    compare: Callable[[int, int], bool]
    number: int

    cost: ClassVar[int] = 2

    @classmethod
    def of_text(cls, key: str, value: object) -> Self:
        """Read such as `>= 10`; raises Wrong."""
        measure = MEASURES[key]
        if not isinstance(value, str):
            raise Wrong(f'must be a comparison such as "{measure.example}", not {in_words(value)}')
        found = _WRITTEN.fullmatch(value)
        if not found:
            raise Wrong(f'is no comparison; write such as "{measure.example}"')
        return cls(key, measure.of, _OPERATORS[found[1]], measure.read(found[2]))

    def holds(self, facts: Facts) -> bool:
        """Whether the message has the number and it compares so."""
        number = self.of(facts.message)
        return number is not None and self.compare(number, self.number)

    def had(self, facts: Facts) -> str:
        """The message's number."""
        number = self.of(facts.message)
        return "" if number is None else str(number)


@dataclass(frozen=True, slots=True)
class HasFile:
    """Holds for a message that has a file, or for one that has none."""

    wanted: bool

    cost: ClassVar[int] = 3

    def holds(self, facts: Facts) -> bool:
        """Whether the message has a file, as wanted."""
        return bool(facts.message.files) is self.wanted

    def had(self, facts: Facts) -> str:
        """How many files the message has."""
        count = len(facts.message.files)
        return f"{count} file{'s' * (count != 1)}" if count else ""
