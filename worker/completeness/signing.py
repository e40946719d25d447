"""Signs documents with Ed25519, and checks that a signed one is as it was.

The key comes from RINGPOST_KEY where that is set, so that all machines of a fleet sign alike; else
it is made once and kept in the data directory.
"""

import base64
import binascii
import contextlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_FILE = "statement.key"
ALGORITHM = "Ed25519"
_SIGNATURE = "signature"
_PURPOSE = b"ringpost statement signing key 1"
_KEY_BYTES = 32
_KEY_LETTERS = 44


class WrongSignatureError(Exception):
    """Why a document is not what was signed, in words."""


class Signer:
    """Signs with one key."""

    def __init__(self, secret: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(secret)

    @property
    def public_key(self) -> str:
        """What others check with, in base64."""
        return base64.b64encode(self._key.public_key().public_bytes_raw()).decode()

    def sign(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """The document with its signature."""
        value = base64.b64encode(self._key.sign(canonical(document))).decode()
        signature = {"algorithm": ALGORITHM, "public_key": self.public_key, "value": value}
        return {**document, _SIGNATURE: signature}


def canonical(document: Mapping[str, Any]) -> bytes:
    """The bytes that are signed: JSON with sorted keys, without white space, in UTF-8."""
    return orjson.dumps(dict(document), option=orjson.OPT_SORT_KEYS)


def check(signed: Mapping[str, Any]) -> str:
    """The public key whose signature the document bears; raises WrongSignatureError."""
    document = dict(signed)
    signature = document.pop(_SIGNATURE, None)
    if not isinstance(signature, dict):
        raise WrongSignatureError("it is not signed")
    if signature.get("algorithm") != ALGORITHM:
        raise WrongSignatureError(f"it is not signed with {ALGORITHM}")
    try:
        public = base64.b64decode(str(signature.get("public_key")), validate=True)
        value = base64.b64decode(str(signature.get("value")), validate=True)
        Ed25519PublicKey.from_public_bytes(public).verify(value, canonical(document))
    except (binascii.Error, ValueError):
        raise WrongSignatureError("key or signature are no base64 of the right length") from None
    except InvalidSignature:
        raise WrongSignatureError("it was changed after it was signed") from None
    return base64.b64encode(public).decode()


def is_public_key(text: str) -> bool:
    """Whether this is a public key as `check` tells it."""
    try:
        key = base64.b64decode(text, validate=True)
    except ValueError:
        return False
    return len(text) == _KEY_LETTERS and len(key) == _KEY_BYTES


def signer(keys: Sequence[str], data: Path) -> Signer:
    """The signer of this fleet: of the newest of `keys` (RINGPOST_KEY), else of the data directory.

    Raises OSError if a key has to be made there and cannot be.
    """
    if keys:
        return Signer(_derived(keys[0]))
    path = data / KEY_FILE
    try:
        return Signer(_read(path))
    except FileNotFoundError:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        return Signer(_made(path))


def public_keys(keys: Sequence[str], data: Path) -> list[str]:
    """What this machine can sign with, or could before a key was rotated; none is made."""
    found = [Signer(_derived(key)).public_key for key in keys]
    with contextlib.suppress(OSError, ValueError):
        found.append(Signer(_read(data / KEY_FILE)).public_key)
    return found


def _derived(key: str) -> bytes:
    secret = base64.b64decode(key.strip().replace("-", "+").replace("_", "/"))
    return HKDF(SHA256(), _KEY_BYTES, salt=None, info=_PURPOSE).derive(secret)


def _read(path: Path) -> bytes:
    return base64.b64decode(path.read_text().strip(), validate=True)


def _made(path: Path) -> bytes:
    """Make a key, unless another process makes one first; never half a one is read."""
    secret = os.urandom(_KEY_BYTES)
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(f"{base64.b64encode(secret).decode()}\n")
        file.flush()
        os.fsync(descriptor)
    try:
        path.hardlink_to(aside)
    except FileExistsError:
        return _read(path)
    finally:
        aside.unlink()
    return secret
