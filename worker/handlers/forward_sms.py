"""`forward-sms`: sends what came on to other numbers by text message, through RingCentral."""

from typing import Annotated, ClassVar

from pydantic import Field

from message_store.message import Message
from message_store.outgoing import MOST_BYTES, MOST_FILES, OutgoingSms, SmsFile, shortened
from worker.consent_words import consent_of
from worker.handlers.contract import AttachmentFile, Context, Handler, PermanentError
from worker.handlers.mail_text import headline
from worker.handlers.rendering import TemplateText
from worker.handlers.texting import (
    PhoneNumber,
    called_number,
    is_of_ours,
    one_more_today,
    send_once,
    sender_number,
)

_MEDIA = ("image/", "audio/", "video/")


class ForwardSms(Handler):
    """Sends what came on to other numbers by text message, with the pictures of an MMS."""

    sends_texts: ClassVar[bool] = True

    to: Annotated[
        list[PhoneNumber], Field(min_length=1, max_length=10, examples=[["+16505550100"]])
    ]
    """Who gets it: phone numbers, each a text of its own."""
    sender: PhoneNumber | None = Field(default=None, alias="from")
    """A number of the mailbox's user to send from; without it, the one the message came to."""
    text: TemplateText = ""
    """A template for the text, at most 1,000 letters; without it, what came, and its text."""
    files: bool = True
    """Whether the pictures, sounds and films of an MMS go along, up to 1.5 MB together."""
    most_per_day: Annotated[int, Field(ge=1, le=1000)] = 100
    """How many texts each of the numbers gets in a day at most."""

    async def handle(self, message: Message, context: Context) -> str:
        """Send it on to each number, or say why not."""
        if message.direction != "Inbound":
            return "not sent on: it was sent from here"
        if consent_of(message) is not None:
            return "not sent on: it is a word like STOP or START"
        if await is_of_ours(message, context):
            return "not sent on: it was sent on or answered from here"
        sender = self.sender or called_number(message)
        if sender is None:
            raise PermanentError("it came to no single number of ours; set `from`")
        text = context.render(self.text, message).strip() or _text(message, context)
        files, left_out = await self._media(context)
        counts: dict[str, int] = {}
        for number in dict.fromkeys(self.to):
            if number in {sender, sender_number(message)}:
                became = "not sent on: it came from there"
            else:
                sms = OutgoingSms(sender, number, shortened(text), files)
                became = await self._send(sms, context)
            counts[became] = counts.get(became, 0) + 1
        return ", ".join(f"{count} {became}" for became, count in counts.items()) + left_out

    async def check(self) -> str:
        """Nothing of its own; the permissions to send are checked with the login."""
        count = len(self.to)
        return f"sends text messages to {count} number{'' if count == 1 else 's'} by RingCentral"

    async def _send(self, sms: OutgoingSms, context: Context) -> str:
        """What became of it for one number."""
        if not await context.may_text(sms.to):
            return "not sent on: has said STOP"
        name = f"forwards\t{context.mailbox}\t{context.step}\t{sms.to}"
        if not await one_more_today(context, name, self.most_per_day):
            return "not sent on: has had its texts of a day"
        return "sent on" if await send_once(context, sms) else "sent on before"

    async def _media(self, context: Context) -> tuple[tuple[SmsFile, ...], str]:
        """The files that go along, and what is to be said of those that do not."""
        wanted = [
            file
            for file in context.attachments
            if file.type == "MmsAttachment" and file.content_type.startswith(_MEDIA)
        ]
        if not (self.files and wanted):
            return (), ""
        if len(wanted) > MOST_FILES:
            return (), f"; without its files: more than {MOST_FILES}"
        found = [await _read(file) for file in wanted]
        if sum(len(file.content) for file in found) > MOST_BYTES:
            return (), f"; without its files: more than {MOST_BYTES / 1e6} MB"
        return tuple(found), ""


def _text(message: Message, context: Context) -> str:
    said = message.text or message.transcription
    head = headline(message, context.on)
    return f"{head}: {said}" if said else head


async def _read(file: AttachmentFile) -> SmsFile:
    """A file as far as it can be sent: no more of it is read than an MMS holds."""
    content = bytearray()
    async for chunk in file.open():
        content += chunk
        if len(content) > MOST_BYTES:
            break
    return SmsFile(file.name, file.content_type, bytes(content))
