"""The token endpoint and what becomes of tokens."""

from typing import Any

import pytest

from sandbox import RingCentral


async def test_a_jwt_gets_a_token(ask: Any, ringcentral: RingCentral) -> None:
    """The right credentials are answered with a token of the signed-in extension."""
    answer = await ask.sign_in()
    assert answer.status == 200
    assert answer.body["token_type"] == "bearer"
    assert answer.body["expires_in"] == 3600
    assert answer.body["owner_id"] == ringcentral.extension_id
    assert "refresh_token" not in answer.body


async def test_a_permission_denied_to_the_app_is_not_in_the_scope(
    ask: Any, ringcentral: RingCentral
) -> None:
    """The scope of a token names what the app may do."""
    assert "ReadAccounts" in (await ask.sign_in()).body["scope"].split()
    ringcentral.denies("ReadAccounts", to="app")
    scope = (await ask.sign_in()).body["scope"].split()
    assert "ReadAccounts" not in scope
    assert "ReadMessages" in scope


@pytest.mark.parametrize(
    ("wrong", "error", "code"),
    [
        ({"client_id": "nobody"}, "invalid_client", "OAU-153"),
        ({"client_secret": "guessed"}, "invalid_client", "OAU-153"),
        ({"assertion": "stale"}, "invalid_grant", "OAU-213"),
        ({"grant_type": "password"}, "invalid_request", "OAU-250"),
    ],
)
async def test_wrong_credentials_are_named(
    ask: Any, wrong: dict[str, str], error: str, code: str
) -> None:
    """Each wrong credential has its own OAuth error and RingCentral code."""
    answer = await ask.sign_in(**wrong)
    assert (answer.status, answer.body["error"], answer.code) == (400, error, code)


async def test_an_app_without_the_jwt_flow(open_client: Any) -> None:
    """An app that may not use JWTs is told OAU-251."""
    async with RingCentral(jwt_flow=False) as ringcentral:
        with pytest.raises(KeyError):
            await open_client(ringcentral)
        assert ringcentral.requests.matching("getToken")[0].code == "OAU-251"


async def test_five_sessions(ask: Any) -> None:
    """A sixth login evicts the oldest session, whose token answers OAU-213 from then on."""
    first = ask.token
    for _ in range(4):
        await ask.sign_in()
    assert (await ask("GET", "/message-store")).status == 200
    ask.token = (await ask.sign_in()).body["access_token"]
    assert (await ask("GET", "/message-store")).status == 200
    ask.token = first
    answer = await ask("GET", "/message-store")
    assert (answer.status, answer.code) == (401, "OAU-213")


async def test_an_expired_token(ask: Any, ringcentral: RingCentral) -> None:
    """A token older than its lifetime answers OAU-128."""
    await ringcentral.passes(3601)
    answer = await ask("GET", "/message-store")
    assert (answer.status, answer.code) == (401, "OAU-128")


@pytest.mark.parametrize(
    ("header", "code"),
    [("", "AGW-401"), ("Basic eDp5", "AGW-402"), ("Bearer nonsense", "OAU-149")],
)
async def test_unusable_authorization(ask: Any, header: str, code: str) -> None:
    """Missing, foreign and unparsable authorizations are told apart."""
    answer = await ask("GET", "/message-store", headers={"Authorization": header})
    assert (answer.status, answer.code) == (401, code)


async def test_the_newer_error_form(open_client: Any) -> None:
    """With errors-only, the first error is not repeated at the top level."""
    async with RingCentral(error_form="errors-only") as ringcentral:
        ask = await open_client(ringcentral)
        ask.token = "nonsense"
        answer = await ask("GET", "/message-store")
        assert "errorCode" not in answer.body
        assert answer.code == "OAU-149"


async def test_revoking(ask: Any) -> None:
    """A revoked token is unknown at once."""
    fresh = (await ask.sign_in()).body["access_token"]
    basic = {"Authorization": "Basic c2FuZGJveC1jbGllbnQtaWQ6c2FuZGJveC1jbGllbnQtc2VjcmV0"}
    revoked = await ask("POST", "/restapi/oauth/revoke", data={"token": fresh}, headers=basic)
    assert revoked.status == 200
    ask.token = fresh
    assert (await ask("GET", "/message-store")).code == "OAU-213"


async def test_refreshing(open_client: Any) -> None:
    """A refresh token works once, ends the old access token, and repeats for a short while."""
    async with RingCentral(refresh_tokens=True) as ringcentral:
        ask = await open_client(ringcentral)
        first = (await ask.sign_in()).body
        grant = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
        second = (await ask.sign_in(**grant)).body
        assert (await ask.sign_in(**grant)).body["access_token"] == second["access_token"]
        ask.token = first["access_token"]
        assert (await ask("GET", "/message-store")).code == "OAU-213"
        ask.token = second["access_token"]
        assert (await ask("GET", "/message-store")).status == 200
        await ringcentral.passes(11)
        answer = await ask.sign_in(**grant)
        assert (answer.status, answer.code) == (400, "OAU-213")
