"""The public face of the handler contract: everything a plug-in needs to import."""

from message_store.mailbox import Mailbox
from message_store.message import Attachment, Message
from worker.handlers.contract import (
    AttachmentFile,
    ClosingHandler,
    ClosingOutcomes,
    Context,
    Handler,
    HandlerError,
    Later,
    Outcome,
    PermanentError,
    Reply,
    TransientError,
)

__all__ = [
    "Attachment",
    "AttachmentFile",
    "ClosingHandler",
    "ClosingOutcomes",
    "Context",
    "Handler",
    "HandlerError",
    "Later",
    "Mailbox",
    "Message",
    "Outcome",
    "PermanentError",
    "Reply",
    "TransientError",
]
