"""Sending text messages, and looking whether one was sent."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial

from message_store.addresses import mailbox_path
from message_store.calls import Call
from message_store.http import Http
from message_store.mailbox import Mailbox
from message_store.message import Message
from message_store.outgoing import OutgoingSms
from message_store.pages import ListPage, read_one

_LOCAL_DIGITS = 10


class Sending:
    """The calls that send. They are never repeated here: it would be sent twice."""

    _http: Http
    list: Callable[..., Awaitable[ListPage]]

    async def send_sms(self, mailbox: Mailbox, sms: OutgoingSms) -> Message:
        """Send it, as an MMS if it has files; the message as the mailbox now has it.

        After any error but a plain refusal it may have been sent all the same; see `find_sent`.
        Needs the app permission SMS and the user permission OutboundSMS.
        Source: https://developers.ringcentral.com/api-reference/SMS/createSMSMessage
        """
        path = mailbox_path(mailbox)
        if sms.files:
            content_type, body = sms.to_form()
            headers = {"Content-Type": content_type}
            call = Call("mms-send", "POST", f"{path}/mms", (), body, headers, idempotent=False)
        else:
            call = Call("sms-send", "POST", f"{path}/sms", (), sms.to_wire(), idempotent=False)
        return await self._http.read(call, partial(read_one, model=Message))

    async def find_sent(
        self, mailbox: Mailbox, sms: OutgoingSms, since: datetime
    ) -> Message | None:
        """A message with this text to this number that was sent since then; None if none is seen.

        What RingCentral took a moment ago may not be listed yet.
        """
        page = await self.list(
            mailbox,
            message_types=["SMS"],
            directions=["Outbound"],
            availability=["Alive", "Deleted"],
            date_from=since,
            phone_number=sms.to,
        )
        for message in page.records:
            numbers = {_digits(party.phone_number) for party in message.to}
            if _words(message.text) == _words(sms.text) and _digits(sms.to) in numbers:
                return message
        return None


def _digits(number: str | None) -> str:
    digits = "".join(letter for letter in number or "" if letter.isdigit())
    return digits[-_LOCAL_DIGITS:]


def _words(text: str) -> str:
    return " ".join(text.split())
