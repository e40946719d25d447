"""Every way to be refused at the token endpoint, and what makes tokens die."""

from typing import Any

import pytest

from sandbox import RingCentral
from sandbox.state.login_errors import LOGIN_ERRORS


@pytest.mark.parametrize("code", LOGIN_ERRORS)
async def test_refused_logins(ask: Any, ringcentral: RingCentral, code: str) -> None:
    """Each error on record can be asked for, in OAuth's form, until it is over."""
    ringcentral.refuses_login(code)
    answer = await ask.sign_in()
    assert (answer.status, answer.code) == (LOGIN_ERRORS[code].status, code)
    assert answer.body["error"] == LOGIN_ERRORS[code].word
    assert answer.body["error_description"]
    ringcentral.recovers()
    assert (await ask.sign_in()).status == 200


async def test_an_unknown_refusal(ringcentral: RingCentral) -> None:
    """A code that is not on record is named with those that are."""
    with pytest.raises(ValueError, match="unknown code: 'OAU-1'; there are OAU-120"):
        ringcentral.refuses_login("OAU-1")


@pytest.mark.parametrize(
    ("form", "word"), [("full", "OAU-149"), ("words", "TokenInvalid"), ("errors-only", None)]
)
async def test_the_forms_of_a_401(
    ask: Any, ringcentral: RingCentral, form: str, word: str | None
) -> None:
    """The top level has the code, a word, or nothing; the list has always the code."""
    ringcentral.settings.change({"error_form": form})
    ask.token = "nonsense"
    answer = await ask("GET", "/message-store")
    assert answer.status == 401
    assert answer.body.get("errorCode") == word
    assert answer.code == "OAU-149"


async def test_scopes(ask: Any, ringcentral: RingCentral) -> None:
    """The app may do what its scopes say or include, and nothing else."""
    ringcentral.settings.change({"scopes": "EditMessages"})
    assert (await ask.sign_in()).body["scope"] == "EditMessages"
    assert (await ask("GET", "/message-store")).status == 200
    refused = await ask("GET", "/restapi/v1.0/account/~")
    assert (refused.status, refused.code) == (403, "CMN-401")
    assert refused.body["permissionName"] == "ReadAccounts"
    assert (await ask("POST", "/restapi/v1.0/subscription", json={})).code == "SUB-528"


async def test_the_oldest_session_ends(ask: Any, ringcentral: RingCentral) -> None:
    """A token can die although its time is not over."""
    assert (await ask("GET", "/message-store")).status == 200
    await ringcentral.ends_oldest_session()
    assert (await ask("GET", "/message-store")).code == "OAU-213"


async def test_another_clock(open_client: Any) -> None:
    """RingCentral's clock may differ from this machine's."""
    async with RingCentral(clock_skew=-3600) as ringcentral:
        ask = await open_client(ringcentral)
        answer = await ask("GET", "/message-sync")
        assert answer.status == 200
        sms = await ringcentral.receives_sms()
        assert answer.body["syncInfo"]["syncTime"][:16] == sms["creationTime"][:16]
        assert ringcentral.server.emulator.clock.offset == -3600
        assert "Date" in answer.headers


async def test_an_unused_refresh(open_client: Any) -> None:
    """A refresh token repeats its answer for long while the new access token is not used."""
    async with RingCentral(refresh_tokens=True, unused_grace=60, token_lifetime=9000) as there:
        ask = await open_client(there)
        first = (await ask.sign_in()).body
        grant = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
        second = (await ask.sign_in(**grant)).body
        await there.passes(50)
        assert (await ask.sign_in(**grant)).body["access_token"] == second["access_token"]
        await there.passes(11)
        assert (await ask.sign_in(**grant)).code == "OAU-213"
