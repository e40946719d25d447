"""Plug-ins for the canary test: each fails in another way, with what nobody may read at hand."""

import asyncio

import aiohttp
from pydantic import SecretStr

from ringpost.handlers import Context, Handler, Message, PermanentError


class Talkative(Handler):
    """A handler that knows an address with a token in it."""

    url: SecretStr

    async def handle(self, message: Message, context: Context) -> str:
        raise NotImplementedError

    def words(self, message: Message) -> str:
        """All that it should keep to itself."""
        return f"{message.text} from {message.sender} to {self.url.get_secret_value()}"


class Crash(Talkative):
    """Has a bug, and quotes everything; so does the error before it, and a task of its own."""

    async def handle(self, message: Message, context: Context) -> str:
        words = self.words(message)
        self._beside = asyncio.ensure_future(self._crash(words))
        try:
            int(words)
        except ValueError as error:
            raise RuntimeError(words) from error
        return "never"

    async def _crash(self, words: str) -> None:
        raise KeyError(words)


class CrashInGroup(Talkative):
    """Several bugs at once."""

    async def handle(self, message: Message, context: Context) -> str:
        words = self.words(message)
        raise ExceptionGroup(words, [ValueError(words), OSError(2, words, words)])


class Disconnected(Talkative):
    """Its library says which address cannot be called."""

    async def handle(self, message: Message, context: Context) -> str:
        raise aiohttp.InvalidURL(self.url.get_secret_value())


class Unreachable(Talkative):
    """Calls an address that is not there."""

    async def handle(self, message: Message, context: Context) -> str:
        reply = await context.post_json(self.url.get_secret_value(), {"text": message.text})
        return str(reply.status)


class Refused(Talkative):
    """Repeats what its destination says, and logs it."""

    async def handle(self, message: Message, context: Context) -> str:
        sender = message.from_.phone_number if message.from_ else None
        words = f"401: Bearer {self.url.get_secret_value()[-20:]} may not call {sender}"
        context.log.warning("refused", reply=words)
        raise PermanentError(words)


class Noted(Talkative):
    """Says too much about what it has done."""

    async def handle(self, message: Message, context: Context) -> str:
        sender = message.from_.phone_number if message.from_ else None
        return f"called back {sender}"
