"""Messages as tables for people."""

from collections.abc import Sequence

from message_store.message import Message
from ringpost.output import local_time, say, zone
from ringpost.tables import Column, show_table


def show_list(messages: Sequence[Message], mailbox: str | None = None) -> None:
    """One line per message; `mailbox` fills a column of its own where there are several."""
    named = () if mailbox is None else (mailbox,)
    show_table(
        (
            *(() if mailbox is None else ("mailbox",)),
            "id",
            f"created ({zone()})",
            "type",
            Column("direction", spare=1),
            "from",
            Column("to", spare=3),
            Column("read", spare=2),
            Column("delivery", spare=5),
            Column("files", spare=4),
            Column("text", folds=True),
        ),
        (
            (
                *named,
                message.id,
                local_time(message.creation_time),
                kind(message),
                message.direction,
                message.sender,
                message.recipients,
                message.read_status,
                message.message_status,
                len(message.files),
                first_line(message.text),
            )
            for message in messages
        ),
    )


def show_one(message: Message, transcript: str | None = None) -> None:
    """Everything about one message; `transcript` is the text of its transcription."""
    facts = {
        "id": message.id,
        "type": kind(message),
        "direction": message.direction,
        f"created ({zone()})": local_time(message.creation_time),
        f"changed ({zone()})": local_time(message.last_modified_time),
        "read": message.read_status,
        "delivery": message.message_status,
        "availability": message.availability,
        "priority": message.priority,
        "owner": _owner(message),
        "conversation": message.conversation_id,
        "pages": message.fax_page_count,
        "transcription": message.vm_transcription_status,
        "transcript": transcript,
        "text": message.text,
    }
    show_table(
        ("field", Column("value", folds=True)),
        ((k, v) for k, v in facts.items() if v not in (None, "")),
    )
    parties = [("from", message.from_)] if message.from_ else []
    parties += [("to", party) for party in message.to]
    say()
    show_table(
        (
            "party",
            "number",
            Column("name", folds=True),
            Column("location", folds=True, spare=1),
            "delivery",
            Column("fax error", spare=2),
        ),
        (
            (
                role,
                party.phone_number or party.extension_number,
                party.name,
                party.location,
                party.message_status,
                party.fax_error_code,
            )
            for role, party in parties
        ),
    )
    if message.attachments:
        say()
        show_table(
            ("attachment", "type", "content type", Column("file name", folds=True), "bytes"),
            (
                (part.id, part.type, part.content_type, part.file_name, part.size)
                for part in message.attachments
            ),
        )


def kind(message: Message) -> str:
    """The type as people know it: RingCentral says SMS of an MMS."""
    return "MMS" if message.is_mms else message.type or ""


def _owner(message: Message) -> str | None:
    """Whose a shared message is; RingCentral tells it of call queues and shared lines."""
    if message.owner is None:
        return None
    words = (message.owner.extension_type, message.owner.name, message.owner.extension_id)
    return " ".join(word for word in words if word)


def first_line(text: str, width: int = 40) -> str:
    """The words as one line, cut where they are too many."""
    line = " ".join(text.split())
    return line if len(line) <= width else f"{line[: width - 1]}…"
