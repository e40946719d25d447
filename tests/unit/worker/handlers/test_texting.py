"""`reply` and `forward-sms`: whom they text, whom never, and no more than once."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from message_store.errors import ConnectionFailed
from worker.handlers.conformance import Bench, HandlerConformance
from worker.handlers.conformance_cases import FAX, MMS, PNG, SMS, Case, recent
from worker.handlers.contract import Handler, PermanentError
from worker.handlers.forward_sms import ForwardSms
from worker.handlers.reply import SmsReply
from worker.handlers.texting import is_toll_free

OURS, THEIRS, THIRD = "+16505550111", "+16505550100", "+16505550177"


class TestReplyConformance(HandlerConformance):
    """`reply` passes the suite for all handlers."""

    def make_handler(self) -> Handler:
        return SmsReply(text="We are closed.")


class TestForwardConformance(HandlerConformance):
    """So does `forward-sms`."""

    def make_handler(self) -> Handler:
        return forwarding(sender=OURS)


def forwarding(sender: str | None = None, **options: Any) -> ForwardSms:
    return ForwardSms.model_validate({"to": [THIRD], "from": sender, **options})


def text(**members: Any) -> Case:
    return recent(Case({**SMS.wire, **members}))


def sent(bench: Bench) -> list[tuple[str, str, str]]:
    return [(sms.sender, sms.to, sms.text) for sms in bench.store.sent]


async def test_an_answer(tmp_path: Path) -> None:
    """It comes from the number that was texted, and says what the template makes."""
    bench = Bench(text(), tmp_path)
    assert await bench.attempt(SmsReply(text="Thanks, {{ message.sender }}!")) == "answered"
    assert sent(bench) == [(OURS, THEIRS, "Thanks, Jane Doe (+16505550100)!")]


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"type": "VoiceMail"}, "it is no text message"),
        ({"direction": "Outbound"}, "it was sent from here"),
        ({"from": {"phoneNumber": "72975"}}, "no whole phone number"),
        ({"from": {"extensionNumber": "101"}}, "no whole phone number"),
        ({"from": {"phoneNumber": OURS}}, "our own number"),
        ({"from": {"phoneNumber": "+18005550123"}}, "toll-free"),
        ({"to": []}, "no single number of ours"),
        ({"to": [{"phoneNumber": OURS}, {"phoneNumber": THIRD}]}, "no single number of ours"),
        ({"subject": " Stop. "}, "a word like STOP"),
        ({"subject": "UNSUBSCRIBE"}, "a word like STOP"),
        ({"subject": "Revoke"}, "a word like STOP"),
        ({"subject": "opt-out"}, "a word like STOP"),
        ({"subject": "start"}, "a word like STOP"),
    ],
)
async def test_what_is_not_answered(members: dict[str, Any], reason: str, tmp_path: Path) -> None:
    """Ourselves, machines, groups, and words of consent; the outcome says why."""
    bench = Bench(text(**members), tmp_path)
    words = await bench.attempt(SmsReply(text="Hello"))
    assert words.startswith("not answered: ")
    assert reason in words
    assert bench.store.sendings == 0


async def test_what_is_old_or_no_news_is_not_answered(tmp_path: Path) -> None:
    """After an outage or in a backfill nobody is startled."""
    old = (datetime.now(UTC) - timedelta(days=2)).isoformat()
    bench = Bench(Case({**SMS.wire, "creationTime": old}), tmp_path)
    assert "more than a day old" in await bench.attempt(SmsReply(text="Hello"))
    bench = Bench(text(), tmp_path)
    assert "no new message" in await bench.attempt(SmsReply(text="Hello"), on="read")
    assert bench.store.sendings == 0


async def test_stop_is_honoured(tmp_path: Path) -> None:
    """Who has said STOP is texted by neither."""
    bench = Bench(text(), tmp_path)
    bench.notes.stopped = {THEIRS, THIRD}
    assert await bench.attempt(SmsReply(text="Hello")) == "not answered: the number has said STOP"
    assert await bench.attempt(forwarding()) == "1 not sent on: has said STOP"
    assert bench.store.sendings == 0


async def test_not_too_often(tmp_path: Path) -> None:
    """One answer in an hour for a number, and so many of a conversation in a day."""

    async def answers(handler: SmsReply, *ids: str) -> list[str]:
        first = Bench(text(), tmp_path)
        words = []
        for id_ in ids:
            bench = Bench(text(id=id_), tmp_path)
            bench.notes = first.notes
            words.append(await bench.attempt(handler))
        return words

    assert await answers(SmsReply(text="Hello"), "1", "2", "1") == [
        "answered",
        "not answered: the number was answered not long before",
        "answered",
    ]


async def test_so_many_a_day(tmp_path: Path) -> None:
    """A conversation has its answers of a day; a number has its texts of one."""
    handler, notes = forwarding(most_per_day=2), Bench(text(), tmp_path).notes
    words = []
    for id_ in ("1", "2", "3"):
        bench = Bench(text(id=id_), tmp_path)
        bench.notes = notes
        words.append(await bench.attempt(handler))
    assert words == ["1 sent on", "1 sent on", "1 not sent on: has had its texts of a day"]


@pytest.mark.parametrize("handler", [SmsReply(text="Hello"), forwarding()])
async def test_an_answer_that_was_lost(handler: Handler, tmp_path: Path) -> None:
    """What may have been sent is looked for before it is sent again."""
    bench = Bench(text(), tmp_path)
    bench.store.answers_lost = True
    with pytest.raises(ConnectionFailed):
        await bench.attempt(handler)
    bench.store.answers_lost = False
    assert "before" in await bench.attempt(handler, 2)
    assert (bench.store.sendings, len(bench.store.sent)) == (1, 1)

    bench = Bench(text(), tmp_path)
    bench.store.broken = True
    with pytest.raises(ConnectionFailed):
        await bench.attempt(handler)
    bench.store.broken = False
    assert "before" not in await bench.attempt(handler, 2)
    assert len(bench.store.sent) == 1


async def test_sent_on(tmp_path: Path) -> None:
    """To each number a text of its own, from the number it came to; not to who sent it."""
    bench = Bench(text(), tmp_path)
    words = await bench.attempt(forwarding(to=[THIRD, "(650) 555-0178", THIRD, THEIRS]))
    assert words == "2 sent on, 1 not sent on: it came from there"
    said = "Text message from Jane Doe (+16505550100): Are you open today?"
    assert sent(bench) == [(OURS, THIRD, said), (OURS, "+16505550178", said)]


async def test_a_team_that_sends_on_to_itself(tmp_path: Path) -> None:
    """Each of its numbers gets a text once, although they all come to mailboxes with this route."""
    team = [THIRD, "+16505550178", "+16505550179"]
    handler, notes = forwarding(to=team), Bench(text(), tmp_path).notes
    queue, got = [(THEIRS, OURS, "Are you open?")], []
    while queue:
        sender, called, said = queue.pop(0)
        got.append(called)
        numbers = {"from": {"phoneNumber": sender}, "to": [{"phoneNumber": called}]}
        bench = Bench(text(id=len(got), subject=said, **numbers), tmp_path)
        bench.notes = notes
        words = await bench.attempt(handler)
        queue += sent(bench)
    assert got == [OURS, *team]
    assert words == "not sent on: it was sent on or answered from here"
    bench = Bench(text(**numbers, subject="Another one"), tmp_path)
    bench.notes = notes
    assert await bench.attempt(handler) == "2 sent on, 1 not sent on: it came from there"


async def test_what_is_not_sent_on(tmp_path: Path) -> None:
    """What was sent from here, or it would go round; and what has no number to send from."""
    bench = Bench(text(direction="Outbound"), tmp_path)
    assert await bench.attempt(forwarding()) == "not sent on: it was sent from here"
    bench = Bench(recent(Case({**FAX.wire, "to": []}, FAX.contents)), tmp_path)
    with pytest.raises(PermanentError, match="set `from`"):
        await bench.attempt(forwarding())
    assert await bench.attempt(forwarding(sender=OURS)) == "1 sent on"
    assert bench.store.sent[0].text == "Fax from Jane Doe (+16505550100), 3 pages"


async def test_pictures_go_along(tmp_path: Path) -> None:
    """Those of an MMS do, whole; too much of them stays behind, and that is said."""
    case = recent(MMS)
    bench = Bench(case, tmp_path)
    assert await bench.attempt(forwarding()) == "1 sent on"
    assert [file.content for file in bench.store.sent[0].files] == [PNG, b""]
    large = Bench(Case(case.wire, {"5": bytes(1_500_001), "6": b""}), tmp_path / "large")
    assert await large.attempt(forwarding()) == "1 sent on; without its files: more than 1.5 MB"
    assert large.store.sent[0].files == ()


def test_toll_free() -> None:
    """Numbers of businesses and their machines are known."""
    assert is_toll_free("+18005550123")
    assert not is_toll_free(THEIRS)
    assert not is_toll_free("+9991234567")  # of no country


@pytest.mark.parametrize(
    "options", [{"to": []}, {"to": ["72975"]}, {"to": ["Jane"]}, {"from": "101"}]
)
def test_wrong_numbers(options: dict[str, Any]) -> None:
    """They are refused at start with an example."""
    with pytest.raises(ValidationError, match=r"write such as \+16505550100|at least 1 item"):
        ForwardSms.model_validate({"to": [THIRD], **options})
