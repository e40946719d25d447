"""The limits of a process alone."""

import pytest

from message_store.errors import RateLimited
from message_store.limits import LocalLimits, Permit

LIST = Permit("message-list")
LIGHT = {"X-Rate-Limit-Group": "light", "X-Rate-Limit-Window": "60"}


@pytest.fixture
def limits() -> LocalLimits:
    return LocalLimits(patience=1)


@pytest.mark.parametrize(
    ("status", "told", "pause"),
    [
        (200, {"X-Rate-Limit-Remaining": "1"}, 60),
        (200, {"X-Rate-Limit-Remaining": "0"}, 60),
        (429, {"Retry-After": "17"}, 17),
        (429, {}, 60),
    ],
)
async def test_a_used_up_group_is_left_alone(
    limits: LocalLimits, status: int, told: dict[str, str], pause: float
) -> None:
    """The last request but one of a window, and a 429, stop all operations of the group."""
    await limits.after(Permit("message"), 200, LIGHT)
    await limits.after(LIST, status, LIGHT | told)

    with pytest.raises(RateLimited) as caught:
        await limits.before(Permit("message"))

    assert pause - 1 < caught.value.retry_after <= pause


async def test_others_go_on(limits: LocalLimits) -> None:
    """Another group, and one that has enough left, are not held up."""
    await limits.after(LIST, 429, LIGHT)
    await limits.after(Permit("message-content"), 200, {"X-Rate-Limit-Remaining": "17"})

    await limits.before(Permit("message-content"))


async def test_a_short_pause_is_waited_for(limits: LocalLimits) -> None:
    """A pause of a moment is waited out in place."""
    await limits.after(LIST, 429, LIGHT | {"Retry-After": "0.05"})

    await limits.before(LIST)
