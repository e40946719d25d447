"""The control face and the commands that speak to it."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from typer.testing import CliRunner, Result

from sandbox import RingCentral, Settings
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


async def test_names_of_files(run: Run, ringcentral: RingCentral, tmp_path: Path) -> None:
    """They are kept as they are."""
    name = 'für "uns" 100%, מסמך.png'
    (tmp_path / name).write_bytes(b"x")
    assert (await run("send", "mms", "--file", str(tmp_path / name))).exit_code == 0
    (message,) = ringcentral.messages()
    assert [part.get("fileName") for part in message["attachments"]][-1] == name


async def test_showing_messages(run: Run, ringcentral: RingCentral) -> None:
    """The list shows every mailbox, or one."""
    await ringcentral.receives_sms()
    await ringcentral.receives_fax(extension="103")
    assert len(json.loads((await run("messages", "--json")).output)) == 2
    (fax,) = json.loads((await run("messages", "--extension", "103", "--json")).output)
    assert fax["type"] == "Fax"
    assert "Unread" in (await run("messages")).output


@pytest.mark.parametrize(
    ("words", "said", "code"),
    [
        (["send", "sms", "--extension", "999"], "no such extension: '999'; there are 101, 102", 1),
        (["send", "fax", "--file", "/nowhere.pdf"], "--file /nowhere.pdf: No such file", 2),
        (["messages", "--url", "http://127.0.0.1:9"], "no sandbox answers at http://127.0.0.", 1),
    ],
)
async def test_mistakes_are_one_line(run: Run, words: list[str], said: str, code: int) -> None:
    """What cannot be done is said in one line; the exit code is 2 if it was told wrong."""
    result = await run(*words)
    assert result.exit_code == code
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


async def test_saying_sentences(run: Run, ask: Any, ringcentral: RingCentral) -> None:
    """What the Python face can say, a command can, with the same words."""
    assert (await run("do", "fails", "message-sync", "--status", "500")).exit_code == 0
    assert (await ask("GET", "/message-sync")).status == 500
    assert (await run("do", "limits-to", "--light", "1")).exit_code == 0
    assert (await ask("GET", "/message-sync")).status == 200
    assert (await ask("GET", "/message-sync")).status == 429
    counted = json.loads((await run("requests")).output)
    assert counted["refused"] == {"light": 1}
    assert (await run("do", "limits-to", "--light", "9")).exit_code == 0
    joined = json.loads((await run("do", "joins", "--name", "Barbara Liskov")).output)
    assert joined["name"] == "Barbara Liskov"
    sms = await ringcentral.receives_sms()
    sent = json.loads((await run("do", "sends", "sms", "text=Hi", "--statuses", "Queued")).output)
    assert (sent["messageStatus"], sent["subject"]) == ("Queued", "Hi")
    assert (await run("do", "loses-content", str(sms["id"]))).exit_code == 0
    assert (await ask("GET", sms["attachments"][0]["uri"])).code == "MSG-352"
    changed = await run("do", "changes", str(sms["id"]), "readStatus=Read")
    assert json.loads(changed.output)["readStatus"] == "Read"


async def test_choosing_settings(run: Run, ask: Any, ringcentral: RingCentral) -> None:
    """Settings are shown and changed while it runs, but for where it listens."""
    shown = json.loads((await run("settings")).output)
    assert (shown["window"], shown["error_form"]) == (60, "full")
    changed = await run("settings", "window=2.5", "limits=light=7", "retry_after=false")
    assert json.loads(changed.output)["limits"] == {"light": 7}
    answer = await ask("GET", "/message-sync")
    assert answer.headers["X-Rate-Limit-Window"] == "2.5"
    assert answer.headers["X-Rate-Limit-Limit"] == "7"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["settings", "windw=3"], "unknown: 'windw'; do you mean 'window'?"),
        (["settings", "window=long"], "window: must be a number, not 'long'\n"),
        (["settings", "limits=light=x"], "limits.light: must be a whole number, not 'x'\n"),
        (["settings", "page_counts=maybe"], "page_counts: must be true or false, not 'maybe'\n"),
        (["settings", "port=80"], "port: can be chosen at the start only"),
        (["settings", "error_form=short"], "error_form: must be 'full', "),
        (["do", "refuses-login", "OAU-1"], "unknown code: 'OAU-1'; there are OAU-120"),
        (["do", "sends", "sms", "texd=Hi"], "unknown: 'texd'; there are text, sender,"),
    ],
)
async def test_what_cannot_be_told(run: Run, words: list[str], said: str) -> None:
    """A mistake is one line that names it, with exit code 2."""
    result = await run(*words)
    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["do", "leaves", "999"], "no such extension: '999'; there are 101, 102, 103"),
        (["do", "loses-content", "1"], "no such message: 1"),
        (["do", "changes", "abc", "readStatus=Read"], "no such message: abc"),
        (["do", "repeats-notification"], "no notification has been sent yet"),
    ],
)
async def test_what_is_not_there(run: Run, words: list[str], said: str) -> None:
    """The line says so, with exit code 1."""
    result = await run(*words)
    assert result.exit_code == 1
    assert said in result.stderr
    assert result.stderr.count("\n") == 1


async def test_the_list_of_sentences(ask: Any, ringcentral: RingCentral) -> None:
    """The control API lists what it can be told, and helps with a misspelt name."""
    url = f"{ringcentral.api_url}/sandbox/do"
    listed = {entry["name"]: entry for entry in (await ask("GET", url)).body}
    assert listed["fails-every"]["parameters"] == ["every: int", "seed: int = 0"]
    assert listed["joins"]["meaning"].startswith("Somebody joins the company")
    misspelt = await ask("POST", f"{url}/fail-every", json={})
    assert misspelt.body["message"] == "unknown: 'fail-every'; do you mean 'fails-every'?"
    wrong = await ask("POST", f"{url}/fails-every", json={"evry": 2, "every": 2})
    assert wrong.body["message"] == "unknown: 'evry'; do you mean 'every'?"


async def test_settings_at_the_start() -> None:
    """`start` has an option for every setting, with its meaning."""
    result = await asyncio.to_thread(
        CliRunner(env={"COLUMNS": "200"}).invoke, app, ["start", "--help"]
    )
    for name, info in Settings.model_fields.items():
        assert f"--{name.replace('_', '-')}" in result.output
        assert info.description
    refused = await asyncio.to_thread(CliRunner().invoke, app, ["start", "--extensions", "0"])
    assert refused.exit_code == 2
    assert refused.stderr == "extensions: must be greater than or equal to 1, not '0'\n"
