"""The spool: one download per attachment, taken up where it broke, bounded in memory."""

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from pathlib import Path

import pytest

from message_store.errors import BadAnswer, BadRequest, ConnectionFailed
from message_store.mailbox import Mailbox
from message_store.message import Attachment
from message_store.protocol import ContentStream
from tests.support.waiting import Eventually
from worker.failures import is_transient
from worker.free_space import RESERVE, DiskFullError
from worker.handlers.conformance_cases import MAILBOX, Case
from worker.handlers.conformance_fakes import FakeContent, FakeStore
from worker.partial_file import PartialFile
from worker.small_contents import ROOM, SMALL
from worker.spool import GATHER, Spool, SpooledFile

LARGE = os.urandom(3 * GATHER + 12345)
CASE = Case(
    {"id": "1", "attachments": [{"id": "7", "contentType": "application/pdf"}, {"id": "8"}]},
    {"7": LARGE, "8": b"small"},
)
MESSAGE = CASE.message
BIG, LITTLE = MESSAGE.attachments


class BrokenContent(FakeContent):
    """Some bytes, then an error."""

    def __init__(self, content: bytes, error: Exception) -> None:
        super().__init__(content, "application/pdf", breaks=False, hangs=False)
        self._error = error

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in super().__aiter__():
            yield piece
        raise self._error


class BreakingStore(FakeStore):
    """Breaks a download off after so many bytes while `error` is set; notes the offsets."""

    def __init__(self, case: Case, after: int, error: Exception) -> None:
        super().__init__(case)
        self.after = after
        self.error: Exception | None = error
        self.offsets: list[int] = []
        self.lies = 0

    def content(
        self, mailbox: Mailbox, message_id: str, attachment: Attachment, *, offset: int = 0
    ) -> AbstractAsyncContextManager[ContentStream]:
        self.offsets.append(offset)
        whole = CASE.contents[attachment.id]
        content = FakeContent(whole[offset:], "application/pdf", breaks=False, hangs=False)
        if self.error is not None:
            content = BrokenContent(whole[offset : self.after], self.error)
            self.error = None
        content.size = len(whole) + self.lies
        return content


def files_below(folder: Path) -> list[Path]:
    return list(folder.rglob("*"))


async def test_a_large_attachment_lies_on_disk_once(tmp_path: Path) -> None:
    """Five who want it at once get one download, a file of 0600 in folders of 0700."""
    store = FakeStore(CASE)
    spool = Spool(tmp_path / "spool", store)
    files = await asyncio.gather(*(spool.fetch(MAILBOX, MESSAGE, BIG) for _ in range(5)))
    assert store.downloads == 1
    assert {file.path for file in files} == {files[0].path}
    assert files[0].path.read_bytes() == LARGE
    assert (files[0].size, files[0].content_type) == (len(LARGE), "application/pdf")
    below = files_below(tmp_path)
    assert {path.stat().st_mode & 0o777 for path in below} == {0o600, 0o700}
    assert sum(path.is_file() for path in below) == 1


async def test_a_small_attachment_stays_in_memory(tmp_path: Path) -> None:
    """Nothing is written until somebody wants a file."""
    store = FakeStore(CASE)
    spool = Spool(tmp_path, store)
    assert await spool.content(MAILBOX, MESSAGE, LITTLE) == b"small"
    assert files_below(tmp_path) == []
    assert (await spool.fetch(MAILBOX, MESSAGE, LITTLE)).path.read_bytes() == b"small"
    assert store.downloads == 1
    await spool.discard(MAILBOX, MESSAGE.id)
    assert not [path for path in files_below(tmp_path) if path.is_file()]
    assert await spool.content(MAILBOX, MESSAGE, LITTLE) == b"small"
    assert store.downloads == 2


async def test_memory_is_bounded(tmp_path: Path) -> None:
    """When the room in memory is taken, small attachments go to disk as large ones do."""
    count = ROOM // SMALL + 3
    parts = [{"id": str(number)} for number in range(count)]
    store = FakeStore(
        Case({"id": 1, "attachments": parts}, {part["id"]: bytes(SMALL) for part in parts})
    )
    spool = Spool(tmp_path, store)
    found = [await spool.content(MAILBOX, MESSAGE, Attachment(id=part["id"])) for part in parts]
    assert sum(isinstance(content, SpooledFile) for content in found) == 3
    await spool.discard(MAILBOX, MESSAGE.id)
    assert isinstance(await spool.content(MAILBOX, MESSAGE, Attachment(id="0")), bytes)


async def test_a_broken_download_is_taken_up(tmp_path: Path) -> None:
    """The next attempt, by another process too, asks for what is missing only."""
    store = BreakingStore(CASE, 2 * GATHER, ConnectionFailed("broken off"))
    with pytest.raises(ConnectionFailed):
        await Spool(tmp_path, store).fetch(MAILBOX, MESSAGE, BIG)
    file = await Spool(tmp_path, store).fetch(MAILBOX, MESSAGE, BIG)
    assert store.offsets == [0, 2 * GATHER]
    assert file.path.read_bytes() == LARGE


async def test_a_partial_file_that_does_not_fit_is_begun_anew(tmp_path: Path) -> None:
    """When the server refuses the offset, the whole is downloaded."""
    store = BreakingStore(CASE, 2 * GATHER, ConnectionFailed("broken off"))
    spool = Spool(tmp_path, store)
    with pytest.raises(ConnectionFailed):
        await spool.fetch(MAILBOX, MESSAGE, BIG)
    store.error, store.after = BadRequest("416"), 0
    assert (await spool.fetch(MAILBOX, MESSAGE, BIG)).path.read_bytes() == LARGE
    assert store.offsets == [0, 2 * GATHER, 0]


@pytest.mark.parametrize("attachment", [BIG, LITTLE], ids=["large", "small"])
async def test_another_length_is_an_error(tmp_path: Path, attachment: Attachment) -> None:
    """What is shorter than announced is not handed out, and not kept either."""

    store = BreakingStore(CASE, 0, ConnectionFailed(""))
    store.error, store.lies = None, 1
    spool = Spool(tmp_path, store)
    with pytest.raises(BadAnswer, match="bytes instead of"):
        await spool.content(MAILBOX, MESSAGE, attachment)
    store.lies = 0
    file = await spool.fetch(MAILBOX, MESSAGE, attachment)
    assert file.path.read_bytes() == CASE.contents[attachment.id]


async def test_sweep(tmp_path: Path) -> None:
    """Old files go, also of earlier boots; young ones stay."""
    spool = Spool(tmp_path, FakeStore(CASE))
    file = await spool.fetch(MAILBOX, MESSAGE, BIG)
    old = make_old(tmp_path / "another-boot/1/2/3/4")
    assert await spool.sweep(timedelta(days=1)) == 1
    assert not old.parent.parent.parent.parent.exists()
    assert file.path.read_bytes() == LARGE
    await spool.content(MAILBOX, MESSAGE, LITTLE)
    assert await spool.sweep(timedelta(seconds=-1)) == 2


def make_old(path: Path) -> Path:
    path.parent.mkdir(parents=True)
    path.write_text("old")
    for each in (path, *list(path.parents)[:4]):
        os.utime(each, (0, 0))
    return path


def test_one_process_at_a_time_holds_a_partial_file(tmp_path: Path) -> None:
    """A second one writes a file of its own, and both end with a whole target."""
    target = tmp_path / "x"
    first, second = PartialFile.open(target), PartialFile.open(target)
    first.write([b"one", b"two"])
    second.write([b"onetwo"])
    assert (first.size, second.size) == (6, 6)
    assert first.finish() == second.finish() == 6
    assert target.read_bytes() == b"onetwo"
    assert list(tmp_path.iterdir()) == [target]


def test_a_partial_file_is_found_again(tmp_path: Path) -> None:
    """What was written before the end of a process is the next one's beginning."""
    target = tmp_path / "x"
    part = PartialFile.open(target)
    part.write([b"begin"])
    part.close()
    assert PartialFile.exists(target)
    part = PartialFile.open(target)
    assert part.size == 5
    part.restart()
    assert part.size == 0
    part.close()


async def test_room_is_left_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A download stops in one clear line worth another try, and gives back what it took."""
    store = FakeStore(CASE)
    spool = Spool(tmp_path, store)
    monkeypatch.setattr(os, "fstatvfs", free_bytes(RESERVE + 2 * GATHER))
    with pytest.raises(DiskFullError) as caught:
        await spool.fetch(MAILBOX, MESSAGE, BIG)
    assert is_transient(caught.value)
    assert str(caught.value) == "only 256 MiB are free on the disk, 256 MiB are kept; make room"
    assert sum(path.stat().st_size for path in files_below(tmp_path) if path.is_file()) == 0
    assert await spool.content(MAILBOX, MESSAGE, LITTLE) == b"small"
    monkeypatch.undo()
    assert (await spool.fetch(MAILBOX, MESSAGE, BIG)).path.read_bytes() == LARGE


def free_bytes(disk: int) -> Callable[[int], os.statvfs_result]:
    """An `os.fstatvfs` of a disk with so many bytes free before the file began."""

    def stat(descriptor: int) -> os.statvfs_result:
        free = disk - os.fstat(descriptor).st_size
        return os.statvfs_result((1, 1, free, free, free, 0, 0, 0, 0, 255))

    return stat


async def test_bulk_work_shares_the_spool(tmp_path: Path) -> None:
    """What is downloaded through one store is there for whoever uses another."""
    first, second = FakeStore(CASE), BreakingStore(CASE, 0, ConnectionFailed("not asked"))
    spool = Spool(tmp_path / "spool", first)
    in_bulk = spool.through(second)

    assert await spool.content(MAILBOX, MESSAGE, LITTLE) == b"small"
    assert await in_bulk.content(MAILBOX, MESSAGE, LITTLE) == b"small"
    assert second.offsets == []
    with pytest.raises(ConnectionFailed):
        await in_bulk.content(MAILBOX, MESSAGE, BIG)


async def test_who_is_stopped_lets_go_once_the_disk_has_answered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, eventually: Eventually
) -> None:
    """Else what is being written would go into whatever file is opened next."""
    write, begun, answered = PartialFile.write, threading.Event(), threading.Event()

    def slow(part: PartialFile, chunks: Sequence[bytes]) -> None:
        begun.set()
        assert answered.wait(30)
        write(part, chunks)

    monkeypatch.setattr(PartialFile, "write", slow)
    store = BreakingStore(CASE, 0, OSError())
    store.error = None
    spool = Spool(tmp_path / "spool", store)
    fetching = asyncio.create_task(spool.fetch(MAILBOX, MESSAGE, BIG))
    await eventually(begun.is_set)
    fetching.cancel()
    await asyncio.wait({fetching}, timeout=0.01)
    others = [os.open(tmp_path / str(number), os.O_RDWR | os.O_CREAT) for number in range(20)]
    answered.set()
    await asyncio.wait({fetching})

    assert fetching.cancelled()
    monkeypatch.undo()
    file = await spool.fetch(MAILBOX, MESSAGE, BIG)
    assert (store.offsets, file.path.read_bytes()) == ([0, GATHER], LARGE)
    assert [os.fstat(other).st_size for other in others] == [0] * 20
    for other in others:
        os.close(other)
