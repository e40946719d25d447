"""`ringpost archive` on an archive in a bucket."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from ringpost.__main__ import app
from ringpost.refusal import Refusal
from tests.support.seaweed import Seaweed
from worker.archive import mirror
from worker.handlers.archive import Archive
from worker.handlers.conformance_cases import FAX, MMS

CONFIGURATION = """
[handlers.cloud]
use = "archive"
to = "{to}"
endpoint = "{endpoint}"
region = "us-east-1"
access_key_id = "{access_key_id}"
secret_access_key = "${{SECRET}}"

[[routes]]
name = "Everything is kept"
steps = ["cloud"]
"""


def call(*words: str) -> Result:
    return CliRunner().invoke(app, ["archive", *words])


@pytest.fixture
async def cloud(
    server: Seaweed,
    to: str,
    make: Callable[..., Archive],
    attempt: Callable[..., Awaitable[str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> str:
    """A working directory whose configuration names an archive with two messages in a bucket."""
    await attempt(make(), FAX)
    await attempt(make(), MMS)
    options = server.options()
    (tmp_path / "ringpost.toml").write_text(CONFIGURATION.format(to=to, **options))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SECRET", options["secret_access_key"])
    monkeypatch.setattr(mirror, "_SETTLING_SECONDS", 0)
    return to


async def test_verify(cloud: str) -> None:
    """All that is in the bucket is looked at."""
    answer = call("verify", "--json", "--mailbox", "230919005")
    assert answer.exit_code == 0, answer.output
    facts = json.loads(answer.stdout)
    assert facts["faults"] == []
    assert facts["checked"]["messages"] == 2


async def test_export(cloud: str, tmp_path: Path) -> None:
    """The messages of the bucket become mails."""
    import asyncio

    answer = await asyncio.to_thread(call, "export", "--out", str(tmp_path / "out"))
    assert answer.exit_code == 0, answer.output
    assert "2 messages written to" in answer.output
    assert len(list((tmp_path / "out").rglob("*.eml"))) == 2


@pytest.mark.parametrize("words", [["adopt"], ["expire"], ["hold", "list"]])
async def test_what_buckets_do_themselves_is_refused(cloud: str, words: list[str]) -> None:
    """In one line that says where it is set."""
    answer = call(*words)
    assert isinstance(answer.exception, Refusal)
    (line,) = answer.exception.lines
    assert line == (
        f"{cloud}: what is kept or removed in a bucket is set on the bucket itself; "
        "this command is for folders"
    )
