"""message-sync: a full sync sets a frame, incremental ones tell what changed in it since.

Source: https://developers.ringcentral.com/guide/messaging/message-store/message-sync
"""

from collections.abc import Iterator
from typing import Any

from aiohttp import web

from sandbox.answers import invalid, json_answer
from sandbox.calls.messages import MAILBOX
from sandbox.clock import stamp
from sandbox.exchange import Exchange, Operation
from sandbox.state.messages import StoredMessage
from sandbox.state.selection import Selection, whole_number
from sandbox.state.sync_tokens import SyncState


async def sync_messages(exchange: Exchange) -> web.StreamResponse:
    """FSync or ISync of one mailbox."""
    query = exchange.request.query
    mode = query.get("syncType", "FSync")
    if mode == "FSync":
        return _full(exchange)
    if mode == "ISync":
        return _incremental(exchange)
    raise invalid("syncType")


def _full(exchange: Exchange) -> web.Response:
    emulator, query = exchange.emulator, exchange.request.query
    now = emulator.clock.time()
    frame = Selection.of(query, now=now, default_range=emulator.settings.sync_range)
    chosen = frame.choose(exchange.mailbox().newest_first())
    count = None
    if "recordCount" in query:
        count = whole_number(query, "recordCount", 0) + emulator.settings.sync_surplus
    records, older = _at_most(chosen, count, frame.date_to)
    return _answer(exchange, "FSync", [m.record for m in records], now, frame, older=older)


def _incremental(exchange: Exchange) -> web.Response:
    emulator = exchange.emulator
    token = exchange.request.query.get("syncToken")
    if not token:
        raise invalid("syncToken")
    state = emulator.sync_tokens.read(token, exchange.extension().id)
    now = emulator.clock.time()
    since = state.time - emulator.settings.sync_overlap
    changed = exchange.mailbox().changed_since(since)
    # the number of records asked for is no limit here, as in the published sample (1 asked, 4 got)
    records = [_as_change(message) for message in changed if state.frame.matches(message)]
    return _answer(exchange, "ISync", records, now, state.frame, older=False)


def _at_most(
    messages: Iterator[StoredMessage], count: int | None, date_to: float | None
) -> tuple[list[StoredMessage], bool]:
    """About `count` messages, and whether there are more.

    Those created at the same moment as the last are added, and those created at `dateTo` itself do
    not count, so that asking again with `dateTo` set to the last record's time always gets on.
    (recordCount is documented as not exact.)
    """
    taken: list[StoredMessage] = []
    counted = 0
    for message in messages:
        if count is not None and counted >= count and message.created < taken[-1].created:
            return taken, True
        taken.append(message)
        counted += message.created != date_to
    return taken, False


def _as_change(message: StoredMessage) -> dict[str, Any]:
    """A record of an incremental sync: of a deleted message only that it is deleted."""
    if message.availability == "Alive":
        return message.record
    return {"id": message.id, "availability": message.availability}


def _answer(
    exchange: Exchange,
    mode: str,
    records: list[dict[str, Any]],
    now: float,
    frame: Selection,
    *,
    older: bool,
) -> web.Response:
    emulator, extension = exchange.emulator, exchange.extension()
    state = SyncState(extension.id, now, frame)
    uri = f"{exchange.account.uri}/extension/{extension.id}/message-sync"
    return json_answer(
        {
            "uri": f"{uri}?{exchange.request.query_string}",
            "records": records,
            "syncInfo": {
                "syncType": mode,
                "syncToken": emulator.sync_tokens.write(state),
                "syncTime": stamp(now),
                "olderRecordsExist": older,
            },
        }
    )


OPERATIONS = (
    Operation(
        name="syncMessages",
        method="GET",
        path=f"{MAILBOX}/message-sync",
        answer=sync_messages,
        app_permission="ReadMessages",
        user_permission="ReadMessages",
    ),
)
