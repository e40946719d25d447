"""`ringpost reconcile`, `verify` and `backfill` on a line that runs in the test's own process."""

import asyncio
import errno
import json
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from ringpost.__main__ import app
from ringpost.refusal import Refusal
from sandbox import RingCentral
from tests.support.in_process import ShortLine
from tests.support.waiting import Eventually
from worker.archive.retention import remove_expired
from worker.backfill import filling
from worker.completeness import reconciling

Command = Callable[..., Awaitable[Result]]


@pytest.fixture
async def line(
    ringcentral: RingCentral,
    redis_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    eventually: Eventually,
) -> AsyncIterator[ShortLine]:
    """A line with three messages in its archive, and five from before it began."""
    monkeypatch.setattr(reconciling, "MARGIN", timedelta(seconds=-1))
    monkeypatch.setattr(filling, "_IDLE", 0.05)
    now = datetime.now(UTC).timestamp()
    for age in range(5):
        await ringcentral.receives_fax(created=now - 86400 * (age + 2))
    line = ShortLine(ringcentral, redis_url, tmp_path)
    await line.start_webhook()
    await line.start_worker()
    await eventually(line.is_covered)
    messages = [await ringcentral.receives_sms(text) for text in "abc"]
    await eventually(lambda: all(map(line.is_delivered, messages)))
    await eventually(line.is_idle)
    yield line
    await line.stop()


@pytest.fixture
def command(line: ShortLine, ringcentral: RingCentral, redis_url: str, tmp_path: Path) -> Command:
    """`await command("reconcile", "--json")`: what it answers, run in a thread."""
    assert line.worker is not None
    environment = {
        **ringcentral.environment(),
        "REDIS_URL": redis_url,
        "RINGPOST_DATA": str(tmp_path),
        "RINGPOST_CONFIG": str(tmp_path / "ringpost.toml"),
        "COLUMNS": "200",
    }

    async def run(*words: str, **variables: str) -> Result:
        runner = CliRunner(env={**environment, **variables})
        return await asyncio.to_thread(runner.invoke, app, list(map(str, words)))

    return run


def refusal(answer: Result) -> str:
    assert isinstance(answer.exception, Refusal), answer.output
    return "\n".join(answer.exception.lines)


def archived(folder: Path) -> list[Path]:
    return sorted(path.parent for path in folder.glob("archive/*/*/*/*/*/*/manifest.json"))


async def test_what_is_lost_is_named_and_repaired(
    command: Command, line: ShortLine, tmp_path: Path, eventually: Eventually
) -> None:
    """Complete, exit 0; a folder is gone: named, exit 1; repaired: complete again."""
    answer = await command("reconcile", "--since", "12h")
    assert answer.exit_code == 0, answer.output
    assert "complete: all 3 listed messages have come" in answer.output
    gone = archived(tmp_path)[0]
    shutil.rmtree(gone)

    answer = await command("reconcile", "--since", "12h")

    assert answer.exit_code == 1
    assert gone.name.partition("-")[2] in answer.output
    assert "vault does not hold it" in answer.output
    found = json.loads((await command("reconcile", "--repair", "--json")).stdout)
    assert [one["admitted"] for one in found["repaired"].values()] == [1]
    await eventually(lambda: len(archived(tmp_path)) == 3)
    found = json.loads((await command("reconcile", "--json")).stdout)
    assert found["complete"]
    (mailbox,) = (one for one in found["mailboxes"].values() if one["counts"])
    assert sum(day["listed"] for day in mailbox["counts"]) == 8
    assert sum(day["settled"] for day in mailbox["counts"]) == 3


Tamper = Callable[[Path, Path], Any]


def edit(statement: Path, _: Path) -> None:
    statement.write_text(statement.read_text().replace('"listed": 3', '"listed": 2'))


def change(_: Path, folder: Path) -> None:
    path = folder / "message.json"
    path.write_bytes(path.read_bytes().replace(b"SMS", b"FAX"))


def remove(_: Path, folder: Path) -> None:
    shutil.rmtree(folder)


def cut_chain(_: Path, folder: Path) -> None:
    path = folder.parent.parent / "chain.jsonl"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))


async def test_a_statement_tells_what_was_tampered_with(command: Command, tmp_path: Path) -> None:
    """Signed and as it was, exit 0 without Redis or RingCentral; else the one thing is named."""
    statement = tmp_path / "statement.json"
    written = await command("reconcile", "--since", "12h", "--out", str(statement))
    assert written.exit_code == 0, written.output
    nobody = {"REDIS_URL": "", "RC_CLIENT_ID": "", "RC_CLIENT_SECRET": "", "RC_JWT": ""}
    well = await command("verify", str(statement), **nobody)
    assert well.exit_code == 0, well.output
    assert "is as it was: 3 messages" in well.output

    async def verified(tamper: Tamper) -> Result:
        copy = tmp_path / tamper.__name__
        shutil.copytree(tmp_path / "archive", copy / "archive")
        shutil.copy(statement, copy / "statement.json")
        tamper(copy / "statement.json", archived(copy)[-1])
        archive = ("--archive", f"vault={copy / 'archive'}")
        return await command("verify", str(copy / "statement.json"), *archive, **nobody)

    for tamper, named in (
        (edit, "it was changed after it was signed"),
        (change, "message.json has changed"),
        (remove, "is missing: the chain has it"),
        (cut_chain, "is cut off: it had 3 lines and has 2"),
    ):
        answer = await verified(tamper)
        assert answer.exit_code == 1
        assert named in answer.output


async def test_a_removal_since_is_told(command: Command, line: ShortLine, tmp_path: Path) -> None:
    """Who verifies hears how many messages are not there any more because their time was over."""
    statement = tmp_path / "statement.json"
    await command("reconcile", "--since", "12h", "--out", str(statement))
    next_year = datetime.now(UTC).date() + timedelta(days=365)
    list(remove_expired(tmp_path / "archive", timedelta(days=1), next_year))

    verified = await command("verify", str(statement))

    assert verified.exit_code == 0, verified.output
    assert "0 messages, 0 files; 3 removed, their time was over" in verified.output


async def test_a_statement_is_replaced_as_a_whole(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the new one cannot be written the older one is still there, and nothing else is left."""
    statement = tmp_path / "kept" / "statement.json"
    statement.parent.mkdir()
    statement.write_text("the older one")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    answer = await command("reconcile", "--since", "12h", "--out", str(statement))
    assert "cannot be written (No space left on device)" in refusal(answer)
    monkeypatch.undo()
    assert [path.read_text() for path in statement.parent.iterdir()] == ["the older one"]


async def test_whose_signature_it_is(command: Command, tmp_path: Path) -> None:
    """Ours, one that was named, another's, or one that nobody can tell."""
    statement, elsewhere = tmp_path / "statement.json", tmp_path / "elsewhere"
    await command("reconcile", "--since", "12h", "--out", str(statement))
    public = json.loads(statement.read_text())["signature"]["public_key"]
    moved = tmp_path / "moved"
    shutil.move(tmp_path / "archive", moved)
    words = ("verify", str(statement), "--archive", str(moved))

    named = await command(*words, "--key", public, RINGPOST_DATA=str(elsewhere))
    assert named.exit_code == 0, named.output
    unknown = await command(*words, RINGPOST_DATA=str(elsewhere))
    assert unknown.exit_code == 2
    assert "nobody says whose it is" in unknown.output
    other = await command(*words, "--key", "A" * 43 + "=")
    assert other.exit_code == 1
    assert "is of another key" in other.output
    nowhere = await command("verify", str(statement))
    assert "is no folder" in nowhere.output


async def test_what_is_no_statement_cannot_be_checked(command: Command, tmp_path: Path) -> None:
    """Exit 2, and why."""
    path = tmp_path / "other.json"
    assert "cannot be read" in refusal(await command("verify", str(path)))
    path.write_text("[]")
    assert "is no statement of Ringpost" in refusal(await command("verify", str(path)))
    path.write_text('{"format": "ringpost-statement", "version": 99}')
    assert "has version 99" in refusal(await command("verify", str(path)))
    path.write_text("{")
    answer = await command("verify", str(path))
    assert "is no JSON" in refusal(answer)


async def test_a_backfill_is_planned_carried_out_and_told(
    command: Command, line: ShortLine, tmp_path: Path, eventually: Eventually
) -> None:
    """The plan counts and changes nothing; then all five come, and status says so."""
    planned = json.loads((await command("backfill", "--since", "2y", "--plan", "--json")).stdout)
    assert planned["types"] == {"Fax": 5}
    number = ("--mailbox", "101")
    named = await command("backfill", "--since", "2y", "--plan", "--json", *number)
    assert json.loads(named.stdout)["types"] == {"Fax": 5}
    assert planned["messages"] == 5
    assert planned["calls"]["medium"] == 5
    assert planned["calls"]["light"] == planned["cost"] == 3  # two of the mailboxes are empty
    assert "Fax: 5" in (await command("backfill", "--since", "2y", "--plan")).output
    assert json.loads((await command("backfill", "--status", "--json")).stdout) is None

    answer = await command("backfill", "--since", "2y")

    assert answer.exit_code == 0, answer.output
    assert "the backfill is through: 5 of 5 messages delivered" in answer.output
    await eventually(lambda: len(archived(tmp_path)) == 8)
    facts = json.loads((await command("status", "--json")).stdout)
    assert facts["backfill"]["state"] == "done"
    assert facts["backfill"]["admitted"] == 5
    assert "backfill --since 2y: done" in (await command("status")).output
    assert "no backfill is running" in (await command("backfill", "--stop")).output
    again = await command("backfill", "--since", "2y", "--json")
    assert json.loads(again.stdout)["admitted"] == 0
    assert json.loads((await command("reconcile", "--json")).stdout)["complete"]


async def test_a_mailbox_that_cannot_be_read_costs_no_other(
    command: Command, ringcentral: RingCentral, tmp_path: Path
) -> None:
    """It is named with exit code 1, in a plan and in a comparison; the others are counted."""
    ringcentral.denies("ReadMessages", extension="102")
    planned = await command("backfill", "--since", "2y", "--plan", "--json")
    assert planned.exit_code == 1
    found = json.loads(planned.stdout)
    assert found["types"] == {"Fax": 5}
    (closed,) = found["problems"]
    shown = await command("backfill", "--since", "2y", "--plan")
    assert f"mailbox {closed}: could not be counted: " in shown.output
    compared = await command("reconcile", "--since", "12h")
    assert compared.exit_code == 1
    assert f"mailbox {closed}: could not be compared: " in compared.output
    assert "--repair" not in compared.output
    nothing = await command("backfill", "--since", "2y", "--plan", "--mailbox", "102")
    assert nothing.exit_code == 1
    assert "ReadMessages" in refusal(nothing)


async def test_a_statement_is_there_before_its_reader_goes(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`ringpost reconcile --out FILE | head` writes the file."""

    def gone(_: object) -> None:
        raise BrokenPipeError

    monkeypatch.setattr("ringpost.commands.reconcile._show", gone)
    await command("reconcile", "--since", "12h", "--out", str(tmp_path / "statement.json"))
    assert json.loads((tmp_path / "statement.json").read_text())["signature"]


async def test_what_cannot_be_done_is_said(command: Command) -> None:
    """In one line, with the thing, the value and the remedy."""
    for words, said in (
        ("backfill", "--since: say how far back"),
        ("backfill --since soon", "is no time"),
        ("backfill --since 1d --until 2d", "is not after --since"),
        ("backfill --since 1d --until=", "--until : is no time"),
        ("reconcile --until=", "--until : is no time"),
        ("backfill --since 2y --route keep", 'did you mean "kept"?'),
        ("backfill --since 1m", "delivers what came since then anyway"),
        ("backfill --stop --status", "give one of them"),
        ("backfill --stop --since 1d", "give them alone"),
        ("reconcile --mailbox nobody", "is not watched"),
        ("reconcile --out nowhere/at/all", "make it first"),
        ("reconcile --out .", "is a folder; name a file in it"),
        ("verify x --key abc", '--key "abc": is no public key'),
        ("reconcile --since 2099-01-01", "lies in the future"),
    ):
        assert said in refusal(await command(*words.split()))
