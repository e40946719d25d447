"""`reply`: answers a text message with a text, through RingCentral, from the number it came to.

An answer that nobody asked for may go round in circles with another machine; so there are guards,
and what is not answered for one of them is done, with the reason.
"""

from datetime import UTC, datetime, timedelta
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field

from message_store.message import Message
from message_store.outgoing import OutgoingSms, shortened
from worker.consent_words import consent_of
from worker.durations import Duration
from worker.handlers.contract import Context, Handler, PermanentError
from worker.handlers.rendering import TemplateText
from worker.handlers.texting import (
    called_number,
    is_of_ours,
    is_toll_free,
    one_more_today,
    send_once,
    sender_number,
)
from worker.happenings import CREATED

# After an outage, or of a backfill, nobody waits for an answer any more.
_TOO_OLD = timedelta(days=1)


def _not_empty(text: str) -> str:
    if not text.strip():
        raise ValueError('must be text to answer with, such as "We are closed today."')
    return text


class SmsReply(Handler):
    """Answers a text message with a text from the number it came to."""

    sends_texts: ClassVar[bool] = True

    text: Annotated[
        TemplateText, AfterValidator(_not_empty), Field(examples=["We are closed today."])
    ]
    """A template for the answer, at most 1,000 letters."""
    once_per: Duration = timedelta(hours=1)
    """For how long a number that was answered is not answered again."""
    most_per_day: Annotated[int, Field(ge=1, le=100)] = 5
    """How many answers a conversation gets in a day at most."""

    async def handle(self, message: Message, context: Context) -> str:
        """Answer it, or say why not."""
        ours, theirs = called_number(message), sender_number(message)
        why_not = _why_not(message, context, ours, theirs)
        if why_not or ours is None or theirs is None:
            return f"not answered: {why_not}"
        if await is_of_ours(message, context):
            return "not answered: it was sent on or answered from here"
        if not await context.may_text(theirs):
            return "not answered: the number has said STOP"
        pair = f"{context.mailbox}\t{context.step}\t{ours}\t{theirs}"
        text = shortened(context.render(self.text, message).strip())
        if not text:
            raise PermanentError("the template gives no text to answer with; correct `text`")
        if not await context.take(f"reply\t{pair}", self.once_per):
            return "not answered: the number was answered not long before"
        if not await one_more_today(context, f"replies\t{pair}", self.most_per_day):
            return "not answered: the conversation has had its answers of a day"
        sent = await send_once(context, OutgoingSms(ours, theirs, text))
        return "answered" if sent else "answered before"

    async def check(self) -> str:
        """Nothing of its own; the permissions to send are checked with the login."""
        return "answers by text messages through RingCentral"


def _why_not(message: Message, context: Context, ours: str | None, theirs: str | None) -> str:
    """The reason not to answer that can be told from the message; empty if there is none."""
    reasons = {
        "it is no text message": message.type != "SMS",
        "it was sent from here": message.direction != "Inbound",
        "it is no new message": context.on != CREATED,
        "it is more than a day old": datetime.now(UTC) - message.created > _TOO_OLD,
        "it came to no single number of ours": ours is None,
        "it came from no whole phone number": theirs is None,
        "it came from our own number": theirs is not None and theirs == ours,
        "a toll-free number texts by machine": theirs is not None and is_toll_free(theirs),
        "it is a word like STOP or START": consent_of(message) is not None,
    }
    return next((reason for reason, holds in reasons.items() if holds), "")
