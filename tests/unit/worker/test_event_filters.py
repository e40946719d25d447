"""Event filters: those that may be chosen, and their spelling on the wire."""

import pytest

from message_store.mailbox import Mailbox
from message_store.notification import parse
from worker.event_filters import (
    checked_filter,
    extension_filter,
    mailbox_filter,
    reminder_filter,
    reminder_fits,
    same,
)
from worker.problems import Wrong

CHOSEN = [
    ("message-store", "message-store"),
    ("/Message-Store", "message-store"),
    ("message-store?type=Fax&direction=Inbound", "message-store?type=Fax&direction=Inbound"),
    ("message-store?direction=outbound", "message-store?direction=Outbound"),
    ("message-store?type=VOICEMAIL", "message-store?type=Voicemail"),
    ("message-store/instant?type=sms", "message-store/instant?type=SMS"),
    ("voicemail", "voicemail"),
    ("fax", "fax"),
    ("fax?direction=Inbound", "fax?direction=Inbound"),
]


@pytest.mark.parametrize(("text", "spelled"), CHOSEN)
def test_what_may_be_chosen(text: str, spelled: str) -> None:
    """Each documented filter is accepted, and written as RingCentral writes it."""
    assert checked_filter(text) == spelled


@pytest.mark.parametrize("chosen", sorted({spelled for _, spelled in CHOSEN}))
def test_what_is_chosen_is_understood_when_it_comes(chosen: str) -> None:
    """A notification of each filter is a hint for the mailbox that the filter was made for."""
    mailbox = Mailbox("4001", "5001")
    notification = parse(b'{"event": "%s"}' % mailbox_filter(mailbox, chosen).encode())
    assert (notification.kind, notification.mailbox) == ("message-store", mailbox)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("message-stor", 'is no filter for a mailbox; did you mean "message-store"?'),
        ("presence", "is no filter for a mailbox; known are message-store, message-store?type=Fax"),
        (
            "fax?direction=Outbound",
            'has direction "Outbound"; write one of Inbound',
        ),
        ("message-store?type=MMS", 'has type "MMS"; write one of Fax, Voicemail, Pager, SMS'),
        ("message-store?kind=Fax", 'has "kind", which message-store does not take; it takes type'),
        ("voicemail?type=Fax", 'has "type", which voicemail does not take; it takes none'),
        ("message-store/instant", 'needs a type; write "message-store/instant?type=SMS"'),
        ("", "is no filter for a mailbox; known are message-store,"),
    ],
)
def test_what_may_not(text: str, words: str) -> None:
    """What is wrong is said with the remedy."""
    with pytest.raises(Wrong) as wrong:
        checked_filter(text)
    assert str(wrong.value).startswith(words)


@pytest.mark.parametrize("lifetime", [604_800, 5_000_000, 121, 20, 7])
def test_a_reminder_fits_the_lifetime(lifetime: float) -> None:
    """It comes after half of the lifetime, and is repeated before half of the rest is over."""
    reminder = reminder_filter(lifetime)
    assert reminder is not None
    assert reminder_fits(reminder, lifetime)
    assert not reminder_fits(reminder, lifetime / 2)
    assert parse(b'{"event": "%s"}' % reminder.encode()).kind == "reminder"


def test_no_reminder_of_a_very_short_life() -> None:
    """Both numbers are whole seconds."""
    assert reminder_filter(4) is None


def test_two_spellings_are_one_filter() -> None:
    """RingCentral may answer with another version, case or order than it was asked with."""
    asked = "/restapi/v1.0/account/1/extension/2/message-store?type=Fax&direction=Inbound"
    answered = "/account/1/extension/2/Message-Store?direction=inbound&type=fax"
    assert same(asked) == same(answered)
    assert same(asked) != same(asked.replace("extension/2", "extension/3"))
    assert same(extension_filter("1")) != same(f"{extension_filter('1')}/2")
