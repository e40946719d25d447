"""`ringpost check` against RingCentral's sandbox and a real Redis: each fault with its remedy."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from sandbox import RingCentral

CONFIGURATION = """
[handlers.vault]
use = "archive"
to = "archive"
[[routes]]
name = "all"
steps = ["vault", "mark-read"]
"""
Check = Callable[..., Awaitable[dict[str, dict[str, str]]]]


@pytest.fixture
async def ringcentral() -> AsyncIterator[RingCentral]:
    """A RingCentral of this test."""
    async with RingCentral() as ringcentral:
        yield ringcentral


@pytest.fixture
def check(tmp_path: Path, ringcentral: RingCentral, redis_url: str) -> Check:
    """The findings of the real command by subject; `exit` is its exit code."""
    (tmp_path / "ringpost.toml").write_text(CONFIGURATION)

    async def run(environ: Mapping[str, str] | None = None) -> dict[str, dict[str, str]]:
        inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        shared = {"REDIS_URL": redis_url, "WEBHOOK_URL": "https://example.com/webhook"}
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "ringpost", "check", "--json"),
            cwd=tmp_path,
            env={
                **inherited,
                "PORT": "0",
                "ADMIN_PORT": "0",
                **shared,
                **ringcentral.environment(),
                **(environ or {}),
            },
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, errors = await asyncio.wait_for(process.communicate(), 100)
        assert not errors.strip(), errors
        found: dict[str, Any] = {finding["subject"]: finding for finding in json.loads(out)}
        return {**found, "exit": {"code": str(process.returncode)}}

    return run


async def test_all_is_well(check: Check, ringcentral: RingCentral) -> None:
    """Everything is looked at, nothing fails, and the exit code is 0."""
    found = await check()
    assert found.pop("exit") == {"code": "0"}
    mailbox = f"mailbox {ringcentral.account_id}/{ringcentral.extension_id}"
    assert {subject: finding["state"] for subject, finding in found.items()} == {
        "configuration": "ok",
        "data directory": "ok",
        "port": "ok",
        "admin": "ok",
        "admin port": "ok",
        "webhook": "ok",
        "credentials": "ok",
        "app permissions": "ok",
        mailbox: "ok",
        "Redis": "ok",
        "Redis eviction": "ok",
        "Redis persistence": "warn",  # the Redis of the tests keeps no file
        "handler vault": "ok",
        "handler mark-read": "ok",
    }


async def _fails(check: Check, subject: str, *words: str, environ: Any = None) -> None:
    found = await check(environ)
    assert found["exit"]["code"] == "1"
    assert found[subject]["state"] == "fail"
    line = f"{found[subject]['words']}; {found[subject]['remedy']}"
    assert "\n" not in line
    for word in words:
        assert word in line


async def test_a_wrong_jwt(check: Check) -> None:
    """The variable is named, and the page where a new credential is made."""
    pages = "https://developers.ringcentral.com/console/my-credentials"
    await _fails(check, "credentials", "RC_JWT", pages, environ={"RC_JWT": "wrong"})


async def test_a_wrong_secret(check: Check) -> None:
    """The variables are named, and the page where the right ones stand."""
    page = "https://developers.ringcentral.com/my-account.html#/applications"
    environ = {"RC_CLIENT_SECRET": "wrong"}
    await _fails(check, "credentials", "RC_CLIENT_SECRET", page, environ=environ)


async def test_a_permission_that_the_user_lacks(check: Check, ringcentral: RingCentral) -> None:
    """`mark-read` needs EditMessages; without it the mailbox and the role are named."""
    ringcentral.denies("EditMessages", to="user")
    subject = f"mailbox {ringcentral.account_id}/{ringcentral.extension_id}"
    await _fails(check, subject, "lacks EditMessages", "role", "https://service.ringcentral.com")


async def test_a_permission_that_the_app_lacks(check: Check, ringcentral: RingCentral) -> None:
    """A call that the app may not make leads to the page of its permissions."""
    ringcentral.denies("ReadAccounts", to="app")
    page = "https://developers.ringcentral.com/my-account.html#/applications"
    await _fails(check, "mailboxes", "ReadAccounts", page)
    await _fails(check, "app permissions", "ReadAccounts", page)


@pytest.mark.parametrize("are_there", [True, False])
async def test_permissions_to_send_texts(
    check: Check, ringcentral: RingCentral, tmp_path: Path, are_there: bool
) -> None:
    """They are asked for where a handler sends texts: of the app and of the user."""
    answer = '[handlers.answer]\nuse = "reply"\ntext = "Hello"\n'
    steps = '[[routes]]\nname = "answered"\nsteps = ["answer"]\n'
    await asyncio.to_thread((tmp_path / "ringpost.toml").write_text, answer + steps)
    if not are_there:
        ringcentral.denies("SMS", to="app")
        ringcentral.denies("OutboundSMS")
    found = await check()
    said = " ".join(finding.get("words", "") for finding in found.values())
    assert ("OutboundSMS" in said) is not are_there
    assert ("SMS missing" in found["app permissions"]["words"]) is not are_there


async def test_a_redis_that_evicts(check: Check, redis_url: str) -> None:
    """A Redis that may throw the ledger away is a fault, not a warning."""
    async with Redis.from_url(redis_url) as redis:
        await redis.config_set("maxmemory-policy", "allkeys-lru")
        try:
            await _fails(check, "Redis eviction", "allkeys-lru", "set maxmemory-policy noeviction")
        finally:
            await redis.config_set("maxmemory-policy", "noeviction")


async def test_polling_is_said(check: Check) -> None:
    """Without a public address it works, and says how."""
    found = await check({"WEBHOOK_URL": ""})
    assert found["exit"]["code"] == "0"
    assert found["webhook"]["state"] == "warn"
    assert "polled" in found["webhook"]["words"]


LOGINS = {
    "OAU-146": ("RC_CLIENT_SECRET", "Credentials tab"),
    "OAU-120": ("RC_JWT is not for this app",),
    "OAU-125": ("'JWT auth flow'", "Settings tab"),
    "OAU-141": ("disabled or may not log in", "administrator"),
    "OAU-147": ("locked after failed logins",),
    "OAU-210": ("RC_JWT is expired", "create a new JWT credential"),
    "OAU-236": ("disabled or may not log in", "administrator"),
    "OAU-251": ("'JWT auth flow'", "Settings tab"),
}


async def test_each_way_to_refuse_a_login(check: Check, ringcentral: RingCentral) -> None:
    """Whatever RingCentral refuses a login for, one line says it and what to do."""
    for code, words in LOGINS.items():
        ringcentral.refuses_login(code)
        await _fails(check, "credentials", code, *words)


@pytest.mark.parametrize("scope", ["ReadMessages", "EditMessages", "SubscriptionWebhook"])
async def test_each_scope_that_the_app_lacks(
    check: Check, ringcentral: RingCentral, scope: str
) -> None:
    """The app permission is named, with the page where it is added."""
    ringcentral.denies(scope, to="app")
    page = "https://developers.ringcentral.com/my-account.html#/applications"
    if scope == "ReadMessages":  # another permission brings it along
        ringcentral.denies("EditMessages", to="app")
        ringcentral.denies("SMS", to="app")
    await _fails(check, "app permissions", scope, page)


async def test_a_mailbox_that_the_role_does_not_cover(
    check: Check, ringcentral: RingCentral, tmp_path: Path
) -> None:
    """The extension is named, with what is missing for it and who can mend it."""
    (tmp_path / "ringpost.toml").write_text('mailboxes = "all"\n' + CONFIGURATION)
    closed = ringcentral.extension_ids[1]
    ringcentral.denies("ReadMessages", extension=closed)
    subject = f"mailbox {ringcentral.account_id}/{closed}"
    await _fails(check, subject, "lacks ReadMessages for extension 102 Grace Hopper", "role")


async def test_several_accounts(check: Check, ringcentral: RingCentral, tmp_path: Path) -> None:
    """Each account is checked, and a finding says which one it is about."""
    other = ringcentral.adds_account()
    tables = "".join(
        f'[[accounts]]\nname = "{name}"\nclient_id = "{one.client_id}"\n'
        f'client_secret = "{one.client_secret}"\njwt = "{jwt}"\n'
        for name, one, jwt in (("clinic", ringcentral, ringcentral.jwt), ("office", other, "x"))
    )
    (tmp_path / "ringpost.toml").write_text(CONFIGURATION + tables)
    found = await check()
    assert found["clinic, credentials"]["state"] == "ok"
    assert found["office, credentials"]["state"] == "fail"
    assert "RC_JWT" in found["office, credentials"]["words"]
