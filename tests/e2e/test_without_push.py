"""Messages arrive though notifications, writes or whole minutes of requests are missing."""

from collections.abc import Awaitable, Callable

from sandbox import RingCentral
from tests.support.line import Line
from tests.support.waiting import Eventually

Start = Callable[[], Awaitable[None]]
READ = """
[[routes]]
name = "kept"
steps = ["vault", "mark-read"]
"""


async def test_polling_without_an_address(
    line: Line, ringcentral: RingCentral, eventually: Eventually
) -> None:
    """Behind a firewall, without WEBHOOK_URL, a message is there within seconds."""
    line.configure(READ)
    del line.environment["WEBHOOK_URL"]
    line.start("worker")
    await eventually(lambda: ringcentral.count("syncMessages", status=200))

    await ringcentral.receives_fax()

    await eventually(line.archived)
    assert ringcentral.subscriptions == []


async def test_a_message_while_no_webhook_listens(
    line: Line, started: Start, ringcentral: RingCentral, eventually: Eventually
) -> None:
    """It is there soon after the webhook is: what nobody heard of is looked for at its start."""
    line.configure(READ, sweep="1h")
    await started()
    line.kill("webhook")
    await ringcentral.receives_sms("nobody listens")
    await eventually(
        lambda: [one for one in ringcentral.notifications if one.outcome != "delivered"]
    )

    line.start("webhook")

    await eventually(line.archived)


async def test_a_limit_that_is_lowered(
    line: Line, started: Start, ringcentral: RingCentral, eventually: Eventually
) -> None:
    """When RingCentral allows less from now on, all arrive and no penalty is begun anew."""
    line.configure(READ)
    await started()
    await ringcentral.receives_fax()
    await eventually(line.archived)
    ringcentral.limits_to(medium=10, window=2)
    for _ in range(25):
        await ringcentral.receives_fax()

    await eventually(lambda: len(line.archived()) == 26)

    medium = [request for request in ringcentral.requests if request.group == "medium"]
    [*_, last] = [0.0, *(request.finished for request in medium if request.status == 429)]
    assert not [r for r in medium if r.in_penalty and r.started > last]


async def test_limited_mode(
    line: Line, started: Start, ringcentral: RingCentral, eventually: Eventually
) -> None:
    """While RingCentral takes no writes archiving goes on, and read marks follow later."""
    line.configure(READ)
    await started()
    ringcentral.enters_limited_mode(retry_after=1)

    records = [await ringcentral.receives_fax() for _ in range(3)]
    await eventually(lambda: len(line.archived()) == 3)
    await eventually(lambda: ringcentral.count("updateMessage", status=503) >= 1)
    assert not any(line.is_read(record["id"]) for record in records)

    ringcentral.recovers()

    await eventually(lambda: all(line.is_read(record["id"]) for record in records))


async def test_a_fax_that_is_not_rendered_yet(
    line: Line, started: Start, ringcentral: RingCentral, eventually: Eventually
) -> None:
    """A fax whose content is refused while it renders is delivered when it is there."""
    line.configure(READ)
    await started()

    fax = await ringcentral.receives_fax(rendering=1)

    await eventually(lambda: line.is_read(fax["id"]))


async def test_a_download_that_breaks_off(
    line: Line, started: Start, ringcentral: RingCentral, eventually: Eventually
) -> None:
    """A truncated download is taken up again, and the archived file is whole."""
    line.configure(READ)
    await started()
    ringcentral.truncates_downloads(2)

    fax = await ringcentral.receives_fax()

    await eventually(lambda: line.is_read(fax["id"]))
    [folder] = line.archived()
    content = ringcentral.content(fax["id"], fax["attachments"][0]["id"])
    assert any(path.read_bytes() == content for path in folder.iterdir())
