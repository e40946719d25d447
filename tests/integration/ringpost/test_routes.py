"""`ringpost routes` says why, what would change, and what is unused; and does nothing."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from ringpost.__main__ import app
from ringpost.refusal import Refusal
from sandbox import RingCentral
from tests.support.in_process import CONFIGURATION, ShortLine
from tests.support.waiting import Eventually

FAXES = """
[[routes]]
name = "faxes of the front desk"
match.type = "Fax"
match.extension = "101"
steps = ["vault"]
"""
NEW = CONFIGURATION.replace("[[routes]]", '[[routes]]\nmatch.text = "urgent"') + FAXES
Command = Callable[..., Awaitable[Result]]


@pytest.fixture
async def line(
    ringcentral: RingCentral, redis_url: str, tmp_path: Path, eventually: Eventually
) -> AsyncIterator[ShortLine]:
    """A line with two texts and an old fax; the texts are in its archive."""
    line = ShortLine(ringcentral, redis_url, tmp_path)
    await ringcentral.receives_fax(created=datetime.now(UTC).timestamp() - 2 * 86400)
    await line.start_webhook()
    await line.start_worker(configuration=CONFIGURATION + FAXES)
    await eventually(line.is_covered)
    messages = [await ringcentral.receives_sms(text) for text in ("urgent", "hello")]
    await eventually(lambda: all(map(line.is_delivered, messages)))
    await eventually(line.is_idle)
    (tmp_path / "new.toml").write_text(NEW.replace("{archive}", str(tmp_path / "archive")))
    yield line
    await line.stop()


@pytest.fixture
def command(line: ShortLine, ringcentral: RingCentral, redis_url: str, tmp_path: Path) -> Command:
    """`await command("explain", "1")`: what it answers, run in a thread."""
    environment = {
        **ringcentral.environment(),
        "REDIS_URL": redis_url,
        "RINGPOST_DATA": str(tmp_path),
        "RINGPOST_CONFIG": str(tmp_path / "ringpost.toml"),
        "COLUMNS": "200",
    }

    async def run(*words: object) -> Result:
        runner = CliRunner(env=environment)
        return await asyncio.to_thread(runner.invoke, app, ["routes", *map(str, words)])

    return run


def archived(folder: Path) -> list[Path]:
    return sorted(folder.glob("archive/*/*/*/*/*/*/message.json"))


def found(answer: Result) -> Any:
    assert answer.exit_code == 0, answer
    return json.loads(answer.stdout)


def refusal(answer: Result) -> str:
    assert isinstance(answer.exception, Refusal), answer.output
    return "\n".join(answer.exception.lines)


async def test_a_message_is_explained(
    command: Command, line: ShortLine, ringcentral: RingCentral, tmp_path: Path
) -> None:
    """By id from the archive, else from RingCentral, or from a file; names are known."""
    path = archived(tmp_path)[0]
    id_ = json.loads(path.read_text())["id"]

    kept = found(await command("explain", id_, "--json"))
    asked = found(await command("explain", id_, "--from", "ringcentral", "--json"))
    file = found(await command("explain", path, "--json"))
    assert [kept["from"], asked["from"], file["from"]] == [
        "the archive",
        "RingCentral",
        str(path),
    ]
    assert kept["routes"] == file["routes"]
    everything, faxes = kept["routes"]
    assert everything["takes"]
    assert not faxes["takes"]
    assert [one["holds"] for one in faxes["conditions"]] == [False, True]
    assert "101" in faxes["conditions"][1]["had"]

    told = (await command("explain", id_, "--on", "read")).stdout
    assert '"kept" is for other occasions (created)' in told
    assert 'match.type = "Fax": does not hold  (message: SMS)' in told
    assert "--on raed: did you mean" in refusal(await command("explain", id_, "--on", "raed"))
    assert "another mailbox than ~; give --mailbox" in refusal(await command("explain", 1))
    assert "no archive of the configuration has it" in refusal(
        await command("explain", 1, "--from", "archive")
    )


async def test_other_routes_are_tried(
    command: Command, line: ShortLine, ringcentral: RingCentral, tmp_path: Path
) -> None:
    """The difference by message and by route, from the archive or from RingCentral; no effects."""
    before, requests = archived(tmp_path), len(ringcentral.requests.matching("listMessages"))
    arguments = ("try", "--since", "7d", "--config", tmp_path / "new.toml")

    kept = found(await command(*arguments, "--json"))
    assert (kept["from"], kept["messages"]) == ("archive", 2)
    [change] = kept["changes"]
    assert (change["no_longer"], change["newly"]) == (["kept"], [])
    assert {"route": "kept", "before": 2, "after": 1} in kept["routes"]
    assert len(ringcentral.requests.matching("listMessages")) == requests

    asked = found(await command(*arguments, "--from", "ringcentral", "--json"))
    assert (asked["from"], asked["messages"]) == ("ringcentral", 3)
    assert len(asked["changes"]) == 2

    shown = (await command(*arguments)).stdout
    assert "1 of 2 messages (archive) would go other ways" in shown
    period = ("--since", "1d", "--until", "2d")
    refused = refusal(await command("try", *period, "--config", tmp_path / "new.toml"))
    assert refused == "--until 2d: is not after --since; a date is its midnight"
    empty = ("--since", "1d", "--until", "")
    refused = refusal(await command("try", *empty, "--config", tmp_path / "new.toml"))
    assert refused.startswith("--until : is no time;")
    assert archived(tmp_path) == before
    assert await line.is_idle()


async def test_routes_that_never_matched_are_named(
    command: Command, line: ShortLine, tmp_path: Path
) -> None:
    """With the time since when that is counted; all of them on demand."""
    shown = (await command("report")).stdout
    assert "faxes of the front desk" in shown
    assert "kept" not in shown
    assert "1 of 2 routes have never matched" in shown

    kept, faxes = found(await command("report", "--json"))
    assert (kept["messages"], kept["never_matched"]) == (2, False)
    assert kept["last"] > kept["since"]
    assert (faxes["messages"], faxes["never_matched"], faxes["last"]) == (0, True, None)
    assert faxes["since"]
