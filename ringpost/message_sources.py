"""Finds one message that is looked at by hand: in a file, in an archive, at RingCentral."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from message_store.message import Message
from ringpost.archived_messages import find_message, roots_of
from ringpost.refusal import Refusal
from ringpost.trying import Source, of_file, source


@asynccontextmanager
async def found(
    text: str, mailbox: str | None, where: str | None, handlers: Mapping[str, object]
) -> AsyncIterator[tuple[Source, str]]:
    """The message, and where it was found; an archive comes before RingCentral.

    Raises Refusal if it is nowhere.
    """
    if not Message.id_form.fullmatch(text):
        yield of_file(Path(text)), text
        return
    if where != "ringcentral":
        one = await asyncio.to_thread(find_message, roots_of(handlers), text, mailbox)
        if one is not None:
            yield one, "the archive"
            return
        if where == "archive":
            raise Refusal(f"message {text}: no archive of the configuration has it", exit_code=1)
    async with source(text, mailbox or "~") as opened:
        yield opened, "RingCentral"
