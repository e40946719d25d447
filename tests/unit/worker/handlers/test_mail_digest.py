"""When digests go out, and what belongs to one."""

from datetime import UTC, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import TypeAdapter, ValidationError

from message_store.message import Message
from worker.handlers.conformance_cases import FAX, SMS, VOICEMAIL
from worker.handlers.mail_digest import Daily, belongs_to, next_time

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("now", "due"),
    [
        ("2025-11-25T16:59:59+00:00", "2025-11-25T17:00:00+00:00"),
        ("2025-11-25T17:00:00+00:00", "2025-11-26T17:00:00+00:00"),
        ("2025-11-25T23:30:00+00:00", "2025-11-26T17:00:00+00:00"),
        # the day before clocks go back, and the day they do
        ("2025-10-25T16:00:00+00:00", "2025-10-26T17:00:00+00:00"),
        ("2025-10-26T16:30:00+00:00", "2025-10-26T17:00:00+00:00"),
    ],
)
def test_the_next_time(now: str, due: str) -> None:
    """It is the next moment when clocks of the zone show that time."""
    found = next_time(time(18), BERLIN, datetime.fromisoformat(now))
    assert found.astimezone(UTC).isoformat() == due


@pytest.mark.parametrize("at", [time(2, 30), time(0), time(23, 59)])
def test_no_day_is_left_out(at: time) -> None:
    """A time that clocks skip or show twice is on every day all the same, once."""
    now, seen = datetime(2025, 3, 28, 12, tzinfo=UTC), []
    while now < datetime(2025, 11, 1, tzinfo=UTC):
        following = next_time(at, BERLIN, now)
        assert following.timestamp() > now.timestamp()
        now = following.astimezone(UTC)
        seen.append(following.date())
    assert len(seen) == len(set(seen)) >= 217


@pytest.mark.parametrize("text", ["daily", "18:00", "daily 24:00", "daily 18", "weekly 18:00", 18])
def test_what_is_no_time(text: object) -> None:
    """It is refused with an example."""
    with pytest.raises(ValidationError, match='write such as "daily 18:00"'):
        TypeAdapter(Daily).validate_python(text)
    assert TypeAdapter(Daily).validate_python("Daily 8:05") == time(8, 5)


def of(wire: dict[str, Any], **more: Any) -> str:
    return belongs_to(Message.model_validate({**wire, **more}))


def test_what_belongs_together() -> None:
    """A conversation, or all from and to one number; what is from nobody is alone."""
    assert of(SMS.wire) == of(SMS.wire, id=9, direction="Outbound")
    assert of(FAX.wire) == of(VOICEMAIL.wire)
    answer = {"direction": "Outbound", "to": [FAX.wire["from"]], "from": FAX.wire["to"][0]}
    assert of(FAX.wire) == of(FAX.wire, **answer)
    assert of(FAX.wire) != of(FAX.wire, **{"from": {"phoneNumber": "+16505550199"}})
    assert of({"id": 1}) != of({"id": 2})
