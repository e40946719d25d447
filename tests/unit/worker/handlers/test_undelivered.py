"""Why a message did not arrive, in plain words."""

from typing import Any

import pytest

from message_store.message import Message
from worker.handlers.conformance_cases import FAX, SMS
from worker.handlers.mail_text import headline, message_page
from worker.handlers.undelivered import _REASONS, undelivered

# RingCentral's FaxErrorCodeEnum.
FAX_CODES = [
    "AllLinesInUse",
    "Undefined",
    "NoFaxSendPermission",
    "NoInternationalPermission",
    "NoFaxMachine",
    "NoAnswer",
    "LineBusy",
    "CallerHungUp",
    "NotEnoughCredits",
    "SentPartially",
    "InternationalCallingDisabled",
    "DestinationCountryDisabled",
    "UnknownCountryCode",
    "NotAccepted",
    "InvalidNumber",
    "CallDeclined",
    "TooManyCallsPerLine",
    "CallFailed",
    "RenderingFailed",
    "TooManyPages",
    "ReturnToDBQueue",
    "NoCallTime",
    "WrongNumber",
    "ProhibitedNumber",
    "InternalError",
    "FaxSendingProhibited",
    "ThePhoneIsBlacklisted",
    "UserNotFound",
    "ConvertError",
    "DBGeneralError",
    "SkypeBillingFailed",
    "AccountSuspended",
    "ProhibitedDestination",
    "InternationalDisabled",
]


def sent(wire: dict[str, Any], **more: Any) -> Message:
    return Message.model_validate({**wire, "direction": "Outbound", **more})


@pytest.mark.parametrize("code", FAX_CODES)
def test_every_code_of_a_fax_has_words(code: str) -> None:
    """Each has a reason and a remedy in plain words."""
    to = [{"phoneNumber": "+1650", "messageStatus": "SendingFailed", "faxErrorCode": code}]
    (found,) = undelivered(sent(FAX.wire, messageStatus="SendingFailed", to=to))
    assert found.code == code
    assert code not in found.reason
    assert found.remedy.endswith(".")


def test_all_words_read_on_after_a_colon() -> None:
    """Reasons are parts of a sentence, remedies whole ones."""
    for reason, remedy in _REASONS.values():
        assert not reason.endswith(".")
        assert reason[0].islower() or reason.startswith("RingCentral")
        assert remedy[0].isupper()
        assert remedy.endswith(".")


def test_only_those_whom_it_did_not_reach() -> None:
    """A fax to three that reached one names the two others, each with its own reason."""
    to = [
        {"phoneNumber": "+1", "messageStatus": "SendingFailed", "faxErrorCode": "LineBusy"},
        {"phoneNumber": "+2", "messageStatus": "Sent"},
        {"phoneNumber": "+3", "messageStatus": "SendingFailed", "faxErrorCode": "NewWord"},
    ]
    message = sent(FAX.wire, messageStatus="SendingFailed", to=to)
    assert [(one.recipient, one.reason) for one in undelivered(message)] == [
        ("+1", "the line was busy"),
        ("+3", "NewWord"),
    ]
    line = "Not delivered (the line was busy, NewWord): Fax to +1, +3, 3 pages"
    assert headline(message) == line
    facts = dict(message_page(message, "", []).facts)
    assert facts["Reached"] == "+2"
    assert facts["Code"] == "LineBusy, NewWord"
    assert "Status" not in facts


def test_a_text_message() -> None:
    """The code is that of the message; its text is shown as what was sent."""
    message = sent(SMS.wire, messageStatus="DeliveryFailed", deliveryErrorCode="SMS-CAR-413")
    page = message_page(message, "", [])
    assert page.title.startswith("Not delivered (the recipient has opted out of text messages")
    assert "START" in page.plain()
    assert "What was sent:\nAre you open today?" in page.plain()
    assert "START" in page.html()


def test_nothing_is_known() -> None:
    """Without a code or a recipient it says so."""
    (found,) = undelivered(Message.model_validate({"id": 1, "messageStatus": "SendingFailed"}))
    assert (found.recipient, found.reason) == ("unknown", "no reason was given")
