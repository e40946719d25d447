"""Event filters: those a configuration may choose, and how each is written for RingCentral. Pure.

There is no filter for all mailboxes of an account: each mailbox has its own.
Source: https://developers.ringcentral.com/guide/notifications/event-filters
"""

import re
from urllib.parse import parse_qsl, urlencode

from message_store.mailbox import Mailbox
from worker.problems import Wrong, nearest

MESSAGE_STORE = "message-store"

_PREFIX = "/restapi/v1.0"
_TYPES = ("Fax", "Voicemail", "Pager", "SMS")
_DIRECTIONS = ("Inbound", "Outbound")
# What each filter may be narrowed by.
_KNOWN: dict[str, dict[str, tuple[str, ...]]] = {
    MESSAGE_STORE: {"type": _TYPES, "direction": _DIRECTIONS},
    "message-store/instant": {"type": ("SMS",)},
    "voicemail": {},
    "fax": {"direction": ("Inbound",)},
}
_EXAMPLES = (
    MESSAGE_STORE,
    "message-store?type=Fax&direction=Inbound",
    "message-store/instant?type=SMS",
    "voicemail",
    "fax?direction=Inbound",
)
_VERSION = re.compile(r"/restapi/v[0-9.]+")
_REMINDER = re.compile(r"/restapi/v1\.0/subscription/~\?threshold=([0-9]+)&interval=([0-9]+)")
# Comes when a bit less than half is left: by then a check in time has renewed the subscription.
_THRESHOLD = 0.4


def checked_filter(text: str) -> str:
    """The filter as RingCentral spells it; raises Wrong, with the remedy, if it is none."""
    name, _, query = text.strip().strip("/").partition("?")
    allowed = _KNOWN.get(name.lower())
    if allowed is None:
        right = nearest(name, _KNOWN)
        meant = f'did you mean "{right}"?' if right else f"known are {', '.join(_EXAMPLES)}"
        raise Wrong(f"is no filter for a mailbox; {meant}")
    members = {}
    for key, value in parse_qsl(query, keep_blank_values=True):
        if key not in allowed:
            some = f"it takes {' and '.join(allowed)}" if allowed else "it takes none"
            raise Wrong(f'has "{key}", which {name.lower()} does not take; {some}')
        spelled = {word.lower(): word for word in allowed[key]}
        if value.lower() not in spelled:
            raise Wrong(f'has {key} "{value}"; write one of {", ".join(allowed[key])}')
        members[key] = spelled[value.lower()]
    if name.lower() == "message-store/instant" and not members:
        raise Wrong('needs a type; write "message-store/instant?type=SMS"')
    return name.lower() + (f"?{urlencode(members)}" if members else "")


def mailbox_filter(mailbox: Mailbox, chosen: str) -> str:
    """The whole filter for one mailbox, of one that `checked_filter` has passed."""
    account, extension = mailbox
    return f"{_PREFIX}/account/{account}/extension/{extension}/{chosen}"


def extension_filter(account_id: str) -> str:
    """The filter that tells of extensions that are added, changed or deleted."""
    return f"{_PREFIX}/account/{account_id}/extension"


def reminder_filter(lifetime: float) -> str | None:
    """The filter that reminds of a subscription with this lifetime (seconds); None if too short.

    Source: https://developers.ringcentral.com/guide/notifications/webhooks/creating-webhooks
    """
    threshold = int(lifetime * _THRESHOLD)
    if threshold < 2:
        return None
    return f"{_PREFIX}/subscription/~?threshold={threshold}&interval={threshold // 2}"


def is_reminder(text: str) -> bool:
    """Whether a filter, in any spelling, is a reminder."""
    return same(text).startswith("/subscription/")


def reminder_fits(reminder: str, lifetime: float) -> bool:
    """Whether a subscription with this lifetime (seconds) may have this reminder."""
    found = _REMINDER.fullmatch(reminder)
    return found is not None and 2 * int(found[1]) <= lifetime


def same(text: str) -> str:
    """What two spellings of one filter have in common: RingCentral may answer with its own."""
    path, _, query = text.partition("?")
    members = urlencode(sorted(parse_qsl(query, keep_blank_values=True)))
    return (_VERSION.sub("", path, count=1) + (f"?{members}" if members else "")).lower()
