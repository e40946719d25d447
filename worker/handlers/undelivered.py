"""Why a message did not reach somebody, in plain words, and what to do about it.

Source of the SMS codes: https://developers.ringcentral.com/guide/messaging/sms/sms-errors; those
of faxes have names only (FaxErrorCodeEnum). An unknown code is shown as it is.
"""

from dataclasses import dataclass

from message_store.message import Message, Party
from worker.handlers.plain_text import one_line
from worker.happenings import CREATED, FAILED

_FAILED = frozenset({"DeliveryFailed", "SendingFailed"})
_AGAIN = "Send it again later."
_NUMBER = "Check the number, or ask the recipient for the right one."
_ADMINISTRATOR = "Ask the administrator of your RingCentral account."
_SUPPORT = "Send it again later; if it happens often, ask RingCentral's support."
_CALL = "Call the recipient, or reach them in another way."
_REWORD = "Write it in other words, without shortened links, and send it again."

_NO_TEXTS = ("that number gets no text messages, it may be a landline", _NUMBER)
_OPTED_OUT = (
    "the recipient has opted out of text messages from this number",
    "Reach them in another way. They get texts again after they send START to your number.",
)
_SPAM = ("it was taken for spam", _REWORD)
_NOT_SET_UP = ("your number is not set up to send text messages", _ADMINISTRATOR)
_QUOTA = ("more text messages were sent than the carrier allows", "Send it again tomorrow.")
_ABROAD = ("this extension may not call other countries", _ADMINISTRATOR)
_NO_SENDING = ("this extension may not send faxes", _ADMINISTRATOR)
_DOCUMENT = ("the document could not be made into a fax", "Send it again as a PDF file.")
_BLOCKED = ("that number may not be called", _NUMBER)
_INVALID = ("that number does not exist", _NUMBER)
_THEIR_ERROR = ("something went wrong at RingCentral", _SUPPORT)
_MONEY = ("the account has no calling credit left", _ADMINISTRATOR)
_NO_REASON = ("no reason was given", _SUPPORT)

_REASONS = {
    "AllLinesInUse": ("all lines were in use", _AGAIN),
    "Undefined": _NO_REASON,
    "NoFaxSendPermission": _NO_SENDING,
    "NoInternationalPermission": _ABROAD,
    "NoFaxMachine": ("no fax machine answered", _NUMBER),
    "NoAnswer": ("nobody answered", _AGAIN),
    "LineBusy": ("the line was busy", _AGAIN),
    "CallerHungUp": ("the call ended before the fax was through", _AGAIN),
    "NotEnoughCredits": _MONEY,
    "SentPartially": (
        "only some of the pages got through",
        "Ask the recipient which pages arrived, and send the others again.",
    ),
    "InternationalCallingDisabled": _ABROAD,
    "DestinationCountryDisabled": ("calls to that country are not allowed", _ADMINISTRATOR),
    "UnknownCountryCode": ("the country code of that number is unknown", _NUMBER),
    "NotAccepted": ("the other side did not accept it", _CALL),
    "InvalidNumber": _INVALID,
    "CallDeclined": ("the call was declined", _CALL),
    "TooManyCallsPerLine": ("too many calls were made at the same time", _AGAIN),
    "CallFailed": ("the call failed", _AGAIN),
    "RenderingFailed": _DOCUMENT,
    "TooManyPages": ("the document has too many pages", "Send it in several parts."),
    "ReturnToDBQueue": ("it went back to RingCentral's queue", _SUPPORT),
    "NoCallTime": ("there was no time left to call", _AGAIN),
    "WrongNumber": _INVALID,
    "ProhibitedNumber": _BLOCKED,
    "InternalError": _THEIR_ERROR,
    "FaxSendingProhibited": _NO_SENDING,
    "ThePhoneIsBlacklisted": _BLOCKED,
    "UserNotFound": ("RingCentral does not know the sender", _ADMINISTRATOR),
    "ConvertError": _DOCUMENT,
    "DBGeneralError": _THEIR_ERROR,
    "SkypeBillingFailed": _MONEY,
    "AccountSuspended": ("the account is suspended", _ADMINISTRATOR),
    "ProhibitedDestination": _BLOCKED,
    "InternationalDisabled": _ABROAD,
    "SMS-RC-410": _NO_TEXTS,
    "SMS-RC-413": _OPTED_OUT,
    "SMS-RC-430": _SPAM,
    "SMS-RC-500": _THEIR_ERROR,
    "SMS-RC-501": _THEIR_ERROR,
    "SMS-RC-503": _NOT_SET_UP,
    "SMS-RC-504": _NOT_SET_UP,
    "SMS-UP-410": _NO_TEXTS,
    "SMS-UP-413": _OPTED_OUT,
    "SMS-UP-414": _NOT_SET_UP,
    "SMS-UP-430": _SPAM,
    "SMS-UP-431": ("your number is blocked, it was taken for a sender of spam", _ADMINISTRATOR),
    "SMS-UP-432": ("it was too long", "Send it in several parts."),
    "SMS-UP-433": ("it could not be delivered as it was written", _REWORD),
    "SMS-UP-500": ("something went wrong on the way", _SUPPORT),
    "SMS-CAR-104": ("the carrier has not confirmed it; it may have arrived", _CALL),
    "SMS-CAR-199": ("the carrier has not confirmed it; it may have arrived", _CALL),
    "SMS-CAR-400": _NO_TEXTS,
    "SMS-CAR-410": ("it was not delivered in time", _SUPPORT),
    "SMS-CAR-411": _NO_TEXTS,
    "SMS-CAR-412": ("the recipient's phone could not be reached", _AGAIN),
    "SMS-CAR-413": _OPTED_OUT,
    "SMS-CAR-414": _NOT_SET_UP,
    "SMS-CAR-430": _SPAM,
    "SMS-CAR-431": ("the carrier refused it without a reason", _SUPPORT),
    "SMS-CAR-432": ("it was too long for the carrier", "Keep it below 160 letters."),
    "SMS-CAR-433": ("it could not be delivered as it was written", _REWORD),
    "SMS-CAR-434": ("its pictures are too large", "Send smaller pictures."),
    "SMS-CAR-435": ("it has a shortened link in it", _REWORD),
    "SMS-CAR-450": _QUOTA,
    "SMS-CAR-451": _QUOTA,
    "SMS-CAR-452": _QUOTA,
    "SMS-CAR-460": _NO_TEXTS,
    "SMS-CAR-461": ("your toll-free number is not verified", _ADMINISTRATOR),
    "SMS-CAR-500": ("something went wrong at the carrier", _AGAIN),
}


@dataclass(frozen=True, slots=True)
class Undelivered:
    """One recipient who did not get it: who, RingCentral's code (or empty), why, what to do."""

    recipient: str
    code: str
    reason: str
    remedy: str


def is_undelivered(message: Message, on: str) -> bool:
    """Whether the mail is about a message that did not arrive."""
    return on == FAILED or (on == CREATED and message.message_status in _FAILED)


def undelivered(message: Message) -> list[Undelivered]:
    """Those whom a message that failed did not reach; it may have reached others."""
    parties = [party for party in message.to if _missed(party)] or message.to
    if not parties:
        return [_undelivered("unknown", message.delivery_error_code)]
    return [
        _undelivered(str(party), party.fax_error_code or message.delivery_error_code)
        for party in parties
    ]


def reached(message: Message) -> list[str]:
    """The recipients whom a message that failed for others did reach."""
    return [str(party) for party in message.to if party.message_status in {"Sent", "Delivered"}]


def why(message: Message) -> str:
    """The reasons in a few words, each once."""
    reasons = [one.reason for one in undelivered(message) if one.reason != _NO_REASON[0]]
    return one_line(", ".join(dict.fromkeys(reasons)), 80)


def _missed(party: Party) -> bool:
    return party.message_status in _FAILED or bool(party.fax_error_code)


def _undelivered(recipient: str, code: str | None) -> Undelivered:
    code = one_line(code or "", 60)
    reason, remedy = _REASONS.get(code) or ((code, _SUPPORT) if code else _NO_REASON)
    return Undelivered(one_line(recipient), code, reason, remedy)
