"""The archive: its layout, its commit, its repeats, its words."""

import fcntl
import json
import os
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from email import message_from_bytes
from email.policy import SMTP
from hashlib import sha256
from pathlib import Path
from typing import Literal

import pytest
from pydantic import ValidationError

from message_store.errors import NotFound
from worker.archive.layout import folder_of
from worker.archive.verification import verify
from worker.handlers.archive import Archive
from worker.handlers.conformance import HandlerConformance
from worker.handlers.conformance_cases import (
    CASES,
    FAX,
    HOSTILE,
    MAILBOX,
    MMS,
    VOICEMAIL,
    Case,
)
from worker.handlers.conformance_fakes import FakeNetwork, FakeStore
from worker.handlers.context import DeliveryContext
from worker.handlers.contract import AttachmentFile, Handler, PermanentError, TransientError
from worker.handlers.durable import DurableFolders, Source
from worker.spool import Spool

Attempt = Callable[..., Awaitable[str]]
AT = "2025-11-24T08:30:00.250+00:00"


class TestConformance(HandlerConformance):
    """The archive passes the suite for all handlers."""

    @pytest.fixture(autouse=True)
    def folder(self, tmp_path: Path) -> None:
        self.to = tmp_path / "archive"

    def make_handler(self) -> Handler:
        return Archive(to=str(self.to))


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def manifest_of(folder: Path) -> dict[str, dict[str, object]]:
    files = json.loads((folder / "manifest.json").read_bytes())["files"]
    return {entry["name"]: entry for entry in files}


async def test_layout(tmp_path: Path, attempt: Attempt) -> None:
    """The folder is account/extension/year/month/day/type-id, with message, file and manifest."""
    words = await attempt(Archive(to=tmp_path.as_uri()), FAX)
    folder = tmp_path / "230919004/230919005/2025/11/23/Fax-501"
    assert words == "archived with 1 file"
    assert sorted(path.name for path in folder.iterdir()) == [
        "document-501.pdf",
        "manifest.json",
        "message.json",
    ]
    assert json.loads((folder / "message.json").read_bytes()) == FAX.message.to_wire()
    assert manifest_of(folder)["document-501.pdf"] == {
        "name": "document-501.pdf",
        "size": len(FAX.contents["501"]),
        "sha256": sha256(FAX.contents["501"]).hexdigest(),
        "content_type": "application/pdf",
    }


@pytest.mark.parametrize(
    ("form", "beside"),
    [({"eml"}, []), ({"eml", "json"}, ["document-501.pdf"])],
)
async def test_a_mail_of_each_message(
    tmp_path: Path, attempt: Attempt, form: set[Literal["json", "eml"]], beside: list[str]
) -> None:
    """With the files inside; message.json is always there, and a retry makes the same bytes."""
    archive = Archive(to=str(tmp_path), format=frozenset(form))
    await attempt(archive, FAX)
    folder = folder_of(tmp_path, MAILBOX, FAX.message)
    names = sorted(path.name for path in folder.iterdir())
    assert names == [*beside, "manifest.json", "message.eml", "message.json"]
    content = (folder / "message.eml").read_bytes()
    mail = message_from_bytes(content, policy=SMTP)
    (part,) = mail.iter_attachments()
    assert part.get_payload(decode=True) == FAX.contents["501"]
    assert not mail.defects
    (folder / "manifest.json").unlink()
    assert await attempt(archive, FAX) == "archived with 1 file"
    assert (folder / "message.eml").read_bytes() == content
    assert await attempt(archive, FAX) == "already archived"


async def test_a_file_called_as_the_mail(tmp_path: Path, attempt: Attempt) -> None:
    """A file that somebody has called so is kept beside the mail, under another name."""
    part = {"id": 5, "type": "MmsAttachment", "contentType": "message/rfc822"}
    wire = {**MMS.wire, "attachments": [{**part, "fileName": "Message.EML"}]}
    archive = Archive(to=str(tmp_path), format=frozenset({"json", "eml"}))
    await attempt(archive, Case(wire, {"5": b"theirs"}))
    folder = folder_of(tmp_path, MAILBOX, MMS.message)
    assert (folder / "Message-5.EML").read_bytes() == b"theirs"
    assert b"Message-5.EML" in (folder / "message.eml").read_bytes()
    assert list(verify(tmp_path)) == []


async def test_mails_of_strangers(tmp_path: Path, attempt: Attempt) -> None:
    """Whatever a message says, there is a mail of it, of its revision too."""
    archive = Archive(to=str(tmp_path), format=frozenset({"eml"}))
    for case in CASES.values():
        await attempt(archive, case)
        await attempt(archive, case, on="deleted", at=AT)
    mails = [path.read_bytes() for path in files_below(tmp_path) if path.name == "message.eml"]
    assert len(mails) == 2 * len(CASES)
    ids = {message_from_bytes(mail, policy=SMTP)["Message-ID"] for mail in mails}
    assert len(ids) == len(mails)


async def test_only_its_owner_may_read_it(tmp_path: Path, attempt: Attempt) -> None:
    """Folders are 0700 and files 0600 from the first moment on."""
    await attempt(Archive(to=str(tmp_path / "a")), FAX)
    for path in (tmp_path / "a").rglob("*"):
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600)


async def test_a_repeat_is_recognised(tmp_path: Path, attempt: Attempt) -> None:
    """A second delivery finds the folder committed and leaves it alone."""
    archive = Archive(to=str(tmp_path))
    await attempt(archive, FAX)
    before = {path: path.stat().st_ino for path in files_below(tmp_path)}
    assert await attempt(archive, FAX) == "already archived"
    assert {path: path.stat().st_ino for path in before} == before
    assert len(files_below(tmp_path)) == len(before)


async def test_a_partial_folder_is_completed(tmp_path: Path, attempt: Attempt) -> None:
    """Without a manifest, or with a file missing or cut short, the folder is written again."""
    folder = folder_of(tmp_path, MAILBOX, MMS.message)
    for damage in ("manifest.json", "message.json", "a-5.png"):
        await attempt(Archive(to=str(tmp_path)), MMS)
        (folder / damage).unlink()
        assert await attempt(Archive(to=str(tmp_path)), MMS) == "archived with 2 files"
        assert (folder / damage).exists()
    (folder / "a-5.png").write_bytes(b"cut")
    assert await attempt(Archive(to=str(tmp_path)), MMS) == "archived with 2 files"
    assert (folder / "a-5.png").read_bytes() == MMS.contents["5"]


async def test_what_is_archived_is_never_replaced(tmp_path: Path, attempt: Attempt) -> None:
    """A message that has changed when it is archived again is a revision, and only one."""
    archive = Archive(to=str(tmp_path))
    await attempt(archive, FAX)
    folder = folder_of(tmp_path, MAILBOX, FAX.message)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    wire = {**FAX.wire, "readStatus": "Read", "lastModifiedTime": "2025-11-24T09:00:00Z"}
    changed = Case(wire, FAX.contents)
    assert "revision (changed) archived" in await attempt(archive, changed)
    (revision,) = (folder / "revisions").iterdir()
    assert revision.name.startswith("2025-11-24T09-00-00.000Z-changed-")
    assert json.loads((revision / "message.json").read_bytes())["readStatus"] == "Read"
    assert {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()} == before
    assert await attempt(archive, changed) == "already archived"
    assert await attempt(archive, FAX) == "already archived"


async def test_a_crash_before_the_line_and_a_change_after_it(
    tmp_path: Path, attempt: Attempt
) -> None:
    """The retry gives the state that is committed its line, and makes the new one a revision."""
    archive = Archive(to=str(tmp_path))
    await attempt(archive, FAX)
    (chain,) = [path for path in files_below(tmp_path) if path.name == "chain.jsonl"]
    chain.write_bytes(b"")
    await attempt(archive, Case({**FAX.wire, "readStatus": "Read"}, FAX.contents))
    assert list(verify(tmp_path)) == []
    assert len(chain.read_text().splitlines()) == 2


async def test_a_message_that_changes_between_two_attempts(
    tmp_path: Path, attempt: Attempt
) -> None:
    """Before the commit the later state is archived, and nothing of the earlier one is left."""
    await attempt(Archive(to=str(tmp_path)), FAX)
    folder = folder_of(tmp_path, MAILBOX, FAX.message)
    (folder / "manifest.json").unlink()
    changed = Case({**FAX.wire, "readStatus": "Read"}, FAX.contents)
    assert await attempt(Archive(to=str(tmp_path)), changed) == "archived with 1 file"
    text = (folder / "message.json").read_bytes()
    assert json.loads(text)["readStatus"] == "Read"
    assert manifest_of(folder)["message.json"]["sha256"] == sha256(text).hexdigest()
    assert not (folder / "revisions").exists()


async def test_a_revision_of_the_same_moment_is_another_one(
    tmp_path: Path, attempt: Attempt
) -> None:
    """Two states of a message at one time are both kept."""
    archive = Archive(to=str(tmp_path))
    for status in ("Read", "Unread", "Read"):
        await attempt(
            archive, Case({**FAX.wire, "readStatus": status}, FAX.contents), on="read", at=AT
        )
    revisions = folder_of(tmp_path, MAILBOX, FAX.message) / "revisions"
    assert len(list(revisions.iterdir())) == 2


async def test_a_later_happening_is_a_revision(tmp_path: Path, attempt: Attempt) -> None:
    """It has the message as it then is and the files that are new; the original stays as it was."""
    archive = Archive(to=str(tmp_path))
    parts = VOICEMAIL.wire["attachments"]
    await attempt(archive, Case({**VOICEMAIL.wire, "attachments": parts[:1]}, VOICEMAIL.contents))
    folder = folder_of(tmp_path, MAILBOX, VOICEMAIL.message)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}

    words = await attempt(archive, VOICEMAIL, on="transcribed", at=AT)

    assert words == "revision (transcribed) archived with 1 file"
    revision = folder / "revisions/2025-11-24T08-30-00.250Z-transcribed"
    assert set(manifest_of(revision)) == {"message.json", "transcription-2.txt"}
    assert json.loads((revision / "message.json").read_bytes()) == VOICEMAIL.message.to_wire()
    assert {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()} == before
    assert await attempt(archive, VOICEMAIL, on="transcribed", at=AT) == "already archived"


async def test_a_revision_without_its_original(tmp_path: Path, attempt: Attempt) -> None:
    """It stands alone with all files, and an original that comes later is whole."""
    archive = Archive(to=str(tmp_path))
    assert await attempt(archive, FAX, on="sent", at=AT) == "revision (sent) archived with 1 file"
    folder = folder_of(tmp_path, MAILBOX, FAX.message)
    assert [path.name for path in folder.iterdir()] == ["revisions"]

    assert await attempt(archive, FAX) == "archived with 1 file"

    assert set(manifest_of(folder)) == {"message.json", "document-501.pdf"}
    assert len(files_below(folder)) == 6


async def test_a_file_that_has_changed_is_new(tmp_path: Path, attempt: Attempt) -> None:
    """A file under the same name whose size is another than that kept is kept beside it."""
    archive = Archive(to=str(tmp_path))
    await attempt(archive, MMS)
    assert "with 0 files" in await attempt(archive, MMS, on="read", at=AT)
    parts = [part | {"size": 1} for part in MMS.wire["attachments"]]
    changed = Case({**MMS.wire, "attachments": parts}, MMS.contents)
    assert "with 2 files" in await attempt(archive, changed, on="deleted", at=AT)


async def test_a_deleted_message_without_its_files(tmp_path: Path, attempt: Attempt) -> None:
    """What is gone cannot be kept, and does not keep the rest from being kept."""

    class Gone(AttachmentFile):
        id, name, content_type, size, type = "1", "a.pdf", "application/pdf", None, None

        def open(self) -> AsyncIterator[bytes]:
            raise NotImplementedError

        async def path(self) -> Path:
            raise NotFound("gone")

    archive = Archive(to=str(tmp_path))

    async def keep(on: str) -> str:
        store = FakeStore(FAX)
        context = DeliveryContext(
            mailbox=MAILBOX,
            message=FAX.message,
            route="r",
            step="s",
            attempt=1,
            on=on,
            at=AT,
            store=store,
            spool=Spool(tmp_path / "spool", store),
            http=FakeNetwork(),
        )
        context.attachments = [Gone()]
        return await archive.handle(FAX.message, context)

    assert await keep("deleted") == "revision (deleted) archived with 0 files"
    with pytest.raises(NotFound):
        await keep("sent")


async def test_nothing_leaves_the_folder(tmp_path: Path, attempt: Attempt) -> None:
    """Ids, types and names that climb, collide or hide stay below the destination, one by one."""
    await attempt(Archive(to=str(tmp_path / "in/archive")), HOSTILE)
    inside = files_below(tmp_path / "in/archive/230919004")
    assert files_below(tmp_path) == inside
    inside = [path for path in inside if path.name != "chain.jsonl"]
    assert len({path.parent for path in inside}) == 1
    assert len(inside) == 8 + 2
    assert not [path for path in inside if path.name.startswith(".")]
    (folder,) = {path.parent for path in inside}
    assert json.loads((folder / "message.json").read_bytes())["id"] == HOSTILE.wire["id"]


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
async def test_every_file_is_in_the_manifest(case: Case, tmp_path: Path, attempt: Attempt) -> None:
    """What the manifest says of name, size and sha256 is what lies there."""
    await attempt(Archive(to=str(tmp_path / "archive")), case)
    folder = folder_of(tmp_path / "archive", MAILBOX, case.message)
    entries = manifest_of(folder)
    assert set(entries) == {path.name for path in folder.iterdir()} - {"manifest.json"}
    for name, entry in entries.items():
        content = (folder / name).read_bytes()
        assert (entry["size"], entry["sha256"]) == (len(content), sha256(content).hexdigest())


def test_two_writers_commit_one_after_the_other(tmp_path: Path) -> None:
    """While another process is committing a folder, nothing in it is replaced."""
    folder = tmp_path / "a/b"
    DurableFolders(tmp_path / "a").write(folder, [Source("one", "text/plain", b"old")])
    (folder / "manifest.json").unlink()  # it is in the making again
    descriptor = os.open(folder, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    new = [Source("one", "text/plain", b"new")]
    writer = threading.Thread(target=DurableFolders(tmp_path / "a").write, args=(folder, new))
    writer.start()
    writer.join(timeout=0.3)
    assert writer.is_alive()
    assert (folder / "one").read_bytes() == b"old"
    os.close(descriptor)
    writer.join()
    assert (folder / "one").read_bytes() == b"new"
    assert manifest_of(folder)["one"]["sha256"] == sha256(b"new").hexdigest()
    assert not list(folder.glob(".*"))


def test_a_manifest_comes_after_everything_is_synced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each file is synced before the manifest gets its name; then come folder and parents."""
    steps: list[str] = []
    names: dict[int, str] = {}
    real_open, real_replace = os.open, Path.replace

    def spy_open(path: Path, *args: int) -> int:
        descriptor = real_open(path, *args)
        names[descriptor] = "part" if path.suffix == ".part" else path.name
        return descriptor

    def spy_replace(self: Path, target: Path) -> Path:
        steps.append(target.name)
        return real_replace(self, target)

    monkeypatch.setattr(os, "open", spy_open)
    monkeypatch.setattr(os, "fsync", lambda fd: steps.append(f"sync {names[fd]}"))
    monkeypatch.setattr(Path, "replace", spy_replace)
    folders = DurableFolders(tmp_path)
    folders.write(tmp_path / "day/Fax-1", [Source("a", "x/y", b"1"), Source("b", "x/y", b"2")])
    assert steps == [
        *("sync " + tmp_path.name, "sync a", "sync b", "sync part"),
        *("manifest.json", "sync Fax-1", "sync day"),
    ]
    steps.clear()
    (tmp_path / "day/Fax-1/manifest.json").unlink()
    folders.write(tmp_path / "day/Fax-1", [Source("a", "x/y", b"3")])
    assert steps == ["sync part", "a", "sync part", "manifest.json", "sync Fax-1", "sync day"]
    steps.clear()
    folders.write(tmp_path / "day/Fax-2", [])
    assert steps == ["sync part", "manifest.json", "sync Fax-2", "sync day"]


def test_a_removed_day_is_made_again(tmp_path: Path) -> None:
    """What is remembered of parents does not outlive the parents."""
    folders = DurableFolders(tmp_path / "a")
    folders.write(tmp_path / "a/b/c", [])
    (tmp_path / "a/b/c/manifest.json").unlink()
    (tmp_path / "a/b/c").rmdir()
    (tmp_path / "a/b").rmdir()
    assert folders.write(tmp_path / "a/b/c", [])


def test_parents_are_not_remembered_without_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each message with revisions has parents of its own, and memory does not grow by them."""
    monkeypatch.setattr("worker.handlers.durable._REMEMBERED", 5)
    folders = DurableFolders(tmp_path)
    for number in range(20):
        assert folders.write(tmp_path / f"{number}/revisions/read", [])
    assert len(folders._durable) <= 5


async def test_a_full_disk_is_no_verdict(
    tmp_path: Path, attempt: Attempt, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No room is worth another attempt, says so with the remedy, and leaves no partial file."""

    def full(descriptor: int, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    archive = Archive(to=str(tmp_path / "archive"))
    monkeypatch.setattr(os, "write", full)
    durable_write = DurableFolders(tmp_path / "archive")
    with pytest.raises(OSError, match="No space"):
        durable_write.write(tmp_path / "archive/x", [Source("a", "x/y", b"1")])
    assert files_below(tmp_path / "archive") == []
    with pytest.raises(TransientError, match="No space left on device; make room there"):
        await archive._in_thread(lambda: archive._destination.write(Path("y"), []))


async def test_check_says_what_is_wrong(tmp_path: Path) -> None:
    """A destination that can be written says how much room it has, another one says why not."""
    assert "GB free" in await Archive(to=str(tmp_path / "not/yet/there")).check()
    assert not (tmp_path / "not").exists()
    (tmp_path / "file").write_text("x")
    with pytest.raises(PermanentError, match=r"file/below: Not a directory; see that"):
        await Archive(to=str(tmp_path / "file/below")).check()


@pytest.mark.parametrize(
    ("to", "words"),
    [
        ("sftp://host/x", "sftp:// is not a place archive can write to; use file:///folder, s3://"),
        ("s4://bucket/x", "s4:// is not a place archive can write to; did you mean s3://?"),
        ("s3:///x", "s3:// names no bucket; write s3://bucket/folder"),
        ("s3://bucket/a/../b", "an empty or dotted folder"),
        ("file://data/archive", "file:// with a host (data)"),
        ("~/archive", "~/archive would be below the working directory"),
        ("file:/srv/archive", "file:/srv/archive would be below the working directory"),
        ("", "empty"),
    ],
)
def test_a_wrong_destination_is_refused(to: str, words: str) -> None:
    """Other schemes and hosts are refused at start, with what to write instead."""
    with pytest.raises(ValidationError) as error:
        Archive(to=to)
    assert words in str(error.value)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"to": "kept", "region": "eu-central-1"}, "region is nothing that file:// knows"),
        ({"to": "gs://bucket", "access_key_id": "x"}, "access_key_id is nothing that gs:// knows"),
        ({"to": "kept", "lock": "7y"}, "lock is for s3:// only; files cannot be locked"),
        ({"to": "az://files", "lock": "7y"}, "lock is for s3:// only; set it on the bucket itself"),
        ({"to": "s3://bucket", "keep": "7y"}, "give the bucket a lifecycle rule instead"),
        ({"to": "s3://bucket", "endpoint": "s3.example.com"}, "endpoint is no address"),
        ({"to": "kept", "format": []}, 'format is empty; write "json", "eml" or both'),
        ({"to": "kept", "format": "pdf"}, "format"),
    ],
)
def test_options_that_do_not_fit_are_refused(options: dict[str, object], words: str) -> None:
    """An option that the destination has no use for is an error that says why."""
    with pytest.raises(ValidationError) as error:
        Archive.model_validate(options)
    assert words in str(error.value)


@pytest.mark.parametrize("keep", [7, "7", "seven years", True])
def test_a_wrong_time_to_keep_is_refused(tmp_path: Path, keep: object) -> None:
    """What says how long must be a length of time, before anything is removed by it."""
    with pytest.raises(ValidationError, match="length of time"):
        Archive.model_validate({"to": str(tmp_path), "keep": keep})


def test_destinations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """file:// addresses are absolute and percent-encoded, plain paths start where we are."""
    monkeypatch.chdir(tmp_path)
    assert Archive(to="file:///srv/my%20messages")._root == Path("/srv/my messages")
    assert Archive(to="data/archive")._root == tmp_path / "data/archive"


@pytest.mark.parametrize("is_mount_point", [False, True])
async def test_what_is_gone_is_not_made_anew(
    tmp_path: Path, attempt: Attempt, is_mount_point: bool
) -> None:
    """Its disk was unmounted, most likely: what comes waits until it is back.

    A mount point is still there then, and empty.
    """
    handler = Archive(to=str(tmp_path / "archive"))
    await attempt(handler, FAX)
    (tmp_path / "archive").rename(tmp_path / "elsewhere")
    if is_mount_point:
        (tmp_path / "archive").mkdir()
    with pytest.raises(TransientError, match="mount its disk, or make it if it is lost"):
        await attempt(handler, VOICEMAIL)
    assert not files_below(tmp_path / "archive")
    if is_mount_point:
        (tmp_path / "archive").rmdir()
    (tmp_path / "elsewhere").rename(tmp_path / "archive")
    assert await attempt(handler, VOICEMAIL) == "archived with 2 files"
