"""Tokens: the JWT grant, the refresh grant and revocation, with the errors on record.

Source: https://developers.ringcentral.com/guide/authentication/jwt-flow
"""

import math
from collections.abc import Mapping

from aiohttp import web

from sandbox.answers import ApiError, OAuthError, json_answer
from sandbox.exchange import Exchange, Operation
from sandbox.state.login_errors import LOGIN_ERRORS
from sandbox.state.tokens import Session
from sandbox.state.users import User

JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_LIFETIMES = range(600, 3601)


async def get_token(exchange: Exchange) -> web.StreamResponse:
    """Open or refresh a session."""
    emulator = exchange.emulator
    if exchange.request.content_type != "application/x-www-form-urlencoded":
        raise ApiError(415, "CMN-100", "Unsupported Media Type")
    form = await _form(exchange)
    _check_app(exchange)
    if emulator.faults.login_refusal is not None:
        raise emulator.faults.login_refusal
    lifetime = min(_lifetime(form), emulator.settings.token_lifetime)
    grant = form.get("grant_type")
    if grant == JWT_GRANT:
        session = emulator.tokens.open(_user(exchange, form), lifetime)
    elif grant == "refresh_token":
        token = form.get("refresh_token", "")
        session = emulator.tokens.refresh(exchange.app_id, token, lifetime)
    else:
        raise OAuthError("invalid_request", "OAU-250", "Unsupported grant type")
    return json_answer(_token_json(exchange, session, form.get("endpoint_id")))


async def revoke_token(exchange: Exchange) -> web.StreamResponse:
    """End the session a token belongs to; unknown tokens are fine."""
    form = await _form(exchange)
    _check_app(exchange)
    exchange.emulator.tokens.revoke(form.get("token") or exchange.request.query.get("token", ""))
    return web.Response()


async def _form(exchange: Exchange) -> Mapping[str, str]:
    form = await exchange.request.post()
    return {name: value for name, value in form.items() if isinstance(value, str)}


def _check_app(exchange: Exchange) -> None:
    if not exchange.emulator.users.knows_app(exchange.app_id, exchange.app_secret):
        raise OAuthError(
            "invalid_client",
            "OAU-153",
            f"Invalid client: {exchange.app_id}",
            parameters=[("client_id", exchange.app_id)],
        )


def _user(exchange: Exchange, form: Mapping[str, str]) -> User:
    if not exchange.emulator.settings.jwt_flow:
        message = "Unauthorized for this grant type"
        raise OAuthError("unauthorized_client", "OAU-251", message)
    user = exchange.emulator.users.with_jwt(form.get("assertion", ""))
    if user is None or user.extension.id not in user.account.extensions:
        raise OAuthError("invalid_grant", "OAU-213", "Token not found")
    if user.extension.status != "Enabled":
        raise LOGIN_ERRORS["OAU-141"].error()
    if user.client_id != exchange.app_id:
        raise LOGIN_ERRORS["OAU-120"].error()
    return user


def _lifetime(form: Mapping[str, str]) -> int:
    text = form.get("access_token_ttl", "3600")
    if not text.isdecimal() or int(text) not in _LIFETIMES:
        message = "Parameter [access_token_ttl] value is invalid"
        raise OAuthError("invalid_request", "CMN-101", message)
    return int(text)


def _token_json(
    exchange: Exchange, session: Session, endpoint_id: str | None
) -> dict[str, str | int]:
    now = exchange.emulator.clock.time()
    answer: dict[str, str | int] = {
        "access_token": session.access_token,
        "token_type": "bearer",
        "expires_in": _whole(session.expires_at - now),
        "scope": " ".join(exchange.emulator.permissions.scope()),
        "owner_id": session.user.extension.id,
        "endpoint_id": endpoint_id or session.id[:22],
        "session_id": session.id,
    }
    if session.refresh_token:
        answer["refresh_token"] = session.refresh_token
        answer["refresh_token_expires_in"] = _whole(session.refresh_expires_at - now)
    return answer


def _whole(seconds: float) -> int:
    """As the answer says it: never longer than true, but for what the call itself took."""
    return max(1, math.floor(seconds + 0.1))


OPERATIONS = (
    Operation(
        name="getToken",
        method="POST",
        path="/restapi/oauth/token",
        answer=get_token,
        group="auth",
        public=True,
    ),
    Operation(
        name="revokeToken",
        method="POST",
        path="/restapi/oauth/revoke",
        answer=revoke_token,
        group="auth",
        public=True,
    ),
)
