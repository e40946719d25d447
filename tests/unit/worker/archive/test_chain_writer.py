"""Chains are written once, whole and in order, whoever writes and dies at the same time."""

import fcntl
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.unit.worker.archive.conftest import MAILBOX, SmallArchive
from worker.archive.chain import Head, origin, parse, read_heads, read_lines
from worker.archive.chain_writer import ChainWriter, Entry

WRITER = """
import sys
from pathlib import Path
from worker.archive.chain_writer import ChainWriter, Entry
chains = ChainWriter(Path(sys.argv[1]))
for number in range(200):
    chains.append(Path(sys.argv[2]), [Entry("archived", f"01/Fax-{sys.argv[3]}{number}", "0" * 64)])
"""


def numbers(month: Path) -> list[int]:
    lines = [parse(line) for line in read_lines(month)]
    return [line.number for line in lines if line]


def test_a_line_says_what_it_stands_for(archive: SmallArchive) -> None:
    """Number, kind, folder and digest; the first one follows the name of mailbox and month."""
    lines = [parse(line) for line in read_lines(archive.month)]
    assert all(lines)
    assert [(line.number, line.what, line.folder) for line in lines if line] == [
        (1, "archived", "23/Fax-1"),
        (2, "archived", "23/Fax-2"),
        (3, "archived", "24/Fax-3"),
        (4, "revision", "23/Fax-2/revisions/2025-11-25T00-00-00.000Z-read"),
    ]
    assert lines[0] is not None
    assert lines[0].previous == origin(archive.month)
    assert origin(archive.month) != origin(archive.root / "111/222/2025/12")
    assert archive.chain.stat().st_mode & 0o777 == 0o600


def test_a_line_that_was_lost_by_a_crash_is_added_once(archive: SmallArchive) -> None:
    """The retry finds the folder, and the chain without it; a second retry finds both."""
    whole = archive.chain.read_bytes()
    archive.chain.write_bytes(whole[: whole.rindex(b"\n", 0, -1) + 1])
    for _ in range(2):
        archive.commit(archive.month / "23/Fax-2/revisions/2025-11-25T00-00-00.000Z-read", 2)
        archive.keep(1)
    assert numbers(archive.month) == [1, 2, 3, 4]
    assert archive.faults() == []


@pytest.mark.parametrize("tail", [b'{"number":5,"what":"arch', b"\0" * 40_000, b"x"])
def test_a_torn_end_is_cut_off(archive: SmallArchive, tail: bytes) -> None:
    """What a power failure left without an end goes, and nothing before it."""
    whole = archive.chain.read_bytes()
    archive.chain.write_bytes(whole + tail)
    assert read_heads(archive.root, MAILBOX)["2025-11"].length == 4
    archive.keep(5)
    assert archive.chain.read_bytes().startswith(whole)
    assert numbers(archive.month) == [1, 2, 3, 4, 5]
    assert archive.faults() == []


def test_a_spoilt_line_is_gone_on_from(archive: SmallArchive) -> None:
    """A last line that cannot be read keeps nothing from being archived, and stays a fault."""
    archive.chain.write_bytes(archive.chain.read_bytes() + b"what is this\n")
    archive.keep(5)
    assert numbers(archive.month) == [1, 2, 3, 4, 6]
    assert archive.faults() == ["chain.jsonl line 5 is none of ours"]


def test_two_processes_and_many_threads_at_once(tmp_path: Path) -> None:
    """Nobody's line is lost, doubled or out of order."""
    month = tmp_path / "1/2/2025/11"
    month.mkdir(parents=True)
    processes = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), str(month), name])
        for name in "ab"
    ]
    chains = ChainWriter(tmp_path)

    def add(name: int) -> None:
        for number in range(10):
            chains.append(month, [Entry("archived", f"02/Fax-{name}-{number}", "0" * 64)])

    threads = [threading.Thread(target=add, args=(name,)) for name in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [process.wait(60) for process in processes] == [0, 0]
    assert numbers(month) == list(range(1, 481))
    lines = [parse(line) for line in read_lines(month)]
    assert len({line.folder for line in lines if line}) == 480


def test_writers_wait_for_each_other(archive: SmallArchive) -> None:
    """While another process writes to a chain, nothing is added to it."""
    with archive.chain.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        writer = threading.Thread(target=archive.keep, args=(5,))
        writer.start()
        writer.join(timeout=0.3)
        assert writer.is_alive()
        assert numbers(archive.month) == [1, 2, 3, 4]
    writer.join()
    assert numbers(archive.month) == [1, 2, 3, 4, 5]


def test_what_gathers_during_a_sync_goes_out_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten lines that wait for the first one cost one more sync, not ten."""
    month = tmp_path / "1/2/2025/11"
    month.mkdir(parents=True)
    chains = ChainWriter(tmp_path)
    begun, go_on = threading.Event(), threading.Event()
    syncs: list[int] = []
    real = os.fsync

    def slow(descriptor: int) -> None:
        syncs.append(descriptor)
        begun.set()
        assert go_on.wait(60)
        real(descriptor)

    monkeypatch.setattr(os, "fsync", slow)

    def add(number: int) -> None:
        chains.append(month, [Entry("archived", f"01/Fax-{number}", "0" * 64)])

    threads = [threading.Thread(target=add, args=(number,)) for number in range(11)]
    threads[0].start()
    assert begun.wait(60)
    for thread in threads[1:]:
        thread.start()
    chain = chains._months[month]
    while len(chain._waiting) < 10:
        threading.Event().wait(0.001)
    go_on.set()
    for thread in threads:
        thread.join()
    assert len(syncs) == 3  # the first line and its folder, then ten lines
    assert numbers(month) == list(range(1, 12))


def test_a_failure_is_everybodys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever's line is not on disk is told so, and the next one goes on behind it."""
    month = tmp_path / "1/2/2025/11"
    month.mkdir(parents=True)
    chains = ChainWriter(tmp_path)

    def full(descriptor: int, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        with pytest.raises(OSError, match="No space"):
            chains.append(month, [Entry("archived", "01/Fax-1", "0" * 64)])
    chains.append(month, [Entry("archived", "01/Fax-1", "0" * 64, again=True)])
    assert numbers(month) == [1]


def test_a_chain_that_is_a_link_is_not_written(archive: SmallArchive, tmp_path: Path) -> None:
    """Nothing outside the archive is changed by what somebody put into it."""
    outside = tmp_path / "outside"
    outside.write_text("mine")
    archive.chain.unlink()
    archive.chain.symlink_to(outside)
    with pytest.raises(OSError, match="symbolic links"):
        archive.keep(5)
    assert outside.read_text() == "mine"


def test_heads(archive: SmallArchive) -> None:
    """One for each month that has a chain, found without reading all of it."""
    archive.keep(6, "2025-12-01")
    (archive.root / "111/222/2026/01").mkdir(parents=True)
    heads = read_heads(archive.root, MAILBOX)
    assert {month: head.length for month, head in heads.items()} == {"2025-11": 4, "2025-12": 1}
    assert all(isinstance(head, Head) and len(head.hash) == 64 for head in heads.values())
