"""Words for the ledger and the log, whoever wrote them."""

from .masking import masked

_LONGEST = 500


def in_brief(words: object) -> str:
    """Words on one line, at most 500 characters, without what a terminal or JSON trips over.

    Full phone numbers and tokens are masked.

    They come from handlers, and through them from destinations and senders.
    """
    text = " ".join(str(words).encode("utf-8", "replace").decode().split())
    text = masked(text)
    text = "".join(letter if letter.isprintable() else "?" for letter in text)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."
