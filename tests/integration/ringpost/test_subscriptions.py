"""`ringpost subscriptions` against the sandbox and a real Redis, as typed in a terminal."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from sandbox import RingCentral
from tests.support import breaking
from tests.support.handshake import polite_webhook

TOKEN = "first0verification0token"
CONFIGURATION = """
mailboxes = "all"
[[routes]]
name = "all"
steps = ["mark-read"]
"""
Ask = Callable[..., Awaitable[tuple[int, str, str]]]


@pytest.fixture
async def ringcentral() -> AsyncIterator[RingCentral]:
    """A RingCentral of this test."""
    async with RingCentral() as ringcentral:
        yield ringcentral


@pytest.fixture
async def address() -> AsyncIterator[str]:
    """A webhook that passes the handshake."""
    async with polite_webhook() as address:
        yield address


@pytest.fixture
def ask(tmp_path: Path, ringcentral: RingCentral, redis_url: str, address: str) -> Ask:
    """Exit code, output and errors of the real command."""
    (tmp_path / "ringpost.toml").write_text(CONFIGURATION)

    async def run(*words: str, **environ: str) -> tuple[int, str, str]:
        inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        ours = {"WEBHOOK_URL": address, "WEBHOOK_VERIFICATION_TOKEN": TOKEN, "REDIS_URL": redis_url}
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "ringpost", "subscriptions", *words),
            cwd=tmp_path,
            env={**inherited, **ours, **ringcentral.environment(), **environ},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, errors = await asyncio.wait_for(process.communicate(), 100)
        assert process.returncode is not None
        return process.returncode, out.decode(), errors.decode()

    return run


async def test_looking_and_mending(ask: Ask, ringcentral: RingCentral, address: str) -> None:
    """What is missing is a difference, healing makes it, and then there is none."""
    code, out, _ = await ask("diff")
    assert code == 1
    assert out.startswith("create: 4 filters in no subscription: ")
    assert ringcentral.subscriptions == []

    code, out, errors = await ask("heal")
    assert (code, errors) == (0, "")
    assert out.startswith("done: create: 4 filters")
    [one] = ringcentral.subscriptions

    assert await ask("diff") == (0, "subscriptions are as they should be\n", "")
    code, out, _ = await ask("heal", "--json")
    assert (code, json.loads(out)) == (0, [])
    gone = breaking.disable_filter(ringcentral, one, f"/{ringcentral.extension_ids[1]}/")
    code, out, _ = await ask("diff", "--json")
    [difference] = json.loads(out)
    assert (code, difference["action"], difference["subscription"]) == (1, "update", one.id)
    assert gone.rpartition("/account/")[2] in difference["reason"]


async def test_listing(ask: Ask, ringcentral: RingCentral, address: str) -> None:
    """All subscriptions are there, with whose they are and what is wrong with them."""
    assert await ask("list") == (0, "RingCentral has no subscriptions of this app and user\n", "")
    await ask("heal")
    [one] = ringcentral.subscriptions
    breaking.blacklist(ringcentral, one)
    breaking.disable_filter(ringcentral, one, f"/{ringcentral.extension_ids[1]}/")
    # though the address has changed meanwhile
    code, out, errors = await ask("list", WEBHOOK_URL=f"{address}2")
    assert (code, errors) == (0, "")
    [row] = [line for line in out.splitlines() if line.startswith(one.id) and "ours" in line]
    assert "Blacklisted" in row
    assert "Webhook responses with code: [404]" in out
    assert "disabled (SUB-412)" in out

    code, out, _ = await ask("list", "--json")
    [found] = json.loads(out)
    assert (found["owner"], found["status"]) == ("ours", "Blacklisted")
    assert found["blacklistedData"]["reason"].startswith("Webhook responses")
    assert [disabled["reason"] for disabled in found["disabledFilters"]] == ["SUB-412"]


@pytest.mark.parametrize("command", ["diff", "heal"])
async def test_another_token_would_replace_everything(ask: Ask, command: str) -> None:
    """Without the token that the workers have nothing is compared or changed."""
    code, out, errors = await ask(command, WEBHOOK_VERIFICATION_TOKEN="")
    assert (code, out) == (2, "")
    assert errors.startswith("WEBHOOK_VERIFICATION_TOKEN is not set: set it to the one that your")


async def test_without_redis(ask: Ask) -> None:
    """Whose a subscription is the ledger alone knows."""
    code, _, errors = await ask("list", REDIS_URL="")
    assert code == 2
    assert "REDIS_URL is not set" in errors
