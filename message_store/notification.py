"""What RingCentral says in a notification, read without trust: what has changed."""

import re
from typing import Any, Literal, NamedTuple

import orjson

from message_store.mailbox import Mailbox

_ID = re.compile(r"[0-9A-Za-z~_-]{1,32}")
_MAILBOX_FILTER = re.compile(
    r"(?:/restapi/v[0-9.]{1,8})?"
    r"(?:/account/([0-9A-Za-z~_-]{1,32}))?"
    r"(?:/extension/([0-9A-Za-z~_-]{1,32}))?"
    r"/(?:message-store|voicemail|fax)(?:[/?]|\Z)"
)

_REMINDER = re.compile(r"(?:/restapi/v[0-9.]{1,8})?/subscription/[0-9A-Za-z~_-]{1,64}(?:\?|\Z)")
_EXTENSION_FILTER = re.compile(
    r"(?:/restapi/v[0-9.]{1,8})?/account/[0-9A-Za-z~_-]{1,32}"
    r"/extension(?:/[0-9A-Za-z~_-]{1,32})?(?:\?|\Z)"
)

Kind = Literal["message-store", "reminder", "extension", "other"]


class NotANotification(ValueError):  # noqa: N818  # an answer to a question, said plainly
    """The body is not a notification; its text says why without quoting the body."""


class Notification(NamedTuple):
    """One notification's envelope.

    `kind` is `message-store` for every filter that tells of messages of one extension (also
    `instant`, `voicemail` and `fax`), `reminder` for a subscription that will soon run out (its
    `event` is the filter as it was asked for, with its `~`), `extension` for extensions that were
    added, changed or deleted, else `other`. `mailbox` is None for other kinds than the first and
    where neither body nor filter names the extension; its account is `~` where neither tells it.
    Source: https://developers.ringcentral.com/guide/notifications/event-filters
    """

    uuid: str
    event: str
    kind: Kind
    mailbox: Mailbox | None
    subscription_id: str


def parse(body: bytes) -> Notification:
    """Read a notification; unknown members are ignored. Raises NotANotification."""
    try:
        envelope = orjson.loads(body)
    except orjson.JSONDecodeError:
        # the decoder's own words would quote the body
        raise NotANotification("the body is not JSON, or nested too deep") from None
    if not isinstance(envelope, dict):
        raise NotANotification("the body is not a JSON object")
    event = envelope.get("event")
    if not isinstance(event, str) or not event.startswith("/"):
        raise NotANotification("the body has no `event` that is a path")
    change = envelope.get("body")
    if change is not None and not isinstance(change, dict):
        raise NotANotification("the notification's `body` is not a JSON object")
    found = _MAILBOX_FILTER.match(event)
    return Notification(
        uuid=_text(envelope.get("uuid")),
        event=event,
        kind="message-store" if found else _kind(event),
        mailbox=_mailbox(found, change or {}) if found else None,
        subscription_id=_text(envelope.get("subscriptionId")),
    )


def _kind(event: str) -> Kind:
    if _REMINDER.match(event):
        return "reminder"
    return "extension" if _EXTENSION_FILTER.match(event) else "other"


def _mailbox(found: re.Match[str], change: dict[str, Any]) -> Mailbox | None:
    # The envelope's `ownerId` is of no use here: it owns the subscription, not the mailbox.
    account_id, extension_id = found.groups()
    extension_id = _id(change.get("extensionId")) or extension_id
    if extension_id is None or extension_id == "~":
        return None
    return Mailbox(_id(change.get("accountId")) or account_id or "~", extension_id)


def _id(value: object) -> str | None:
    text = _text(value)
    return text if _ID.fullmatch(text) else None


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""
