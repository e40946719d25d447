"""An archived message as a mail that any mail program opens."""

import re
from collections.abc import Sequence
from email.headerregistry import Address
from email.utils import format_datetime

from message_store.message import Message, Party
from worker.archive.layout import Archived
from worker.handlers.mail_text import headline, html_page, plain_page
from worker.handlers.mime import HeaderValue, Mail, MailFile
from worker.handlers.plain_text import one_line

# Phone numbers are no mail addresses: under this name (RFC 2606) nobody can be written to.
_DOMAIN = "phone.invalid"
_UNSAFE = re.compile(r"[^0-9A-Za-z+_-]+")


def as_mail(
    archived: Archived,
    message: Message,
    text: str,
    files: Sequence[MailFile],
    boundary: str | None = None,
) -> Mail:
    """The message with its files; `text` takes the place of its own if that is empty.

    With a `boundary` of its own a mail is the same, byte by byte, whenever it is made.
    """
    names = [file.name for file in files]
    text = message.text or text
    headers: dict[str, HeaderValue] = {
        "From": _address(message.from_),
        "To": tuple(_address(party) for party in message.to) or (_address(None),),
        "Subject": headline(message),
        "Date": format_datetime(message.created),
        "Message-ID": f"<{_local(archived.folder.name)}.{_local(str(archived.mailbox))}@{_DOMAIN}>",
        "X-Ringpost-Type": one_line(message.type or "", 60) or "unknown",
        "X-Ringpost-Direction": one_line(message.direction or "", 60) or "unknown",
        "X-Ringpost-Mailbox": one_line(str(archived.mailbox), 70),
        "X-Ringpost-Message": one_line(message.id, 60),
    }
    plain, html = plain_page(message, text, names), html_page(message, text, names)
    return Mail(headers, plain, html, files, boundary)


def _address(party: Party | None) -> Address:
    if party is None:
        return Address("", "unknown", _DOMAIN)
    number = party.phone_number or party.extension_number or party.extension_id or ""
    return Address(one_line(party.name or "", 60), _local(number) or "unknown", _DOMAIN)


def _local(text: str) -> str:
    return _UNSAFE.sub("_", text)[:60]
