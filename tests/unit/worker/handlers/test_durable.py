"""Folders that cannot be made are an error at once."""

from pathlib import Path

import pytest

from worker.handlers.durable import DurableFolders, Source

SOURCE = Source("message.json", "application/json", b"{}")


def test_a_place_where_nothing_can_be_made() -> None:
    """A root that no folder can be made in is one plain error."""
    folders = DurableFolders(Path("/proc/nowhere"))

    for _ in range(2):
        with pytest.raises(OSError, match="nowhere"):
            folders.write(Path("/proc/nowhere/a/b"), [SOURCE])


def test_a_parent_that_was_removed(tmp_path: Path) -> None:
    """A parent that somebody removed meanwhile is made again."""
    folders = DurableFolders(tmp_path / "root")
    folders.write(tmp_path / "root" / "a" / "b", [SOURCE])
    (tmp_path / "root").rename(tmp_path / "gone")

    assert folders.write(tmp_path / "root" / "a" / "c", [SOURCE])
    assert (tmp_path / "root" / "a" / "c" / "manifest.json").exists()
