"""Text of strangers made fit for a line, a header or a page: nothing invisible, nothing endless."""

import unicodedata

MAX_TEXT = 100_000
# Marks that turn the reading direction, so that "gpj.exe" may look like "exe.jpg".
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_DROPPED = frozenset({"Cc", "Cs", "Co", "Cn"})


def clean(text: str) -> str:
    """Several lines with `\\n` ends, without control and direction characters, bounded."""
    text = text[:MAX_TEXT].replace("\r\n", "\n").replace("\r", "\n")
    return "".join(c for c in text if c in "\n\t" or _is_visible(c))


def one_line(text: str, letters: int = 200) -> str:
    """One line without control characters, at most so many letters."""
    text = " ".join("".join(c if _is_visible(c) else " " for c in text[:MAX_TEXT]).split())
    return text if len(text) <= letters else text[: letters - 1].rstrip() + "…"


def _is_visible(character: str) -> bool:
    return character not in _BIDI and unicodedata.category(character) not in _DROPPED
