"""A step that is done is recorded though Redis is away for a while."""

import pytest

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


async def test_gives_up_in_the_end() -> None:
    """A ledger that never comes back is an error, not an endless wait."""

    async def call() -> str:
        raise LedgerError("away")

    with pytest.raises(LedgerError):
        await patiently(call, within=0.3)
