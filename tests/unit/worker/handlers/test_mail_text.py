"""What a mail about a message says."""

import re
from zoneinfo import ZoneInfo

import pytest

from message_store.message import Message
from worker.handlers.conformance_cases import CASES, FAX, HOSTILE, SMS, VOICEMAIL
from worker.handlers.mail_text import (
    facts,
    headline,
    html_page,
    message_page,
    moment,
    plain_page,
)


@pytest.mark.parametrize(
    ("wire", "line"),
    [
        (FAX.wire, "Fax from Jane Doe (+16505550100), 3 pages"),
        ({**FAX.wire, "faxPageCount": 1}, "Fax from Jane Doe (+16505550100), 1 page"),
        ({**FAX.wire, "faxPageCount": 0}, "Fax from Jane Doe (+16505550100)"),
        (VOICEMAIL.wire, "Voicemail from Jane Doe (+16505550100), 0:42"),
        (SMS.wire, "Text message from Jane Doe (+16505550100)"),
        (
            {**SMS.wire, "direction": "Outbound", "messageStatus": "DeliveryFailed"},
            "Not delivered: Text message to Front desk (+16505550111)",
        ),
        ({"id": 1, "type": "Telegram"}, "Telegram from unknown"),
        ({"id": 1}, "Message from unknown"),
    ],
)
def test_headline(wire: dict[str, object], line: str) -> None:
    """It says what came, from whom, and how much of it."""
    assert headline(Message.model_validate(wire)) == line


SENT_FAX = {**FAX.wire, "direction": "Outbound", "messageStatus": "SendingFailed"}


@pytest.mark.parametrize(
    ("on", "wire", "line"),
    [
        (
            "transcribed",
            VOICEMAIL.wire,
            "Transcription of a voicemail from Jane Doe (+16505550100), 0:42",
        ),
        ("read", SMS.wire, "Read: Text message from Jane Doe (+16505550100)"),
        ("deleted", FAX.wire, "Deleted: Fax from Jane Doe (+16505550100), 3 pages"),
        ("deleted", SENT_FAX, "Deleted: Fax to Front desk (+16505550111), 3 pages"),
        ("sent", SENT_FAX, "Sent: Fax to Front desk (+16505550111), 3 pages"),
        ("delivered", SENT_FAX, "Delivered: Fax to Front desk (+16505550111), 3 pages"),
        ("failed", SENT_FAX, "Not delivered: Fax to Front desk (+16505550111), 3 pages"),
        (
            "failed",
            SENT_FAX | {"to": [{"phoneNumber": "+1650", "faxErrorCode": "NoAnswer"}] * 2},
            "Not delivered (nobody answered): Fax to +1650, +1650, 3 pages",
        ),
        (
            "failed",
            {**SMS.wire, "direction": "Outbound", "deliveryErrorCode": "SMS-RC-413"},
            "Not delivered (the recipient has opted out of text messages from this number): "
            "Text message to Front desk (+16505550111)",
        ),
        ("deleted", {"id": 1}, "Deleted: Message from unknown"),
        ("elsewhere", SMS.wire, "Text message from Jane Doe (+16505550100)"),
    ],
)
def test_what_happened(on: str, wire: dict[str, object], line: str) -> None:
    """It says what happened, in subject and text, and why something was not delivered."""
    message = Message.model_validate(wire)
    assert headline(message, on) == line
    assert plain_page(message, "", [], on).startswith(f"{line}\n")
    assert f"<title>{line}</title>" in html_page(message, "", [], on)


def test_facts_are_only_what_is_known() -> None:
    """A nearly empty message has none, a fax all that matters."""
    assert facts(CASES["bare"].message, []) == []
    assert facts(FAX.message, ["a.pdf"]) == [
        ("From", "Jane Doe (+16505550100)"),
        ("To", "Front desk (+16505550111)"),
        ("Received", "23 Nov 2025, 14:17 UTC"),
        ("Pages", "3"),
        ("Status", "Received"),
        ("File", "a.pdf"),
    ]


def test_times_are_those_of_the_zone() -> None:
    """A time is written for the people who read it, and one that no calendar has does no harm."""
    assert moment(FAX.message, ZoneInfo("America/Los_Angeles")) == "23 Nov 2025, 06:17 PST"
    first = Message.model_validate({"id": 1, "creationTime": "0001-01-01T00:00:00Z"})
    assert moment(first, ZoneInfo("America/Los_Angeles")) == "1 Jan 1, 00:00 UTC"


@pytest.mark.parametrize(
    ("status", "label", "note"),
    [
        ("Completed", "What was said:", ""),
        ("CompletedPartially", "The beginning of what was said:", ""),
        ("InProgress", "", "What was said is still being written down."),
        ("Failed", "", "What was said could not be written down."),
        ("NotAvailable", "", ""),
    ],
)
def test_what_was_said(status: str, label: str, note: str) -> None:
    """A voicemail says whether its text is the whole, a part, still to come, or not to be had."""
    message = Message.model_validate({**VOICEMAIL.wire, "vmTranscriptionStatus": status})
    text = "Call me" if status.startswith("Completed") else ""
    page = message_page(message, text, [])
    assert page.note == note
    for form in (page.plain(), page.html()):
        assert (label or note) in form


def test_pages() -> None:
    """Plain and HTML say the same, and a template's text takes the place of the message's."""
    for page in (plain_page, html_page):
        assert "Are you open today?" in page(SMS.message, "", [])
        assert "Are you open" not in page(SMS.message, "Call back", [])
        assert "Call back" in page(SMS.message, "Call back", [])


def test_a_stranger_writes_no_markup() -> None:
    """Everything of the message is escaped, and direction marks are gone."""
    page = html_page(HOSTILE.message, "<i>{{ 7*7 }}</i>\u202e", ["<img>.pdf"])
    for markup in ("<script", "<b>", "<i>", "<img", "\u202e", "\x00"):
        assert markup not in page
    assert "{{ 7*7 }}" in page


def test_it_fits_a_phone() -> None:
    """No width is fixed, nothing is loaded from elsewhere, and long words may break."""
    page = html_page(FAX.message, "", [])
    assert 'content="width=device-width' in page
    assert "overflow-wrap:anywhere" in page
    assert "http" not in page
    assert " width=" not in page


def test_what_is_read_from_right_to_left() -> None:
    """The text and the names of strangers have the direction of their own script."""
    wire = {"type": "SMS", "subject": "שלום (עולם).", "from": {"name": "נועה"}}
    page = html_page(Message.model_validate({"id": 1, **wire}), "", [])
    # the heading, what was said, and the fact "From"
    assert page.count('dir="auto"') == 3
    assert len(re.findall(r'dir="auto"[^>]*>(?:נועה|שלום \(עולם\)\.)</', page)) == 3
