"""From folders back to messages."""

import os
from datetime import date, timedelta
from pathlib import Path

import pytest

from message_store.mailbox import Mailbox
from message_store.message import Message
from tests.unit.worker.archive.conftest import MAILBOX, SmallArchive
from worker.archive.layout import archived, folder_of, mailboxes
from worker.archive.retention import remove_expired


def test_the_day_is_in_utc() -> None:
    """A message just before midnight in New York belongs to the next day."""
    message = Message.model_validate({"id": 1, "creationTime": "2025-12-31T23:30:00-05:00"})
    assert folder_of(Path("/a"), Mailbox("1", "2"), message) == Path("/a/1/2/2026/01/01/Message-1")


def test_messages_are_found_again(archive: SmallArchive) -> None:
    """Each with its mailbox, id, type and day, the days in order."""
    found = list(archived(archive.root, MAILBOX))
    assert [(one.id, one.type, one.day.isoformat()) for one in found] == [
        ("1", "Fax", "2025-11-23"),
        ("2", "Fax", "2025-11-23"),
        ("3", "Fax", "2025-11-24"),
    ]
    assert found[0].mailbox == MAILBOX
    assert found[0].folder == archive.month / "23/Fax-1"
    assert all(one.has_original for one in found)
    (third,) = archived(archive.root, MAILBOX, date(2025, 11, 24), date(2025, 11, 24))
    assert third.id == "3"


def test_what_is_not_committed_is_not_archived(archive: SmallArchive) -> None:
    """Without its manifest it is not there; with revisions alone it is, and says so."""
    (archive.month / "23/Fax-1/manifest.json").unlink()
    (archive.month / "23/Fax-2/manifest.json").unlink()
    (archive.month / "23/link").symlink_to(archive.month / "24/Fax-3")
    found = [(one.id, one.has_original) for one in archived(archive.root, MAILBOX)]
    assert found == [("2", False), ("3", True)]


@pytest.mark.parametrize("mailbox", [("111", "222"), ("~", "AbC_9"), ("a-b", "~")])
def test_mailboxes_are_found_again(archive: SmallArchive, mailbox: tuple[str, str]) -> None:
    """Also those whose ids had to be changed for their folders."""
    archive.keep(8, mailbox=Mailbox(*mailbox))
    assert set(mailboxes(archive.root)) == {MAILBOX, Mailbox(*mailbox)}


def test_an_id_that_had_to_be_changed_is_read_from_within(archive: SmallArchive) -> None:
    """The folder's name is safe, the id is the true one."""
    message = Message.model_construct(id="../1", type="Voice Mail")
    folder = folder_of(archive.root, MAILBOX, message)
    archive.commit(folder, 77)
    (found,) = archived(archive.root, MAILBOX, last=date(1970, 1, 1))
    assert (found.id, found.folder) == ("77", folder)


def test_an_empty_place(tmp_path: Path) -> None:
    """Nothing is there, and that is no error."""
    assert list(mailboxes(tmp_path / "not")) == []
    assert list(archived(tmp_path / "not", MAILBOX)) == []


def test_what_has_no_name_of_ours_is_passed_over(archive: SmallArchive) -> None:
    """Who can put a folder there can neither hold up who goes through it nor have it removed."""
    for name in ("Fax-\udcff", "Fax-1 ", "odd"):
        folder = archive.month / "23" / name
        folder.mkdir()
        (folder / "manifest.json").write_text("{}")
        os.mkfifo(folder / "message.json")
    found = [one.id for one in archived(archive.root, MAILBOX)]
    assert found == ["1", "2", "odd", "3"]
    today = date(2025, 11, 25)
    (removed,) = remove_expired(archive.root, timedelta(days=1), today)
    assert [one.name for one in removed] == ["Fax-1", "Fax-2", "odd"]
