"""What is found out of a message beside its record, and what it may cost."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from message_store.errors import NotFound, RateLimited, RingCentralError, ServerError
from message_store.mailbox import Mailbox
from message_store.message import Message
from worker.facts import Known
from worker.routes import Route
from worker.surroundings import Surroundings, transcription

MAILBOX = Mailbox("400", "101")


def voicemail(age: float = 0, **fields: Any) -> Message:
    created = datetime.now(UTC) - timedelta(seconds=age)
    parts = [{"id": 1, "type": "AudioRecording"}, {"id": 2, "type": "AudioTranscription"}]
    base = {"id": 7, "type": "VoiceMail", "creationTime": created, "attachments": parts}
    return Message.model_validate({**base, **fields})


class Store:
    """Has one text, or an error instead; counts who asks."""

    def __init__(self, text: bytes = b"", error: RingCentralError | None = None) -> None:
        self.asked, self._text, self._error = 0, text, error

    @asynccontextmanager
    async def content(self, *_: object) -> AsyncIterator[AsyncIterator[bytes]]:
        self.asked += 1
        if self._error is not None:
            raise self._error
        yield self._chunks()

    async def _chunks(self) -> AsyncIterator[bytes]:
        for start in range(0, len(self._text), 65_536):
            yield self._text[start : start + 65_536]


class Extensions:
    """The names of extensions, and how often they are read."""

    def __init__(self) -> None:
        self.read = 0

    async def load(self) -> dict[Mailbox, tuple[str | None, str | None]]:
        self.read += 1
        return {MAILBOX: ("101", "Front desk")}


def words(store: Any, message: Message) -> str:
    return asyncio.run(transcription(store, MAILBOX, message))


def test_the_text_of_a_transcription() -> None:
    """It is read from its attachment, or from the subject where there is none; with a bound."""
    assert words(Store(b"Call me b\xc3\xa4ck \xff"), voicemail()) == "Call me bäck \ufffd"
    assert len(words(Store(b"a" * 1_000_000), voicemail())) == 65_536
    assert words(Store(), voicemail(attachments=[], subject="Hello")) == "Hello"
    assert words(Store(b"x"), voicemail(type="SMS")) == ""


@pytest.mark.parametrize(
    ("error", "age", "again"),
    [
        (ServerError("busy", status=503), 10, True),
        (ServerError("busy", status=503), 300, False),
        (RateLimited("later"), 300, True),
        (NotFound("gone"), 10, False),
    ],
)
def test_a_text_that_cannot_be_read(error: RingCentralError, age: float, again: bool) -> None:
    """It is tried again for two minutes if that can help; then other messages go on without it."""
    if again:
        with pytest.raises(RingCentralError):
            words(Store(error=error), voicemail(age))
    else:
        assert words(Store(error=error), voicemail(age)) == ""


@pytest.mark.parametrize(
    ("fields", "known", "asked", "read"),
    [
        ({}, Known(), 0, 0),
        ({"match": {"extension": "1*"}}, Known("101", "Front desk"), 0, 1),
        ({"match": {"not": {"any": [{"extension": "1"}]}}}, Known("101", "Front desk"), 0, 1),
        ({"if": "extension.name == 'x'"}, Known("101", "Front desk"), 0, 1),
        ({"on": "transcribed", "match": {"transcription": "x"}}, Known(None, None, "Hi"), 2, 0),
        ({"match": {"transcription": "x"}}, Known(), 0, 0),
    ],
)
def test_only_what_a_route_asks_for_is_found_out(
    fields: dict[str, Any], known: Known, asked: int, read: int
) -> None:
    """Names and texts cost something only if a route on what happened has to do with them."""
    store: Any = Store(b"Hi")
    extensions: Any = Extensions()
    route = Route.model_validate({"name": "x", "steps": ["y"], **fields})
    surroundings = Surroundings(extensions, [route])

    async def twice() -> list[Known]:
        return [
            await surroundings.of(store, MAILBOX, voicemail(), ("transcribed",)) for _ in range(2)
        ]

    assert asyncio.run(twice()) == [known, known]
    assert (store.asked, extensions.read) == (asked, read)
