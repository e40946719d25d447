"""Saving attachments by hand: what one message cannot give costs no other."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import pytest

from message_store.client import MessageStore
from message_store.mailbox import Mailbox
from message_store.message import Message
from ringpost.bars import Bar
from ringpost.download import Download
from ringpost.mailbox_by_hand import Opened
from ringpost.message_filters import Filters
from ringpost.selection import selection
from worker.free_space import DiskFullError


class Stream:
    """The content of any attachment."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b"content"


class Store:
    """Messages; the attachment of the first has an odd id, those of the third odd names."""

    async def get_many(self, mailbox: Mailbox, ids: list[str]) -> dict[str, Message]:
        parts = {
            "1": [{"id": "9 odd"}],
            "2": [{"id": "9"}],
            "3": [{"id": "8", "fileName": "a.pdf.part"}, {"id": "9", "fileName": "a.pdf"}],
        }
        return {one: Message.model_validate({"id": one, "attachments": parts[one]}) for one in ids}

    @asynccontextmanager
    async def content(
        self, mailbox: Mailbox, message_id: str, attachment: Any
    ) -> AsyncIterator[Stream]:
        # the real client's own check, before any request
        MessageStore.content(self, mailbox, message_id, attachment)  # type: ignore[arg-type]  # no request is made
        yield Stream()

    _http = None


def names_in(folder: Path) -> list[str]:
    """What lies there."""
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def saving(tmp_path: Path) -> Callable[..., Awaitable[Download]]:
    """Saves the attachments of these messages."""

    async def save(*ids: str) -> Download:
        download = Download(tmp_path, lambda path: None)
        opened = Opened(cast("MessageStore", Store()), {Mailbox("7", "101"): "~"})
        await download.run(opened, selection(["~"], ids, Filters(), False), Bar("saving"))
        return download

    return save


Save = Callable[..., Awaitable[Download]]


async def test_an_odd_attachment_is_one_messages_problem(saving: Save, tmp_path: Path) -> None:
    """The other message is saved, and a line says why the first is not."""
    done = await saving("1", "2")
    assert [file.read_bytes() for file in done.files] == [b"content"]
    assert list(done.problems) == ["1"]
    assert "attachment's id" in done.problems["1"]
    assert names_in(tmp_path) == [file.name for file in done.files]


async def test_room_is_left_on_the_disk(
    saving: Save, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is saved on a disk that is nearly full, and nothing half lies about."""
    nearly_full = os.statvfs_result((1, 1, 9, 9, 9, 0, 0, 0, 0, 255))
    monkeypatch.setattr(os, "fstatvfs", lambda descriptor: nearly_full)
    with pytest.raises(DiskFullError, match="only 0 MiB are free") as caught:
        await saving("2")
    assert caught.value.strerror == str(caught.value), "what the command line shows"
    assert names_in(tmp_path) == []


async def test_a_file_named_like_an_unfinished_one(saving: Save, tmp_path: Path) -> None:
    """No name that a sender chooses is that of a file in the making."""
    await saving("3")
    assert names_in(tmp_path) == ["3-a.pdf", "3-a.pdf.part"]
