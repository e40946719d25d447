"""Instant, voicemail and fax notifications are hints as well, and cost no more than others."""

from sandbox import RingCentral
from tests.support.in_process import CONFIGURATION, ShortLine
from tests.support.waiting import Eventually

NEW_ONES = '"message-store/instant?type=SMS", "voicemail", "fax?direction=Inbound"'


def choosing(filters: str) -> str:
    return CONFIGURATION.replace('check_interval = "1s"', f"filters = [{filters}]")


async def test_what_is_new_is_told_at_once(
    line: ShortLine, ringcentral: RingCentral, eventually: Eventually
) -> None:
    """Without `message-store` each kind of inbound message is delivered all the same."""
    await line.start_worker(configuration=choosing(NEW_ONES))
    await eventually(line.is_covered)
    await eventually(line.is_quiet)

    arrived = [
        await ringcentral.receives_sms("one"),
        await ringcentral.receives_mms(),
        await ringcentral.receives_voicemail(),
        await ringcentral.receives_fax(),
    ]

    await eventually(lambda: all(map(line.is_delivered, arrived)))


async def test_several_notifications_of_one_message_are_one_sync(
    line: ShortLine, ringcentral: RingCentral, eventually: Eventually
) -> None:
    """Five messages that are announced twice each are delivered once, with few calls."""
    await line.start_worker(configuration=choosing(f'"message-store", {NEW_ONES}'))
    await eventually(line.is_covered)
    await eventually(line.is_quiet)
    before = ringcentral.count("syncMessages")

    arrived = [await ringcentral.receives_sms(f"number {n}") for n in range(5)]
    await eventually(lambda: all(map(line.is_delivered, arrived)))
    await eventually(line.is_quiet)

    assert len({n.notification["event"] for n in ringcentral.notifications}) == 2
    assert len(ringcentral.notifications) >= 6
    assert ringcentral.count("syncMessages") - before <= 3
