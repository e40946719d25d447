"""One stored message: its record as the API answers it, and the contents of its attachments."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sandbox.samples.content import Content

STEP = 1000
"""Real ids of one account end in the same three digits."""
FIRST_MESSAGE = 3_064_938_607_016
FIRST_ATTACHMENT = 675_981_076_016


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftAttachment:
    """A part of a message yet to be stored; `fields` are more members of its metadata."""

    type: str
    content: Content
    named: bool = False
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A message yet to be stored: its wire members without ids, addresses and times."""

    fields: Mapping[str, Any]
    attachments: Sequence[DraftAttachment]
    created: float | None = None
    rendering: int = 0
    parties: tuple[str, ...] = ()
    """Who talks with whom, for messages that belong to a conversation."""


@dataclass(slots=True)
class StoredMessage:
    """A message in a mailbox. Times are seconds since the epoch, `created` as the record says."""

    id: int
    extension_id: str
    record: dict[str, Any]
    contents: dict[int, Content]
    created: float
    modified: float
    stored: float
    """When it was announced, whatever its record says of its creation."""
    rendering: int = 0
    """How often its content will still be answered with MSG-368."""
    content_lost: bool = False
    """Whether its content answers MSG-352 for good."""

    @property
    def availability(self) -> str:
        """Alive, Deleted or Purged."""
        return str(self.record["availability"])

    @property
    def owner(self) -> tuple[str, str]:
        """Id and type of the extension it belongs to: a queue's, say, for a shared voicemail."""
        owner = self.record.get("owner", {})
        return owner.get("extensionId", self.extension_id), owner.get("extensionType", "User")

    def numbers(self) -> set[str]:
        """The digits of every phone and extension number it was sent from or to."""
        parties = [self.record.get("from", {}), *self.record.get("to", [])]
        found = (p.get(k, "") for p in parties for k in ("phoneNumber", "extensionNumber"))
        return {digits for digits in map(digits_of, found) if digits}


def digits_of(number: str) -> str:
    """A phone number reduced to its digits, for comparing different spellings."""
    return "".join(filter(str.isdigit, number))


def conversation_id(parties: Sequence[str]) -> int:
    """The same id for the same people whoever writes, beyond 2**53 as the real ones."""
    digest = hashlib.blake2b("\n".join(sorted(parties)).encode(), digest_size=8).digest()
    return (int.from_bytes(digest) >> 2) | (1 << 60) | 1
