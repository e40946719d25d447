"""The models of a message: what is read from it, and that nothing odd makes it unreadable."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from message_store.message import Message, Party

Sample = Callable[[str], Any]
KINDS = ["sms", "mms", "fax", "voicemail", "pager"]

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
known = [field.alias or name for name, field in Message.model_fields.items() if name != "id"]
inside = [field.alias or name for name, field in Party.model_fields.items()] + ["id", "size"]
near = st.lists(st.dictionaries(st.sampled_from(inside), values, max_size=5) | values, max_size=3)
objects = st.dictionaries(
    st.sampled_from([*known, "from_", "read_status"]) | st.text(max_size=8), values | near
)
ids = st.integers() | st.text(min_size=1, max_size=20)


@given(objects, ids)
def test_any_object_with_an_id_is_a_message(fields: dict[str, Any], identity: int | str) -> None:
    """Whatever the fields hold, the message is read, shown, written and read again."""
    message = Message.model_validate(fields | {"id": identity})
    assert message.id == str(identity)
    assert message.created.tzinfo is UTC
    assert isinstance(f"{message.sender}{message.recipients}{message.text}", str)
    assert isinstance(message.files, list)
    again = Message.model_validate(message.to_wire())
    assert (again.id, again.type, again.created) == (message.id, message.type, message.created)


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_of_a_message_is_lost(kind: str, sample: Sample) -> None:
    """Each kind is written as it was read, but for ids as text and times in UTC."""
    raw = sample(f"{kind}.json")
    written = Message.model_validate(raw).to_wire()
    assert written.keys() == raw.keys()
    assert [set(part) for part in written["attachments"]] == [set(p) for p in raw["attachments"]]
    json.dumps(written, allow_nan=False)


def test_text_of_an_sms_is_its_subject(sample: Sample) -> None:
    """The text is in `subject`, and the part that repeats it is no file."""
    message = Message.model_validate(sample("sms.json"))
    assert message.text == "The engine is ready ☎"
    assert message.files == []
    assert message.sender == "Ada Lovelace (+12025550143)"
    assert message.conversation_id == "8234962969801171948"
    assert not message.is_mms


def test_an_mms_is_an_sms_with_pictures(sample: Sample) -> None:
    """An MMS says it is an SMS; its files tell, and their ids are text however they came."""
    message = Message.model_validate(sample("mms.json"))
    assert message.is_mms
    assert [part.id for part in message.files] == ["55001", "55002"]
    assert message.recipients == "+12025550100, Lab (+12025550101)"
    assert message.last_modified_time == datetime(2026, 3, 2, 9, 16, tzinfo=UTC)


def test_a_fax_may_lack_its_recipients(sample: Sample) -> None:
    """An inbound fax without `to` has no recipients, and its subject is no text."""
    message = Message.model_validate(sample("fax.json"))
    assert (message.to, message.text, message.fax_page_count) == ([], "", 3)


def test_a_voicemail_has_text_ids_and_old_dates(sample: Sample) -> None:
    """Ids as text and dates in the old form are read; a transcription is a file."""
    message = Message.model_validate(sample("voicemail.json"))
    assert message.id == "2811000404001"
    assert message.created == datetime(2014, 4, 29, 14, 29, 27, 408000, tzinfo=UTC)
    assert [part.type for part in message.files] == ["AudioRecording", "AudioTranscription"]
    assert message.files[0].vm_duration == 17


def test_a_deleted_pager_message(sample: Sample) -> None:
    """Anything but `Alive` is deleted; extensions are shown by number and name."""
    message = Message.model_validate(sample("pager.json"))
    assert message.is_deleted
    assert message.recipients == "Lab (102)"
    assert Message.model_validate({"id": 1, "availability": "Purged"}).created.year == 1970


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("creationTime", "yesterday"),
        ("lastModifiedTime", "0001-01-01T00:00:00+14:00"),
        ("faxPageCount", float("nan")),
        ("faxPageCount", -1),
        ("from", "+12025550143"),
        ("subject", {"text": "hello"}),
        ("readStatus", ["Read"]),
    ],
)
def test_a_mistyped_field_becomes_its_default_and_is_kept(name: str, value: object) -> None:
    """One bad field costs that field alone, and its value stays among the unknown fields."""
    message = Message.model_validate({"id": 5, "direction": "Inbound", name: value})
    field = (
        "from_"
        if name == "from"
        else next(one for one, info in Message.model_fields.items() if info.alias == name)
    )
    assert getattr(message, field) is None
    assert (message.id, message.direction) == ("5", "Inbound")
    assert message.model_extra == {name: value} or value != value  # NaN equals nothing


def test_what_is_no_part_is_left_out() -> None:
    """Of a list only its objects count, and an attachment without an id cannot be asked for."""
    message = Message.model_validate(
        {
            "id": 5,
            "to": ["+12025550100", {"phoneNumber": 12025550100}, None],
            "attachments": [{"type": "Text"}, {"id": True}, 7, {"id": 8, "size": "many"}],
        }
    )
    assert [party.phone_number for party in message.to] == ["12025550100"]
    assert [(part.id, part.size) for part in message.attachments] == [("8", None)]
    assert Message.model_validate({"id": 5, "to": "x", "attachments": None}).attachments == []


@pytest.mark.parametrize("document", [{}, {"id": None}, {"id": ""}, {"id": [1]}, {"id": True}, 5])
def test_without_an_id_it_is_no_message(document: object) -> None:
    """The id is the one thing a message must have."""
    with pytest.raises(ValidationError):
        Message.model_validate(document)
