"""One access token for all processes: obtained under a lock, renewed before it expires.

Each login opens a session, and beyond five the oldest dies; the token endpoint takes five calls
a minute. So processes share one token through a TokenStore and only one of them logs in.
Source: https://developers.ringcentral.com/guide/authentication/jwt-flow
"""

import asyncio
import base64
import hashlib
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
from message_store.limits import NO_ANSWER, Limits, Permit
from message_store.parsing import parse_json, parse_seconds
from message_store.refusals import login_refused
from message_store.server import Server
from message_store.token import MemoryTokenStore, Refusal, Token, TokenStore
from message_store.transport import read_fault_body, read_whole, send

__all__ = ["Authenticator", "Credentials", "MemoryTokenStore", "Token", "TokenStore"]

# After a refusal: one window of the token endpoint's rate limit, doubled each time, up to so many.
_LONGEST_REFUSAL = 15
_WINDOW = 60.0

OPERATION = "token"
LOGIN_TIMEOUT = aiohttp.ClientTimeout(total=12)  # a refresh and a login fit into a 30 s lock
JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"


@dataclass(frozen=True, slots=True)
class Credentials:
    """The app's id and secret, and the JWT credential of the user it acts for."""

    client_id: str
    client_secret: SecretStr
    jwt: SecretStr

    @property
    def fingerprint(self) -> str:
        """Tells these credentials from others without telling them."""
        parts = (self.client_id, self.client_secret.get_secret_value(), self.jwt.get_secret_value())
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


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
        self._window = _WINDOW
        self._failures = Backoff()
        self._rejections = Backoff(free=3)

    async def token(self, *, rejected: str | None = None) -> str:
        """The access token to present; `rejected` is one that a call has just been refused with.

        Raises LoginRefused, or a transient RingCentralError while the token endpoint fails; after
        a failure the endpoint is left alone for a growing while, and callers hear it at once. A
        refusal is heard by all who share the store: repeating it could lock the user out.
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
        await self._check_refusal()
        async with self._store.lock():
            # Another process may have logged in while we waited for the lock.
            token = await self._store.load()
            if token and token.serves(time.time(), rejected):
                return token
            await self._check_refusal()
            if rejected is not None:
                await self._store.drop(rejected)
            return await self._renewed(token, rejected)

    async def _check_refusal(self) -> None:
        refusal = await self._standing_refusal()
        if refusal is not None and (left := refusal.until - time.time()) > 0:
            raise LoginRefused(
                refusal.reason,
                status=refusal.status,
                code=refusal.code,
                request_id=refusal.request_id,
                retry_after=left,
            )

    async def _standing_refusal(self) -> Refusal | None:
        refusal = await self._store.refusal()
        same = refusal is not None and refusal.credentials == self._credentials.fingerprint
        return refusal if same else None

    async def _refused(self, error: LoginRefused) -> None:
        before = await self._standing_refusal()
        in_row = before.in_row + 1 if before else 1
        pause = self._window * min(2 ** (in_row - 1), _LONGEST_REFUSAL)
        error.retry_after = pause
        refusal = Refusal(
            until=time.time() + pause,
            credentials=self._credentials.fingerprint,
            in_row=in_row,
            reason=error.reason,
            status=error.status,
            code=error.code,
            request_id=error.request_id,
        )
        await self._store.set_refusal(refusal)

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
        await self._store.set_refusal(None)
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
        except LoginRefused as error:
            await self._refused(error)
            raise
        except RingCentralError as error:
            self._failures.failed(error)
            raise
        self._failures.succeeded()
        return token

    async def _login(self) -> Token:
        jwt = self._credentials.jwt.get_secret_value()
        return await self._ask({"grant_type": JWT_GRANT, "assertion": jwt})

    async def _ask(self, form: Mapping[str, str]) -> Token:
        permit = Permit(OPERATION)
        await self._limits.before(permit)
        asked_at = time.time()
        try:
            response = await send(
                self._session,
                self._server,
                "POST",
                URL(f"{self._server.api}/restapi/oauth/token"),
                headers={"Authorization": self._basic(), "Accept": "application/json"},
                data=dict(form),
                timeout=LOGIN_TIMEOUT,
            )
        except RingCentralError:
            await self._limits.after(permit, NO_ANSWER, {})
            raise
        async with response:
            await self._limits.after(permit, response.status, response.headers)
            self._window = parse_seconds(response.headers.get("X-Rate-Limit-Window")) or _WINDOW
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
    except (ValueError, TypeError, KeyError, OverflowError):
        # The cause is left out: it would quote the token.
        raise BadAnswer("login: the answer holds no token", status=200) from None
