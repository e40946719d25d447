"""Paths and parameters of the API: every part that comes from outside is checked. Pure."""

import re
from datetime import UTC, datetime

from message_store.batch import message_id
from message_store.mailbox import Mailbox
from message_store.subscription import Subscription

_OWNER = re.compile(r"~|[0-9]{1,20}")


def mailbox_path(mailbox: Mailbox) -> str:
    """The path of an extension; raises ValueError for ids that are none (`~` is the caller's)."""
    if not (_OWNER.fullmatch(mailbox.account_id) and _OWNER.fullmatch(mailbox.extension_id)):
        raise ValueError(f"not a mailbox: {str(mailbox)[:80]!r} (expected account/extension)")
    return f"/restapi/v1.0/account/{mailbox.account_id}/extension/{mailbox.extension_id}"


def messages_path(mailbox: Mailbox, selection: str = "") -> str:
    """The path of a message store, or of the messages that an already checked part selects."""
    path = f"{mailbox_path(mailbox)}/message-store"
    return f"{path}/{selection}" if selection else path


def content_path(mailbox: Mailbox, message: str, attachment: str) -> str:
    """The path of an attachment's content."""
    return messages_path(mailbox, f"{message_id(message)}/content/{part_id(attachment)}")


def part_id(value: str) -> str:
    """The id of an attachment or a subscription, if it is one. Raises ValueError."""
    if not is_part_id(value):
        raise ValueError(f"not an id: {value[:40]!r}")
    return value


def is_part_id(value: str) -> bool:
    """Whether this can be the id of an attachment or a subscription."""
    return Subscription.id_form.fullmatch(value) is not None


def date(moment: datetime) -> str:
    """A moment as RingCentral writes it, in UTC with milliseconds; it must know its time zone."""
    if moment.tzinfo is None:
        raise ValueError(f"a time without its zone: {moment.isoformat()}")
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
