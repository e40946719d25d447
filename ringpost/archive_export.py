"""Exporting from an archive into an output, with an account of what was asked for and found."""

import json
from collections.abc import Iterable, Mapping
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
    output: Output, messages: "Iterable[Archived]", form: Format, about: Mapping[str, Any]
) -> tuple[int, list[Fault]]:
    """How many messages were written, and what was left out; raises OSError and Refusal."""
    count = 0
    faults: list[Fault] = []
    try:
        async for one in export(messages, form, output):
            if isinstance(one, Fault):
                faults.append(one)
            else:
                count += 1
    except HandlerError as error:  # a file that was whole a moment ago
        raise Refusal(error.reason, exit_code=1) from None
    found = [{"path": str(fault.path), "what": fault.what} for fault in faults]
    text = json.dumps({**about, "messages": count, "faults": found}, indent=2)
    with output.open(ABOUT) as file:
        file.write(f"{text}\n".encode())
    return count, faults
