"""Reading the Message Store: the list, one message, several messages.

Source: https://developers.ringcentral.com/api-reference/Message-Store/listMessages
"""

from typing import Any

from aiohttp import web

from sandbox.answers import json_answer, not_found
from sandbox.calls.batch import Outcome, batch_answer, find, ids_in_path, try_each
from sandbox.clock import stamp
from sandbox.exchange import Exchange, Operation
from sandbox.paging import MAX_PER_PAGE, address, navigation, page_of, paging
from sandbox.state.selection import Selection, whole_number

MAILBOX = "/restapi/v1.0/account/{accountId}/extension/{extensionId}"
STORE = f"{MAILBOX}/message-store"
_DAY = 86_400.0


async def list_messages(exchange: Exchange) -> web.StreamResponse:
    """The messages of a mailbox that meet the query, newest first, in pages."""
    emulator, query = exchange.emulator, exchange.request.query
    mailbox, extension = exchange.mailbox(), exchange.extension()
    page = whole_number(query, "page", 1)
    per_page = min(whole_number(query, "perPage", 100), MAX_PER_PAGE)
    selection = Selection.of(query, now=emulator.clock.time(), default_range=_DAY)
    found = list(selection.choose(mailbox.newest_first()))
    uri = f"{exchange.account.uri}/extension/{extension.id}/message-store"
    asked = _effective(exchange, selection)
    counts = emulator.settings.page_counts
    return json_answer(
        {
            "uri": address(uri, asked, page, per_page),
            "records": [message.record for message in page_of(found, page, per_page)],
            "paging": paging(len(found), page, per_page, counts=counts),
            "navigation": navigation(uri, asked, len(found), page, per_page),
        }
    )


async def read_messages(exchange: Exchange) -> web.StreamResponse:
    """One message, or a batch of them with a status each."""
    ids = ids_in_path(exchange)
    if not ids:
        raise not_found("messageId")
    if len(ids) == 1:
        return json_answer(_with_recipients(exchange, find(exchange, ids[0]).record))

    def read(place: int, message_id: str) -> Outcome:
        record = find(exchange, message_id).record
        return Outcome(message_id, 200, _with_recipients(exchange, record))

    return batch_answer(exchange, try_each(ids, read))


def _with_recipients(exchange: Exchange, record: dict[str, Any]) -> dict[str, Any]:
    owner = exchange.extension()
    recipient = {
        "extensionId": owner.id,
        "extensionNumber": owner.number,
        "name": owner.name,
    }
    return {**record, "vmSideRecipients": [recipient]}


def _effective(exchange: Exchange, selection: Selection) -> list[tuple[str, str]]:
    """What the answer's address repeats: the asked filters, availability, and the dates."""
    dates = ("dateFrom", "dateTo", "availability", "page", "perPage")
    asked = [(n, v) for n, v in exchange.request.query.items() if n not in dates]
    asked += [("availability", value) for value in selection.availability]
    asked.append(("dateFrom", stamp(selection.date_from // 60 * 60)))
    if selection.date_to is not None:
        asked.append(("dateTo", stamp(selection.date_to)))
    return asked


OPERATIONS = (
    Operation(
        name="listMessages",
        method="GET",
        path=STORE,
        answer=list_messages,
        app_permission="ReadMessages",
        user_permission="ReadMessages",
    ),
    Operation(
        name="readMessage",
        method="GET",
        path=f"{STORE}/{{messageId}}",
        answer=read_messages,
        app_permission="ReadMessages",
        user_permission="ReadMessages",
    ),
)
