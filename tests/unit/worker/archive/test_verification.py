"""Whatever is done to an archive, `verify` names it; and it says nothing of a sound one."""

import json
import shutil
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest

from message_store.mailbox import Mailbox
from tests.unit.worker.archive.conftest import MAILBOX, SmallArchive
from worker.archive import verification
from worker.archive.chain import read_heads
from worker.archive.folders import read_manifest
from worker.archive.retention import remove_expired
from worker.archive.verification import Tally, verify

REVISION = "23/Fax-2/revisions/2025-11-25T00-00-00.000Z-read"
ALL = ("23/Fax-1", "23/Fax-2", REVISION, "24/Fax-3")
FOLLOWS = "one was edited, moved or removed"


def test_a_sound_archive(archive: SmallArchive) -> None:
    """No fault, and all of it was looked at."""
    tally = Tally()
    assert list(verify(archive.root, tally=tally)) == []
    assert (tally.months, tally.messages, tally.revisions, tally.files) == (1, 3, 1, 8)
    assert tally.size == sum(path.stat().st_size for path in _files(archive.root))


def _files(root: Path) -> list[Path]:
    return [*root.rglob("fax.pdf"), *root.rglob("message.json")]


def _flip(archive: SmallArchive) -> None:
    (archive.month / "23/Fax-1/fax.pdf").write_bytes(b"%PDF\x00")


def _cut(archive: SmallArchive) -> None:
    (archive.month / REVISION / "fax.pdf").write_bytes(b"%PDF")


def _lose_file(archive: SmallArchive) -> None:
    (archive.month / "23/Fax-1/message.json").unlink()


def _lose_manifest(archive: SmallArchive) -> None:
    (archive.month / "23/Fax-1/manifest.json").unlink()


def _rewrite_manifest(archive: SmallArchive) -> None:
    path = archive.month / "23/Fax-1/manifest.json"
    path.write_bytes(path.read_bytes() + b"\n")


def _add_file(archive: SmallArchive) -> None:
    (archive.month / "23/Fax-1/more.txt").write_text("more")


def _add_folder(archive: SmallArchive) -> None:
    shutil.copytree(archive.month / "23/Fax-1", archive.month / "23/Fax-9")


def _lose_message(archive: SmallArchive) -> None:
    shutil.rmtree(archive.month / "24/Fax-3")


def _lose_revision(archive: SmallArchive) -> None:
    shutil.rmtree(archive.month / REVISION)


def _edit_line(archive: SmallArchive) -> None:
    text = archive.chain.read_text()
    archive.chain.write_text(text.replace('"folder":"23/Fax-2"', '"folder":"23/Fax-8"'))


def _lose_line(archive: SmallArchive) -> None:
    lines = archive.chain.read_text().splitlines(keepends=True)
    archive.chain.write_text("".join(lines[:1] + lines[2:]))


def _swap_lines(archive: SmallArchive) -> None:
    lines = archive.chain.read_text().splitlines(keepends=True)
    archive.chain.write_text("".join([lines[0], lines[2], lines[1], lines[3]]))


def _spoil_line(archive: SmallArchive) -> None:
    lines = archive.chain.read_text().splitlines(keepends=True)
    archive.chain.write_text("".join(["{}\n", *lines[1:]]))


def _lose_chain(archive: SmallArchive) -> None:
    archive.chain.unlink()


def _tear(archive: SmallArchive) -> None:
    archive.chain.write_text(archive.chain.read_text() + '{"number":5')


def _link_file(archive: SmallArchive) -> None:
    path = archive.month / "23/Fax-1/fax.pdf"
    path.rename(archive.root.parent / "elsewhere")
    path.symlink_to(archive.root.parent / "elsewhere")


def _link_message(archive: SmallArchive) -> None:
    path = archive.month / "23/Fax-1"
    path.rename(archive.root.parent / "elsewhere")
    path.symlink_to(archive.root.parent / "elsewhere")


def _link_chain(archive: SmallArchive) -> None:
    archive.chain.rename(archive.root.parent / "elsewhere")
    archive.chain.symlink_to(archive.root.parent / "elsewhere")


def _long_line(archive: SmallArchive) -> None:
    archive.chain.write_text(archive.chain.read_text() + "x" * 20_000)


def _odd_names(archive: SmallArchive) -> None:
    (archive.month / "99").mkdir()
    (archive.month / "note").write_text("x")
    (archive.root / "111/222/link").symlink_to("/etc")
    (archive.root / "111/222.old").mkdir()


def _climb(archive: SmallArchive) -> None:
    path = archive.month / "23/Fax-1/manifest.json"
    path.write_text(path.read_text().replace('"fax.pdf"', '"../Fax-2/fax.pdf"'))


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (_flip, ["23/Fax-1/fax.pdf has changed: another sha256"]),
        (_cut, [f"{REVISION}/fax.pdf has changed: 4 bytes instead of 5"]),
        (_lose_file, ["23/Fax-1/message.json is missing"]),
        (_lose_manifest, ["23/Fax-1/manifest.json cannot be read: No such file or directory"]),
        (_rewrite_manifest, ["23/Fax-1/manifest.json has changed: the chain has another sha256"]),
        (_add_file, ["23/Fax-1/more.txt is extra: the manifest does not name it"]),
        (_add_folder, ["23/Fax-9 is in no chain"]),
        (_lose_message, ["24/Fax-3 is missing: the chain has it"]),
        (_lose_revision, [f"{REVISION} is missing: the chain has it"]),
        (
            _edit_line,
            [
                f"chain.jsonl line 3 does not follow line 2: {FOLLOWS}",
                "23/Fax-2 is in no chain",
                "23/Fax-8 is missing: the chain has it",
            ],
        ),
        (
            _lose_line,
            [
                f"chain.jsonl line 2 does not follow line 1: {FOLLOWS}",
                "chain.jsonl line 3 says that it is line 4",
                "23/Fax-2 is in no chain",
            ],
        ),
        (
            _swap_lines,
            [f"chain.jsonl line {n} does not follow line {n - 1}: {FOLLOWS}" for n in (2, 3, 4)],
        ),
        (
            _spoil_line,
            [
                "chain.jsonl line 1 is none of ours",
                f"chain.jsonl line 2 does not follow line 1: {FOLLOWS}",
                "23/Fax-1 is in no chain",
            ],
        ),
        (
            _lose_chain,
            [f"{name} is in no chain" for name in ALL],
        ),
        (
            _link_chain,
            ["chain.jsonl cannot be read: Too many levels of symbolic links"]
            + [f"{name} is in no chain" for name in ALL],
        ),
        (_long_line, ["chain.jsonl line 5 is longer than any of ours"]),
        (_tear, ["chain.jsonl is cut off in the middle of its last line"]),
        (
            _link_file,
            ["23/Fax-1/fax.pdf cannot be read: Too many levels of symbolic links"],
        ),
        (
            _link_message,
            [
                "23/Fax-1 is extra: an archive has nothing of this name here",
                "23/Fax-1 is missing: the chain has it",
            ],
        ),
        (
            _odd_names,
            [
                "111/222.old is extra: an archive has nothing of this name here",
                "99 is extra: an archive has nothing of this name here",
                "note is extra: an archive has nothing of this name here",
                "111/222/link is extra: an archive has nothing of this name here",
            ],
        ),
        (_climb, ["23/Fax-1/manifest.json names a file outside its folder"]),
    ],
    ids=lambda value: value.__name__[1:] if callable(value) else "",
)
def test_harm_is_named(
    archive: SmallArchive, harm: Callable[[SmallArchive], None], said: list[str]
) -> None:
    """Each change, loss and addition is a fault of its own, and nothing else is."""
    harm(archive)
    assert archive.faults() == said


@pytest.mark.parametrize(
    ("number", "folder"),
    [(5, ""), (5, "/etc"), (5, ".."), (5, "24/.."), (5, f"24/{'x' * 256}"), (2**70, "24/Fax-3")],
)
def test_a_line_that_names_no_folder_is_none_of_ours(
    archive: SmallArchive, number: int, folder: str
) -> None:
    """Whoever can write to a chain cannot lead us elsewhere, or keep us from going on."""
    wire = {"number": number, "what": "archived", "folder": folder, "manifest": "0"}
    line = json.dumps({**wire, "at": "now", "previous": "0"})
    archive.chain.write_text(f"{archive.chain.read_text()}{line}\n")
    assert archive.faults() == ["chain.jsonl line 5 is none of ours"]
    archive.keep(9)
    assert archive.faults() == ["chain.jsonl line 5 is none of ours"]


def test_a_chain_that_was_shortened_is_seen_by_its_head(archive: SmallArchive) -> None:
    """Without a head nobody can know; with one a cut, a rewritten and a lost chain are named."""
    heads = read_heads(archive.root, MAILBOX)
    assert set(heads) == {"2025-11"}
    assert heads["2025-11"].length == 4
    assert archive.faults(mailbox=MAILBOX, heads=heads) == []
    archive.keep(4)
    assert archive.faults(mailbox=MAILBOX, heads=heads) == []

    lines = archive.chain.read_text().splitlines(keepends=True)
    archive.chain.write_text("".join(lines[:2]))
    shutil.rmtree(archive.month / REVISION)
    shutil.rmtree(archive.month / "23/Fax-4")
    shutil.rmtree(archive.month / "24/Fax-3")
    assert archive.faults() == []
    assert archive.faults(mailbox=MAILBOX, heads=heads) == [
        "chain.jsonl is cut off: it had 4 lines and has 2"
    ]
    archive.keep(5)
    archive.keep(6)
    assert archive.faults(mailbox=MAILBOX, heads=heads) == [
        "chain.jsonl line 4 is not the one that was the last one then"
    ]
    shutil.rmtree(archive.month)
    assert archive.faults(mailbox=MAILBOX, heads=heads) == [
        "chain.jsonl is missing: it had 4 lines"
    ]


def test_a_part_of_it(archive: SmallArchive) -> None:
    """Only the mailbox and the days that were asked for are looked at."""
    _lose_message(archive)
    other = Mailbox("111", "333")
    archive.keep(7, mailbox=other)
    assert archive.faults(first=date(2025, 11, 1), last=date(2025, 11, 23)) == []
    assert archive.faults(mailbox=other) == []
    assert archive.faults(first=date(2025, 12, 1)) == []
    lost = ["24/Fax-3 is missing: the chain has it"]
    assert archive.faults(mailbox=MAILBOX, first=date(2025, 11, 24)) == lost


def test_what_is_archived_meanwhile_is_no_fault(
    archive: SmallArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder whose line comes a moment later is looked at again."""
    folder = archive.keep(9)
    whole = archive.chain.read_bytes()
    archive.chain.write_bytes(whole[: whole.rindex(b"\n", 0, -1) + 1])
    monkeypatch.setattr(
        "worker.archive.verification.time.sleep", lambda _: archive.chain.write_bytes(whole)
    )
    assert archive.faults() == []
    assert folder.exists()


def test_what_is_removed_meanwhile_is_no_fault(
    archive: SmallArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Messages that go while their files are being compared are not missing."""
    real = read_manifest

    def remove_first(folder: Path) -> object:
        monkeypatch.setattr(verification, "read_manifest", real)
        manifest = real(folder)
        list(remove_expired(archive.root, timedelta(days=1), date(2026, 11, 25)))
        return manifest

    monkeypatch.setattr(verification, "read_manifest", remove_first)
    assert archive.faults() == []
    assert not (archive.month / "23").exists()


def test_a_folder_in_the_making_is_no_fault(archive: SmallArchive) -> None:
    """Without manifest and line a folder is not archived yet: no fault, but it is counted."""
    (archive.month / "23/Fax-5").mkdir()
    (archive.month / "23/Fax-5/fax.pdf").write_bytes(b"%PDF")
    (archive.month / "23/Fax-1/.0123456789abcdef.part").write_bytes(b"%PD")
    (archive.month / "23/Fax-1/revisions/later").mkdir(parents=True)
    tally = Tally()
    assert archive.faults(tally=tally) == []
    assert (tally.messages, tally.revisions, tally.unfinished) == (3, 1, 1)


def test_heads_are_of_one_mailbox(archive: SmallArchive) -> None:
    """Heads without a mailbox could be anybody's."""
    with pytest.raises(ValueError, match="one mailbox"):
        list(verify(archive.root, heads={}))
