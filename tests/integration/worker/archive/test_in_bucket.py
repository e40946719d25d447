"""The archive in a bucket of a real server that speaks S3."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import obstore
import pytest

from tests.support.seaweed import Seaweed
from worker.archive import in_bucket, mirror
from worker.archive.bucket import PART, Bucket
from worker.archive.buckets import TakenError
from worker.archive.layout import folder_of
from worker.archive.mirror import Mirror
from worker.archive.verification import Tally
from worker.handlers.archive import Archive
from worker.handlers.conformance import HandlerConformance
from worker.handlers.conformance_cases import CASES, FAX, MAILBOX, MMS, VOICEMAIL, Case
from worker.handlers.contract import Handler, PermanentError, TransientError

Attempt = Callable[..., Awaitable[str]]
Make = Callable[..., Archive]
FOLDER = folder_of(Path(), MAILBOX, FAX.message).as_posix()
READ = Case({**FAX.wire, "readStatus": "Read"}, FAX.contents)


@pytest.fixture(autouse=True)
def _settled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mirror, "_SETTLING_SECONDS", 0)


class TestConformance(HandlerConformance):
    """The archive in a bucket passes the suite for all handlers."""

    @pytest.fixture(autouse=True)
    def _made(self, make: Make) -> None:
        self.make = make

    def make_handler(self) -> Handler:
        return self.make()


def names(server: Seaweed, to: str) -> list[str]:
    """The objects of an archive, relative to it."""
    bucket, _, prefix = to.removeprefix("s3://").partition("/")
    pages = obstore.list(server.store(bucket), prefix=prefix)
    return sorted(meta["path"].removeprefix(f"{prefix}/") for page in pages for meta in page)


def faults(archive: Archive) -> list[str]:
    """What is wrong with an archive, its address left out."""
    assert archive.bucket is not None
    with Mirror(archive.bucket) as here:
        found = list(here.verify(None, None, None, Tally()))
        address = f"{archive.bucket.address}/{FOLDER.rpartition('/')[0]}/"
        return [f"{here.name_of(one.path).removeprefix(address)} {one.what}" for one in found]


def put(server: Seaweed, to: str, name: str, content: bytes) -> None:
    """Do to the archive what the archive never does."""
    bucket, _, prefix = to.removeprefix("s3://").partition("/")
    obstore.put(server.store(bucket), f"{prefix}/{name}", content)


def remove(server: Seaweed, to: str, name: str) -> None:
    bucket, _, prefix = to.removeprefix("s3://").partition("/")
    obstore.delete(server.store(bucket), f"{prefix}/{name}")


async def test_layout(server: Seaweed, to: str, make: Make, attempt: Attempt) -> None:
    """The same names as on a disk, with the chain's lines as objects, and verify finds no fault."""
    assert await attempt(make(), FAX) == "archived with 1 file"
    month = FOLDER.rsplit("/", 2)[0]
    assert names(server, to) == [
        f"{FOLDER}/document-501.pdf",
        f"{FOLDER}/manifest.json",
        f"{FOLDER}/message.json",
        f"{month}/chain/000000000001.jsonl",
    ]
    assert faults(make()) == []


async def test_a_repeat_is_recognised(
    server: Seaweed, to: str, make: Make, attempt: Attempt
) -> None:
    """Also by another process, which adds nothing."""
    await attempt(make(), FAX)
    before = names(server, to)
    assert await attempt(make(), FAX) == "already archived"
    assert names(server, to) == before


async def test_another_state_is_a_revision(make: Make, attempt: Attempt) -> None:
    """What is committed is never replaced; the state that comes later stands beside it, once."""
    archive = make()
    await attempt(archive, FAX)
    assert "revision (changed) archived" in await attempt(archive, READ)
    assert await attempt(make(), READ) == "already archived"
    assert await attempt(make(), FAX) == "already archived"
    assert faults(make()) == []


async def test_names_of_strangers(make: Make, attempt: Attempt) -> None:
    """Whatever messages and files are called, they are found under the names of the manifest."""
    archive = make(format=["json", "eml"])
    for case in CASES.values():
        await attempt(archive, case)
        await attempt(archive, case, on="read", at="2025-11-24T08:30:00.250+00:00")
    name = "100 % #1 ~a+b&c=d é 🎉 [x]^`{y}.png"
    part = {"id": 5, "type": "MmsAttachment", "contentType": "image/png", "fileName": name}
    odd = Case({**MMS.wire, "id": 77, "attachments": [part]}, {"5": b"one"})
    await attempt(archive, odd)
    assert faults(archive) == []


async def test_an_answer_that_is_lost(
    server: Seaweed, to: str, make: Make, attempt: Attempt, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A repeat within the call finds what it has made itself, and says nothing twice."""
    create = Bucket.create

    def twice(bucket: Bucket, name: str, content: bytes, content_type: str) -> None:
        create(bucket, name, content, content_type)
        raise TakenError

    monkeypatch.setattr(Bucket, "create", twice)
    assert await attempt(make(), FAX) == "already archived"
    assert len(names(server, to)) == 4
    assert faults(make()) == []


class DiedError(Exception):
    """The worker is gone."""


@pytest.mark.parametrize("retried", [FAX, READ])
async def test_a_death_before_any_write(
    to: str, make: Make, attempt: Attempt, monkeypatch: pytest.MonkeyPatch, retried: Case
) -> None:
    """At worst a folder is in no chain until the retry, also if the message has changed by then."""
    monkeypatch.setattr(in_bucket, "ABANDONED", -in_bucket.ABANDONED)
    put = obstore.put
    died = True
    point = 0
    while died:
        place = f"{to}/{point}"
        writes = 0

        def dying(*args: Any, last: int = point, **options: Any) -> Any:
            nonlocal writes
            writes += 1
            if writes > last:
                raise DiedError
            return put(*args, **options)

        monkeypatch.setattr(obstore, "put", dying)
        died = False
        try:
            await attempt(make(to=place), FAX)
        except DiedError:
            died = True
        monkeypatch.setattr(obstore, "put", put)
        assert {words.partition(" ")[2] for words in faults(make(to=place))} <= {"is in no chain"}
        await attempt(make(to=place), retried)
        assert faults(make(to=place)) == []
        point += 1
    assert point == 6  # message, its proof, file, manifest, line, and none


async def test_many_writers_make_one_chain(
    server: Seaweed, to: str, make: Make, attempt: Attempt
) -> None:
    """Two processes that archive at once take turns in the chain, and no line is lost."""
    cases = [Case({**FAX.wire, "id": number}, FAX.contents) for number in range(700, 720)]
    first, second = make(), make()
    both = [attempt(one, case) for case in cases for one in (first, second)]
    words = await asyncio.gather(*both)
    assert words.count("archived with 1 file") == len(cases)
    assert faults(make()) == []
    lines = [name for name in names(server, to) if "/chain/" in name]
    assert 1 < len(lines) <= len(cases)


@pytest.mark.parametrize("lost", ["manifest.json", "document-501.pdf", "chain"])
async def test_what_is_missing_is_put_back(
    server: Seaweed, to: str, make: Make, attempt: Attempt, lost: str
) -> None:
    """A retry completes what an attempt that died has left, whatever that was."""
    await attempt(make(), FAX)
    before = names(server, to)
    remove(server, to, next(name for name in before if lost in name))
    await attempt(make(), FAX)
    after = names(server, to)
    assert [name for name in after if name in before] == before
    assert len(after) == len(before) + (lost == "manifest.json")  # the folder's line, again
    assert faults(make()) == []


async def test_two_states_without_a_commit(
    server: Seaweed,
    to: str,
    make: Make,
    attempt: Attempt,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """While another attempt may be at work nothing of it is replaced; when it is dead, it is."""
    await attempt(make(), FAX)
    remove(server, to, f"{FOLDER}/manifest.json")
    with pytest.raises(TransientError, match="another attempt may be at work"):
        await attempt(make(), READ)
    monkeypatch.setattr(in_bucket, "ABANDONED", -in_bucket.ABANDONED)
    assert await attempt(make(), READ) == "archived with 1 file"
    text = bytes(obstore.get(server.store("messages"), f"{to[14:]}/{FOLDER}/message.json").bytes())
    assert json.loads(text)["readStatus"] == "Read"
    assert faults(make()) == []


async def test_a_large_file_goes_in_parts(
    server: Seaweed, to: str, make: Make, attempt: Attempt
) -> None:
    """It is whole and has its digest in the manifest."""
    large = Case(FAX.wire, {"501": bytes(range(256)) * (PART // 200)})
    assert await attempt(make(), large) == "archived with 1 file"
    found = obstore.head(server.store("messages"), f"{to[14:]}/{FOLDER}/document-501.pdf")
    assert found["size"] > PART
    assert str(found["e_tag"]).strip('"').endswith("-2")  # S3's word for two parts
    assert faults(make()) == []


async def test_verify_names_what_was_changed(
    server: Seaweed, to: str, make: Make, attempt: Attempt
) -> None:
    """A changed, an added and a missing object, and an edited line."""
    await attempt(make(), FAX)
    await attempt(make(), MMS)
    await attempt(make(), VOICEMAIL)
    month = FOLDER.rsplit("/", 2)[0]
    put(server, to, f"{FOLDER}/document-501.pdf", FAX.contents["501"][::-1])
    put(server, to, f"{FOLDER}/more.txt", b"more")
    put(server, to, f"{month}/not-a-day/x.txt", b"more")
    remove(server, to, f"{folder_of(Path(), MAILBOX, MMS.message).as_posix()}/a-5.png")
    line = bytes(
        obstore.get(server.store("messages"), f"{to[14:]}/{month}/chain/000000000001.jsonl").bytes()
    )
    put(server, to, f"{month}/chain/000000000001.jsonl", line.replace(b"archived", b"adopted_"))
    found = "\n".join(faults(make()))
    for words in (
        "Fax-501/document-501.pdf has changed: another sha256",
        "Fax-501/more.txt is extra",
        "not-a-day is extra",
        "a-5.png is missing",
        "line 1 is none of ours",
    ):
        assert words in found


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (
            {"secret_access_key": "wrong"},
            "it answers SignatureDoesNotMatch; give the key the right",
        ),
        ({"to": "s3://no-bucket/x"}, "there is no such bucket; make it, or change `to`"),
        ({"endpoint": "http://127.0.0.1:1"}, "it cannot be reached"),
    ],
)
async def test_check_says_what_is_wrong(make: Make, wrong: dict[str, Any], words: str) -> None:
    """In one line, without the keys."""
    with pytest.raises(PermanentError) as error:
        await make(**wrong).check()
    assert words in error.value.reason
    assert "\n" not in error.value.reason


async def test_check_leaves_nothing(server: Seaweed, to: str, make: Make) -> None:
    """It begins an upload and breaks it off."""
    before = server.uploads("messages")
    assert await make().check() == f"{to} can be listed and written"
    assert names(server, to) == []
    assert server.uploads("messages") == before


async def test_a_server_that_is_away_is_no_verdict(make: Make, attempt: Attempt) -> None:
    """A wrong key fails for good, a silent server is worth another attempt."""
    with pytest.raises(TransientError, match="cannot be reached"):
        await attempt(make(endpoint="http://127.0.0.1:1"), FAX)
    with pytest.raises(PermanentError, match="SignatureDoesNotMatch"):
        await attempt(make(secret_access_key="wrong"), FAX)


async def test_a_locked_archive(server: Seaweed, make: Make, attempt: Attempt) -> None:
    """Each object, the chain's too, is kept by the store itself for as long as was said."""
    archive = make(to="s3://locked/kept", lock="7y", lock_mode="compliance")
    large = Case(FAX.wire, {"501": bytes(range(256)) * (PART // 200)})
    assert await archive.check() == "s3://locked/kept can be listed and written"
    assert names(server, "s3://locked/kept") == []
    assert await attempt(archive, large) == "archived with 1 file"
    found = names(server, "s3://locked/kept")
    assert len(found) == 4
    for name in found:
        headers = server.headers("locked", f"kept/{name}")
        assert headers["x-amz-object-lock-mode"] == "COMPLIANCE"
        until = datetime.fromisoformat(headers["x-amz-object-lock-retain-until-date"])
        assert until - datetime.now(UTC) > timedelta(days=7 * 366)
    assert faults(archive) == []


async def test_a_bucket_that_cannot_lock(make: Make, attempt: Attempt) -> None:
    """It is said at the check, and nothing is archived without its lock."""
    archive = make(lock="7y")
    with pytest.raises(PermanentError, match="with `lock` that it was made with Object Lock"):
        await archive.check()
    with pytest.raises(PermanentError, match="cannot write to s3://messages/"):
        await attempt(archive, FAX)
