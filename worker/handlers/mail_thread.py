"""Which mails belong together, so that mail programs show them as one conversation."""

import hashlib
import json

from message_store.mailbox import Mailbox
from message_store.message import Message
from worker.facts import conversation


def thread_root(mailbox: Mailbox, message: Message, domain: str) -> str:
    """The Message-ID that all mails of a conversation refer to; there is no such mail.

    A message without a conversation is a thread of its own: what happens to it later comes under
    the mail that said it was there.
    """
    of = ("conversation", found) if (found := conversation(message)) else ("message", message.id)
    digest = hashlib.sha256(json.dumps([*mailbox, *of]).encode()).hexdigest()
    return f"<{digest[:32]}.thread.ringpost@{domain}>"
