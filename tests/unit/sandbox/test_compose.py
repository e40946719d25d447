"""Every kind of message looks as the published samples do."""

import pytest

from sandbox.samples.compose import KINDS, Wish
from sandbox.samples.content import Generated, whole
from sandbox.state.account import Extension
from sandbox.state.messages import conversation_id

OWNER = Extension(id="1", account_id="2", number="101", name="Ada King", phone="+16505550101")


@pytest.mark.parametrize(
    ("kind", "type_name", "parts"),
    [
        ("sms", "SMS", ["Text"]),
        ("mms", "SMS", ["Text", "MmsAttachment", "MmsAttachment"]),
        ("fax", "Fax", ["RenderedDocument"]),
        ("voicemail", "VoiceMail", ["AudioRecording"]),
        ("pager", "Pager", ["Text"]),
    ],
)
def test_kinds(kind: str, type_name: str, parts: list[str]) -> None:
    """Type and attachments of each kind, inbound, unread and received."""
    draft = KINDS[kind](Wish(), OWNER)
    assert draft.fields["type"] == type_name
    assert [part.type for part in draft.attachments] == parts
    assert all(part.content.content_type for part in draft.attachments)
    states = (draft.fields[name] for name in ("direction", "readStatus", "messageStatus"))
    assert tuple(states) == ("Inbound", "Unread", "Received")


def test_the_text_is_subject_and_attachment() -> None:
    """A text stands in `subject` and is an attachment too."""
    draft = KINDS["sms"](Wish(text="Grüße"), OWNER)
    assert draft.fields["subject"] == "Grüße"
    assert whole(draft.attachments[0].content) == "Grüße".encode()


def test_a_fax_without_recipient() -> None:
    """An inbound fax has no `to` and carries the called number in `subject`."""
    draft = KINDS["fax"](Wish(), OWNER)
    assert "to" not in draft.fields
    assert draft.fields["subject"] == OWNER.phone


def test_outbound() -> None:
    """A sent message has us as sender."""
    draft = KINDS["sms"](Wish(direction="Outbound", to="+16505550150"), OWNER)
    assert draft.fields["from"]["phoneNumber"] == OWNER.phone
    assert [party["phoneNumber"] for party in draft.fields["to"]] == ["+16505550150"]
    assert draft.fields["messageStatus"] == "Sent"


def test_generated_contents_get_a_type() -> None:
    """A content without a type gets the one that is usual."""
    draft = KINDS["fax"](Wish(attachments=[Generated(10)]), OWNER)
    assert draft.attachments[0].content.content_type == "application/pdf"


def test_conversations() -> None:
    """The same people talk in the same conversation, whoever writes; ids exceed 2**53."""
    assert conversation_id(("a", "b")) == conversation_id(("b", "a"))
    assert conversation_id(("a", "b")) != conversation_id(("a", "c"))
    assert 2**53 < conversation_id(("a", "b")) < 2**63
