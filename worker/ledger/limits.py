"""RingCentral's rate limits as one budget per credential and group that the whole fleet keeps.

A request sent during a penalty restarts it, so nobody sends before it is over; and nobody spends
the last request of a window, so that there is hardly ever a penalty.
Source: https://developers.ringcentral.com/guide/basics/rate-limits
"""

import asyncio
import contextlib
import re
import time
from collections.abc import Mapping

import orjson
import structlog

from message_store.errors import RateLimited
from message_store.limits import Permit
from message_store.parsing import parse_seconds, retry_after
from metrics.catalogue import CALLS

from .connection import Connection, LedgerError, key

log = structlog.get_logger()

# A wait shorter than this is waited out in place; a longer one gives the task's place back.
PATIENCE = 0.5
_PENALTY = 60.0
# The server may round what it asks for.
_MARGIN_SHARE, _LONGEST_MARGIN = 0.05, 1.0
# No answer may silence the fleet for longer.
_LONGEST = 3600.0
_GROUP = re.compile(r"[A-Za-z0-9_.-]{1,64}")


class RedisLimits:
    """Asks the budget in Redis before each request and tells it each answer.

    What gathers while one question to Redis is under way goes with the next: fifty downloads at
    once cost a few round trips. `patience` (seconds): a longer wait is RateLimited.
    """

    def __init__(self, connection: Connection, scope: str, patience: float = PATIENCE) -> None:
        self._connection = connection
        self._scope = scope
        self._patience = patience
        self._wanted: list[tuple[Permit, asyncio.Future[float]]] = []
        self._answers: list[dict[str, object]] = []
        self._asking: asyncio.Task[None] | None = None
        self._groups: dict[str, str] = {}

    async def before(self, permit: Permit) -> None:
        """Wait for a short while until it is the permit's turn; RateLimited for a long one."""
        patient_until = time.monotonic() + self._patience
        while (wait := await self._ask(permit)) > 0:
            if time.monotonic() + wait > patient_until:
                raise RateLimited(
                    f"{permit.operation} waits for its turn within RingCentral's rate limit",
                    retry_after=wait,
                )
            await asyncio.sleep(wait)

    async def after(self, permit: Permit, status: int, headers: Mapping[str, str]) -> None:
        """Learn from an answer: the operation's group, its limit and window, a penalty."""
        group = headers.get("X-Rate-Limit-Group")
        if group and _GROUP.fullmatch(group):
            self._groups[permit.operation] = group
        else:
            group = None
        CALLS.count(self._groups.get(permit.operation, "unknown"), str(status or "none"))
        answer: dict[str, object] = {
            "id": permit.id,
            "mailbox": permit.mailbox,
            "operation": permit.operation,
            "status": status,
            "group": group,
            "limit": _count(headers, "X-Rate-Limit-Limit"),
            "remaining": _count(headers, "X-Rate-Limit-Remaining"),
            "window": parse_seconds(headers.get("X-Rate-Limit-Window")),
        }
        if status == 429:
            answer["pause"] = pause = _pause(headers)
            log.warning(
                "RingCentral refuses more requests",
                operation=permit.operation,
                group=group,
                pause=round(pause),
            )
        # JSON null is a value of its own in Lua
        self._answers.append({name: told for name, told in answer.items() if told is not None})
        self._start_asking()

    async def close(self) -> None:
        """Hand on what was learned last."""
        if self._asking is not None:
            with contextlib.suppress(LedgerError):
                await self._asking

    async def rate(self, operation: str) -> float | None:
        """How many requests a second this operation's group allows, None while it is unknown."""
        redis = self._connection.redis
        group = await redis.hget(key("groups", self._scope), operation)
        if group is None:
            return None
        told = await redis.hmget(key("budget", self._scope, group), ["limit", "window"])
        limit, window = (float(value or 0) for value in told)
        return limit / window if limit and window else None

    async def _ask(self, permit: Permit) -> float:
        wait: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self._wanted.append((permit, wait))
        self._start_asking()
        return await wait

    def _start_asking(self) -> None:
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._keep_asking())

    async def _keep_asking(self) -> None:
        while self._wanted or self._answers:
            wanted, self._wanted = self._wanted, []
            answers, self._answers = self._answers, []
            try:
                waits = await self._run(answers, [permit for permit, _ in wanted])
            # whatever it is, those who wait must hear of it
            except Exception as error:  # noqa: BLE001
                self._answers = answers + self._answers
                for _, future in wanted:
                    if not future.done():
                        future.set_exception(error)
                if not self._wanted:
                    return  # what was learned goes with the next question
                continue
            for (_, future), wait in zip(wanted, waits, strict=True):
                if not future.done():
                    future.set_result(float(wait))

    async def _run(self, answers: list[dict[str, object]], wanted: list[Permit]) -> list[str]:
        body = orjson.dumps(
            {
                "answers": answers,
                "wanted": [
                    {
                        "id": permit.id,
                        "mailbox": permit.mailbox,
                        "operation": permit.operation,
                        "bulk": permit.bulk,
                    }
                    for permit in wanted
                ],
            }
        )
        waits: list[str] = await self._connection.run("budget", self._scope, body.decode())
        return waits


def _pause(headers: Mapping[str, str]) -> float:
    told = retry_after(headers)
    if told is None:
        told = parse_seconds(headers.get("X-Rate-Limit-Window"))
    pause = _PENALTY if told is None else min(told, _LONGEST)
    return pause + min(pause * _MARGIN_SHARE, _LONGEST_MARGIN)


def _count(headers: Mapping[str, str], name: str) -> int | None:
    text = headers.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None
