"""One access token for all processes: obtained under a lock, renewed before it expires.

Each login opens a session, and beyond five the oldest dies; the token endpoint takes five calls
a minute. So processes share one token through a TokenStore and only one of them logs in.
Source: https://developers.ringcentral.com/guide/authentication/jwt-flow
"""

import asyncio
import base64
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
from pydantic import SecretStr
from yarl import URL

from message_store.backoff import Backoff
from message_store.errors import BadAnswer, LoginRefused, RingCentralError, TokenRejected
from message_store.faults import error_of, read_fault
from message_store.limits import Limits
from message_store.parsing import parse_json
from message_store.refusals import login_refused
from message_store.server import Server
from message_store.token import MemoryTokenStore, Token, TokenStore
from message_store.transport import read_fault_body, read_whole, send

__all__ = ["Authenticator", "Credentials", "MemoryTokenStore", "Token", "TokenStore"]

OPERATION = "token"
LOGIN_TIMEOUT = aiohttp.ClientTimeout(total=12)  # a refresh and a login fit into a 30 s lock
JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"


@dataclass(frozen=True, slots=True)
class Credentials:
    """The app's id and secret, and the JWT credential of the user it acts for."""

    client_id: str
    client_secret: SecretStr
    jwt: SecretStr


class Authenticator:
    """Gives the access token; logs in, or refreshes, when there is none that will do."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        server: Server,
        credentials: Credentials,
        store: TokenStore,
        limits: Limits,
    ) -> None:
        self._session = session
        self._server = server
        self._credentials = credentials
        self._store = store
        self._limits = limits
        self._token: Token | None = None
        self._mine = asyncio.Lock()
        self._failures = Backoff()
        self._rejections = Backoff(free=3)

    async def token(self, *, rejected: str | None = None) -> str:
        """The access token to present; `rejected` is one that a call has just been refused with.

        Raises LoginRefused, or a transient RingCentralError while the token endpoint fails; after
        a failure the endpoint is left alone for a growing while, and callers hear it at once.
        """
        if (token := self._token) and token.serves(time.time(), rejected):
            return token.access_token
        async with self._mine:
            if not ((token := self._token) and token.serves(time.time(), rejected)):
                token = self._token = await self._shared(rejected)
        return token.access_token

    async def _shared(self, rejected: str | None) -> Token:
        token = await self._store.load()
        if token and token.serves(time.time(), rejected):
            return token
        async with self._store.lock():
            # Another process may have logged in while we waited for the lock.
            token = await self._store.load()
            if token and token.serves(time.time(), rejected):
                return token
            if rejected is not None:
                await self._store.drop(rejected)
            return await self._renewed(token, rejected)

    async def _renewed(self, old: Token | None, rejected: str | None) -> Token:
        usable = old is not None and old.access_token != rejected
        if old and not usable and old.is_young(time.time()):
            self._rejections.failed(TokenRejected("a token just obtained is not accepted"))
        elif old:
            self._rejections.succeeded()
        try:
            self._failures.check()
            self._rejections.check()
            token = await self._obtain(old if usable else None)
        except RingCentralError as error:
            if old and usable and error.transient and old.expires_at > time.time():
                return old  # renewal was ahead of time, so a failure of it does no harm yet
            raise
        self._token = token  # known here even if the store should fail now
        await self._store.save(token)
        return token

    async def _obtain(self, old: Token | None) -> Token:
        try:
            if old and old.refresh_token:
                try:
                    token = await self._ask(
                        {"grant_type": "refresh_token", "refresh_token": old.refresh_token}
                    )
                except LoginRefused:
                    token = await self._login()
            else:
                token = await self._login()
        except RingCentralError as error:
            self._failures.failed(error)
            raise
        self._failures.succeeded()
        return token

    async def _login(self) -> Token:
        jwt = self._credentials.jwt.get_secret_value()
        return await self._ask({"grant_type": JWT_GRANT, "assertion": jwt})

    async def _ask(self, form: Mapping[str, str]) -> Token:
        await self._limits.before(OPERATION)
        asked_at = time.time()
        response = await send(
            self._session,
            self._server,
            "POST",
            URL(f"{self._server.api}/restapi/oauth/token"),
            headers={"Authorization": self._basic(), "Accept": "application/json"},
            data=dict(form),
            timeout=LOGIN_TIMEOUT,
        )
        async with response:
            await self._limits.after(OPERATION, response.status, response.headers)
            if response.status == 200:
                return _read_token(await read_whole(response), asked_at)
            fault = read_fault(await read_fault_body(response))
        error = error_of("login", response.status, response.headers, fault)
        raise error if error.transient else login_refused(error, fault.word)

    def _basic(self) -> str:
        secret = self._credentials.client_secret.get_secret_value()
        pair = f"{self._credentials.client_id}:{secret}"
        return "Basic " + base64.b64encode(pair.encode()).decode()


def _read_token(body: bytes, asked_at: float) -> Token:
    try:
        document: Any = parse_json(body)
        expires_at = asked_at + float(document["expires_in"])
        return Token.model_validate({**document, "expires_at": expires_at})
    except (ValueError, TypeError, KeyError):
        # The cause is left out: it would quote the token.
        raise BadAnswer("login: the answer holds no token", status=200) from None
