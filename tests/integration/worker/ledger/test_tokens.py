"""The fleet shares one token, by Redis' clock, encrypted when there is a key."""

import asyncio
import base64
import time
from collections.abc import AsyncIterator, Callable

import aiohttp
import pytest
from pydantic import SecretStr

from message_store.auth import Credentials
from message_store.errors import LoginRefused, RingCentralError
from message_store.server import Server
from message_store.token import Refusal, Token
from sandbox import REAL_LIMITS, RingCentral
from worker.ledger import Ledger, open_ledger
from worker.ledger.connection import key
from worker.logins import Account, Login, log_in

OLD, NEW = (base64.b64encode(bytes([n]) * 32).decode() for n in (1, 2))


def token(**fields: float | str) -> Token:
    told = {"access_token": "secret", "expires_in": 3600, "expires_at": time.time() + 3600}
    return Token.model_validate(told | fields)


def account_of(ringcentral: RingCentral, **changed: str) -> Account:
    """The sandbox's credentials, but for what is `changed`."""
    known = {"client_id": ringcentral.client_id, "client_secret": ringcentral.client_secret}
    known |= {"jwt": ringcentral.jwt} | changed
    credentials = Credentials(
        known["client_id"], SecretStr(known["client_secret"]), SecretStr(known["jwt"])
    )
    server = Server.of(ringcentral.api_url, ringcentral.media_url)
    return Account("", server, credentials, ("~",))


async def test_a_token_is_encrypted_in_redis(redis_url: str) -> None:
    """With a key nothing of the token stands in Redis; the key opens it, another one does not."""
    async with open_ledger(redis_url, keys=[OLD]) as ledger:
        await ledger.tokens("s").save(token(refresh_token="again"))
        kept = await ledger.connection.redis.get(key("token", "s"))
        found = await ledger.tokens("s").load()
    assert "secret" not in kept
    assert "again" not in kept
    assert found is not None
    assert found.access_token == "secret"
    async with open_ledger(redis_url, keys=[NEW]) as ledger:
        assert await ledger.tokens("s").load() is None


async def test_the_key_rotates(redis_url: str) -> None:
    """A token that the old key sealed is read, and sealed anew with the new one."""
    async with open_ledger(redis_url, keys=[OLD]) as ledger:
        await ledger.tokens("s").save(token())
    async with open_ledger(redis_url, keys=[NEW, OLD]) as ledger:
        assert await ledger.tokens("s").load() is not None
    async with open_ledger(redis_url, keys=[NEW]) as ledger:
        assert await ledger.tokens("s").load() is not None


async def test_a_clock_that_is_wrong(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine whose clock is two hours ahead knows when a token ends that another obtained."""
    await ledger.tokens("s").save(token())
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + 7200)

    found = await ledger.tokens("s").load()

    assert found is not None
    assert found.expires_at - time.time() == pytest.approx(3600, abs=5)


async def test_a_refusal_is_kept(ledger: Ledger) -> None:
    """What was refused is known to all processes until a login succeeds."""
    refusal = Refusal(until=time.time() + 60, credentials="c", reason="no")
    await ledger.tokens("s").set_refusal(refusal)

    found = await ledger.tokens("s").refusal()
    assert found is not None
    assert found.until == pytest.approx(refusal.until, abs=1)

    await ledger.tokens("s").set_refusal(None)
    assert await ledger.tokens("s").refusal() is None


Join = Callable[..., Login]


@pytest.fixture
async def fleet(redis_url: str, session: aiohttp.ClientSession) -> AsyncIterator[Join]:
    """Makes logins as other processes would: each with a ledger of its own."""
    ledgers = []

    def join(account: Account) -> Login:
        ledger = Ledger(redis_url)
        ledgers.append(ledger)
        return log_in(account, session, ledger, patience=10)

    yield join
    for ledger in ledgers:
        await ledger.close()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def test_one_session_for_the_fleet(ringcentral: RingCentral, fleet: Join) -> None:
    """Ten processes that start at once open one session."""
    logins = [fleet(account_of(ringcentral)) for _ in range(10)]

    await asyncio.gather(*(login.store.signed_in() for login in logins))

    assert ringcentral.count("getToken") == 1


async def test_an_evicted_session_is_replaced_once(ringcentral: RingCentral, fleet: Join) -> None:
    """When others open five more sessions ours dies; the fleet logs in once and goes on."""
    logins = [fleet(account_of(ringcentral)) for _ in range(4)]
    await asyncio.gather(*(login.store.signed_in() for login in logins))
    for _ in range(5):
        await _stranger(ringcentral)
    before = ringcentral.count("getToken")

    await asyncio.gather(*(login.store.signed_in() for login in logins))

    assert ringcentral.count("getToken") == before + 1


async def test_revoked_while_calls_are_under_way(ringcentral: RingCentral, fleet: Join) -> None:
    """All calls that meet OAU-213 succeed in the end, with one more login among them."""
    login = fleet(account_of(ringcentral))
    await login.store.signed_in()
    await ringcentral.revokes_tokens()

    await asyncio.gather(*(login.store.signed_in() for _ in range(30)))

    assert ringcentral.count("getToken") == 2


async def test_five_logins_a_minute_are_never_exceeded(
    redis_url: str, session: aiohttp.ClientSession
) -> None:
    """However often tokens are revoked, the fleet stays within the limit of the token endpoint."""
    async with (
        RingCentral(limits=REAL_LIMITS, window=2) as ringcentral,
        open_ledger(redis_url) as ledger,
    ):
        login = log_in(account_of(ringcentral), session, ledger, patience=0)
        limited = 0
        for _ in range(12):
            await ringcentral.revokes_tokens()
            try:
                await login.store.signed_in()
            except RingCentralError:
                limited += 1
        assert limited
        assert all(request.status != 429 for request in ringcentral.requests)


async def test_a_wrong_secret_stops_the_fleet(ringcentral: RingCentral, fleet: Join) -> None:
    """It is presented once; a corrected one is tried at once."""
    wrong = account_of(ringcentral, client_secret="wrong")
    for _ in range(5):
        with pytest.raises(LoginRefused, match="RC_CLIENT_SECRET"):
            await fleet(wrong).store.signed_in()
    assert ringcentral.count("getToken") == 1

    await fleet(account_of(ringcentral)).store.signed_in()


async def test_a_token_is_renewed_ahead_of_its_end(
    redis_url: str, session: aiohttp.ClientSession
) -> None:
    """With lifetimes scaled down to a second no call is refused for an expired token.

    One that was under way for longer than the tenth that is kept in hand may be.
    """
    async with (
        RingCentral(token_lifetime=1, refresh_tokens=True) as ringcentral,
        open_ledger(redis_url) as ledger,
    ):
        login = log_in(account_of(ringcentral), session, ledger)
        obtained = 0
        while obtained < 3:
            ringcentral.requests.clear()
            began = time.monotonic()
            await login.store.signed_in()
            if time.monotonic() - began < 0.1:
                assert {request.status for request in ringcentral.requests} == {200}
            obtained += ringcentral.count("getToken")


async def _stranger(ringcentral: RingCentral) -> None:
    async with aiohttp.ClientSession() as session:
        basic = aiohttp.encode_basic_auth(ringcentral.client_id, ringcentral.client_secret)
        form = {
            "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
            "assertion": ringcentral.jwt,
        }
        url = f"{ringcentral.api_url}/restapi/oauth/token"
        async with session.post(url, data=form, headers={"Authorization": basic}) as answer:
            assert answer.status == 200
