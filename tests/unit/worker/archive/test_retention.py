"""Messages go when their time is over, and only then, and not while they are held."""

import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from message_store.mailbox import Mailbox
from tests.unit.worker.archive.conftest import SmallArchive
from worker.archive.chain import Line, digest, parse, read_lines
from worker.archive.holds import Hold, HoldsUnreadableError, read_holds, write_hold
from worker.archive.places import places
from worker.archive.retention import expired, remove_expired
from worker.archive.upkeep import remove_what_is_expired
from worker.archive.verification import Tally, verify
from worker.handlers.archive import Archive

DAY = timedelta(days=1)


def hold(mailbox: str = "111/222", message: str | None = None, what: str = "held") -> Hold:
    return Hold.model_validate(
        {
            "what": what,
            "mailbox": mailbox,
            "message": message,
            "reason": "case 4",
            "by": "Ann",
            "at": datetime(2026, 1, 1, tzinfo=UTC),
        }
    )


def remove(archive: SmallArchive, keep: timedelta, today: date) -> list[str]:
    return [one.name for batch in remove_expired(archive.root, keep, today) for one in batch]


def left(archive: SmallArchive) -> list[str]:
    return sorted(path.name for path in archive.root.rglob("Fax-*"))


def test_what_is_over_goes_and_is_not_missing(archive: SmallArchive) -> None:
    """The chain says first what is removed and why; verification counts it and finds no fault."""
    assert remove(archive, DAY, date(2025, 11, 25)) == ["Fax-1", "Fax-2"]
    assert left(archive) == ["Fax-3"]
    assert not (archive.month / "23").exists()
    lines = [parse(line) for line in read_lines(archive.month)]
    said = [(line.what, line.folder, line.why) for line in lines[4:] if line]
    assert said == [("removed", f"23/Fax-{n}", "kept for 1 days") for n in (1, 2)]
    tally = Tally()
    assert list(verify(archive.root, tally=tally)) == []
    assert (tally.messages, tally.removed, tally.doomed) == (1, 2, 0)
    assert remove(archive, DAY, date(2025, 11, 25)) == []


def test_what_comes_to_a_message_after_its_removal_goes_by_the_same_rules(
    archive: SmallArchive,
) -> None:
    """A revision of it (deleted at last) is looked at as any, and goes with a line of its own."""
    today = date(2025, 11, 25)
    assert remove(archive, DAY, today) == ["Fax-1", "Fax-2"]
    revision = archive.month / "23/Fax-1/revisions/2025-11-25T00-00-00.000Z-deleted"
    archive.commit(revision, 1)
    tally = Tally()
    assert list(verify(archive.root, tally=tally)) == []
    assert (tally.messages, tally.revisions, tally.doomed) == (2, 1, 0)

    assert remove(archive, DAY, today) == ["Fax-1"]
    assert not revision.exists()
    assert archive.faults() == []


@pytest.mark.parametrize(
    ("keep", "today", "count"),
    [
        (DAY, date(2025, 11, 24), 0),  # one of the 23rd may be a minute old
        (DAY, date(2025, 11, 25), 2),
        (DAY, date(2025, 11, 26), 3),
        (timedelta(hours=25), date(2025, 11, 25), 0),
        (timedelta(days=7 * 366), date(2032, 11, 26), 0),
        (timedelta(days=36_500), date(2026, 1, 1), 0),
        (timedelta(days=36_500 * 30), date(2026, 1, 1), 0),
    ],
)
def test_no_message_goes_before_its_time(
    archive: SmallArchive, keep: timedelta, today: date, count: int
) -> None:
    """A day goes when the last moment of it is older than asked for."""
    assert len(list(expired(archive.root, keep, today))) == count
    assert left(archive) == ["Fax-1", "Fax-2", "Fax-3"]


def test_what_is_held_stays(archive: SmallArchive) -> None:
    """A held message stays, and all of a held mailbox, until the hold is released."""
    other = archive.keep(7, mailbox=Mailbox("111", "333"))
    assert write_hold(archive.root, hold(message="2"))
    assert not write_hold(archive.root, hold(message="2"))
    assert write_hold(archive.root, hold("111/333"))
    today = date(2026, 11, 25)
    assert list(expired(archive.root, DAY, today)) == [
        archive.month / "23/Fax-1",
        archive.month / "24/Fax-3",
    ]
    assert remove(archive, DAY, today) == ["Fax-1", "Fax-3"]
    assert left(archive) == ["Fax-2", "Fax-7"]
    assert write_hold(archive.root, hold(message="2", what="released"))
    assert not write_hold(archive.root, hold(message="2", what="released"))
    assert [one.mailbox for one in read_holds(archive.root)] == ["111/333"]
    assert remove(archive, DAY, today) == ["Fax-2"]
    assert other.exists()
    assert archive.faults() == []


def forge_removal(archive: SmallArchive, at: str) -> None:
    """The second message is gone, and a line of the chain calls it removed at that time."""
    lines = [line.rstrip(b"\n") for line in read_lines(archive.month)]
    forged = Line(
        number=len(lines) + 1,
        what="removed",
        folder="23/Fax-2",
        why="kept for 1 days",
        at=at,
        previous=digest(lines[-1]),
    )
    with archive.chain.open("ab") as chain:
        chain.write(forged.to_bytes() + b"\n")
    shutil.rmtree(archive.month / "23/Fax-2")


@pytest.mark.parametrize("message", ["2", None], ids=["message", "mailbox"])
@pytest.mark.parametrize(
    ("at", "is_fault"),
    [
        ("2025-12-31T10:00:00.000+00:00", False),
        ("2026-01-01T00:00:30.000+00:00", False),  # by a clock that is ahead
        ("2026-03-01T00:00:00.000+00:00", True),
        ("2026-05-01T00:00:00.000+00:00", False),  # at once after the release
        ("2026-06-01T00:00:00.000+00:00", False),
        ("sometime", False),
    ],
)
def test_what_was_removed_while_it_was_held(
    archive: SmallArchive, at: str, is_fault: bool, message: str | None
) -> None:
    """Whoever takes a held message away and says so in the chain is found out by the holds."""
    write_hold(archive.root, hold(message=message))
    released = {"what": "released", "at": datetime(2026, 5, 1, tzinfo=UTC)}
    write_hold(archive.root, hold(message=message).model_copy(update=released))
    forge_removal(archive, at)
    wanted = [f"23/Fax-2 was removed at {at} while it was on hold"] if is_fault else []
    assert archive.faults() == wanted
    assert archive.faults(first=date(2025, 11, 24)) == []
    assert archive.faults(mailbox=Mailbox("111", "222")) == wanted


def test_a_removal_without_a_time_while_it_is_held(archive: SmallArchive) -> None:
    """It cannot have been before the hold, or nobody can say so; other messages are no matter."""
    write_hold(archive.root, hold(message="2"))
    write_hold(archive.root, hold("111/333"))
    forge_removal(archive, "sometime")
    assert remove(archive, DAY, date(2025, 11, 25)) == ["Fax-1"]
    assert archive.faults() == ["23/Fax-2 was removed at sometime while it was on hold"]


@pytest.mark.parametrize("text", ["{}\n", "\xff", '{"what": "held"}\n'])
def test_without_knowing_what_is_held_nothing_goes(archive: SmallArchive, text: str) -> None:
    """A file that cannot be read stops the removal, and says so."""
    (archive.root / "holds.jsonl").write_text(text, "latin-1")
    with pytest.raises(HoldsUnreadableError, match=r"holds\.jsonl cannot be read"):
        remove(archive, DAY, date(2026, 11, 25))
    (archive.root / "holds.jsonl").unlink()
    (archive.root / "holds.jsonl").symlink_to("/dev/null")
    with pytest.raises(HoldsUnreadableError):
        remove(archive, DAY, date(2026, 11, 25))
    [fault] = archive.faults()
    assert "holds.jsonl cannot be read, so nobody knows what was on hold" in fault
    assert left(archive) == ["Fax-1", "Fax-2", "Fax-3"]


def test_links_are_not_followed(archive: SmallArchive, tmp_path: Path) -> None:
    """What a link in the archive points to is never removed."""
    outside = tmp_path / "outside"
    (outside / "01/Fax-1").mkdir(parents=True)
    (archive.root / "111/222/2020").mkdir()
    (archive.root / "111/222/2020/01").symlink_to(outside)
    (archive.month / "23/Fax-1/revisions").symlink_to(outside)
    assert remove(archive, DAY, date(2025, 11, 25)) == ["Fax-1", "Fax-2"]
    assert (outside / "01/Fax-1").is_dir()


def test_a_message_that_is_archived_again_is_there_again(archive: SmallArchive) -> None:
    """The last word of the chain counts, for its revisions as well."""
    remove(archive, DAY, date(2026, 11, 25))
    archive.keep(2)
    assert archive.faults() == []
    whole = archive.chain.read_bytes()
    revision = archive.month / "23/Fax-2/revisions/2025-11-25T00-00-00.000Z-read"
    archive.commit(revision, 2)
    assert archive.faults() == []
    archive.chain.write_bytes(whole)  # as if the worker had died before the line
    for _ in range(2):
        archive.commit(revision, 2)
        archive.keep(2)
    assert len(list(read_lines(archive.month))) == len(whole.splitlines()) + 1
    assert archive.faults() == []
    assert remove(archive, DAY, date(2026, 11, 25)) == ["Fax-2"]


def test_the_longest_time_counts(tmp_path: Path) -> None:
    """Two handlers that share a folder keep what the more careful one keeps."""
    to = {name: str(tmp_path / name) for name in "ab"}
    handlers = {
        "1": Archive.model_validate({"to": to["a"], "keep": "7d"}),
        "2": Archive.model_validate({"to": to["a"], "keep": "7y"}),
        "3": Archive.model_validate({"to": to["b"], "keep": "7d"}),
        "4": Archive.model_validate({"to": to["b"]}),
        "5": object(),
    }
    assert places(handlers) == {tmp_path / "a": timedelta(days=7 * 366), tmp_path / "b": None}


async def test_a_worker_removes_what_is_over(archive: SmallArchive) -> None:
    """Where `keep` is set; without it, everything stays."""
    await remove_what_is_expired({"vault": Archive(to=str(archive.root))})
    assert left(archive) == ["Fax-1", "Fax-2", "Fax-3"]
    handler = Archive.model_validate({"to": str(archive.root), "keep": "30d"})
    await remove_what_is_expired({"vault": handler})
    assert left(archive) == []
    assert archive.faults() == []


async def test_a_worker_outlives_a_fault_of_the_archive(archive: SmallArchive) -> None:
    """What cannot be read is logged and tried again the next day."""
    (archive.root / "holds.jsonl").write_text("?\n")
    handler = Archive.model_validate({"to": str(archive.root), "keep": "30d"})
    await remove_what_is_expired({"vault": handler})
    assert left(archive) == ["Fax-1", "Fax-2", "Fax-3"]
