"""Reading notifications: every documented kind, and whatever a stranger may send."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from message_store.mailbox import Mailbox
from message_store.notification import NotANotification, parse

ACCOUNT = "/restapi/v1.0/account"
BOTH = Mailbox("233676004", "233676005")
NUMBERS = {"accountId": 233676004, "extensionId": 233676005}
TEXTS = {"accountId": "233676004", "extensionId": "233676005"}
UNTOLD = Mailbox("~", "823476228762")


def notification(event: str, body: Any = None) -> bytes:
    """A notification's bytes."""
    envelope = {"uuid": "6242343638330007102", "event": event, "subscriptionId": "2db5fcc4"}
    return json.dumps(
        envelope | {"ownerId": "629893", "body": {} if body is None else body}
    ).encode()


@pytest.mark.parametrize(
    ("event", "body", "mailbox"),
    [
        (f"{ACCOUNT}/233676004/extension/233676005/message-store", {}, BOTH),
        (f"{ACCOUNT}/~/extension/823476228762/message-store", {}, UNTOLD),
        (
            f"{ACCOUNT}/~/extension/823476228762/message-store?type=Fax&direction=Inbound",
            {},
            UNTOLD,
        ),
        (f"{ACCOUNT}/~/extension/823476228762/message-store/instant?type=SMS", {}, UNTOLD),
        (f"{ACCOUNT}/~/extension/823476228762/voicemail", {}, UNTOLD),
        (f"{ACCOUNT}/~/extension/823476228762/fax?direction=Inbound", {}, UNTOLD),
        ("/account/~/extension/823476228762/message-store", {}, UNTOLD),
        (f"{ACCOUNT}/1/extension/2/message-store", NUMBERS, BOTH),
        (f"{ACCOUNT}/1/extension/2/message-store", TEXTS, BOTH),
        (f"{ACCOUNT}/233676004/extension/~/message-store", {"extensionId": 233676005}, BOTH),
        (f"{ACCOUNT}/233676004/extension/233676005/message-store", {"extensionId": {"a": 1}}, BOTH),
        (f"{ACCOUNT}/233676004/extension/233676005/message-store", {"extensionId": "../x"}, BOTH),
        (f"{ACCOUNT}/233676004/extension/233676005/message-store", {"extensionId": True}, BOTH),
        (f"{ACCOUNT}/~/extension/~/message-store", {}, None),
    ],
)
def test_tells_the_mailbox(event: str, body: dict[str, Any], mailbox: Mailbox | None) -> None:
    """The mailbox is what the body says, else what the filter says; ill-formed ids do not count."""
    found = parse(notification(event, body))
    assert (found.kind, found.mailbox) == ("message-store", mailbox)
    assert (found.uuid, found.subscription_id) == ("6242343638330007102", "2db5fcc4")
    assert found.event == event


@pytest.mark.parametrize(
    "event",
    [
        f"{ACCOUNT}/405156321033/a2p-sms/messages?direction=Inbound&to=+12406680432",
        f"{ACCOUNT}/405151939033/a2p-sms/batches/5642276556",
        f"{ACCOUNT}/~/message-threads/entries/sync",
        f"{ACCOUNT}/~/extension/1/presence",
        f"{ACCOUNT}/~/extension/1/fax-settings",
        f"{ACCOUNT}/~/extension/{'9' * 40}/message-store",
        f"{ACCOUNT}/~/extension/a b/message-store",
    ],
)
def test_other_kinds_are_valid_but_no_hint(event: str) -> None:
    """High-volume messages, presence and the like: valid, but of another kind."""
    found = parse(notification(event, {"extensionId": "8475874957"}))
    assert (found.kind, found.mailbox) == ("other", None)


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        ("/restapi/v1.0/subscription/~?threshold=259200&interval=43200", "reminder"),
        ("/restapi/v1.0/subscription/~", "reminder"),
        (f"{ACCOUNT}/~/extension", "extension"),
        (f"{ACCOUNT}/37439510/extension/8475874957", "extension"),
    ],
)
def test_reminders_and_changes_of_extensions(event: str, kind: str) -> None:
    """They tell of no mailbox, but that subscriptions may not be what they should."""
    found = parse(notification(event, {"extensionId": "8475874957"}))
    assert (found.kind, found.mailbox) == (kind, None)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'"text"',
        b"{}",
        b"not json",
        b"\xff\xfe",
        b"{'event': '/x'}",
        b'{"event": null, "body": {}}',
        b'{"event": ["/x"], "body": {}}',
        b'{"event": "x", "body": {}}',
        b'{"event": "/x", "body": []}',
        b'{"event": "/x", "body": "text"}',
        b'{"event": "/x", "body": NaN}',
        b"[" * 1_000_000,
        b'{"event":"/x","body":' + b'{"a":' * 5000 + b"1" + b"}" * 5000 + b"}",
    ],
)
def test_refuses_what_is_no_notification(body: bytes) -> None:
    """Junk of any kind or depth is refused in words that do not quote it."""
    with pytest.raises(NotANotification) as refusal:
        parse(body)
    assert len(str(refusal.value)) < 100
    assert refusal.value.__cause__ is None


def _fax(body: object) -> bytes:
    return notification(f"{ACCOUNT}/1/extension/2/fax", body)


@given(st.binary() | st.recursive(st.none() | st.text() | st.integers(), st.lists).map(_fax))
def test_survives_anything(body: bytes) -> None:
    """Whatever comes is either a notification or refused, never an accident."""
    with contextlib.suppress(NotANotification):
        parse(body)
