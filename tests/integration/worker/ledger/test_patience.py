"""A step that is done is recorded though Redis is away for a while."""

import pytest
from redis.exceptions import BusyLoadingError, OutOfMemoryError, ResponseError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from worker.ledger import LedgerError
from worker.ledger.patience import patiently


async def test_waits_for_the_ledger() -> None:
    """A call that fails at first is repeated until it is answered."""
    answers = iter([LedgerError("away"), LedgerError("away"), "written"])

    async def call() -> str:
        answer = next(answers)
        if isinstance(answer, LedgerError):
            raise answer
        return str(answer)

    assert await patiently(call) == "written"


@pytest.mark.parametrize(
    "refusal",
    [
        RedisConnectionError("refused"),
        RedisTimeoutError("no answer"),
        BusyLoadingError("reads its file"),
        OutOfMemoryError("no room"),
        ResponseError("MISCONF Errors writing to the AOF file: No space left on device"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_a_night_without_redis(refusal: LedgerError) -> None:
    """What keeps Redis from everything is waited for as long as it lasts: the mail is out."""
    answers = [refusal, refusal]

    async def call() -> str:
        if answers:
            raise answers.pop()
        return "written"

    assert await patiently(call, within=0) == "written"


async def test_gives_up_in_the_end() -> None:
    """What Redis has against this very call is an error, not an endless wait."""

    async def call() -> str:
        raise ResponseError("user_script:12: a bug")

    with pytest.raises(LedgerError):
        await patiently(call, within=0.3)
