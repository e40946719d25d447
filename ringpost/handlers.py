"""The public face of the handler contract: everything a plug-in needs to import."""

from typing import TYPE_CHECKING, Any

from message_store.mailbox import Mailbox
from message_store.message import Attachment, Message
from message_store.protocol import MessageStoreAccess
from worker.durations import Duration
from worker.handlers.contract import (
    AttachmentFile,
    ClosingHandler,
    ClosingOutcomes,
    Context,
    Handler,
    HandlerError,
    Later,
    Links,
    NotYetError,
    Outcome,
    PermanentError,
    Reply,
    SendTogether,
    TransientError,
)

if TYPE_CHECKING:
    from worker.handlers.rendering import TemplateText

__all__ = [
    "Attachment",
    "AttachmentFile",
    "ClosingHandler",
    "ClosingOutcomes",
    "Context",
    "Duration",
    "Handler",
    "HandlerError",
    "Later",
    "Links",
    "Mailbox",
    "Message",
    "MessageStoreAccess",
    "NotYetError",
    "Outcome",
    "PermanentError",
    "Reply",
    "SendTogether",
    "TemplateText",
    "TransientError",
]


def __getattr__(name: str) -> Any:
    # the templates' library takes a while to load, and few handlers have one
    if name == "TemplateText":
        from worker.handlers.rendering import TemplateText

        return TemplateText
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
