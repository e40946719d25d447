"""Making messages arrive, whoever asks for it: a test, the control API or the command line."""

from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.clock import read_time
from sandbox.emulator import Emulator
from sandbox.samples.compose import KINDS, Wish
from sandbox.samples.content import Content
from sandbox.state.messages import StoredMessage

MAX_COUNT = 10_000
_TEXTS = {
    "text": "text",
    "from": "sender",
    "fromName": "sender_name",
    "to": "to",
    "direction": "direction",
    "readStatus": "read_status",
    "messageStatus": "message_status",
    "priority": "priority",
    "transcription": "transcription",
}
_NUMBERS = {"pages": "pages", "rendering": "rendering", "seconds": "seconds"}
KEYS = ("type", "extension", "owner", "count", "created", "transcribing", *_TEXTS, *_NUMBERS)


def arrive(emulator: Emulator, kind: str, wish: Wish, extension: str = "~") -> StoredMessage:
    """One message of a kind arrives; raises ValueError or LookupError for an unknown one."""
    if kind not in KINDS:
        raise ValueError(f"unknown kind of message: {kind!r}; there are {', '.join(KINDS)}")
    found = emulator.extension(extension)
    return emulator.store(found, KINDS[kind](wish, found))


def arrive_as_told(
    emulator: Emulator, told: Mapping[str, Any], files: Sequence[Content]
) -> list[StoredMessage]:
    """What the control API was told to let arrive; raises ValueError or LookupError in words."""
    if unknown := sorted(set(told) - set(KEYS)):
        raise ValueError(f"unknown member: {unknown[0]!r}; there are {', '.join(KEYS)}")
    wanted: dict[str, Any] = {f: str(told[key]) for key, f in _TEXTS.items() if key in told}
    wanted |= {f: _number(told, key) for key, f in _NUMBERS.items() if key in told}
    if files:
        wanted["attachments"] = files
    if "created" in told:
        wanted["created"] = read_time(str(told["created"]))
    if "owner" in told:
        wanted["shared_by"] = emulator.extension(str(told["owner"]))
    if "transcribing" in told:
        wanted["transcribing"] = str(told["transcribing"]).lower() == "true"
    wish = Wish(**wanted)
    kind, extension = str(told.get("type", "sms")), str(told.get("extension", "~"))
    count = _number(told, "count") if "count" in told else 1
    if count > MAX_COUNT:
        raise ValueError(f"count: at most {MAX_COUNT} messages at a time")
    return [arrive(emulator, kind, wish, extension) for _ in range(count)]


def _number(told: Mapping[str, Any], key: str) -> int:
    text = str(told[key])
    if not text.isdecimal():
        raise ValueError(f"{key}: not a number: {text[:40]!r}")
    return int(text)
