"""What is kept in Redis encrypted: sealed with the first of our keys, opened with any of them.

Fernet of the cryptography library: AES with a message authentication code, and keys that rotate.
"""

import base64
import binascii
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

_KEY_BYTES = 32


class Sealer:
    """Seals and opens texts; without a key they stay as they are."""

    def __init__(self, keys: Sequence[str] = ()) -> None:
        fernets = [Fernet(_urlsafe(key)) for key in keys]
        self._newest = fernets[0] if fernets else None
        self._any = MultiFernet(fernets) if fernets else None

    @property
    def seals(self) -> bool:
        """Whether there is a key."""
        return self._newest is not None

    def seal(self, text: str) -> str:
        """The text, encrypted if there is a key."""
        return self._newest.encrypt(text.encode()).decode() if self._newest else text

    def open(self, sealed: str) -> str | None:
        """The text again; None if it was sealed with a key that is not among ours.

        What was written before there was a key is taken as it is.
        """
        if sealed.startswith("{"):
            return sealed  # JSON: it was never sealed
        if self._any is None:
            return None
        try:
            return self._any.decrypt(sealed.encode()).decode()
        except InvalidToken:
            return None

    def is_current(self, sealed: str) -> bool:
        """Whether it is sealed with the newest key, or plain while there is none."""
        if self._newest is None:
            return True
        try:
            self._newest.decrypt(sealed.encode())
        except InvalidToken:
            return False
        return True


def is_key(text: str) -> bool:
    """Whether the text is 32 bytes in base64, the usual or the URL-safe one."""
    try:
        return len(base64.b64decode(_urlsafe(text), altchars=b"-_", validate=True)) == _KEY_BYTES
    except (binascii.Error, UnicodeEncodeError):
        return False


def _urlsafe(key: str) -> bytes:
    return key.strip().replace("+", "-").replace("/", "_").encode("ascii")
