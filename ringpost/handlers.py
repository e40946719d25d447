"""The public face of the handler contract: everything a plug-in needs to import."""

from message_store.mailbox import Mailbox
from message_store.message import Attachment, Message
from worker.handlers.contract import (
    AttachmentFile,
    ClosingHandler,
    Context,
    Handler,
    HandlerError,
    Links,
    NotYetError,
    PermanentError,
    Reply,
    TransientError,
)

__all__ = [
    "Attachment",
    "AttachmentFile",
    "ClosingHandler",
    "Context",
    "Handler",
    "HandlerError",
    "Links",
    "Mailbox",
    "Message",
    "NotYetError",
    "PermanentError",
    "Reply",
    "TransientError",
]
