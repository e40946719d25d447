"""The bulk forms of RingCentral: many ids in one call, an outcome for each. Pure.

Source: https://developers.ringcentral.com/guide/basics/batch-requests
"""

import email.parser
import email.policy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from message_store.calls import Answer
from message_store.errors import BadAnswer, RingCentralError
from message_store.faults import Fault, error_of
from message_store.message import Message
from message_store.parsing import NotJsonError, parse_json

MULTIPART_JSON = "application/vnd.ringcentral.multipart+json"
MOST_READ = 20  # no limit is published; an official test stays within 30, the web widgets at 20
MOST_IN_PATH = 50
MOST_IN_BODY = 1000


@dataclass(frozen=True, slots=True)
class Entry:
    """One id's part of an answer; `id` is None where the answer leaves it to the order."""

    id: str | None
    status: int
    body: Any


def message_id(value: str) -> str:
    """The id, if it is one: it becomes part of a path. Raises ValueError."""
    if not Message.id_form.fullmatch(value):
        raise ValueError(f"not a message id: {value[:40]!r}")
    return value


def message_ids(values: Sequence[str]) -> list[str]:
    """The ids without repetitions (a second delete purges); ValueError if there are none.

    RingCentral takes a delete without ids as one of the whole mailbox.
    Source: https://developers.ringcentral.com/api-reference/Message-Store/deleteMessage
    """
    if isinstance(values, str):
        raise ValueError(f"a list of message ids is expected, not the text {values[:40]!r}")
    ids = list(dict.fromkeys(message_id(value) for value in values))
    if not ids:
        raise ValueError("no message ids: refused, RingCentral would take it for all messages")
    return ids


def chunks(ids: Sequence[str], most: int) -> Iterator[list[str]]:
    """The ids in lists of at most `most`."""
    for start in range(0, len(ids), most):
        yield list(ids[start : start + most])


def entries_of(answer: Answer) -> list[Entry]:
    """The parts of a 207 answer, in JSON or as multipart/mixed; raises BadAnswer."""
    kind = answer.headers.get("Content-Type", "")
    if kind.lower().startswith("multipart/"):
        return _mixed_entries(answer, kind)
    document = answer.json()
    if not isinstance(document, list):
        raise answer.unexpected("is no list of parts")
    return [_entry(part, part.get("body")) for part in document if isinstance(part, dict)]


def by_id(answer: Answer, ids: Sequence[str]) -> dict[str, Entry | RingCentralError]:
    """Each id's part if it succeeded, else its error; an id that is not answered is a BadAnswer."""
    entries = entries_of(answer)
    named = {entry.id: entry for entry in entries if entry.id is not None}
    if not named and len(entries) == len(ids):
        named = dict(zip(ids, entries, strict=True))
    return {one: _outcome(answer, named.get(one)) for one in ids}


def _outcome(answer: Answer, entry: Entry | None) -> Entry | RingCentralError:
    if entry is None:
        return answer.unexpected("leaves out one of the ids")
    if 200 <= entry.status < 300:
        return entry
    return error_of(answer.operation, entry.status, answer.headers, Fault.of(entry.body))


def _entry(part: dict[str, Any], body: Any) -> Entry:
    named = part.get("resourceId") or str(part.get("href") or "").rpartition("/")[2]
    status = part.get("status")
    return Entry(
        id=str(named) if Message.id_form.fullmatch(str(named)) else None,
        status=status if isinstance(status, int) else 0,
        body=body,
    )


def _mixed_entries(answer: Answer, kind: str) -> list[Entry]:
    head = b"Content-Type: " + kind.encode("ascii", "replace") + b"\r\n\r\n"
    mixed = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + answer.body)
    documents = [
        _document(part.get_payload(decode=True)) for part in mixed.walk() if not part.is_multipart()
    ]
    index = documents[0] if documents else None
    listed = index.get("response") if isinstance(index, dict) else None
    if not isinstance(listed, list):
        raise BadAnswer(f"{answer.operation}: the answer has no index of its parts", status=207)
    bodies = documents[1:]
    told = {str(body["id"]): body for body in bodies if isinstance(body, dict) and "id" in body}
    found = []
    for place, part in enumerate(part for part in listed if isinstance(part, dict)):
        entry = _entry(part, None)
        in_order = bodies[place] if len(bodies) == len(listed) else None
        found.append(Entry(entry.id, entry.status, told.get(entry.id or "", in_order)))
    return found


def _document(content: object) -> Any:
    try:
        return parse_json(content) if isinstance(content, bytes) else None
    except NotJsonError:
        return None
