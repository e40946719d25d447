"""What `reply` and `forward-sms` share: numbers, and sending a text no more than once.

RingCentral's call has no idempotency key. So it is noted before a text is sent; where such a note
is found, an earlier attempt may have sent it, and the mailbox is asked before it is sent again.
"""

import hashlib
from datetime import timedelta
from typing import Annotated
from uuid import uuid4

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberType
from pydantic import AfterValidator

from message_store.message import Message
from message_store.outgoing import OutgoingSms
from worker.handlers.contract import Context
from worker.numbers import e164

# Longer than the schedule of attempts.
_NOTED = timedelta(days=3)
_DAY = timedelta(days=1)
# It was sent after what it is about, whose time may be told more finely than its own.
_ROUNDED = timedelta(seconds=2)


def _checked_number(text: str) -> str:
    number = e164(text)
    if number is None:
        raise ValueError("not a whole phone number; write such as +16505550100")
    return number


PhoneNumber = Annotated[str, AfterValidator(_checked_number)]
"""The type of an option that is a phone number."""


def called_number(message: Message) -> str | None:
    """The one number of ours that a text came to; None in a group, where any may be ours."""
    numbers = [party.phone_number for party in message.to]
    return e164(numbers[0]) if len(numbers) == 1 and numbers[0] else None


def sender_number(message: Message) -> str | None:
    """Who sent it; None for a short code, a name or an extension."""
    number = message.from_ and message.from_.phone_number
    return e164(number) if number else None


def is_toll_free(number: str) -> bool:
    """Whether businesses and their machines text from such a number."""
    try:
        kind = phonenumbers.number_type(phonenumbers.parse(number))
    except NumberParseException:  # of no country, as a caller may pretend
        return False
    return bool(kind == PhoneNumberType.TOLL_FREE)


async def one_more_today(context: Context, name: str, most: int) -> bool:
    """Whether there are fewer than so many of this name since a day; then this is one more."""
    for place in range(most):
        if await context.take(f"{name}\t{place}", _DAY):
            return True
    return False


async def is_of_ours(message: Message, context: Context) -> bool:
    """Whether one of these handlers has sent this text, so that it came to another mailbox here.

    Among three numbers that send everything on to each other it would never end.
    """
    sender, called = sender_number(message), called_number(message)
    if message.type != "SMS" or sender is None or called is None:
        return False
    return not await context.take(_own_text(sender, called, message.text), _DAY, taker="seen")


async def send_once(context: Context, sms: OutgoingSms) -> bool:
    """Send it unless an earlier attempt has; False if one has."""
    store, mailbox = context.message_store, context.mailbox
    note = f"text\t{context.idempotency_key}\t{sms.to}"
    begun = not await context.take(note, _NOTED, taker=uuid4().hex)
    if begun and await store.find_sent(mailbox, sms, context.at - _ROUNDED) is not None:
        return False
    # before it is sent: it may come to the other mailbox before the answer comes here
    await context.take(_own_text(sms.sender, sms.to, sms.text), _DAY, taker="sent")
    await store.send_sms(mailbox, sms)
    return True


def _own_text(sender: str, to: str, text: str) -> str:
    """A text between two numbers, whatever becomes of its punctuation on the way."""
    words = "".join(filter(str.isalnum, text)).casefold() or text
    digest = hashlib.sha256(words.encode(errors="replace")).hexdigest()[:32]
    return f"own text\t{sender}\t{to}\t{digest}"
