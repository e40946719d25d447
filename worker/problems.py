"""What is wrong with a configuration, said in one line each: the thing, the value, the remedy."""

import json
import re
from collections.abc import Iterable, Mapping
from datetime import date, time
from difflib import get_close_matches

_SHOWN = 80  # characters of a value that a line repeats
# what we write ourselves as an example is no secret
_EXAMPLE = r"user:password@[^\s\"@]*(?:[\s\"]|$)"
_USER_IN_ADDRESS = re.compile(rf"//(?!{_EXAMPLE})[^\s\"]*@")
_WHOLE_USER = re.compile(r"//.*@", re.DOTALL)


class ConfigurationError(Exception):
    """All problems found, each one line; `str()` is those lines."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(one_line(problem) for problem in problems)
        super().__init__("\n".join(self.problems))


class Wrong(ValueError):  # noqa: N818  # read aloud: the value is wrong because ...
    """Why a value is wrong, as the rest of a sentence that begins with the value as written.

    `detail` goes on with it and may repeat parts of the value: it is left out where that came from
    the environment.
    """

    def __init__(self, words: str, detail: str = "") -> None:
        super().__init__(words)
        self.detail = detail


def check_printable(text: str) -> None:
    r"""Raise Wrong for a control character: TOML makes one of `\b` in double quotes."""
    if any(ord(letter) < 32 and not letter.isspace() for letter in text):
        raise Wrong("has a control character where \\ was meant; write it in 'single quotes'")


def one_line(text: str) -> str:
    """The text with every run of white space, line ends included, as one space."""
    return " ".join(text.split())


def quoted(text: str) -> str:
    """The text in double quotes on one line, shortened, without the password of an address."""
    text = text if len(text) <= _SHOWN else text[:_SHOWN] + "..."
    return without_password(json.dumps(text, ensure_ascii=False))


def without_password(text: str) -> str:
    """The text with the user and password of an address in it taken out."""
    return _USER_IN_ADDRESS.sub("//***@", text)


def address(text: str) -> str:
    """An address to show, in double quotes: without user, password and query, any may be secret."""
    return quoted(re.split(r"[?#]", _WHOLE_USER.sub("//***@", text), maxsplit=1)[0])


def in_words(value: object) -> str:
    """What a value of a TOML file is, in plain words: "a number", "a list"."""
    match value:
        case str():
            return "text"
        case bool():
            return "true" if value else "false"
        case int() | float():
            return "a number"
        case list() | tuple():
            return "a list"
        case Mapping():
            return "a table"
        case date() | time():
            return "a date"
        case _:
            return f"a value of type {type(value).__name__}"


def nearest(word: str, known: Iterable[str], cutoff: float = 0.5) -> str | None:
    """The known word that was most likely meant, in its right spelling; None if none is near."""
    spellings = {right.casefold(): right for right in known}
    found = get_close_matches(word.casefold(), spellings, n=1, cutoff=cutoff)
    return spellings[found[0]] if found else None


def remedy(word: str, known: Iterable[str]) -> str:
    """Which word to write instead: the nearest, else all that are known."""
    known = list(known)
    right = nearest(word, known)
    if right is not None:
        return f"did you mean {quoted(right)}?"
    return f"known are {', '.join(known)}" if known else "leave it out"
