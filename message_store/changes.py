"""Changing messages in a mailbox: read marks, deletion, restoring; one by one and in bulk."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from message_store.addresses import messages_path
from message_store.batch import (
    MOST_IN_BODY,
    MOST_IN_PATH,
    MULTIPART_JSON,
    by_id,
    chunks,
    message_ids,
)
from message_store.calls import JSON, Answer, Call
from message_store.errors import BadRequest, NotFound, RingCentralError
from message_store.http import Http
from message_store.mailbox import Mailbox
from message_store.protocol import Outcomes

_BULK = {"Content-Type": MULTIPART_JSON, "Accept": f"{MULTIPART_JSON}, {JSON}"}


class Changes:
    """The calls that change messages. All take ids as text and refuse an empty list.

    The outcome of an id is None or its error. A call that fails as a whole raises, unless earlier
    calls of the same batch went through: then its error is that of the ids not yet done.
    """

    _http: Http

    async def set_read_status(self, mailbox: Mailbox, ids: Sequence[str], status: str) -> Outcomes:
        """Mark messages `Read` or `Unread`, up to 1000 in a call."""
        if status not in {"Read", "Unread"}:
            raise ValueError(f"not a read status: {status[:20]!r} (expected Read or Unread)")
        return await self._update("message-mark", "PUT", mailbox, ids, {"readStatus": status})

    async def restore(self, mailbox: Mailbox, ids: Sequence[str]) -> Outcomes:
        """Take deleted (not purged) messages back, up to 1000 in a call."""
        change = {"availability": "Alive"}
        return await self._update("message-restore", "PATCH", mailbox, ids, change)

    async def delete(
        self, mailbox: Mailbox, ids: Sequence[str], *, purge: bool = False
    ) -> Outcomes:
        """Delete messages, up to 50 in a call; `purge` leaves nothing to restore.

        Deleting a deleted message purges it, so a plain delete is never repeated after a failure.
        Ids go in the path only: if a proxy dropped the body of a delete of `*`, it would empty
        the mailbox.
        Source: https://developers.ringcentral.com/api-reference/Message-Store/deleteMessage
        """

        def call(chosen: list[str]) -> Call:
            return Call(
                "message-delete",
                "DELETE",
                messages_path(mailbox, ",".join(chosen)),
                query=[("purge", "true")] if purge else [],
                headers={"Accept": f"{MULTIPART_JSON}, {JSON}"},
                idempotent=purge,
            )

        return await self._in_calls(message_ids(ids), MOST_IN_PATH, call)

    async def _update(
        self,
        operation: str,
        method: str,
        mailbox: Mailbox,
        ids: Sequence[str],
        change: Mapping[str, str],
    ) -> Outcomes:
        def call(chosen: list[str]) -> Call:
            body: Any = change
            path, headers = ",".join(chosen), _BULK
            if len(chosen) == 1:
                headers = {}
            elif len(chosen) <= MOST_IN_PATH:
                body = [{"body": change} for _ in chosen]
            else:
                path, body = "*", [{"resourceId": one, "body": change} for one in chosen]
            return Call(operation, method, messages_path(mailbox, path), (), body, headers)

        return await self._in_calls(message_ids(ids), MOST_IN_BODY, call)

    async def _in_calls(
        self, ids: list[str], most: int, call: Callable[[list[str]], Call]
    ) -> Outcomes:
        outcomes: Outcomes = {}
        for chosen in chunks(ids, most):
            try:
                outcomes |= await self._http.read(call(chosen), partial(_outcomes, ids=chosen))
            except RingCentralError as error:
                alone = len(chosen) == 1 and isinstance(error, NotFound | BadRequest)
                if not (outcomes or alone):
                    raise
                return outcomes | {one: error for one in ids if one not in outcomes}
        return outcomes


def _outcomes(answer: Answer, ids: list[str]) -> Outcomes:
    # One message answers for itself; 204 means that all were deleted.
    if answer.status == 204 or (len(ids) == 1 and answer.status != 207):
        return dict.fromkeys(ids)
    found = by_id(answer, ids)
    return {
        one: outcome if isinstance(outcome, RingCentralError) else None
        for one, outcome in found.items()
    }
