"""Reading what RingCentral sends: JSON of any bytes, dates, and numbers in headers."""

import email.utils
import json
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from pydantic_core import from_json

# The strict parser stops at 200 levels, and pydantic writes no more than 255.
DEEPEST = 100
# Each costs hundreds of bytes when read; a page of 1000 extensions has about 90,000.
MOST_OBJECTS = 250_000
LONGEST_PAUSE = 24 * 60 * 60.0
_NAME = re.compile(r"[A-Za-z0-9_.\[\]-]{1,64}")
# A text without an end is taken too, so that no text is looked at twice.
_TEXT = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)


class NotJsonError(ValueError):
    """These bytes are no JSON document, or one that is too dear to read."""


def parse_json(body: bytes) -> Any:
    """The document in `body`; raises NotJsonError.

    Broken UTF-8 and half of a surrogate pair, which a strict parser refuses, are read too (a text
    cut in the middle of an emoji is still a text), and nesting too deep to be written is cut off.
    Whole numbers keep all their digits; one of more than 4300, which nothing could write, is None.
    """
    if _is_crowded(body):
        raise NotJsonError(f"a document of more than {MOST_OBJECTS} objects")
    try:
        return from_json(body)
    except ValueError:
        pass
    try:
        return _mended(json.loads(body.decode("utf-8-sig", "replace"), parse_int=_whole_number))
    except (ValueError, RecursionError) as error:
        raise NotJsonError("not a JSON document") from error


def parse_date(text: str | None) -> datetime | None:
    """The moment of an HTTP `Date` header, in UTC, or None."""
    try:
        return email.utils.parsedate_to_datetime(text or "").astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def parse_seconds(text: str | None) -> float | None:
    """A non-negative, finite number of seconds, at most a day, or None."""
    try:
        seconds = float(text or "")
    except ValueError:
        return None
    return min(seconds, LONGEST_PAUSE) if math.isfinite(seconds) and seconds >= 0 else None


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds that a `Retry-After` header asks for, given as seconds or as a date."""
    text = headers.get("Retry-After")
    if (seconds := parse_seconds(text)) is not None:
        return seconds
    if (until := parse_date(text)) is None:
        return None
    # Both dates are the server's, so that a wrong clock of ours does not matter.
    now = parse_date(headers.get("Date")) or datetime.now(UTC)
    return min(max(0.0, (until - now).total_seconds()), LONGEST_PAUSE)


def plain_name(value: object) -> str | None:
    """The value if it is a short name or id, safe to repeat in a log, else None."""
    return value if isinstance(value, str) and _NAME.fullmatch(value) else None


def _is_crowded(body: bytes) -> bool:
    if len(body) <= 2 * MOST_OBJECTS:
        return False
    bare = _TEXT.sub(b"", body)
    return bare.count(b"{") + bare.count(b"[") > MOST_OBJECTS


def _whole_number(digits: str) -> int | None:
    try:
        return int(digits)
    except ValueError:  # Python reads and writes no more than 4300 digits
        return None


def _mended(value: Any, depth: int = 0) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list | dict) and depth > DEEPEST:
        return None
    if isinstance(value, list):
        return [_mended(item, depth + 1) for item in value]
    if isinstance(value, dict):
        return {_mended(key): _mended(item, depth + 1) for key, item in value.items()}
    return value
