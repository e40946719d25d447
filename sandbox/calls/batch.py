"""Batch requests: several ids in one call, and answers with a status for each.

Source: https://developers.ringcentral.com/guide/basics/batch-requests
"""

import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import orjson
from aiohttp import web

from sandbox.answers import BATCH_TYPE, ApiError, invalid, json_answer, not_found, too_many
from sandbox.exchange import Exchange
from sandbox.state.messages import StoredMessage

MAX_IN_PATH = 50
MAX_IN_BODY = 1000
_BOUNDARY = re.compile(r'boundary="?([^";,\s]+)"?')


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one id of a batch; `body` is the message or the error."""

    resource_id: str
    status: int
    body: Any = None


def ids_in_path(exchange: Exchange) -> list[str]:
    """The ids that the path names; raises the 400 answer for too many."""
    ids = [part for part in exchange.request.match_info["messageId"].split(",") if part]
    if len(ids) > MAX_IN_PATH:
        raise too_many("messageId", MAX_IN_PATH)
    return ids


def find(exchange: Exchange, message_id: str) -> StoredMessage:
    """A message of the path's mailbox; raises the 404 answer."""
    mailbox = exchange.mailbox()
    found = mailbox.get(int(message_id)) if message_id.isdecimal() else None
    if found is None or _is_too_new(exchange, found):
        raise not_found("messageId")
    return found


def _is_too_new(exchange: Exchange, message: StoredMessage) -> bool:
    emulator = exchange.emulator
    return emulator.clock.time() - message.stored < emulator.settings.readable_after


def try_each(ids: Sequence[str], act: Callable[[int, str], Outcome]) -> list[Outcome]:
    """Act on every id by its place; a refusal becomes that id's outcome."""
    outcomes = []
    for place, message_id in enumerate(ids):
        try:
            outcomes.append(act(place, message_id))
        except ApiError as refusal:
            outcomes.append(Outcome(message_id, refusal.status, refusal.body()))
    return outcomes


def batch_answer(exchange: Exchange, outcomes: Sequence[Outcome]) -> web.Response:
    """207 in the form the client accepts: one JSON array, or multipart/mixed by default."""
    if BATCH_TYPE in exchange.request.headers.get("Accept", ""):
        return json_answer([_entry(outcome) for outcome in outcomes], 207, BATCH_TYPE)
    base = exchange.emulator.api_url + exchange.request.path.rpartition("/")[0]
    statuses = [
        {
            "href": f"{base}/{outcome.resource_id}",
            "status": outcome.status,
            "responseDescription": HTTPStatus(outcome.status).phrase,
        }
        for outcome in outcomes
    ]
    parts = [{"response": statuses}, *(o.body if o.body is not None else {} for o in outcomes)]
    boundary = f"Boundary_{secrets.randbelow(100)}_{secrets.randbelow(10**8)}"
    text = b"".join(
        b"--%b\r\nContent-Type: application/json\r\n\r\n%b\r\n"
        % (boundary.encode(), orjson.dumps(part))
        for part in parts
    )
    return web.Response(
        body=text + f"--{boundary}--\r\n".encode(),
        status=207,
        headers={"Content-Type": f"multipart/mixed; boundary={boundary}"},
    )


async def entries_of(exchange: Exchange) -> list[Any]:
    """The parts of a batch request's body, in either form; raises the 400 answer."""
    content_type = exchange.request.headers.get("Content-Type", "")
    if content_type.startswith("multipart/mixed"):
        return [{"body": body} for body in await _multipart(exchange, content_type)]
    entries = await exchange.json()
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise invalid("body")
    return entries


async def _multipart(exchange: Exchange, content_type: str) -> list[Any]:
    found = _BOUNDARY.search(content_type)
    if found is None:
        raise invalid("body")
    bodies = []
    for part in (await exchange.request.text()).split(f"--{found[1]}")[1:-1]:
        _, _, body = part.replace("\r\n", "\n").partition("\n\n")
        try:
            bodies.append(orjson.loads(body))
        except ValueError:
            raise invalid("body") from None
    return bodies


def _entry(outcome: Outcome) -> dict[str, Any]:
    entry: dict[str, Any] = {"resourceId": outcome.resource_id, "status": outcome.status}
    return entry if outcome.body is None else {**entry, "body": outcome.body}
