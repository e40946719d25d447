"""The handler passes Ringpost's suite for all handlers, and says what it should."""

import asyncio
from pathlib import Path

import pytest
from pydantic import ValidationError
from ringpost_chat import Chat

from ringpost.handlers import Handler
from worker.handlers.conformance import CASES, Bench, HandlerConformance

OPTIONS = {"url": "https://chat.example.com/channels/4711", "token": "0123456789"}


class TestChat(HandlerConformance):
    """Faxes, voicemails, hostile messages, broken files, a peer that hangs up, and so on."""

    def make_handler(self) -> Handler:
        return Chat.model_validate(OPTIONS)


def test_what_is_said(tmp_path: Path) -> None:
    """The template is filled in, and sent with the token."""
    bench = Bench(CASES["fax"], tmp_path)
    assert asyncio.run(bench.attempt(Chat.model_validate(OPTIONS))) == "posted to chat.example.com"
    [call] = bench.network.calls
    assert call["json"] == {"text": "Fax from Jane Doe (+16505550100)"}


def test_a_token_that_is_cut_off() -> None:
    """It is refused at start, and not repeated."""
    with pytest.raises(ValidationError, match="is too short") as error:
        Chat.model_validate({**OPTIONS, "token": "0123"})
    assert "0123" not in str(error.value)
