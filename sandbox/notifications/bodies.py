"""What notifications say: the envelope, the counts of changes, and whole messages.

Source: https://developers.ringcentral.com/guide/notifications/event-filters
"""

import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.clock import stamp
from sandbox.samples.compose import owner_json
from sandbox.settings import Settings
from sandbox.state.account import Extension
from sandbox.state.event_filters import EXTENSION_LIST
from sandbox.state.messages import StoredMessage
from sandbox.state.subscriptions import Subscription

_ACCOUNT = re.compile(r"/account/[^/]+")
Tell = Callable[[Subscription, str, dict[str, Any]], None]
"""Notifies a subscription of an event with a body."""


@dataclass(slots=True)
class Changes:
    """What happened to one mailbox since its last notification, by message type."""

    new: dict[str, list[int]] = field(default_factory=dict)
    updated: dict[str, int] = field(default_factory=dict)
    last_updated: float = 0.0

    def add(self, message: StoredMessage, *, new: bool) -> None:
        """Count one more change."""
        kind = message.record["type"]
        if new:
            self.new.setdefault(kind, []).append(message.id)
        else:
            self.updated[kind] = self.updated.get(kind, 0) + 1
        self.last_updated = message.modified


def envelope(
    event: str, subscription: Subscription, body: Mapping[str, Any], now: float, settings: Settings
) -> dict[str, Any]:
    """A notification; its `uuid` is a number as text, as in samples since 2018."""
    if settings.event_account == "~":
        event = _ACCOUNT.sub("/account/~", event)
    return {
        "uuid": str(secrets.randbits(63) | 1 << 61),
        "event": event,
        "timestamp": _time(now, settings),
        "subscriptionId": subscription.id,
        "ownerId": subscription.owner[0],
        "body": body,
    }


def change_body(
    changes: Changes, account_id: str, extension_id: str, settings: Settings
) -> dict[str, Any]:
    """The body of a message-store notification."""
    as_id = int if settings.event_ids == "number" else str
    entries = []
    for kind in sorted({*changes.new, *changes.updated}):
        ids = changes.new.get(kind, [])
        counts = {"newCount": len(ids), "updatedCount": changes.updated.get(kind, 0)}
        entry: dict[str, Any] = {
            "type": _word(kind, settings),
            **{name: count for name, count in counts.items() if count or settings.zero_counts},
        }
        if ids and settings.new_message_ids:
            entry["newMessageIds"] = ids
        entries.append(entry)
    ids_of_mailbox = {"accountId": as_id(account_id), "extensionId": as_id(extension_id)}
    return {
        **({} if settings.event_ids == "none" else ids_of_mailbox),
        "lastUpdated": _time(changes.last_updated, settings),
        "changes": entries,
    }


def extension_body(kind: str, extension_id: str, change: str) -> dict[str, Any]:
    """The body of a notification of an extension, or of the list of them."""
    entry: dict[str, Any] = {"extensionId": extension_id, "eventType": change}
    if change == "Update":
        entry["hints"] = ["ExtensionInfo"]
    return {"extensions": [entry]} if kind == EXTENSION_LIST else entry


def message_body(
    message: StoredMessage, extension: Extension, settings: Settings
) -> dict[str, Any]:
    """A whole message as instant, voicemail and fax notifications carry it."""
    as_id = str if settings.message_event_ids == "text" else int
    record = message.record
    hidden = ("uri", "extensionId", "conversationId")
    body = {name: value for name, value in record.items() if name not in hidden}
    body["id"] = as_id(message.id)
    body["type"] = _word(record["type"], settings)
    body["attachments"] = [_part(part, as_id(part["id"])) for part in record["attachments"]]
    if record["type"] == "SMS":
        body["conversation"] = {"id": record["conversation"]["id"]}
        body["eventType"] = "Create"
    body.setdefault("owner", owner_json(extension))
    return body


def _part(part: Mapping[str, Any], part_id: int | str) -> dict[str, Any]:
    shown = {**part, "id": part_id}
    if part["type"] == "Text":
        del shown["uri"]
    return shown


def _word(kind: str, settings: Settings) -> str:
    return settings.voicemail_word if kind == "VoiceMail" else kind


def _time(moment: float, settings: Settings) -> str:
    return stamp(moment).removesuffix("Z") + settings.event_times
