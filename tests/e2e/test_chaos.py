"""The short form of `make chaos`."""

import sys

from tests.chaos.storm import Wish, storm


def say(words: str) -> None:
    sys.stdout.write(f"{words}\n")


async def test_every_promise_is_kept() -> None:
    """Six processes are killed while 120 messages come in; each arrives, and once.

    The mail server does not fail here: a step that did is tried again after half a minute.
    """
    wish = Wish(seed=3, messages=120, mailboxes=6, kills=6, sending=8, mail_fails_every=0)

    reckoning = await storm(wish, say)

    for line in reckoning.lines():
        say(line)
    assert list(reckoning.broken()) == []
    assert len(reckoning.outages) >= 6
