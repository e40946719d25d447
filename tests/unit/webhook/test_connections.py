"""The bound on connections and on strangers' time."""

from collections.abc import Callable
from typing import Any, cast

from aiohttp import web

from webhook.connections import Connections
from webhook.outcomes import Outcomes


class _Connection:
    def __init__(self, door: Connections) -> None:
        self.is_open = True
        door.opened(cast("web.RequestHandler", self))

    def force_close(self) -> None:
        self.is_open = False


def _door(**limits: Any) -> Connections:
    return Connections(Outcomes(), **limits)


async def test_the_oldest_stranger_makes_room() -> None:
    """When all places are taken the stranger who came first has to go, and nobody else."""
    door = _door(most=3)
    friend, first, second = (_Connection(door) for _ in range(3))
    door.trust(cast("web.RequestHandler", friend))
    third = _Connection(door)
    assert [one.is_open for one in (friend, first, second, third)] == [True, False, True, True]


async def test_without_strangers_the_newcomer_goes() -> None:
    """Connections that have shown our token are never pushed out."""
    door = _door(most=2)
    friends = [_Connection(door) for _ in range(2)]
    for friend in friends:
        door.trust(cast("web.RequestHandler", friend))
    newcomer = _Connection(door)
    assert not newcomer.is_open
    assert all(friend.is_open for friend in friends)


async def test_a_place_is_free_again() -> None:
    """A connection that has gone does not count."""
    door = _door(most=1)
    gone = _Connection(door)
    door.closed(cast("web.RequestHandler", gone))
    assert _Connection(door).is_open
    assert gone.is_open


async def test_strangers_have_little_time(eventually: Callable[..., Any]) -> None:
    """A stranger's connection is closed after a while, another's is not."""
    door = _door(stranger_seconds=0.05)
    friend, stranger = _Connection(door), _Connection(door)
    door.trust(cast("web.RequestHandler", friend))
    await eventually(lambda: not stranger.is_open)
    assert friend.is_open
