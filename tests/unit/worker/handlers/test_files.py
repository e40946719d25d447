"""The handler `files`: one file once, in a folder that no message can leave."""

import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from worker.handlers.conformance import HandlerConformance
from worker.handlers.conformance_cases import CASES, FAX, MMS, SMS, Case
from worker.handlers.contract import Handler, PermanentError, TransientError
from worker.handlers.durable import DurableFolders, Source
from worker.handlers.files import Files

Attempt = Callable[..., Awaitable[str]]


class TestConformance(HandlerConformance):
    """It passes the suite for all handlers."""

    @pytest.fixture(autouse=True)
    def _to(self, tmp_path: Path) -> None:
        self.to = tmp_path / "kept"

    def make_handler(self) -> Handler:
        return Files(to=str(self.to))


def below(folder: Path) -> dict[str, bytes]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def modes_below(folder: Path) -> set[int]:
    return {path.stat().st_mode & 0o777 for path in folder.rglob("*")}


def received(number: int, content: bytes, sender: dict[str, str] | None = None) -> Case:
    """An MMS with one picture of the name that all phones give."""
    part = {"id": 5, "type": "MmsAttachment", "contentType": "image/png", "fileName": "a.png"}
    sender = sender or {"phoneNumber": "+16505550100"}
    wire = {**MMS.wire, "id": number, "attachments": [part], "from": sender}
    return Case(wire, {"5": content})


async def test_a_folder_for_each_sender(tmp_path: Path, attempt: Attempt) -> None:
    """And below it one for each month; other files than pictures are left out."""
    template = "{{ message.from.phoneNumber }}/{{ message.created.strftime('%Y-%m') }}"
    handler = Files(to=tmp_path.as_uri(), folder=template, content_type=["image/*"])
    assert await attempt(handler, received(1, b"one")) == "1 file kept"
    assert await attempt(handler, FAX) == "no file to keep"
    assert await attempt(handler, SMS) == "no file to keep"
    assert below(tmp_path) == {"+16505550100/2025-11/a.png": b"one"}


async def test_another_content_has_another_name(tmp_path: Path, attempt: Attempt) -> None:
    """No file is replaced, and a repeat finds its own, whichever came first."""
    handler = Files(to=str(tmp_path), folder="all")
    first, second = received(1, b"one"), received(2, b"two")
    for case in (first, second, first, second):
        await attempt(handler, case)
    assert sorted(below(tmp_path).values()) == [b"one", b"two"]
    assert below(tmp_path)["all/a.png"] == b"one"
    assert await attempt(handler, second) == "0 files kept, 1 there already"


@pytest.mark.parametrize(
    "name", ["../../etc", "..", "/", "a/b", "", "\u202e..", "con", "x" * 400, "Bob\x00"]
)
async def test_no_sender_leaves_its_folder(tmp_path: Path, attempt: Attempt, name: str) -> None:
    """Whatever a sender calls itself is one plain folder."""
    handler = Files(to=str(tmp_path / "kept"), folder="{{ message.from.name }}")
    await attempt(handler, received(1, b"one", {"name": name}))
    (found,) = below(tmp_path)
    assert found.count("/") == 2
    assert found.startswith("kept/")


async def test_hostile_files_stay_inside(tmp_path: Path, attempt: Attempt) -> None:
    """So do all names of the hard cases."""
    for case in CASES.values():
        await attempt(Files(to=str(tmp_path / "kept")), case)
    assert all(name.startswith("kept/") and name.count("/") == 2 for name in below(tmp_path))


async def test_who_may_read(tmp_path: Path, attempt: Attempt) -> None:
    """Only the worker's user, or with `shared` those whom the umask leaves."""
    umask = os.umask(0o027)
    try:
        await attempt(Files(to=str(tmp_path / "own"), folder="x"), FAX)
        await attempt(Files(to=str(tmp_path / "all"), folder="x", shared=True), FAX)
    finally:
        os.umask(umask)
    assert modes_below(tmp_path / "own") == {0o700, 0o600}
    assert modes_below(tmp_path / "all") == {0o750, 0o640}


def test_what_is_cut_off_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file has its name only when it is whole and on disk."""

    def full(descriptor: int, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="No space"):
        DurableFolders(tmp_path).keep(tmp_path / "x", Source("a", "x/y", b"1"))
    assert below(tmp_path) == {}


async def test_words_have_no_number(tmp_path: Path, attempt: Attempt) -> None:
    """The error says where, but not whose folder it was."""
    (tmp_path / "kept").write_text("no folder")
    handler = Files(to=str(tmp_path / "kept"))
    with pytest.raises(TransientError, match="kept: File exists; see") as error:
        await attempt(handler, FAX)
    assert "5550100" not in error.value.reason
    with pytest.raises(PermanentError, match="Not a directory"):
        await handler.check()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"folder": "{{ message.readStatus }}"}, "readStatus may change"),
        ({"folder": "{{ message.lastModifiedTime }}"}, "lastModifiedTime may change"),
        ({"folder": "{{ message }}"}, "message may change"),
        ({"folder": "a/../b"}, "is no folder below `to`"),
        ({"folder": ""}, "is no folder below `to`"),
        ({"folder": "{% if on %}a/b{% endif %}"}, "has a / inside of a block"),
        ({"folder": "{{ sender }}"}, "unknown name 'sender'"),
        ({"to": "s3://bucket"}, "s3:// is no folder; write file:///an/absolute/folder"),
        ({"content_type": []}, "content_type"),
    ],
)
def test_wrong_options_are_refused(options: dict[str, Any], words: str) -> None:
    """At start, with what is wrong."""
    with pytest.raises(ValidationError) as error:
        Files.model_validate({"to": "kept", **options})
    assert words in str(error.value)
