"""Legal holds: mailboxes and messages that must not be removed, whatever their age.

`<root>/holds.jsonl` has a line for each hold and for each release, with who, when and why.
"""

import os
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError

from message_store.mailbox import Mailbox
from worker.archive.folders import open_file
from worker.archive.layout import mailbox_folder, named
from worker.handlers.durable import locked

HOLDS = "holds.jsonl"
_CLOCKS_DIFFER = timedelta(minutes=1)


class HoldsUnreadableError(Exception):
    """The file cannot be read, so nobody knows what is held; nothing may be removed."""


class Hold(BaseModel):
    """One line: a hold that was put on or released; all of the mailbox without a `message`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    what: Literal["held", "released"] = "held"
    mailbox: str
    message: str | None = None
    reason: str
    by: str
    at: datetime

    def covers(self, mailbox: Path, message: Path) -> bool:
        """Whether it is on the message of this folder in this mailbox's folder."""
        if mailbox != mailbox_folder(mailbox.parent.parent, Mailbox.parse(self.mailbox)):
            return False
        return self.message is None or self.message == named(message)[0]


def read_holds(root: Path) -> list[Hold]:
    """The holds that are on, oldest first; raises HoldsUnreadableError."""
    return _on(read_history(root))


def were_on(history: Iterable[Hold], at: datetime) -> list[Hold]:
    """The holds that were surely on at this time, although clocks differ."""
    margin = {"held": -_CLOCKS_DIFFER, "released": _CLOCKS_DIFFER}
    return _on(line for line in history if line.at.astimezone(UTC) < at + margin[line.what])


def write_hold(root: Path, hold: Hold) -> bool:
    """Put a hold on or release it, on disk for good; False if that is so already.

    Afterwards nothing that is held is removed. Raises OSError and HoldsUnreadableError.
    """
    with locked(root) as descriptor:
        is_on = any(
            (one.mailbox, one.message) == (hold.mailbox, hold.message) for one in read_holds(root)
        )
        if is_on == (hold.what == "held"):
            return False
        _write(root, [*read_history(root), hold])
        os.fsync(descriptor)
    return True


def is_held(holds: Iterable[Hold], mailbox: Path, message: Path) -> bool:
    """Whether one of the holds is on the message of this folder in this mailbox's folder."""
    return any(hold.covers(mailbox, message) for hold in holds)


def _on(lines: Iterable[Hold]) -> list[Hold]:
    on: dict[tuple[str, str | None], Hold] = {}
    for line in lines:
        if line.what == "held":
            on.setdefault((line.mailbox, line.message), line)
        else:
            on.pop((line.mailbox, line.message), None)
    return list(on.values())


def read_history(root: Path) -> list[Hold]:
    """Every hold and release, oldest first; raises HoldsUnreadableError."""
    path = root / HOLDS
    try:
        with os.fdopen(open_file(path), "rb") as file:
            lines = [Hold.model_validate_json(line) for line in file]
        for line in lines:
            Mailbox.parse(line.mailbox)
    except FileNotFoundError:
        return []
    except (OSError, ValidationError, ValueError) as error:
        words = getattr(error, "strerror", None) or "it has a line that is none of ours"
        raise HoldsUnreadableError(f"{path} cannot be read: {words}; mend it") from error
    return lines


def _write(root: Path, lines: Sequence[Hold]) -> None:
    aside = root / f".{HOLDS}.part"
    with aside.open("wb") as file:
        file.writelines(orjson.dumps(line.model_dump(mode="json")) + b"\n" for line in lines)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(root / HOLDS)
