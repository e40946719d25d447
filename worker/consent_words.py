"""Words by which somebody ends or takes up being texted, as US carriers and law say. Pure.

Sources: CTIA's Messaging Principles and Best Practices; 47 CFR 64.1200(a)(10), since April 2025.

The whole message is the word, whatever its case and punctuation.
"""

from message_store.message import Message

STOP = frozenset({"stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout"})
START = frozenset({"start", "unstop"})


def consent_of(message: Message) -> bool | None:
    """False if an inbound text says STOP or the like, True if START, None if neither."""
    if message.direction != "Inbound" or message.type != "SMS":
        return None
    word = "".join(letter for letter in message.text[:40] if letter.isalnum()).casefold()
    if word in STOP:
        return False
    return True if word in START else None
