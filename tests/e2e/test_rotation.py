"""The verification token is changed while messages arrive."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from sandbox import RingCentral
from tests.support.line import TOKEN, Line, answers
from tests.support.waiting import Eventually

Start = Callable[[], Awaitable[None]]
NEW = "e2e0rotated0token"


async def test_no_notification_is_lost(
    line: Line, started: Start, ringcentral: RingCentral, eventually: Eventually
) -> None:
    """Messages arrive throughout, and every notification is answered with 200 by the webhook."""
    line.configure('[[routes]]\nname = "kept"\nsteps = ["vault"]\n')
    line.environment["WEBHOOK_VERIFICATION_TOKEN"] = TOKEN
    await started()
    sent = 0

    async def arrives() -> None:
        nonlocal sent
        while True:
            await ringcentral.receives_sms(f"number {sent}")
            sent += 1
            await asyncio.sleep(0.1)

    async def restart(name: str) -> None:
        line.processes[name].terminate()
        await eventually(lambda: line.processes[name].poll() is not None)
        line.start(name)

    def tokens() -> list[str | None]:
        return [one.verification_token for one in ringcentral.subscriptions]

    # the webhook of one machine cannot change while it is called; behind a balancer it can
    line.environment["WEBHOOK_VERIFICATION_TOKEN"] = f"{NEW},{TOKEN}"
    await restart("webhook")
    await eventually(lambda: answers(line.webhook_url))
    arriving = asyncio.create_task(arrives())
    await eventually(lambda: len(line.archived()) >= 5)
    await restart("worker")
    await eventually(lambda: tokens() == [NEW])
    seen = sent
    await eventually(lambda: len(line.archived()) >= seen + 5)
    arriving.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await arriving
    await eventually(lambda: all(one.outcome for one in ringcentral.notifications))
    assert {one.outcome for one in ringcentral.notifications} == {"delivered"}

    line.environment["WEBHOOK_VERIFICATION_TOKEN"] = NEW
    await restart("webhook")
    await eventually(lambda: answers(line.webhook_url))
    assert await line.notify(token=TOKEN) == 401
    await ringcentral.receives_sms("the last one")
    await eventually(lambda: len(line.archived()) == sent + 1)
    # the sweep that begins with a webhook may have been faster
    await eventually(lambda: ringcentral.notifications[-1].outcome == "delivered")
