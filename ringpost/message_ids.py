"""Message ids as a person gives them: as words, in a file, or on standard input."""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from ringpost.refusal import Refusal

STDIN = "-"
_LONGEST_ID = 20
_LONGEST_LINE = 200


def insist_on_id(text: str, where: str = "") -> str:
    """The id, if it is one; raises Refusal, which begins with `where` it stands."""
    if text.isascii() and text.isdecimal() and len(text) <= _LONGEST_ID:
        return text
    raise Refusal(
        f'{where}message id "{text[:40]}": not a number; ids stand in ringpost messages list'
    )


def gathered(words: Sequence[str], source: str | None) -> list[str]:
    """The ids of the words and of the file named `source`, each once; raises Refusal if none.

    RingCentral takes a delete without ids for one of the whole mailbox, so no ids is a mistake.
    """
    ids = [insist_on_id(word) for word in words]
    if source is not None:
        ids += _read(source)
        if not ids:
            raise Refusal(f"--from {source}: holds no message id; write one a line")
    return list(dict.fromkeys(ids))


def _read(source: str) -> list[str]:
    try:
        if source == STDIN:
            return _parsed("standard input", sys.stdin)
        with Path(source).open(encoding="utf-8-sig") as lines:
            return _parsed(source, lines)
    except OSError as error:
        raise Refusal(f"--from {source}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise Refusal(f"--from {source}: is no text; write one message id a line") from None


def _parsed(name: str, lines: Iterable[str]) -> list[str]:
    """One id a line; empty lines and what follows a `#` say nothing."""
    ids = []
    for number, line in enumerate(lines, start=1):
        text = line[:_LONGEST_LINE].partition("#")[0].strip()
        if text:
            ids.append(insist_on_id(text, f"{name}, line {number}: "))
    return ids
