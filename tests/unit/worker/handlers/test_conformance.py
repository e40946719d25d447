"""The conformance suite notices handlers that break the contract."""

import asyncio

import pytest
from pydantic import PrivateAttr

from message_store.message import Message
from worker.handlers.conformance import HandlerConformance
from worker.handlers.contract import Context, Handler, TransientError


class Silent(Handler):
    """Says nothing."""

    async def handle(self, message: Message, context: Context) -> str:
        return ""


class Swallower(Handler):
    """Says it was done when its file or its peer broke."""

    async def handle(self, message: Message, context: Context) -> str:
        try:
            for file in context.attachments:
                async for _ in file.open():
                    pass
            await context.post_json("https://example.com", {})
        except Exception:  # noqa: BLE001  # the fault that the suite has to find
            return "done"
        return "done"


class Stubborn(Handler):
    """Swallows its cancellation."""

    async def handle(self, message: Message, context: Context) -> str:
        try:
            for file in context.attachments:
                await file.path()
        except asyncio.CancelledError:
            return "done"
        return "done"


class OnceOnly(Handler):
    """Fails when it is called again."""

    async def handle(self, message: Message, context: Context) -> str:
        if context.attempt > 1:
            raise TransientError("again?")
        return "done"


class Fragile(Handler):
    """Takes for granted that there is a sender."""

    async def handle(self, message: Message, context: Context) -> str:
        assert message.from_ is not None
        return "done"


class Editor(Handler):
    """Takes for granted that what it amends is there."""

    _done: set[str] = PrivateAttr(default_factory=set)

    async def handle(self, message: Message, context: Context) -> str:
        self._done.add(context.idempotency_key)
        return "done"

    async def amend(self, message: Message, context: Context) -> str:
        assert context.first_key in self._done, "nothing to amend"
        return "amended"


def suite(kind: type[Handler]) -> HandlerConformance:
    class Suite(HandlerConformance):
        def make_handler(self) -> Handler:
            return kind()

    return Suite()


@pytest.mark.parametrize(
    ("kind", "test", "complaint"),
    [
        (Silent, "test_says_what_it_did_with_every_kind_of_message", "says nothing"),
        (Fragile, "test_says_what_it_did_with_every_kind_of_message", "None"),
        (OnceOnly, "test_repeats_with_the_same_identity", "again"),
        (Editor, "test_amends_what_it_did", "nothing to amend"),
        (Swallower, "test_passes_on_a_broken_attachment", "a file broke off"),
        (Swallower, "test_passes_on_a_peer_that_hangs_up", "the peer hung up"),
        (Stubborn, "test_ends_when_cancelled", "swallowed its cancellation"),
    ],
)
def test_it_notices(kind: type[Handler], test: str, complaint: str) -> None:
    """Each fault fails the test that is about it."""
    with pytest.raises((AssertionError, TransientError), match=complaint):
        getattr(suite(kind), test)()
