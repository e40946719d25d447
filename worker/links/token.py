"""The secret at the end of a link: what it is called, and what it opens. Pure."""

import base64
import binascii
import hashlib
import re
import secrets
from dataclasses import dataclass, field
from typing import Self

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_BYTES = 32
_FORM = re.compile(r"[0-9A-Za-z_-]{43}")


@dataclass(frozen=True, slots=True)
class LinkToken:
    """256 random bits. They are in the link only: of them Redis and the disk know `id`."""

    secret: bytes = field(repr=False)

    @classmethod
    def new(cls) -> Self:
        """One that nobody has."""
        return cls(secrets.token_bytes(_BYTES))

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """The token of a link; None if it cannot be one."""
        if not _FORM.fullmatch(text):
            return None
        try:
            secret = base64.urlsafe_b64decode(f"{text}=")
        except binascii.Error:
            return None
        return cls(secret)

    def __str__(self) -> str:
        return base64.urlsafe_b64encode(self.secret).decode().rstrip("=")

    @property
    def id(self) -> str:
        """What it is called in Redis and on disk: its SHA-256, which does not lead back."""
        return hashlib.sha256(self.secret).hexdigest()

    @property
    def key(self) -> bytes:
        """What its content is encrypted with."""
        return HKDF(SHA256(), _BYTES, salt=None, info=b"ringpost link content").derive(self.secret)
