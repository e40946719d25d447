"""Makes links: encrypts a content on disk and writes down how long and how often it opens."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from worker.handlers.contract import Links
from worker.links.sealed_file import LinkFacts, SealedWriter
from worker.links.token import LinkToken

if TYPE_CHECKING:
    from worker.ledger.links import LinkLedger


class LinkMaker(Links):
    """Keeps contents in `folder`, as files named after the SHA-256 of their tokens.

    Neither the folder nor Redis nor both open any of them: the key is in the link.
    """

    def __init__(self, folder: Path, ledger: "LinkLedger", address: str) -> None:
        self._folder = folder
        self._ledger = ledger
        self._address = address.rstrip("/")

    async def keep(
        self,
        name: str,
        content_type: str,
        chunks: AsyncIterator[bytes],
        *,
        expires_in: timedelta,
        views: int,
    ) -> str:
        """See `Links`. The file is on disk for good before the link exists."""
        token = LinkToken.new()
        path = self._folder / token.id
        facts = LinkFacts(name, content_type)
        writer = await asyncio.to_thread(SealedWriter, path, token.key, facts)
        try:
            async for chunk in chunks:
                await asyncio.to_thread(writer.write, chunk)
            await asyncio.to_thread(writer.finish)
        except BaseException:
            writer.abandon()
            raise
        await self._ledger.add(token.id, views, expires_in)
        return f"{self._address}/{token}"

    async def withdraw(self, addresses: Sequence[str]) -> None:
        """See `Links`."""
        for address in addresses:
            token = LinkToken.parse(address.rpartition("/")[2])
            if token is not None:
                await self._ledger.forget(token.id)
                await asyncio.to_thread((self._folder / token.id).unlink, missing_ok=True)
