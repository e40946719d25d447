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


def test_a_commit_that_fails_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the names cannot be made durable, manifest and files go, and a retry may hold others."""
    folder = tmp_path / "a"
    names: list[list[str]] = []

    def fail(descriptor: int) -> None:
        if (folder / "manifest.json").exists():
            names.append([path.name for path in folder.iterdir()])
            raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", fail)
        with pytest.raises(OSError, match="Input/output"):
            DurableFolders(tmp_path).write(folder, [SOURCE])
    assert names
    assert list(folder.iterdir()) == []
    assert DurableFolders(tmp_path).write(folder, [Source("message.json", "x/y", b"[]")])


def test_a_parent_that_was_removed(tmp_path: Path) -> None:
    """A parent that somebody removed meanwhile is made again."""
    folders = DurableFolders(tmp_path / "root")
    folders.write(tmp_path / "root" / "a" / "b", [SOURCE])
    (tmp_path / "root").rename(tmp_path / "gone")

    assert folders.write(tmp_path / "root" / "a" / "c", [SOURCE])
    assert (tmp_path / "root" / "a" / "c" / "manifest.json").exists()
