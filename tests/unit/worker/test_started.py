"""A handler that does not start keeps nobody else from working."""

import pytest
from pydantic import PrivateAttr

from message_store.message import Message
from worker.handlers.contract import Context, Handler, TransientError
from worker.started import StartedHandlers


class Fragile(Handler):
    """Starts at the second try, and cannot be closed."""

    _tries: int = PrivateAttr(default=0)

    async def start(self) -> None:
        self._tries += 1
        if self._tries < 3:
            raise ConnectionRefusedError(111, "nobody there")

    async def handle(self, message: Message, context: Context) -> str:
        return "handled"

    async def close(self) -> None:
        raise KeyError("bug")


class Sturdy(Handler):
    """Notes its life."""

    _life: list[str] = PrivateAttr(default_factory=list)

    async def start(self) -> None:
        self._life.append("start")

    async def handle(self, message: Message, context: Context) -> str:
        return "handled"

    async def close(self) -> None:
        self._life.append("close")


async def test_one_that_does_not_start_waits() -> None:
    """It is tried again when it is needed, and its deliveries wait until it starts."""
    fragile = Fragile()
    handlers = StartedHandlers({"fragile": fragile})
    await handlers.start()

    with pytest.raises(TransientError, match="nobody there"):
        await handlers.ordinary("fragile")

    assert await handlers.ordinary("fragile") is fragile
    assert await handlers.ordinary("fragile") is fragile
    assert fragile._tries == 3


async def test_the_others_start_and_close() -> None:
    """A neighbour that fails to start or to close makes no difference."""
    sturdy = Sturdy()
    handlers = StartedHandlers({"fragile": Fragile(), "sturdy": sturdy})

    await handlers.start()
    assert await handlers.ordinary("sturdy") is sturdy
    await handlers.close()

    assert sturdy._life == ["start", "close"]
