"""Texts of others made harmless for a terminal: they may come from whoever knows our number."""

import re

# Control characters (an escape sequence begins with one), halves of a surrogate pair (they cannot
# be written), and what turns the direction of the text after it. Line ends stay.
_UNSAFE = re.compile(
    r"[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff"
    r"\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]"
)


def plain(text: str) -> str:
    """The text without what would act on the terminal instead of being read; a tab is a space."""
    return _UNSAFE.sub("", text.replace("\t", " "))


def in_line(text: str) -> str:
    """The text as one line, whatever is in it: a file's name may have a line end."""
    return plain(text.replace("\n", "\\n"))


def escaped(json: str) -> str:
    """A JSON document in which such characters are written as escapes: it says the same."""
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", json)
