"""The control face and the commands that speak to it."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from typer.testing import CliRunner, Result

from sandbox import RingCentral
from sandbox.commands import app

Run = Callable[..., Awaitable[Result]]


@pytest.fixture
def run(ringcentral: RingCentral, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`await run("send", "sms")`: a command that finds this test's sandbox."""
    monkeypatch.setenv("RINGPOST_SANDBOX_URL", ringcentral.api_url)
    return lambda *words: asyncio.to_thread(CliRunner().invoke, app, [*words])


@pytest.mark.parametrize("kind", ["sms", "mms", "fax", "voicemail", "pager"])
async def test_sending_each_kind(run: Run, ringcentral: RingCentral, kind: str) -> None:
    """Every kind can be sent without further words, and is shown."""
    result = await run("send", kind, "--json")
    assert result.exit_code == 0, result.output
    (record,) = json.loads(result.output)
    assert ringcentral.message(record["id"]) == record


async def test_sending_with_words(run: Run, ringcentral: RingCentral, tmp_path: Path) -> None:
    """Sender, text, mailbox, count and files are taken as told."""
    file = tmp_path / "any.pdf"
    file.write_bytes(b"%PDF-1.4 any")
    words = ["--from", "+16505550133", "--extension", "102", "--count", "2", "--file", str(file)]
    result = await run("send", "fax", *words)
    assert result.exit_code == 0, result.output
    assert result.output.count("+16505550133") == 2
    newest, older = ringcentral.messages("102")
    assert newest["id"] > older["id"]
    (part,) = newest["attachments"]
    assert part["contentType"] == "application/pdf"
    assert ringcentral.content(newest["id"], part["id"]) == b"%PDF-1.4 any"


async def test_showing_messages(run: Run, ringcentral: RingCentral) -> None:
    """The list shows every mailbox, or one."""
    await ringcentral.receives_sms()
    await ringcentral.receives_fax(extension="103")
    assert len(json.loads((await run("messages", "--json")).output)) == 2
    (fax,) = json.loads((await run("messages", "--extension", "103", "--json")).output)
    assert fax["type"] == "Fax"
    assert "Unread" in (await run("messages")).output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["send", "sms", "--extension", "999"], "no such extension: '999'; there are 101, 102"),
        (["send", "fax", "--file", "/nowhere.pdf"], "--file /nowhere.pdf: No such file"),
        (["messages", "--url", "http://127.0.0.1:9"], "no sandbox answers at http://127.0.0.1:9"),
    ],
)
async def test_mistakes_are_one_line(run: Run, words: list[str], said: str) -> None:
    """What cannot be done is said in one line, with exit code 1."""
    result = await run(*words)
    assert result.exit_code == 1
    assert said in result.stderr
    assert result.stderr.count("\n") == 1


async def test_the_control_api(ask: Any, ringcentral: RingCentral) -> None:
    """Another process sees facts, requests and notifications, and sets faults."""
    url = ringcentral.api_url + "/sandbox"
    facts = (await ask("GET", url)).body
    assert (facts["api"], facts["media"]) == (ringcentral.api_url, ringcentral.media_url)
    told = {"type": "voicemail", "created": "2020-01-01T00:00:00Z", "transcription": "Hello"}
    (record,) = (await ask("POST", f"{url}/messages", json=told)).body
    assert record["creationTime"] == "2020-01-01T00:00:00.000Z"
    assert len(record["attachments"]) == 2
    unknown = await ask("POST", f"{url}/messages", json={"kind": "sms"})
    assert unknown.status == 400
    assert "unknown member: 'kind'" in unknown.body["message"]
    fault = {"part": "message-sync", "status": 503, "retry_after": 3}
    assert (await ask("POST", f"{url}/do/fails", json=fault)).status == 200
    await ask("POST", f"{url}/do/denies", json={"permission": "ReadMessages"})
    assert (await ask("GET", "/message-sync")).headers["Retry-After"] == "3"
    assert (await ask("GET", "/message-sync")).code == "CMN-408"
    await ask("POST", f"{url}/do/recovers")
    assert (await ask("GET", "/message-sync")).status == 200
    seen = (await ask("GET", f"{url}/requests?path=message-sync")).body
    assert [entry["status"] for entry in seen] == [503, 403, 200]
    assert (await ask("DELETE", f"{url}/requests")).status == 204
    assert not len(ringcentral.requests)
    assert (await ask("GET", f"{url}/notifications")).body == []


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "localhost:8090"}, 200),
        ({"Host": "[::1]:8090"}, 200),
        ({"Host": "rebound.example.com"}, 403),
        ({"Host": "[::1"}, 403),
        ({"Origin": "https://example.com"}, 403),
        ({"Origin": "null"}, 403),
        ({"X-Forwarded-For": "127.0.0.1"}, 403),
    ],
)
async def test_who_may_control(
    ask: Any, ringcentral: RingCentral, headers: dict[str, str], status: int
) -> None:
    """A program of this machine, but no page in its browser and nobody through its proxy."""
    assert (await ask("GET", ringcentral.api_url + "/sandbox", headers=headers)).status == status


async def test_control_is_not_the_api(ask: Any, ringcentral: RingCentral) -> None:
    """Control requests are no API requests: they are neither logged nor delayed."""
    ringcentral.requests.clear()
    await ask("GET", ringcentral.api_url + "/sandbox")
    assert not ringcentral.count()


async def test_both_ports_are_given_back() -> None:
    """A sandbox that is gone answers nothing, and its ports are free."""
    async with RingCentral() as ringcentral:
        url = ringcentral.api_url
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientConnectorError):
            await session.get(url)
