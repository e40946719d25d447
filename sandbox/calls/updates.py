"""Changing messages: read marks and restoring, one by one, by path and by body.

Source: https://developers.ringcentral.com/api-reference/Message-Store/updateMessage
"""

from collections.abc import Sequence
from typing import Any

from aiohttp import web

from sandbox.answers import ApiError, invalid, json_answer, not_found, too_many
from sandbox.calls.batch import (
    MAX_IN_BODY,
    Outcome,
    batch_answer,
    entries_of,
    find,
    ids_in_path,
    try_each,
)
from sandbox.calls.messages import STORE
from sandbox.exchange import Exchange, Operation
from sandbox.state.messages import StoredMessage
from sandbox.state.selection import READ_STATUSES


async def update_messages(exchange: Exchange) -> web.StreamResponse:
    """PUT changes `readStatus`, PATCH also restores deleted messages with `availability`."""
    if exchange.request.match_info["messageId"] == "*":
        return await _by_body(exchange)
    ids = ids_in_path(exchange)
    if not ids:
        raise not_found("messageId")
    if len(ids) == 1:
        message = find(exchange, ids[0])
        return json_answer(_apply(exchange, message, await exchange.json()))
    entries = await entries_of(exchange)
    if len(entries) != len(ids):
        raise invalid("body")
    return _batch(exchange, ids, [entry.get("body") for entry in entries])


async def _by_body(exchange: Exchange) -> web.StreamResponse:
    entries = await entries_of(exchange)
    if len(entries) > MAX_IN_BODY:
        raise too_many("resourceId", MAX_IN_BODY)
    if not entries or not all("resourceId" in entry for entry in entries):
        raise invalid("resourceId")
    ids = [str(entry["resourceId"]) for entry in entries]
    return _batch(exchange, ids, [entry.get("body") for entry in entries])


def _batch(exchange: Exchange, ids: Sequence[str], bodies: Sequence[Any]) -> web.Response:
    def update(place: int, message_id: str) -> Outcome:
        record = _apply(exchange, find(exchange, message_id), bodies[place])
        return Outcome(message_id, 200, record)

    return batch_answer(exchange, try_each(ids, update))


def _apply(exchange: Exchange, message: StoredMessage, wanted: Any) -> dict[str, Any]:
    if not isinstance(wanted, dict):
        raise invalid("body")
    changes: dict[str, str] = {}
    if "readStatus" in wanted:
        if wanted["readStatus"] not in READ_STATUSES:
            raise invalid("readStatus")
        changes["readStatus"] = wanted["readStatus"]
    if exchange.request.method == "PATCH" and "availability" in wanted:
        _check_restore(message, wanted["availability"])
        changes["availability"] = "Alive"
    if not changes:
        raise invalid("readStatus")
    if any(message.record[name] != value for name, value in changes.items()):
        exchange.emulator.change(message, changes)
    return message.record


def _check_restore(message: StoredMessage, availability: Any) -> None:
    if availability != "Alive":
        raise invalid("availability")
    if message.availability == "Purged":
        raise ApiError(
            400,
            "CMN-101",
            "Parameter [availability] value is invalid: the message is purged",
            parameterName="availability",
        )


OPERATIONS = tuple(
    Operation(
        name=name,
        method=method,
        path=f"{STORE}/{{messageId}}",
        answer=update_messages,
        group="medium",
        app_permission="EditMessages",
        user_permission="EditMessages",
        writes=True,
    )
    for name, method in (("updateMessage", "PUT"), ("patchMessage", "PATCH"))
)
