"""What in a configuration cannot be meant is named, and nothing else."""

from pathlib import Path

import pytest

from worker.configuration import load
from worker.reviewing import remarks

HANDLER = '[handlers.vault]\nuse = "archive"\nto = "file:///srv/messages"\n'


def route(name: str, *lines: str) -> str:
    return "\n".join(["[[routes]]", f'name = "{name}"', 'steps = ["vault"]', *lines, ""])


def found(tmp_path: Path, text: str) -> list[str]:
    path = tmp_path / "ringpost.toml"
    path.write_text(HANDLER + text)
    (tmp_path / "vip.csv").write_text("number\n101\n")
    return [f"{'.'.join(map(str, one.path))}: {one.words}" for one in remarks(load(path, {}))]


HOURS = '[hours.office]\nzone = "Europe/Berlin"\nopen = "Mon-Fri 09:00-17:00"\n'
CONTACTS = '[contacts.vip]\nfile = "vip.csv"\n'
STOP = 'then = "stop"'
FAX, SMS = 'match.type = "Fax"', 'match.type = "SMS"'
NEVER = "can never match: "
HIDDEN = "is never reached: "


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (route("a", SMS, 'match.pages = "> 3"'), [f"routes.0: {NEVER}match.type = "]),
        (
            route("a", 'on = "read"', 'match.readStatus = "Unread"'),
            [f'routes.0: {NEVER}on = "read": match.readStatus = "Unread" and match.readStatus'],
        ),
        (route("a", 'on = "transcribed"', FAX), [f'routes.0: {NEVER}on = "transcribed": ']),
        (route("a", 'on = "delivered"', 'match.messageStatus = "Sent"'), [f"routes.0: {NEVER}"]),
        (route("a", STOP) + route("b"), [f'routes.1: {HIDDEN}"a" ends the search']),
        (route("a", FAX, STOP) + route("b", FAX, 'match.from = "*"'), [f"routes.1: {HIDDEN}"]),
        (
            route("a", 'match.text = "urgent"', STOP) + route("b", 'match.text = "very urgent"'),
            [f"routes.1: {HIDDEN}"],
        ),
        (
            route("a", STOP)
            + route("b", 'on = "read"', STOP)
            + route("c", 'on=["created","read"]'),
            [f'routes.2: {HIDDEN}"a" and "b" end the search'],
        ),
        (
            route("a", 'if = "message.pages > 3"', STOP)
            + route("b", FAX, 'if = "message.pages > 3"'),
            [f"routes.1: {HIDDEN}"],
        ),
        (
            route("a", 'on = "read"', 'match.direction = "Outbound"'),
            [f'routes.0: {NEVER}on = "read": match.direction = "Outbound" and match.direction'],
        ),
        (
            route("a", 'match.not.transcription = "urgent"', 'wait.transcript = "4m"'),
            ["routes.0: asks for the transcription when a message is new"],
        ),
        (
            route("a", 'match.messageStatus = "*Failed"'),
            ['routes.0: match.messageStatus = "*Failed" is seldom so when a message is new; write'],
        ),
        (
            route("a", 'match.messageStatus = ["sent", "SendingFailed"]'),
            ['routes.0: match.messageStatus = ["sent", "SendingFailed"] is seldom so when a'],
        ),
        (
            route("a", 'match.readStatus = "Read"', 'match.direction = "Inbound"'),
            ['routes.0: match.readStatus = "Read" is seldom so when a message is new; write on ='],
        ),
        (
            route("a", "if = \"message.type == 'fax'\""),
            ['routes.0: if: message.type is never "fax", case counts here; did you mean "Fax"?'],
        ),
        (
            route("a", 'match.owner = "Sales"'),
            ["routes.0: asks for the owner, which only shared messages have"],
        ),
        (route("a", FAX, 'wait.transcript = "4m"'), ["routes.0: wait.transcript has no effect"]),
        (route("a", 'match.text = "are you open?"'), ['routes.0: match.text = "are you open?": ?']),
        (
            route("a", 'match.text = ["now", "urgent|pain"]'),
            ['routes.0: match.text = ["now", "urgent|pain"]: a regular expression is written'],
        ),
        (
            route("a", r"match.text = '/\bübel\b/'"),
            [r'routes.0: match.text = "/\\bübel\\b/": \b knows ASCII letters only'],
        ),
        (HOURS + route("a"), ["hours.office: no route asks for it"]),
        (
            HOURS.replace("Europe/Berlin", "EST") + route("a", 'match.not.hours = "office"'),
            ['hours.office.zone: "EST" has no daylight saving time; if it is to have one, write'],
        ),
        (
            CONTACTS + route("a", 'match.from = "vip"', 'match.text = "@vip"'),
            ['contacts.vip: no route asks for them; write match.from = "@vip"'],
        ),
        (
            route("a") + '[handlers.b]\nuse="mark-read"\n',
            ["handlers.b: is in the steps of no route"],
        ),
    ],
)
def test_what_has_no_effect(tmp_path: Path, text: str, words: list[str]) -> None:
    """Each in its one place, with the reason."""
    said = found(tmp_path, text)
    assert len(said) == len(words)
    assert all(one.startswith(other) for one, other in zip(said, words, strict=True)), said


@pytest.mark.parametrize(
    "text",
    [
        route("a") + route("b"),
        route("a", FAX, STOP) + route("b"),
        route("a", FAX, STOP) + route("b", 'match.type = ["Fax", "SMS"]'),
        route("a", STOP) + route("b", 'on = ["created", "read"]'),
        route("a", 'on = "read"', STOP) + route("b"),
        route("a", 'match.from = "+16505550100"', STOP) + route("b", 'match.to = "+16505550100"'),
        route("a", FAX, 'if = "message.pages > 3"', STOP) + route("b", FAX),
        route("a", 'on = ["created", "read"]', 'match.readStatus = "Unread"'),
        route("a", 'on = ["created", "transcribed"]', 'match.transcription = "urgent"'),
        route("a", 'match.text = ["open*?", "????", "*?"]'),
        '[sync]\nowner = "any"\n' + route("a", "if = \"message.owner.name == 'Sales'\""),
        route("a", "if = \"message.type == 'MMS' || message.text == 'fax' || message.id != 'x'\""),
        route("a", 'match.messageStatus = ["Received", "Sent"]'),
        route("a", 'match.readStatus = "Read"'),
        route(
            "a",
            r"match.text = ['/urgent|pain/', '/\bmüde\b/', 'a. [b c] *', '[EXTERNAL]']",
        ),
        route("a", 'on = ["created", "failed"]', 'match.messageStatus = "*Failed"'),
        route("a", 'on = "failed"', 'match.messageStatus = "SendingFailed"'),
        HOURS
        + CONTACTS
        + route("a", 'match.any = [{hours = "office"}, {not = {to = ["x", "@vip"]}}]'),
        route("a")
        + '[handlers.b]\nlike = "vault"\nto = "file:///srv/x"\n'
        + route("c").replace('"vault"', '"b"'),
    ],
)
def test_what_may_be_meant(tmp_path: Path, text: str) -> None:
    """Nothing is said of it."""
    assert found(tmp_path, text) == []
