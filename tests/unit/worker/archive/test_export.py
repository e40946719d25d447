"""What is handed on is what was archived, whole, checkable, and readable by others."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import zipfile
from collections.abc import Awaitable, Callable, Iterator
from datetime import date, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest

from tests.unit.worker.archive.conftest import MAILBOX, SmallArchive
from worker.archive import verification
from worker.archive.export import Format, export
from worker.archive.folders import Fault
from worker.archive.layout import Archived, archived, mailboxes
from worker.archive.outputs import FolderOutput, Output, OutputFile, ZipOutput
from worker.archive.retention import remove_expired
from worker.archive.verification import IN_NO_CHAIN, OTHER_SHA256
from worker.handlers.archive import Archive
from worker.handlers.conformance_cases import FAX, HOSTILE, MMS, VOICEMAIL, Case

Attempt = Callable[..., Awaitable[str]]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "archive"


async def handed_on(root: Path, form: Format, output: Output) -> list[Archived | Fault]:
    with output:
        messages = (one for box in mailboxes(root) for one in archived(root, box))
        return [one async for one in export(messages, form, output)]


def mails_in(path: Path) -> Iterator[EmailMessage]:
    with zipfile.ZipFile(path) as file:
        for name in file.namelist():
            if name.endswith(".eml"):
                mail = message_from_bytes(file.read(name), policy=default)
                assert isinstance(mail, EmailMessage)
                yield mail


def check_sums(folder: Path) -> str:
    command = ["sha256sum", "--check", "--strict", "SHA256SUMS"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout


def files_below(folder: Path, suffix: str) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix == suffix)


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def test_as_mails(root: Path, tmp_path: Path, attempt: Attempt) -> None:
    """A mail from whom and to whom the message was, of its time, with its files inside."""
    await attempt(Archive(to=str(root)), FAX)
    out = tmp_path / "out.zip"
    assert len(await handed_on(root, "eml", ZipOutput(out))) == 1
    (mail,) = mails_in(out)
    assert mail["From"].addresses[0].addr_spec == "+16505550100@phone.invalid"
    assert mail["Date"].datetime == FAX.message.created
    assert mail["X-Ringpost-Message"] == "501"
    assert "Fax from" in mail["Subject"]
    (part,) = mail.iter_attachments()
    assert part.get_filename() == "document-501.pdf"
    assert part.get_payload(decode=True) == FAX.contents["501"]
    assert out.stat().st_mode & 0o777 == 0o600


async def test_a_mail_has_what_came_later(root: Path, tmp_path: Path, attempt: Attempt) -> None:
    """The transcription of a voicemail is its text, and a file of the mail."""
    handler = Archive(to=str(root))
    parts = VOICEMAIL.wire["attachments"]
    await attempt(handler, Case({**VOICEMAIL.wire, "attachments": parts[:1]}, VOICEMAIL.contents))
    at = "2025-11-24T08:30:00.250+00:00"
    await attempt(handler, VOICEMAIL, on="transcribed", at=at)
    await handed_on(root, "eml", ZipOutput(tmp_path / "out.zip"))
    (mail,) = mails_in(tmp_path / "out.zip")
    names = [part.get_filename() for part in mail.iter_attachments()]
    assert names[1:] == ["2025-11-24T08-30-00.250Z-transcribed-transcription-2.txt"]
    body = mail.get_body(("plain",))
    assert body is not None
    assert VOICEMAIL.contents["2"].decode().strip()[:10] in body.get_content()


async def test_as_it_is(archive: SmallArchive, tmp_path: Path) -> None:
    """Every file with its revisions, byte for byte, and checksums that `sha256sum` knows."""
    out = tmp_path / "out"
    found = await handed_on(archive.root, "json", FolderOutput(out))
    assert len(found) == 3
    for path in archive.root.rglob("*.*"):
        if path.is_file() and path.name != "chain.jsonl":
            copy = out / path.relative_to(archive.root)
            assert copy.read_bytes() == path.read_bytes()
    assert check_sums(out).count("OK") == 12
    assert names_in(tmp_path) == ["archive", "out"]


async def test_names_of_strangers(root: Path, tmp_path: Path, attempt: Attempt) -> None:
    """Whatever a message is called, nothing is written elsewhere and every mail can be read."""
    await attempt(Archive(to=str(root)), HOSTILE)
    await attempt(Archive(to=str(root)), MMS)
    forms: list[Format] = ["eml", "json"]
    for form in forms:
        out = tmp_path / f"{form}.zip"
        await handed_on(root, form, ZipOutput(out))
        with zipfile.ZipFile(out) as file:
            assert file.testzip() is None
            sums = file.read("SHA256SUMS").decode().splitlines()
            assert len(sums) == len(file.namelist()) - 1
            for line in sums:
                digest, name = line.split("  ", 1)
                assert hashlib.sha256(file.read(name)).hexdigest() == digest
                assert ".." not in Path(name).parts
                assert not name.startswith("/")
    assert len(list(mails_in(tmp_path / "eml.zip"))) == 2


async def test_what_has_changed_is_named_and_left_out(
    archive: SmallArchive, tmp_path: Path
) -> None:
    """Nobody gets a file that is not what was archived, or one from elsewhere."""
    (archive.month / "23/Fax-1/fax.pdf").write_bytes(b"%PDF\x00")
    (archive.month / "24/Fax-3/fax.pdf").unlink()
    (archive.month / "24/Fax-3/fax.pdf").symlink_to("/etc/passwd")
    (archive.month / "23/Fax-2/message.json").unlink()
    found = await handed_on(archive.root, "eml", FolderOutput(tmp_path / "out"))
    faults = [f"{one.path.name} {one.what}" for one in found if isinstance(one, Fault)]
    assert faults[0] == "fax.pdf has changed: another sha256"
    assert faults[1] == "message.json is missing"
    assert faults[-1].startswith("fax.pdf cannot be read")
    mails = sorted((tmp_path / "out").rglob("*.eml"))
    assert [path.name for path in mails] == ["Fax-1.eml", "Fax-2.eml", "Fax-3.eml"]
    assert all(b"fax.pdf" not in path.read_bytes() for path in (mails[0], mails[2]))


@pytest.mark.parametrize("make", [ZipOutput, FolderOutput])
async def test_all_or_nothing(
    archive: SmallArchive, tmp_path: Path, make: Callable[[Path], Output]
) -> None:
    """What fails halfway leaves nothing, and what is there already is not replaced."""
    target = tmp_path / "out"
    output = make(target)

    async def fail() -> None:
        with output:
            async for _ in export(archived(archive.root, MAILBOX), "json", output):
                assert not target.exists()
                raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert names_in(tmp_path) == ["archive"]
    target.symlink_to("nowhere")
    with pytest.raises(FileExistsError):
        make(target)


async def test_what_was_archived_as_mail_is_handed_on_as_it_is(
    root: Path, tmp_path: Path, attempt: Attempt
) -> None:
    """The mail of the message and one for each revision, byte by byte."""
    handler = Archive(to=str(root), format=frozenset({"json", "eml"}))
    await attempt(handler, FAX)
    await attempt(handler, FAX, on="read", at="2025-11-24T08:30:00.250+00:00")
    await handed_on(root, "eml", FolderOutput(tmp_path / "out"))
    made = {path.name: path.read_bytes() for path in files_below(tmp_path / "out", ".eml")}
    assert sorted(made) == ["Fax-501.2025-11-24T08-30-00.250Z-read.eml", "Fax-501.eml"]
    kept = [path.read_bytes() for path in files_below(root, ".eml")]
    assert sorted(made.values()) == sorted(kept)


async def test_the_chain_is_asked_as_well(archive: SmallArchive, tmp_path: Path) -> None:
    """A message that was rewritten with its manifest is left out; one that was added is named.

    However lately that was: what comes from a bucket has just been written to this disk.
    """
    first, second = archive.month / "23/Fax-1", archive.month / "23/Fax-2"
    shutil.copytree(first, first.with_name("Fax-9"))
    shutil.copytree(first, first.with_name("Fax-1 "))
    for name in ("fax.pdf", "manifest.json"):
        shutil.copy(first / name, second / name)
    archive.chain.write_text(archive.chain.read_text() + "{}\n")
    found = await handed_on(archive.root, "json", FolderOutput(tmp_path / "out"))
    faults = {f"{one.path.name} {one.what}" for one in found if isinstance(one, Fault)}
    assert faults == {
        "chain.jsonl line 5 is none of ours",
        f"manifest.json {OTHER_SHA256}",
        f"manifest.json {IN_NO_CHAIN}",
    }
    names = sorted(path.name for path in (tmp_path / "out/111/222/2025/11/23").iterdir())
    assert names == ["Fax-1", "Fax-2", "Fax-9"]
    assert names_in(tmp_path / "out/111/222/2025/11/23/Fax-2") == ["revisions"]


async def test_a_line_that_is_on_its_way_is_waited_for(
    archive: SmallArchive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A message that was archived a moment ago is not taken for one that others put there."""
    whole = archive.chain.read_bytes()
    archive.chain.write_bytes(whole[: whole.rstrip().rindex(b"\n") + 1])
    monkeypatch.setattr(verification, "SETTLING_SECONDS", 1000)
    monkeypatch.setattr(
        "worker.archive.recent_chain.time.sleep", lambda _: archive.chain.write_bytes(whole)
    )
    found = await handed_on(archive.root, "json", FolderOutput(tmp_path / "out"))
    assert not [one for one in found if isinstance(one, Fault)]


class _Watching(FolderOutput):
    """Tells of each file whether messages could be removed while it is written."""

    def __init__(self, target: Path, root: Path) -> None:
        super().__init__(target)
        self._root = root
        self.removable: list[bool] = []

    def open(self, name: str) -> OutputFile:
        descriptor = os.open(self._root, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self.removable.append(True)
        except BlockingIOError:
            self.removable.append(False)
        finally:
            os.close(descriptor)
        return super().open(name)


@pytest.mark.parametrize("form", ["eml", "json"])
async def test_what_is_over_goes_before_or_after_but_not_meanwhile(
    archive: SmallArchive, tmp_path: Path, form: Format
) -> None:
    """Removal by age waits for the message at hand; what it took before its turn is not missed."""
    asked = list(archived(archive.root, MAILBOX))
    today = date(2025, 11, 25)
    assert len(list(remove_expired(archive.root, timedelta(days=1), today))) == 1
    output = _Watching(tmp_path / "out", archive.root)
    with output:
        found = [one async for one in export(asked, form, output)]
        assert set(output.removable) == {False}
    assert found == asked[2:]
