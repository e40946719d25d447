"""A handler that adds what was said: the example of its page, and what later steps see of it."""

import re
import sys
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from message_store.message import Message
from worker.handlers.conformance import HandlerConformance
from worker.handlers.conformance_cases import SMS, VOICEMAIL
from worker.handlers.contract import Handler, Outcome
from worker.handlers.rendering import render

PAGE = Path(__file__).parents[4] / "docs/handlers/transcribe.md"


@pytest.fixture
def kind(monkeypatch: pytest.MonkeyPatch) -> type[Handler]:
    """The example as it is printed."""
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    module = types.ModuleType("office_handlers")
    monkeypatch.setitem(sys.modules, "office_handlers", module)
    exec(code, module.__dict__)
    found: type[Handler] = module.Transcribe
    return found


class TestTheExample(HandlerConformance):
    """It passes the suite for all handlers."""

    @pytest.fixture(autouse=True)
    def example(self, kind: type[Handler]) -> None:
        self.kind = kind

    def make_handler(self) -> Handler:
        return self.kind.model_validate({"url": "https://speech.example.com/v1"})


class Speech:
    """What the example needs of a context."""

    def __init__(self, attachments: list[Any]) -> None:
        self.attachments = attachments

    async def request(self, *_: object, headers: Mapping[str, str], **__: object) -> Any:
        return types.SimpleNamespace(status=200, json=lambda: {"text": headers["Content-Type"]})


async def test_it_answers_with_text(kind: type[Handler]) -> None:
    """A recording gives an Outcome, anything else words alone."""
    handler = kind.model_validate({"url": "https://speech.example.com/v1"})
    recording = types.SimpleNamespace(
        type="AudioRecording", content_type="audio/x-wav", open=lambda: b""
    )
    context: Any = Speech([recording])
    found = await handler.handle(VOICEMAIL.message, context)
    assert found == Outcome("transcribed", "audio/x-wav")
    context = Speech([])
    assert await handler.handle(SMS.message, context) == "nothing to transcribe"


def test_what_templates_and_programs_see() -> None:
    """Nothing until it is there; then it is among the fields of the message."""
    message = Message.model_validate({"id": 1, "type": "VoiceMail"})
    assert render("{{ message.transcription or 'none' }}", {"message": message}) == "none"
    assert "transcription" not in message.to_wire()
    added = message.model_copy(update={"transcription": "Hello"})
    assert render("{{ message.transcription }}", {"message": added}) == "Hello"
    assert added.to_wire()["transcription"] == "Hello"
