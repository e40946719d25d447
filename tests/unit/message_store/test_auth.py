"""The token: one login for all who ask, renewed ahead of time, replaced when it is refused."""

import asyncio
import base64
import dataclasses
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs

import aiohttp
import pytest
from pydantic import SecretStr

from message_store.auth import Authenticator, Credentials, MemoryTokenStore, Token
from message_store.errors import (
    BadAnswer,
    ConnectionFailed,
    LoginRefused,
    RateLimited,
    RingCentralError,
    ServerError,
    TokenRejected,
)
from message_store.limits import NoLimits
from message_store.server import Server

TOKEN_PATH = "/restapi/oauth/token"
GRANT = {"access_token": "fresh", "expires_in": 3600}


@pytest.fixture
def shared() -> MemoryTokenStore:
    """The store of all processes."""
    return MemoryTokenStore()


@pytest.fixture
def process(
    fake: Any, session: aiohttp.ClientSession, credentials: Credentials, shared: MemoryTokenStore
) -> Callable[[], Authenticator]:
    """Makes the authenticator of another process, on the same store."""
    server = Server.of(fake.url)
    return lambda: Authenticator(session, server, credentials, shared, NoLimits())


@pytest.fixture
def authenticator(process: Callable[[], Authenticator]) -> Authenticator:
    return process()


def kept(lifetime: float = 3600, age: float = 100, **fields: Any) -> Token:
    """A token obtained `age` seconds ago."""
    fields = {"access_token": "kept", "expires_in": lifetime} | fields
    return Token(expires_at=time.time() - age + lifetime, **fields)


async def test_logs_in_with_the_jwt(fake: Any, authenticator: Authenticator) -> None:
    """The form and the header are those of the JWT grant."""
    assert await authenticator.token() == "token-1"
    (login,) = fake.logins
    assert parse_qs(login.body.decode()) == {
        "grant_type": ["urn:ietf:params:oauth:grant-type:jwt-bearer"],
        "assertion": ["the.jwt.credential"],
    }
    basic = base64.b64encode(b"client-id:client-secret").decode()
    assert login.headers["Authorization"] == f"Basic {basic}"
    assert login.headers["User-Agent"].startswith("Ringpost/")


async def test_many_callers_cause_one_login(
    fake: Any, process: Callable[[], Authenticator]
) -> None:
    """Thirty callers in three processes share one login."""
    three = [process() for _ in range(3)]
    tokens = await asyncio.gather(*(three[n % 3].token() for n in range(30)))
    assert set(tokens) == {"token-1"}
    assert len(fake.logins) == 1


async def test_the_token_is_kept_in_memory(
    authenticator: Authenticator, shared: MemoryTokenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once known, a token costs no look at the store."""
    await authenticator.token()
    monkeypatch.setattr(shared, "load", None)
    assert await authenticator.token() == "token-1"


async def test_callers_of_one_process_ask_the_store_together(
    authenticator: Authenticator, shared: MemoryTokenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fifty callers without a token cost two looks at the store: before the lock and under it."""
    looks = []
    load = MemoryTokenStore.load

    async def counted(self: MemoryTokenStore) -> Token | None:
        looks.append(self)
        return await load(self)

    monkeypatch.setattr(MemoryTokenStore, "load", counted)
    await asyncio.gather(*(authenticator.token() for _ in range(50)))
    assert len(looks) == 2


async def test_a_store_that_fails_after_login_costs_no_second_login(
    fake: Any,
    authenticator: Authenticator,
    shared: MemoryTokenStore,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A token that could not be shared is still used by the process that obtained it."""

    async def fail(token: Token) -> None:
        raise OSError("the store is away")

    monkeypatch.setattr(shared, "save", fail)
    with pytest.raises(OSError, match="away"):
        await authenticator.token()
    assert await authenticator.token() == "token-1"
    assert len(fake.logins) == 1


@pytest.mark.parametrize(("lifetime", "margin"), [(3600, 60), (600, 60), (100, 10), (2, 0.2)])
async def test_it_is_renewed_before_it_expires(
    fake: Any,
    authenticator: Authenticator,
    shared: MemoryTokenStore,
    monkeypatch: pytest.MonkeyPatch,
    lifetime: float,
    margin: float,
) -> None:
    """The margin is a tenth of what the server grants, at most a minute."""
    old = kept(lifetime, age=0)
    await shared.save(old)
    clock = [old.expires_at - margin - 0.01]
    monkeypatch.setattr("message_store.auth.time", SimpleNamespace(time=lambda: clock[0]))
    assert await authenticator.token() == "kept"
    clock[0] += 0.02
    assert await authenticator.token() == "token-1"
    assert len(fake.logins) == 1


async def test_a_rejected_token_is_replaced_once_for_all(
    fake: Any, process: Callable[[], Authenticator], shared: MemoryTokenStore
) -> None:
    """Two processes that see the same 401 cause one login, and both get the new token."""
    await shared.save(kept())
    one, other = process(), process()
    assert await one.token() == await other.token() == "kept"
    tokens = await asyncio.gather(one.token(rejected="kept"), other.token(rejected="kept"))
    assert set(tokens) == {"token-1"}
    assert len(fake.logins) == 1


async def test_tokens_that_die_young_are_not_replaced_for_ever(
    fake: Any, authenticator: Authenticator
) -> None:
    """If each new token is refused, logins soon pause instead of using up five a minute."""
    token = await authenticator.token()
    for _ in range(3):
        token = await authenticator.token(rejected=token)
    with pytest.raises(TokenRejected) as caught:
        await authenticator.token(rejected=token)
    assert caught.value.retry_after == pytest.approx(2, abs=0.5)
    assert len(fake.logins) == 4


async def test_refreshes_when_it_may(
    fake: Any, authenticator: Authenticator, shared: MemoryTokenStore, reply: Any
) -> None:
    """A refresh token keeps the session; a new one need not be opened."""
    await shared.save(kept(age=3599, refresh_token="again"))
    fake.on("POST", TOKEN_PATH, reply(body=GRANT))
    assert await authenticator.token() == "fresh"
    assert parse_qs(fake.logins[0].body.decode()) == {
        "grant_type": ["refresh_token"],
        "refresh_token": ["again"],
    }


async def test_a_dead_refresh_token_leads_to_the_jwt(
    fake: Any, authenticator: Authenticator, shared: MemoryTokenStore, reply: Any
) -> None:
    """OAU-213 on refresh is no refusal: the JWT is presented again."""
    await shared.save(kept(age=3599, refresh_token="used"))
    dead = {"error": "invalid_grant", "errors": [{"errorCode": "OAU-213"}]}
    fake.on("POST", TOKEN_PATH, reply(400, dead), reply(body=GRANT))
    assert await authenticator.token() == "fresh"
    assert b"jwt-bearer" in fake.logins[1].body


async def test_after_a_401_the_session_is_not_refreshed(
    fake: Any, authenticator: Authenticator, shared: MemoryTokenStore
) -> None:
    """The session of a rejected token is gone, so its refresh token is not tried."""
    await shared.save(kept(refresh_token="again"))
    assert await authenticator.token(rejected="kept") == "token-1"
    assert b"jwt-bearer" in fake.logins[0].body


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (400, {"error": "invalid_client", "errors": [{"errorCode": "OAU-153"}]}, "RC_CLIENT_ID"),
        (401, {"errors": [{"errorCode": "OAU-146"}]}, "RC_CLIENT_SECRET"),
        (400, {"error": "invalid_grant", "errors": [{"errorCode": "OAU-210"}]}, "RC_JWT"),
        (400, {"error": "unauthorized_client", "errors": [{"errorCode": "OAU-251"}]}, "JWT auth"),
        (400, {"error": "unsupported_grant_type"}, "JWT auth flow"),
        (400, {"errors": [{"errorCode": "OAU-120"}]}, "not for this app"),
        (400, {"errors": [{"errorCode": "OAU-147"}]}, "locked"),
        (400, {"errors": [{"errorCode": "OAU-236"}]}, "disabled"),
        (400, {"error": "invalid_grant", "errors": [{"errorCode": "OAU-999"}]}, "RC_JWT"),
        (404, b"<html>", "RC_SERVER_URL"),
        (403, b"", "RC_CLIENT_ID"),
    ],
)
async def test_a_refused_login_says_what_to_do(
    fake: Any, authenticator: Authenticator, reply: Any, status: int, body: Any, words: str
) -> None:
    """The text names the variable or the console page, and never a secret."""
    fake.on("POST", TOKEN_PATH, reply(status, body, {"RCRequestId": "r-1"}))
    with pytest.raises(LoginRefused) as caught:
        await authenticator.token()
    text = str(caught.value)
    assert words in text
    assert "r-1" in text
    assert "jwt.credential" not in text
    assert "client-secret" not in text


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, {"errors": [{"errorCode": "OAU-153"}]}, LoginRefused),
        (500, b"", ServerError),
        (503, b"<html>", ServerError),
        (429, b"", RateLimited),
        (408, b"", ConnectionFailed),
        (302, b"", BadAnswer),
        (200, b"<html>", BadAnswer),
        (200, {"access_token": "secret"}, BadAnswer),
        (200, {"access_token": "secret\r\nX: y", "expires_in": 5}, BadAnswer),
        (200, {"access_token": "", "expires_in": 3600}, BadAnswer),
        (200, {"access_token": "secret", "expires_in": "soon"}, BadAnswer),
        (200, {"access_token": "secret", "expires_in": float("nan")}, BadAnswer),
        (200, ["secret"], BadAnswer),
    ],
)
async def test_while_logins_fail_they_are_not_repeated(
    fake: Any,
    authenticator: Authenticator,
    reply: Any,
    status: int,
    body: Any,
    kind: type[RingCentralError],
) -> None:
    """All callers hear of the failure at once, one request is sent, nothing secret is told."""
    fake.on("POST", TOKEN_PATH, reply(status, body))
    results = await asyncio.gather(
        *(authenticator.token() for _ in range(20)), return_exceptions=True
    )
    assert {type(result) for result in results} == {kind}
    assert len(fake.logins) == 1
    assert "secret" not in repr(results).replace("RC_CLIENT_SECRET", "")
    later = results[-1]
    assert isinstance(later, kind)
    assert later.retry_after


async def test_a_refusal_is_heard_by_all_processes(
    fake: Any, process: Callable[[], Authenticator], reply: Any
) -> None:
    """Wrong credentials are presented once, however many processes have them."""
    fake.on("POST", TOKEN_PATH, reply(400, {"errors": [{"errorCode": "OAU-153"}]}))
    for _ in range(3):
        with pytest.raises(LoginRefused, match="RC_CLIENT_ID") as caught:
            await process().token()
        assert 50 < (caught.value.retry_after or 0) <= 60
    assert len(fake.logins) == 1


async def test_refusals_in_a_row_are_ever_further_apart(
    fake: Any, process: Callable[[], Authenticator], shared: MemoryTokenStore, reply: Any
) -> None:
    """One window of the token endpoint's limit, then two, four, eight, at most fifteen."""
    window = {"X-Rate-Limit-Window": "2"}
    fake.on("POST", TOKEN_PATH, reply(400, {"errors": [{"errorCode": "OAU-147"}]}, window))
    pauses = []
    for _ in range(6):
        with pytest.raises(LoginRefused) as caught:
            await process().token()
        pauses.append(caught.value.retry_after)
        refusal = await shared.refusal()
        assert refusal is not None
        await shared.set_refusal(refusal.model_copy(update={"until": 0.0}))
    assert pauses == [2, 4, 8, 16, 30, 30]


async def test_corrected_credentials_are_tried_at_once(
    fake: Any,
    process: Callable[[], Authenticator],
    session: aiohttp.ClientSession,
    credentials: Credentials,
    shared: MemoryTokenStore,
    reply: Any,
) -> None:
    """A refusal holds for what was refused, and a login forgets it."""
    fake.on(
        "POST", TOKEN_PATH, reply(400, {"errors": [{"errorCode": "OAU-153"}]}), reply(body=GRANT)
    )
    with pytest.raises(LoginRefused):
        await process().token()
    corrected = dataclasses.replace(credentials, client_secret=SecretStr("another"))
    mended = Authenticator(session, Server.of(fake.url), corrected, shared, NoLimits())
    assert await mended.token() == "fresh"
    assert await shared.refusal() is None


async def test_a_failed_early_renewal_does_no_harm(
    fake: Any, authenticator: Authenticator, shared: MemoryTokenStore, reply: Any
) -> None:
    """While the old token lives, it is used on, and the login is not hammered."""
    await shared.save(kept(age=3590))
    fake.on("POST", TOKEN_PATH, reply(503))
    assert [await authenticator.token() for _ in range(5)] == ["kept"] * 5
    assert len(fake.logins) == 1


async def test_a_server_that_is_not_there(
    session: aiohttp.ClientSession, credentials: Credentials, unused_tcp_port: int
) -> None:
    """A refused connection is said in words."""
    server = Server.of(f"http://127.0.0.1:{unused_tcp_port}")
    authenticator = Authenticator(session, server, credentials, MemoryTokenStore(), NoLimits())
    with pytest.raises(ConnectionFailed, match=r"127\.0\.0\.1: no connection"):
        await authenticator.token()


def test_a_token_is_not_shown() -> None:
    """Its repr has no secret, its JSON has all, so that another process can use it."""
    token = kept(refresh_token="again", owner_id=101)
    assert "kept" not in repr(token)
    assert "again" not in repr(token)
    assert Token.model_validate_json(token.model_dump_json()) == token
