"""The headers of a mail, and what they are made from."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.headerregistry import Address
from email.utils import format_datetime

from message_store.message import Message
from worker.handlers.contract import Context
from worker.handlers.mail_chapters import Chapter
from worker.handlers.mail_follow_up import follow_up, message_id
from worker.handlers.mail_thread import thread_root
from worker.handlers.mime import HeaderValue
from worker.handlers.plain_text import one_line
from worker.happenings import CREATED


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail to be: its identity, its chapters, and the newest message, whose time it has."""

    newest: Message
    context: Context
    identity: str
    chapters: Sequence[Chapter]


@dataclass(frozen=True, slots=True)
class Addressed:
    """Whom a mail says that it is from and to."""

    sender: Address
    to: tuple[Address, ...]
    cc: tuple[Address, ...]
    reply_to: tuple[Address, ...]


def headers_of(
    letter: Letter, addressed: Addressed, subject: str, first_key: str | None
) -> dict[str, HeaderValue]:
    """All headers but those of MIME; what is empty is left out.

    With the `first_key` of an earlier mail about the message it follows that one.
    """
    message, context, domain = letter.newest, letter.context, addressed.sender.domain
    known = message.creation_time is not None or context.on != CREATED
    root = thread_root(context.mailbox, message, domain)
    headers: dict[str, HeaderValue] = {
        "From": addressed.sender,
        "To": addressed.to,
        "Cc": addressed.cc,
        "Reply-To": addressed.reply_to,
        "Subject": subject,
        "Date": format_datetime(context.at if known else datetime.now(UTC)),
        # The same in every attempt, so that a mail program recognises a repeat.
        "Message-ID": message_id(letter.identity, domain),
        "In-Reply-To": root,
        "References": root,
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
        "X-Ringpost-Type": one_line(message.type or "", 60) or "unknown",
        "X-Ringpost-Direction": one_line(message.direction or "", 60) or "unknown",
        "X-Ringpost-Mailbox": one_line(str(context.mailbox), 70),
        "X-Ringpost-Message": one_line(message.id, 60),
        "X-Ringpost-Route": one_line(context.route),
        "X-Ringpost-On": one_line(context.on, 60),
    }
    headers |= follow_up(first_key, subject, domain, root)
    return {name: value for name, value in headers.items() if value}
