"""Reading what RingCentral sends: JSON of any bytes, dates, and numbers in headers."""

import email.utils
import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson


class NotJsonError(ValueError):
    """These bytes are no JSON document."""


def parse_json(body: bytes) -> Any:
    """The document in `body`; raises NotJsonError.

    Numbers beyond 64 bits, NaN and half of a surrogate pair, which a strict parser refuses, are
    read too: a message cut in the middle of an emoji is still a message.
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        pass
    try:
        return _without_surrogates(json.loads(body.decode("utf-8-sig", "replace")))
    except (ValueError, RecursionError) as error:
        raise NotJsonError("not a JSON document") from error


def parse_date(text: str | None) -> datetime | None:
    """The moment of an HTTP `Date` header, in UTC, or None."""
    try:
        return email.utils.parsedate_to_datetime(text or "").astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def parse_seconds(text: str | None) -> float | None:
    """A non-negative, finite number of seconds, or None."""
    try:
        seconds = float(text or "")
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) and seconds >= 0 else None


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds that a `Retry-After` header asks for, given as seconds or as a date."""
    text = headers.get("Retry-After")
    if (seconds := parse_seconds(text)) is not None:
        return seconds
    if (until := parse_date(text)) is None:
        return None
    # Both dates are the server's, so that a wrong clock of ours does not matter.
    now = parse_date(headers.get("Date")) or datetime.now(UTC)
    return max(0.0, (until - now).total_seconds())


def _without_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_without_surrogates(item) for item in value]
    if isinstance(value, dict):
        return {_without_surrogates(key): _without_surrogates(item) for key, item in value.items()}
    return value
