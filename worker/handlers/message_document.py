"""A message as one JSON document, for programs outside: `webhook` sends it, `command` pipes it.

Its shape is a contract (docs/handlers/document.md): what is there stays, new keys may come.
"""

from collections.abc import Sequence
from typing import Any

from message_store.message import Message
from worker.handlers.contract import AttachmentFile, Context
from worker.happenings import DELETED

VERSION = 1


def message_document(message: Message, context: Context) -> dict[str, Any]:
    """What happened to which message, and where; the same in every attempt at a step."""
    return {
        "version": VERSION,
        "type": f"message.{context.on}",
        "timestamp": context.at.isoformat(timespec="milliseconds"),
        "data": {
            "id": context.idempotency_key,
            "route": context.route,
            "mailbox": {
                "accountId": context.mailbox.account_id,
                "extensionId": context.mailbox.extension_id,
            },
            "message": message.to_wire(),
            "files": [],
        },
    }


def files_of(context: Context) -> Sequence[AttachmentFile]:
    """The files to go along: those of a deleted message may be gone."""
    return [] if context.on == DELETED else context.attachments


def file_entry(file: AttachmentFile, size: int) -> dict[str, Any]:
    """What is said of a file in `files`; `size` is the true one, in bytes."""
    return {"id": file.id, "name": file.name, "contentType": file.content_type, "size": size}
