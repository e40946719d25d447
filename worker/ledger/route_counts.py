"""How many messages went by each route, since when that is counted, and when the last one did."""

from datetime import UTC, datetime

from pydantic import BaseModel

from .configurations import route_named
from .connection import Connection, key
from .records import read_lane


class RouteCount(BaseModel):
    """What is known of one route.

    `messages` are deliveries that have come to an end, `since` is when the route was first in
    force, `last` when a message last came to it; None where that is not known.
    """

    messages: int = 0
    since: datetime | None = None
    last: datetime | None = None

    @property
    def never_matched(self) -> bool:
        """Whether nothing has ever come to it, as far as is known."""
        return not self.messages and self.last is None


class RouteCounts:
    """The counts of all routes."""

    def __init__(self, connection: Connection) -> None:
        self._redis = connection.redis

    async def read(self) -> dict[str, RouteCount]:
        """By the name of the route; those that are known to have been in force."""
        found: dict[str, RouteCount] = {}
        for name, at in (await self._redis.hgetall(key("names-since"))).items():
            kind, _, route = name.partition("\t")
            if name == route_named(route) and kind:
                found.setdefault(route, RouteCount()).since = _moment(at)
        for lane, at in (await self._redis.hgetall(key("last-match"))).items():
            count = found.setdefault(read_lane(lane)[0], RouteCount())
            count.last = max(_moment(at), count.last or _moment(at))
        for field, value in (await self._redis.hgetall(key("counts"))).items():
            lane = field.partition("\t")[2]
            found.setdefault(read_lane(lane)[0], RouteCount()).messages += int(value)
        return found


def _moment(seconds: str) -> datetime:
    return datetime.fromtimestamp(float(seconds), UTC)
