"""Conditions on the texts of a message, compiled once: any of several values, exact or patterns."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, Protocol, Self

import re2

from worker.facts import Fact, Facts, folded
from worker.numbers import check_extension, check_number, check_pattern, e164
from worker.problems import Wrong, check_printable, nearest, quoted

_WILD = re.compile(r"[*?]")
_NUMBER_WITH_WILDCARDS = re.compile(r"\+[0-9 ()./*?-]+")
_PUNCTUATION = re.compile(r"[ ()./-]")
_LONGEST_REGEX = 1000
_WITH_FLAGS = re.compile(r"/.+/[gimsuxy]{1,3}")
_CONTENT_TYPE = re.compile(r"[^/;\s]+/[^/;\s]+")

Contacts = Mapping[str, frozenset[str]]
"""The lists of contacts by name: folded numbers, and names of those without one."""


class Condition(Protocol):
    """Something that holds for a message or not; the cheapest is asked first."""

    @property
    def cost(self) -> int:
        """Roughly how long it takes, in quarters of a microsecond."""
        ...

    def holds(self, facts: Facts) -> bool:
        """Whether it holds for the message."""
        ...

    def had(self, facts: Facts) -> str:
        """What the message has that this is compared with, for people; empty for nothing."""
        ...


class OneOf(NamedTuple):
    """Holds for a message if one of its values for `key` is one of ours."""

    key: str
    exact: frozenset[str]
    wild: re.Pattern[str] | None = None
    regexes: tuple[Any, ...] = ()  # re2 has no types

    @classmethod
    def of(cls, key: str, fact: Fact, values: Iterable[str], contacts: Contacts) -> Self:
        """The condition that `key` is any of the values as a file spells them."""
        exact: set[str] = set()
        wild: list[str] = []
        regexes: list[Any] = []
        for value in values:
            text = folded(value)
            if regex := regex_in(value):
                regexes.append(_compiled(regex))
            elif fact.numbers and text.startswith("@"):
                exact |= contacts[value.strip()[1:]]
            elif _WILD.search(text):
                if fact.numbers and _NUMBER_WITH_WILDCARDS.fullmatch(text):
                    text = _PUNCTUATION.sub("", text)
                wild.append(pattern_of(text))
            elif fact.contained:
                wild.append(pattern_of(f"*{text}*"))
            else:
                exact.add(text)
                if fact.numbers and (number := e164(value)):
                    exact.add(number)
        return cls(
            key,
            frozenset(exact),
            re.compile("|".join(wild)) if wild else None,
            tuple(regexes),
        )

    @property
    def cost(self) -> int:
        """Comparing is cheap, a search is not."""
        return 1 + 3 * (self.wild is not None) + 10 * len(self.regexes)

    def holds(self, facts: Facts) -> bool:
        """Whether any of the message's values fits."""
        values = facts[self.key]
        if not self.exact.isdisjoint(values):
            return True
        wild = self.wild
        if wild is not None:
            for value in values:
                if wild.fullmatch(value):
                    return True
        for regex in self.regexes:  # noqa: SIM110  # a generator would cost more than the search
            # bytes, because finding the place in a text costs more as well
            if any(map(regex.search, facts.encoded(self.key))):
                return True
        return False

    def had(self, facts: Facts) -> str:
        """The message's values."""
        return ", ".join(facts.plain(self.key))


def check_value(value: str, fact: Fact, contacts: Contacts) -> None:
    """Raise Wrong for a value that no message can have."""
    text = value.strip()
    if not text:
        raise Wrong("is empty; write a value, or leave the condition out")
    check_printable(value)
    if _WITH_FLAGS.fullmatch(text):
        raise Wrong("has letters after the last /; end with it, case is ignored anyway")
    if regex := regex_in(value):
        _check_regex(regex)
    elif fact.numbers and text.startswith("@"):
        _check_contacts(text[1:], contacts)
    elif _WILD.search(value):
        if fact.numbers:
            check_pattern(text)
    elif fact.numbers:
        check_number(text)
    elif fact.known:
        _check_known(value, fact.known)
    elif fact.extension:
        check_extension(text)
    elif fact.content_type and not _CONTENT_TYPE.fullmatch(text):
        raise Wrong('is no content type; write such as "application/pdf" or "image/*"')


def regex_in(value: str) -> str | None:
    """The regular expression in a value that is written `/regex/`."""
    text = value.strip()
    return text[1:-1] if len(text) > 2 and text[0] == text[-1] == "/" else None


def _check_regex(regex: str) -> None:
    if len(regex) > _LONGEST_REGEX:
        raise Wrong(f"is too long; a regular expression has {_LONGEST_REGEX} characters at most")
    try:
        _compiled(regex)
    except re2.error as error:
        said = error.args[0].decode() if isinstance(error.args[0], bytes) else str(error)
        raise Wrong("is no regular expression of RE2", f": {said}") from None


def _check_contacts(name: str, contacts: Contacts) -> None:
    if name in contacts:
        return
    right = nearest(name, contacts)
    meant = f'did you mean "@{right}"?' if right else "write a table [contacts.NAME]"
    raise Wrong(f"names no contacts; {meant}")


def _check_known(value: str, known: tuple[str, ...]) -> None:
    if value.strip().casefold() in {one.casefold() for one in known}:
        return
    if "," in value:
        several = ", ".join(quoted(one.strip()) for one in value.split(","))
        raise Wrong("is not known", f"; for any of several write a list: [{several}]")
    right = nearest(value, known)
    others = f"one of {', '.join(known)} is expected"
    raise Wrong(f'is not known; did you mean "{right}"?' if right else f"is not known; {others}")


def _compiled(regex: str) -> Any:
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    return re2.compile(regex, options)


def pattern_of(text: str) -> str:
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
