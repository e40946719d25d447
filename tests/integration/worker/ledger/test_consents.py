"""Who has said STOP, and who START since; whoever looks, in whatever order messages come."""

from datetime import timedelta

import pytest

from message_store.mailbox import Mailbox
from message_store.message import Message
from worker.consent_words import consent_of
from worker.ledger import Ledger
from worker.ledger.connection import key

NUMBER = "+16505550199"


def said(text: str, minute: int, **members: object) -> Message:
    return Message.model_validate(
        {
            "id": minute,
            "type": "SMS",
            "direction": "Inbound",
            "from": {"phoneNumber": NUMBER},
            "subject": text,
            "creationTime": f"2026-11-25T12:{minute:02}:00Z",
            **members,
        }
    )


@pytest.mark.parametrize(
    ("text", "consent"),
    [
        ("STOP", False),
        (" stop! ", False),
        ("Stop all", False),
        ("StopAll", False),
        ("quit", False),
        ("End.", False),
        ("cancel", False),
        ("START", True),
        ("unstop", True),
        ("please stop by", None),
        ("stop it", None),
        ("yes", None),
        ("", None),
    ],
)
def test_words(text: str, consent: bool | None) -> None:
    """The whole message is the word, whatever its case and punctuation."""
    assert consent_of(said(text, 1)) is consent
    assert consent_of(said(text, 1, direction="Outbound")) is None


async def test_the_last_word_counts(ledger: Ledger, mailbox: Mailbox) -> None:
    """STOP holds until START, and an older word that is seen late changes nothing."""

    async def may() -> bool:
        return await ledger.notes.may_text(mailbox.account_id, NUMBER)

    assert await may()
    await ledger.consents.note(mailbox, [said("Hello", 1), said("STOP", 10)])
    assert not await may()
    await ledger.consents.note(mailbox, [said("start", 5)])
    assert not await may()
    await ledger.consents.note(mailbox, [said("UNSTOP", 20), said("stop", 10)])
    assert await may()
    await ledger.consents.note(mailbox, [said("STOP", 30)])
    await ledger.consents.note(mailbox, [said("STOP", 10)])
    assert not await may()
    assert await ledger.notes.may_text("other", NUMBER)
    members = await ledger.connection.redis.zrange(key("consents", mailbox.account_id), 0, -1)
    assert members
    assert not any("6505550199" in member for member in members)


async def test_occasions(ledger: Ledger) -> None:
    """One has it, and may take it again; another may not."""
    day = timedelta(days=1)
    assert await ledger.notes.take("a", "me", day)
    assert await ledger.notes.take("a", "me", day)
    assert not await ledger.notes.take("a", "you", day)
    assert await ledger.notes.take("b", "you", day)
