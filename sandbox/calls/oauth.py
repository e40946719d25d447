"""Tokens: the JWT grant, the refresh grant and revocation, with the errors on record.

Source: https://developers.ringcentral.com/guide/authentication/jwt-flow
"""

import base64
import binascii
from collections.abc import Mapping

from aiohttp import web

from sandbox.answers import ApiError, OAuthError, json_answer
from sandbox.gateway import Exchange, Operation
from sandbox.state.tokens import Session

JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
SCOPE = ("EditMessages", "ReadAccounts", "ReadMessages", "SMS", "SubscriptionWebhook")
_LIFETIMES = range(600, 3601)


async def get_token(exchange: Exchange) -> web.StreamResponse:
    """Open or refresh a session."""
    settings = exchange.emulator.settings
    if exchange.request.content_type != "application/x-www-form-urlencoded":
        raise ApiError(415, "CMN-100", "Unsupported Media Type")
    form = await _form(exchange)
    client_id = _client(exchange, form)
    lifetime = min(_lifetime(form), settings.token_lifetime)
    grant = form.get("grant_type")
    if grant == JWT_GRANT:
        if not settings.jwt_flow:
            message = "Unauthorized for this grant type"
            raise OAuthError("unauthorized_client", "OAU-251", message)
        if form.get("assertion") != settings.jwt:
            raise OAuthError("invalid_grant", "OAU-213", "Token not found")
        user = exchange.emulator.account.signed_in
        session = exchange.emulator.tokens.open(client_id, user.id, lifetime)
    elif grant == "refresh_token":
        token = form.get("refresh_token", "")
        session = exchange.emulator.tokens.refresh(client_id, token, lifetime)
    else:
        raise OAuthError("invalid_request", "OAU-250", "Unsupported grant type")
    return json_answer(_token_json(exchange, session, form.get("endpoint_id")))


async def revoke_token(exchange: Exchange) -> web.StreamResponse:
    """End the session a token belongs to; unknown tokens are fine."""
    form = await _form(exchange)
    _client(exchange, form)
    exchange.emulator.tokens.revoke(form.get("token") or exchange.request.query.get("token", ""))
    return web.Response()


async def _form(exchange: Exchange) -> Mapping[str, str]:
    form = await exchange.request.post()
    return {name: value for name, value in form.items() if isinstance(value, str)}


def _client(exchange: Exchange, form: Mapping[str, str]) -> str:
    """Check who the app is, and count the call against its own limit."""
    settings = exchange.emulator.settings
    client_id, secret = _basic(exchange.request.headers.get("Authorization", ""))
    exchange.user = client_id or form.get("client_id", "")
    exchange.emulator.limits.take(exchange.user, exchange.operation.group)
    if (client_id, secret) != (settings.client_id, settings.client_secret):
        raise OAuthError(
            "invalid_client",
            "OAU-153",
            f"Invalid client: {exchange.user}",
            parameters=[("client_id", exchange.user)],
        )
    return client_id


def _basic(header: str) -> tuple[str, str]:
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        client_id, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return client_id, secret


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
    denied = exchange.emulator.faults.denied_to_app
    answer: dict[str, str | int] = {
        "access_token": session.access_token,
        "token_type": "bearer",
        "expires_in": max(1, round(session.expires_at - now)),
        "scope": " ".join(name for name in SCOPE if name not in denied),
        "owner_id": session.extension_id,
        "endpoint_id": endpoint_id or session.id[:22],
        "session_id": session.id,
    }
    if session.refresh_token:
        answer["refresh_token"] = session.refresh_token
        answer["refresh_token_expires_in"] = round(session.refresh_expires_at - now)
    return answer


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
