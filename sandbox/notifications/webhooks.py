"""Calling a subscriber's address: the handshake of a new one, and the POST of a notification.

Source: https://developers.ringcentral.com/guide/notifications/webhooks/creating-webhooks
"""

import ipaddress
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import aiohttp

from sandbox.answers import ApiError, invalid
from sandbox.settings import Settings

USER_AGENT = "RingCentral-Webhook/8.3"
VALIDATION = "Validation-Token"


class DeliveryError(Exception):
    """The address did not take the notification; the text is the reason RingCentral records."""


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    reason: str
    headers: Mapping[str, str]
    size: int


class Webhooks:
    """One HTTP client for all subscribers, with the limits their answers must keep."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Give the connections back."""
        if self._session is not None:
            await self._session.close()

    async def shake_hands(self, address: str) -> None:
        """Check that the address wants notifications; raises the answer that says what is wrong."""
        _check_address(address)
        token = str(uuid.uuid4())
        try:
            answer = await self._post(address, {VALIDATION: token}, b"")
        except aiohttp.ClientConnectorCertificateError:
            raise ApiError(400, "SUB-524", "HTTPS certificate is not valid") from None
        except (TimeoutError, aiohttp.ClientError, OSError):
            raise ApiError(400, "SUB-521", "WebHook is not reachable") from None
        if answer.status != 200:
            message = f"WebHook responds with incorrect HTTP status. HTTP status is {answer.status}"
            raise ApiError(400, "SUB-522", message)
        if answer.headers.get(VALIDATION) != token:
            raise ApiError(400, "SUB-520", "Validation Token is not returned")
        content_type = answer.headers.get("Content-Type", "").partition(";")[0].strip()
        if answer.size > self._settings.webhook_answer_limit or (
            content_type.lower() != "application/json"
        ):
            raise ApiError(400, "SUB-525", "WebHook server response is invalid")

    async def deliver(self, address: str, verification_token: str | None, body: bytes) -> None:
        """Post a notification; raises DeliveryError."""
        headers = {"Content-Type": "application/json; charset=UTF-8"}
        if verification_token is not None:
            headers[self._settings.verification_header] = verification_token
        try:
            answer = await self._post(address, headers, body)
        except TimeoutError:
            raise DeliveryError("I/O operation is failed. Details: [Read timed out]") from None
        except (aiohttp.ClientError, OSError) as error:
            raise DeliveryError(f"I/O operation is failed. Details: [{error}]") from None
        limit = self._settings.webhook_answer_limit
        if answer.size > limit:
            raise DeliveryError(f"Webhook response exceeds max size. Read bytes count: [{limit}]")
        if answer.status != 200:
            raise DeliveryError(
                f"Webhook responses with code: [{answer.status}], reason: [{answer.reason}]"
            )

    async def _post(self, address: str, headers: Mapping[str, str], body: bytes) -> _Answer:
        session = self._session = self._session or aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=self._settings.webhook_timeout),
            headers={
                "Accept": "application/json",
                "Accept-Encoding": "UTF-8",
                "User-Agent": USER_AGENT,
            },
            skip_auto_headers=("Content-Type",),
        )
        async with session.post(
            address, data=body, headers=headers, allow_redirects=False
        ) as answer:
            limit = self._settings.webhook_answer_limit
            head = len(f"HTTP/1.1 {answer.status} {answer.reason}\r\n\r\n")
            head += sum(len(name) + len(value) + 4 for name, value in answer.raw_headers)
            read = b""
            while len(read) <= limit and (chunk := await answer.content.read(limit + 1)):
                read += chunk
            return _Answer(answer.status, answer.reason or "", answer.headers, head + len(read))


def _check_address(address: str) -> None:
    """Plain HTTP is for development: the sandbox allows it to this machine only."""
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
    except ValueError:
        raise invalid("deliveryMode.address") from None
    if parts.scheme not in ("http", "https") or not host:
        raise invalid("deliveryMode.address")
    if parts.scheme == "http" and not _is_loopback(host):
        raise ApiError(400, "SUB-523", "HTTPS is required")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
