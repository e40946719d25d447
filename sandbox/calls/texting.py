"""Sending text messages, with pictures or without.

Sources: https://developers.ringcentral.com/api-reference/SMS/createSMSMessage and
https://developers.ringcentral.com/api-reference/SMS/createMMS
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import orjson
from aiohttp import web
from aiohttp.web_request import FileField

from sandbox.answers import ApiError, invalid, json_answer
from sandbox.calls.messages import MAILBOX
from sandbox.exchange import Exchange, Operation
from sandbox.samples.compose import KINDS, wish_of
from sandbox.samples.content import Content, InMemory
from sandbox.state.messages import StoredMessage

MOST_UNITS = 1000
MOST_RECIPIENTS = 10
MOST_FILES = 10
MOST_BYTES = 1_500_000
_SENT_AFTER = 0.1
_MEDIA = ("image/", "audio/", "video/", "text/vcard")


async def send_sms(exchange: Exchange) -> web.StreamResponse:
    """POST of JSON."""
    return _send(exchange, "sms", await exchange.json(), ())


async def send_mms(exchange: Exchange) -> web.StreamResponse:
    """POST of a form: JSON in one part, an attachment in each other."""
    form = await exchange.request.post()
    parts = list(form.values())
    media = [part for part in parts if isinstance(part, FileField)]
    documents = [part for part in parts if not isinstance(part, FileField)]
    for place, part in enumerate(media, 1):
        if not part.content_type.startswith(_MEDIA):
            words = f"Unsupported attachment media type, attachment [{place}]: [{part.filename}]"
            raise ApiError(415, "MSG-348", words)
    if len(media) > MOST_FILES:
        raise ApiError(400, "MSG-379", "Too many attachments")
    contents = [InMemory(part.file.read(), part.filename, part.content_type) for part in media]
    if sum(len(content.data) for content in contents) > MOST_BYTES:
        raise ApiError(400, "MSG-376", "Attachment size limit exceeded")
    try:
        document = orjson.loads(documents[0]) if documents else None
    except ValueError:
        raise invalid("body") from None
    return _send(exchange, "mms", document, contents)


def _send(
    exchange: Exchange, kind: str, wanted: Any, files: Sequence[Content]
) -> web.StreamResponse:
    extension = exchange.extension()
    if not isinstance(wanted, dict):
        raise invalid("body")
    text = wanted.get("text", "")
    if not isinstance(text, str) or len(text.encode("utf-16-le")) // 2 > MOST_UNITS:
        raise invalid("text")
    if not (text or files):
        raise invalid("text")
    sender = _number(wanted.get("from"), "from")
    if sender.lstrip("+") != extension.phone.lstrip("+"):
        words = f"Parameter [from] value [{sender}] is invalid"
        words += " [Cannot find the phone number which belongs to user]"
        raise ApiError(400, "MSG-245", words, parameterName="from")
    people = wanted.get("to")
    if not isinstance(people, list) or not people:
        raise invalid("to")
    if len(people) > MOST_RECIPIENTS:
        words = f"Exceeded maximum number of recipients for a Group MMS: [{MOST_RECIPIENTS}]"
        raise ApiError(400, "MSG-381", words)
    numbers = [_number(one, "to") for one in people]
    emulator = exchange.emulator
    wish = wish_of(
        {
            "text": text,
            "to": numbers[0],
            "direction": "Outbound",
            "read_status": "Read",
            "message_status": "Queued",
            **({"attachments": files} if files else {}),
        }
    )
    draft = KINDS[kind](wish, extension)
    recipients = [{"phoneNumber": number} for number in numbers]
    message = emulator.store(extension, replace(draft, fields={**draft.fields, "to": recipients}))
    emulator.clock.call_at(emulator.clock.time() + _SENT_AFTER, partial(_sent, exchange, message))
    return json_answer(message.record)


def _sent(exchange: Exchange, message: StoredMessage) -> None:
    exchange.emulator.change(message, {"messageStatus": "Sent"})


def _number(party: Any, parameter: str) -> str:
    number = party.get("phoneNumber") if isinstance(party, dict) else None
    if not isinstance(number, str) or not number.lstrip("+").isdigit():
        raise invalid(f"{parameter}.phoneNumber")
    if len(number.lstrip("+")) < 7:
        raise ApiError(400, "MSG-247", "Sending SMS to short numbers is not available")
    return number


OPERATIONS = tuple(
    Operation(
        name=name,
        method="POST",
        path=f"{MAILBOX}/{last}",
        answer=answer,
        group="medium",
        app_permission="SMS",
        user_permission="OutboundSMS",
    )
    for name, last, answer in (
        ("createSMSMessage", "sms", send_sms),
        ("createMMS", "mms", send_mms),
    )
)
