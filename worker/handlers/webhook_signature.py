"""Signatures by the Standard Webhooks specification, version 1 (HMAC-SHA256).

Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
The project's own library signs text only, and a body with files is none.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import AsyncIterable, Sequence

_PREFIX = "whsec_"
_SHORTEST, _LONGEST = 24, 64  # bytes, by the specification


def read_secrets(text: str) -> list[bytes]:
    """One secret, or two with a comma between them while they change; ValueError if it is none."""
    return [_secret(one.strip()) for one in text.split(",")]


def _secret(text: str) -> bytes:
    try:
        secret = base64.b64decode(text.removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        secret = b""
    if not _SHORTEST <= len(secret) <= _LONGEST:
        raise ValueError(
            f"must be {_SHORTEST} to {_LONGEST} random bytes in base64; make one with "
            '`echo "whsec_$(openssl rand -base64 32)"`'
        )
    return secret


async def signature_headers(
    secrets: Sequence[bytes], id_: str, timestamp: int, body: AsyncIterable[bytes]
) -> dict[str, str]:
    """The headers that tell the receiver who sent this body, and when, in seconds since 1970."""
    signing = [hmac.new(one, f"{id_}.{timestamp}.".encode(), hashlib.sha256) for one in secrets]
    async for piece in body:
        for each in signing:
            each.update(piece)
    signatures = [base64.b64encode(each.digest()).decode() for each in signing]
    headers = {"webhook-id": id_, "webhook-timestamp": str(timestamp)}
    if signatures:
        headers["webhook-signature"] = " ".join(f"v1,{one}" for one in signatures)
    return headers
