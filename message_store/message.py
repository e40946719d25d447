"""What RingCentral says of one message: lenient models, every field optional but the id.

Unknown fields and enum values are kept, never refused; ids are text here and numbers or strings
on the wire (conversation ids exceed 2**53). Only a message without an id is unreadable.
Source: https://developers.ringcentral.com/api-reference/Message-Store/readMessage
"""

import re
from datetime import UTC, datetime
from typing import Annotated, ClassVar

from pydantic import BeforeValidator, Field

from message_store.wire import Count, Id, Moment, Record, WireModel, objects_only


class Party(WireModel):
    """A sender or recipient."""

    phone_number: str | None = None
    extension_number: Id | None = None
    extension_id: Id | None = None
    name: str | None = None
    location: str | None = None
    message_status: str | None = None
    fax_error_code: str | None = None

    @property
    def address(self) -> str:
        """The number to show: phone number, else extension number, else the name, else empty."""
        return self.phone_number or self.extension_number or self.name or ""

    def __str__(self) -> str:
        if self.name and self.name != self.address:
            return f"{self.name} ({self.address})"
        return self.address or "unknown"


class Owner(WireModel):
    """The extension a shared message belongs to: a call queue, a shared line."""

    extension_id: Id | None = None
    extension_type: str | None = None
    name: str | None = None


class Attachment(WireModel):
    """One part of a message: a recording, a transcription, a rendered fax, a picture, a text."""

    id: Id
    uri: str | None = None
    type: str | None = None
    content_type: str | None = None
    file_name: str | None = None
    size: Count | None = None
    vm_duration: Count | None = None


class Message(Record):
    """One SMS, MMS, fax, voicemail or pager message."""

    id_form: ClassVar[re.Pattern[str]] = re.compile(r"[0-9]{1,20}")

    uri: str | None = None
    extension_id: Id | None = None
    type: str | None = None
    direction: str | None = None
    from_: Party | None = Field(default=None, alias="from")
    to: Annotated[list[Party], BeforeValidator(objects_only())] = Field(default_factory=list)
    subject: str | None = None
    read_status: str | None = None
    availability: str | None = None
    message_status: str | None = None
    delivery_error_code: str | None = None
    priority: str | None = None
    creation_time: Moment | None = None
    last_modified_time: Moment | None = None
    attachments: Annotated[list[Attachment], BeforeValidator(objects_only(having="id"))] = Field(
        default_factory=list
    )
    conversation_id: Id | None = None
    fax_page_count: Count | None = None
    fax_resolution: str | None = None
    vm_transcription_status: str | None = None
    owner: Owner | None = None
    transcription: str | None = None
    """What was said, as a handler has written it down; RingCentral's own is an attachment."""

    @property
    def sender(self) -> str:
        """Who sent it, as a person would write it: name and number, or what is known."""
        return str(self.from_) if self.from_ else "unknown"

    @property
    def recipients(self) -> str:
        """All recipients as a person would write them, separated by commas."""
        return ", ".join(str(party) for party in self.to)

    @property
    def text(self) -> str:
        """The text of an SMS or pager message (RingCentral keeps it in `subject`), else empty."""
        return (self.subject or "") if self.type in {"SMS", "Pager", "Text"} else ""

    @property
    def is_mms(self) -> bool:
        """Whether it is an MMS: RingCentral says `SMS` and adds attachments of their own type."""
        return any(part.type == "MmsAttachment" for part in self.attachments)

    @property
    def files(self) -> list[Attachment]:
        """The attachments worth a download: all but the text part that `subject` repeats."""
        return [part for part in self.attachments if not self._is_text_part(part)]

    @property
    def is_deleted(self) -> bool:
        """Whether the mailbox no longer shows it (`Deleted`, or `Purged` for good)."""
        return (self.availability or "Alive") != "Alive"

    @property
    def created(self) -> datetime:
        """When it was created, in UTC; the epoch if RingCentral does not say."""
        return self.creation_time or datetime.fromtimestamp(0, UTC)

    def _is_text_part(self, part: Attachment) -> bool:
        return part.type == "Text" and self.type in {"SMS", "Pager", "Text"}
