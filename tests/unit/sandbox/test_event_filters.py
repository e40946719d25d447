"""Event filters as clients write them."""

import pytest

from sandbox.answers import ApiError
from sandbox.state.event_filters import EventFilter
from sandbox.state.messages import StoredMessage

MAILBOX = "/restapi/v1.0/account/~/extension/~"


def a_message(kind: str, direction: str = "Inbound") -> StoredMessage:
    """A message of which only type and direction are known."""
    record = {"type": kind, "direction": direction}
    return StoredMessage(1, "2", record, {}, created=0, modified=0, stored=0)


def test_the_callers_ids() -> None:
    """`~` becomes the caller's ids, for account and extension alike; the query stays."""
    parsed = EventFilter.parse(f"{MAILBOX}/message-store?type=Fax").expanded("11", "22")
    assert parsed.text == "/restapi/v1.0/account/11/extension/22/message-store?type=Fax"
    assert (parsed.account, parsed.extension, parsed.message_type) == ("11", "22", "Fax")


def test_a_reminder_keeps_its_tilde() -> None:
    """A reminder filter is its own address."""
    text = "/restapi/v1.0/subscription/~?threshold=60&interval=15"
    parsed = EventFilter.parse(text).expanded("11", "22")
    assert (parsed.text, parsed.threshold, parsed.interval) == (text, 60, 15)


@pytest.mark.parametrize(
    ("path", "message", "new", "told"),
    [
        ("message-store", a_message("Fax"), False, True),
        ("message-store?type=SMS", a_message("Fax"), True, False),
        ("message-store?type=voicemail", a_message("VoiceMail"), True, True),
        ("message-store?direction=Outbound", a_message("SMS"), True, False),
        ("message-store/instant?type=SMS", a_message("SMS"), True, True),
        ("message-store/instant?type=SMS", a_message("SMS"), False, False),
        ("message-store/instant?type=SMS", a_message("SMS", "Outbound"), True, False),
        ("voicemail", a_message("VoiceMail"), True, True),
        ("voicemail", a_message("Fax"), True, False),
        ("fax?direction=Inbound", a_message("Fax"), True, True),
        ("presence", a_message("Fax"), True, False),
    ],
)
def test_what_matches(path: str, message: StoredMessage, new: bool, told: bool) -> None:
    """Type, direction and newness decide, by the kind of filter."""
    assert EventFilter.parse(f"{MAILBOX}/{path}").matches(message, new=new) is told


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("message-store", "SUB-508"),
        (f"{MAILBOX}/mailbox", "SUB-508"),
        (f"https://platform.ringcentral.com{MAILBOX}/message-store", "SUB-508"),
        ("/restapi/v1.0/subscription/~", "SUB-516"),
        ("/restapi/v1.0/subscription/~?threshold=soon&interval=1", "SUB-516"),
    ],
)
def test_what_is_no_filter(text: str, code: str) -> None:
    """Anything else is refused."""
    with pytest.raises(ApiError) as refused:
        EventFilter.parse(text)
    assert refused.value.code == code
