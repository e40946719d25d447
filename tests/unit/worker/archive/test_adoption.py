"""Archives from before there were chains."""

import shutil
from pathlib import Path

import pytest

from message_store.mailbox import Mailbox
from tests.unit.worker.archive.conftest import MAILBOX, SmallArchive
from worker.archive.adoption import adopt
from worker.archive.folders import Fault
from worker.archive.verification import EXTRA


def test_what_is_sound_is_taken_in(archive: SmallArchive) -> None:
    """Everything that is as its manifest says is in the chain afterwards, once."""
    archive.chain.unlink()
    assert len(archive.faults()) == 4
    assert len(list(adopt(archive.root, Mailbox("111", "333")))) == 0
    assert len(list(adopt(archive.root, MAILBOX))) == 4
    assert archive.faults() == []
    assert list(adopt(archive.root)) == []


def test_what_is_not_sound_is_named(archive: SmallArchive) -> None:
    """It stays outside; the rest is taken in."""
    archive.chain.unlink()
    (archive.month / "23/Fax-1/fax.pdf").write_bytes(b"%PDF\x00")
    (archive.month / "24/Fax-3/manifest.json").write_bytes(b"[]")
    found = list(adopt(archive.root))
    assert [one.name for one in found if isinstance(one, Path)] == [
        "Fax-2",
        "2025-11-25T00-00-00.000Z-read",
    ]
    assert [one.what for one in found if isinstance(one, Fault)] == [
        "has changed: another sha256",
        "is no manifest",
    ]


@pytest.mark.parametrize("name", ["Fax-1 ", "Fax-\udcff", "Fax-\u202e1"])
def test_what_has_no_name_of_ours_is_not_taken_in(archive: SmallArchive, name: str) -> None:
    """A folder that somebody put there is named, also if its name is no text."""
    shutil.copytree(archive.month / "23/Fax-1", archive.month / "23" / name)
    (fault,) = adopt(archive.root)
    assert fault == Fault(archive.month / "23" / name, EXTRA)
