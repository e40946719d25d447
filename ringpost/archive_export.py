"""Exporting from an archive into an output, with an account of what was asked for and found."""

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ringpost.refusal import Refusal
from worker.archive.export import Format, export
from worker.archive.folders import Fault
from worker.archive.outputs import Output
from worker.handlers.contract import HandlerError

if TYPE_CHECKING:
    from worker.archive.layout import Archived

ABOUT = "export.json"


async def export_to(
    output: Output,
    messages: "Iterable[Archived]",
    form: Format,
    about: Mapping[str, Any],
    name_of: Callable[[Path], str] = str,
) -> tuple[int, list[dict[str, str]]]:
    """How many messages were written, and what was left out; raises OSError and Refusal."""
    count = 0
    found: list[dict[str, str]] = []
    try:
        async for one in export(messages, form, output):
            if isinstance(one, Fault):
                found.append({"path": name_of(one.path), "what": one.what})
            else:
                count += 1
    except HandlerError as error:  # a file that was whole a moment ago
        raise Refusal(error.reason, exit_code=1) from None
    text = json.dumps({**about, "messages": count, "faults": found}, indent=2)
    with output.open(ABOUT) as file:
        file.write(f"{text}\n".encode())
    return count, found
