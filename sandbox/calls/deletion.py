"""Deleting messages: Alive, then Deleted, then Purged; and the whole mailbox if no id is given.

Source: https://developers.ringcentral.com/api-reference/Message-Store/deleteMessage
"""

from dataclasses import replace

from aiohttp import web

from sandbox.answers import ApiError, invalid, not_found, too_many
from sandbox.calls.batch import (
    MAX_IN_BODY,
    MAX_IN_PATH,
    Outcome,
    batch_answer,
    find,
    ids_in_path,
    try_each,
)
from sandbox.calls.messages import STORE
from sandbox.exchange import Exchange, Operation
from sandbox.state.messages import StoredMessage
from sandbox.state.selection import TYPES, Selection

_TYPES = (*TYPES, "Text", "All")


async def delete_messages(exchange: Exchange) -> web.StreamResponse:
    """Delete the messages named in the path or, with `*`, in the body."""
    exchange.mailbox()
    if exchange.request.match_info["messageId"] != "*":
        ids = ids_in_path(exchange)
    else:
        ids = await _ids_in_body(exchange, MAX_IN_BODY)
        if not ids:
            return _delete_matching(exchange, _everything())
    if not ids:
        raise not_found("messageId")
    if len(ids) == 1 and exchange.request.match_info["messageId"] != "*":
        _delete(exchange, find(exchange, ids[0]))
        return web.Response(status=204)

    def delete(place: int, message_id: str) -> Outcome:
        _delete(exchange, find(exchange, message_id))
        return Outcome(message_id, 204)

    outcomes = try_each(ids, delete)
    if all(outcome.status == 204 for outcome in outcomes):
        return web.Response(status=204)
    return batch_answer(exchange, outcomes)


async def delete_conversations(exchange: Exchange) -> web.StreamResponse:
    """Delete whole conversations; **without any conversation id, everything**."""
    query = exchange.request.query
    exchange.mailbox()
    conversations = query.getall("conversationId", [])
    if conversations and "type" in query:
        raise ApiError(
            400, "MSG-390", "Parameters [conversationId] and [type] cannot be specified together"
        )
    if len(conversations) > MAX_IN_PATH:
        raise too_many("conversationId", MAX_IN_PATH)
    frame = Selection.of(query, now=exchange.emulator.clock.time(), default_range=0)
    chosen: list[str | None] = [*conversations] or [None]
    for conversation in chosen:
        _delete_matching(
            exchange,
            replace(_everything(), conversation_id=conversation, date_to=frame.date_to),
        )
    return web.Response(status=204)


def _everything() -> Selection:
    return Selection(availability=("Alive", "Deleted"), owners=("Any",))


def _delete_matching(exchange: Exchange, selection: Selection) -> web.Response:
    kind = _type(exchange)
    for message in list(selection.choose(exchange.mailbox().newest_first())):
        if kind in ("All", message.record["type"]):
            _delete(exchange, message)
    return web.Response(status=204)


def _delete(exchange: Exchange, message: StoredMessage) -> None:
    """One step down its life; a purged message stays what it is."""
    kind = _type(exchange)
    if kind not in ("All", message.record["type"]):
        raise not_found("messageId")
    purge = exchange.request.query.get("purge") == "true"
    now = message.availability
    then = "Deleted" if now == "Alive" and not purge else "Purged"
    if now != then:
        exchange.emulator.change(message, {"availability": then})


def _type(exchange: Exchange) -> str:
    kind = exchange.request.query.get("type", "All")
    if kind not in _TYPES:
        raise invalid("type")
    return kind


async def _ids_in_body(exchange: Exchange, limit: int) -> list[str]:
    ids = await exchange.json() or []
    if not isinstance(ids, list) or not all(isinstance(i, str | int) for i in ids):
        raise invalid("body")
    if len(ids) > limit:
        raise too_many("messageId", limit)
    return [str(message_id) for message_id in ids]


OPERATIONS = (
    Operation(
        name="deleteMessage",
        method="DELETE",
        path=f"{STORE}/{{messageId}}",
        answer=delete_messages,
        group="medium",
        app_permission="EditMessages",
        user_permission="EditMessages",
        writes=True,
    ),
    Operation(
        name="deleteMessageByFilter",
        method="DELETE",
        path=STORE,
        answer=delete_conversations,
        group="medium",
        app_permission="EditMessages",
        user_permission="EditMessages",
        writes=True,
    ),
)
