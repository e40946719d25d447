"""Text messages to be sent: what is too long is cut, and files go along in a form."""

from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import HTTP

import pytest

from message_store.outgoing import OutgoingSms, SmsFile, shortened


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("a" * 1000, "a" * 1000),
        ("a" * 1001, "a" * 999 + "…"),
        ("😀" * 500, "😀" * 500),
        ("😀" * 501, "😀" * 499 + "…"),
        ("a" * 998 + "   b", "a" * 998 + "…"),
    ],
)
def test_what_is_too_long_is_cut(text: str, cut: str) -> None:
    """At 1,000 UTF-16 units, never through the middle of an emoji."""
    assert shortened(text) == cut


def test_files_go_in_a_form() -> None:
    """The document is one part, each file another, whole and under a name that ends nothing."""
    picture = SmsFile('a"b\r\nc.png', "image/png", b"\x89PNG\r\n--x--\r\n")
    sms = OutgoingSms("+16505550100", "+16505550199", "Grüße", (picture,))
    content_type, body = sms.to_form()
    head = f"Content-Type: {content_type}\r\n\r\n".encode()
    form = BytesParser(policy=HTTP).parsebytes(head + body)
    document, file = [part for part in form.iter_parts() if isinstance(part, EmailMessage)]
    assert document.get_content_type() == "application/json"
    assert file.get_payload(decode=True) == picture.content
    assert file.get_filename() == "a%22b%0D%0Ac.png"
