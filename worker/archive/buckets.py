"""Buckets of S3, Google and Azure by their addresses, through obstore; what their refusals mean."""

import errno
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from worker.problems import nearest

if TYPE_CHECKING:
    from obstore.store import AzureStore, GCSStore, S3Store

    Store = S3Store | GCSStore | AzureStore

OPTIONS = {
    "s3": ("endpoint", "region", "access_key_id", "secret_access_key"),
    "gs": ("service_account_key",),
    "az": ("endpoint", "account_name", "account_key"),
}
"""The settings of a bucket by the scheme of its address; obstore knows them by these names."""

_NAMES = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,221}[A-Za-z0-9]")
_CODE = re.compile(r"<Code>([A-Za-z]{1,60})</Code>")
_STATUS = re.compile(r"status code: ([0-9]{3})")
_NO_BUCKET = re.compile(r"<Code>(NoSuchBucket|ContainerNotFound)<")
_AT_A_PART = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Address:
    """Where a bucket is; `prefix` has no slash at either end and may be empty."""

    scheme: str
    bucket: str
    prefix: str

    def __str__(self) -> str:
        return f"{self.scheme}://{self.bucket}" + f"/{self.prefix}" * bool(self.prefix)


class BucketError(OSError):
    """A bucket does not do what it is asked; `lasting` if no attempt will help."""

    def __init__(self, words: str, lasting: bool) -> None:
        super().__init__(errno.EIO, words)
        self.args = (words, lasting)  # those that another one like it is made with
        self.words = words
        self.lasting = lasting


class TakenError(Exception):
    """There is an object of this name, which stays as it is."""


def parse_address(text: str) -> Address:
    """The address of a bucket, such as `s3://bucket/a/prefix`; raises ValueError in words."""
    scheme, _, rest = text.partition("://")
    scheme = scheme.lower()
    if scheme not in OPTIONS:
        close = nearest(scheme, OPTIONS)
        meant = (
            f"did you mean {close}://?" if close else "use file:///folder, s3://, gs:// or az://"
        )
        raise ValueError(f"{scheme}:// is not a place archive can write to; {meant}")
    parts = urlsplit(f"{scheme}://{rest}")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise ValueError(
            f"{scheme}:// with more than bucket and folder; write {scheme}://bucket/folder, "
            f"and {' and '.join(OPTIONS[scheme][-2:])} as options"
        )
    if not _NAMES.fullmatch(parts.netloc):
        raise ValueError(f"{scheme}:// names no bucket; write {scheme}://bucket/folder")
    steps = parts.path.strip("/").split("/")
    if steps != [""] and any(step in {"", ".", ".."} for step in steps):
        raise ValueError(f"{text} has an empty or dotted folder; write {scheme}://bucket/folder")
    return Address(scheme, parts.netloc, "/".join(steps))


def open_bucket(
    address: Address, options: Mapping[str, str], headers: Mapping[str, str] | None = None
) -> "Store":
    """The bucket, without a call; what `options` leave out is taken from the environment.

    `headers` go with every call and are signed. Raises BucketError.
    """
    from obstore.exceptions import BaseError
    from obstore.store import AzureStore, GCSStore, S3Store

    settings: dict[str, Any] = {
        **options,
        "prefix": address.prefix or None,
        "client_options": {
            "connect_timeout": timedelta(seconds=10),
            "timeout": _AT_A_PART,
            "allow_http": options.get("endpoint", "").startswith("http://"),
            "default_headers": dict(headers or {}),
        },
        # The ledger has the longer breath.
        "retry_config": {"max_retries": 2, "retry_timeout": timedelta(seconds=30)},
    }
    try:
        if address.scheme == "s3":
            return S3Store(address.bucket, checksum_algorithm="sha256", **settings)
        if address.scheme == "gs":
            return GCSStore(address.bucket, **settings)
        return AzureStore(address.bucket, **settings)
    except (BaseError, ValueError) as error:
        # not the library's words: they may quote a key
        remedy = f"see {', '.join(OPTIONS[address.scheme])} and the environment"
        raise BucketError(f"{address} cannot be used: {remedy}", lasting=True) from error


@contextmanager
def asking(address: Address, what: str) -> Iterator[None]:
    """Turn obstore's errors into BucketError, or TakenError; `what` is a verb.

    FileNotFoundError stays, unless the bucket itself is not there.
    """
    from obstore.exceptions import (
        AlreadyExistsError,
        BaseError,
        InvalidPathError,
        NotSupportedError,
        PermissionDeniedError,
        PreconditionError,
        UnauthenticatedError,
    )

    try:
        yield
    except (AlreadyExistsError, PreconditionError) as error:
        raise TakenError from error
    except FileNotFoundError as error:
        if _NO_BUCKET.search(str(error)):
            raise _refusal(address, what, error, lasting=True) from error
        raise
    except (PermissionDeniedError, UnauthenticatedError, InvalidPathError, NotSupportedError) as e:
        raise _refusal(address, what, e, lasting=True) from e
    except BaseError as error:
        status = _STATUS.search(str(error))
        lasting = status is not None and status[1] in {"400", "404", "405", "501"}
        raise _refusal(address, what, error, lasting) from error


def _refusal(address: Address, what: str, error: Exception, lasting: bool) -> BucketError:
    """In a line; obstore's own words run over many and may quote what was sent."""
    text = str(error)
    code, status = _CODE.search(text), _STATUS.search(text)
    if _NO_BUCKET.search(text):
        reason = "there is no such bucket; make it, or change `to`"
    elif status is None:
        reason = "it cannot be reached" if "HTTP error" in text else type(error).__name__
    else:
        reason = f"it answers {code[1] if code else status[1]}"
        if status[1] in {"401", "403"}:
            reason += "; give the key the right to read, list and write there"
        elif status[1] == "400":
            reason += "; see its options, and with `lock` that it was made with Object Lock"
    return BucketError(f"cannot {what} {address}: {reason}", lasting)
