"""A plug-in for the tests: notes that it was called, then waits until a file appears."""

import asyncio
from pathlib import Path

from ringpost.handlers import Context, Handler, Message, PermanentError


class Gate(Handler):
    """`notes` gets a line per call; with `gate`, a call ends when that file is there."""

    notes: Path
    gate: Path | None = None

    async def handle(self, message: Message, context: Context) -> str:
        with self.notes.open("a") as notes:
            notes.write(f"{message.id}\n")
        while self.gate and not self.gate.exists():  # noqa: ASYNC110  # another process makes it
            await asyncio.sleep(0.02)
        return "passed"


class Refusal(Handler):
    """Refuses every message for good."""

    async def handle(self, message: Message, context: Context) -> str:
        raise PermanentError("not today")
