"""What matching costs: 100 routes of all kinds, 10,000 messages, one core.

`python -m bench.routes`: microseconds for each message and file of routes, beside chains of `if`
written by hand for the same routes. Exit 1 if the goal is missed.
"""

import csv
import random
import re
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from message_store.mailbox import Mailbox
from message_store.message import Message
from worker.configuration import load
from worker.routes import RouteSearch

ROUTES, MESSAGES, PATIENTS = 100, 10_000, 2_000
GOAL_MICROSECONDS = 100.0
ROUNDS = 5
MAILBOX = Mailbox("400", "101")
KINDS = ("SMS", "SMS", "SMS", "MMS", "Fax", "VoiceMail", "Pager")
WORDS = ("hello", "please", "call me", "back", "invoice", "order", "delivery", "urgent", "broken")

HEAD = """
[hours.office]
zone = "Europe/Berlin"
open = ["Mon-Fri 09:00-12:30", "Mon-Thu 13:30-17:30"]
holidays = ["2026-12-25", "2026-12-26"]
[contacts.patients]
file = "patients.csv"
[[routes]]
name = "Everything is kept"
steps = ["mark-read"]
"""

# Each is used again and again with another number, until there are 100 routes.
PATTERNS = (
    'match.type = "Fax"\nmatch.direction = "Inbound"\nmatch.to = "+1650556{n:04d}"',
    'match.type = "SMS"\nmatch.from = ["+1650555{n:04d}", "+1415*"]\nmatch.text = "urgent"',
    'match.type = "VoiceMail"\nmatch.not = {{hours = "office"}}\nmatch.duration = "> {n}s"',
    'match.type = "SMS"\nmatch.text = "/\\\\border[ -]?{n}\\\\b/"',
    'match.from = "@patients"\nmatch.to = "+1650556{n:04d}"',
    'match.any = [{{type = "Fax", pages = ">= {n}"}}, {{type = "VoiceMail", priority = "High"}}]',
    'match.type = ["Fax", "MMS"]\nmatch.contentType = "image/*"\nmatch.from = "*clinic {n}*"',
    'match.direction = "Outbound"\nmatch.messageStatus = "*Failed"\nmatch.to = "+1650556{n:04d}"',
    'match.type = "Fax"\nif = "message.pages > {n} && message.from.name.startsWith(\'Dr\')"',
    'match.type = "SMS"\nmatch.hours = "office"\nmatch.conversation = "{n}"',
)


def write(folder: Path, chance: random.Random) -> Path:
    """A file of 100 routes, and the patients that some of them ask for."""
    with (folder / "patients.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["number", "name"])
        table.writerows([number(chance, 5), f"Patient {n}"] for n in range(PATIENTS))
    path = folder / "ringpost.toml"
    tables = (
        f'[[routes]]\nname = "route {n}"\n{PATTERNS[n % len(PATTERNS)].format(n=n)}\n'
        'steps = ["mark-read"]\n'
        for n in range(1, ROUTES)
    )
    path.write_text(HEAD + "".join(tables))
    return path


def number(chance: random.Random, area: int) -> str:
    """A phone number; few enough that some routes are for them."""
    return f"+165055{area}{chance.randrange(3000):04d}"


def message(chance: random.Random, n: int) -> Message:
    """One of many messages: of any type, at any time of the year."""
    kind, inbound = chance.choice(KINDS), chance.random() < 0.8
    files = {
        "MMS": [{"id": 1, "type": "MmsAttachment", "contentType": "image/jpeg"}],
        "Fax": [{"id": 1, "type": "RenderedDocument", "contentType": "application/pdf"}],
        "VoiceMail": [{"id": 1, "type": "AudioRecording", "vmDuration": chance.randrange(180)}],
    }
    moment = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=chance.randrange(525_600))
    return Message.model_validate(
        {
            "id": n,
            "type": "SMS" if kind == "MMS" else kind,
            "direction": "Inbound" if inbound else "Outbound",
            "from": {"phoneNumber": number(chance, 5), "name": f"Dr. Clinic {n % 99}"},
            "to": [{"phoneNumber": number(chance, 6)}],
            "subject": " ".join(chance.choices(WORDS, k=20)),
            "messageStatus": "Received" if inbound else "Sent",
            "creationTime": moment.isoformat(),
            "conversationId": chance.randrange(200),
            "faxPageCount": chance.randrange(1, 30),
            "attachments": files.get(kind, []),
        }
    )


def chain(n: int) -> Callable[[Message], bool]:
    """The n-th route as one would write it by hand, without contacts, hours and expressions."""
    callee, order = f"+1650556{n:04d}", re.compile(rf"\border[ -]?{n}\b", re.IGNORECASE)
    sender, clinic, about = f"+1650555{n:04d}", f"clinic {n}", str(n)

    def to(message: Message) -> bool:
        return any(party.phone_number == callee for party in message.to)

    def caller(message: Message) -> str:
        return (message.from_ and message.from_.phone_number) or ""

    def name(message: Message) -> str:
        return (message.from_ and message.from_.name) or ""

    chains: Sequence[Callable[[Message], bool]] = (
        lambda m: m.type == "Fax" and m.direction == "Inbound" and to(m),
        lambda m: (
            m.type == "SMS"
            and (caller(m) == sender or caller(m).startswith("+1415"))
            and "urgent" in m.text.casefold()
        ),
        lambda m: m.type == "VoiceMail" and (m.attachments[0].vm_duration or 0) > n,
        lambda m: m.type == "SMS" and order.search(m.text) is not None,
        lambda m: to(m) and caller(m) != "",
        lambda m: (
            (m.type == "Fax" and (m.fax_page_count or 0) >= n)
            or (m.type == "VoiceMail" and m.priority == "High")
        ),
        lambda m: (
            (m.type == "Fax" or m.is_mms)
            and any((part.content_type or "").startswith("image/") for part in m.files)
            and clinic in name(m).casefold()
        ),
        lambda m: (
            m.direction == "Outbound" and (m.message_status or "").endswith("Failed") and to(m)
        ),
        lambda m: m.type == "Fax" and (m.fax_page_count or 0) > n and name(m).startswith("Dr"),
        lambda m: m.type == "SMS" and m.conversation_id == about,
    )
    return chains[n % len(chains)]


def microseconds(work: Callable[[Message], object], messages: Sequence[Message]) -> float:
    """What one message takes of a core: the best of some rounds, as others use the machine too."""
    best = float("inf")
    for _ in range(ROUNDS):
        started = time.process_time()
        for one in messages:
            work(one)
        best = min(best, time.process_time() - started)
    return best / len(messages) * 1e6


def main() -> int:
    """Measure both and print; 1 if the goal is missed."""
    chance = random.Random(5)
    with tempfile.TemporaryDirectory() as folder:
        routes = load(write(Path(folder), chance), {}).routes
    search = RouteSearch(routes)
    messages = [message(chance, n) for n in range(1, MESSAGES + 1)]
    chains = [chain(n) for n in range(1, ROUTES)]

    def ours(message: Message) -> object:
        return search.by_word(message, MAILBOX, ("created",))

    def by_hand(message: Message) -> object:
        return [check for check in chains if check(message)]

    found = sum(len(search.by_word(one, MAILBOX, ("created",))["created"]) for one in messages)
    bare, taken = microseconds(by_hand, messages), microseconds(ours, messages)
    each = f"{found / len(messages):.1f} routes each"
    print(f"{len(routes)} routes, {len(messages):,} messages, {each}")
    print(f"chains of if:  {bare:7.1f} us for each message")
    print(f"ringpost:      {taken:7.1f} us for each message, {taken / bare:.1f} times that")
    print(f"goal:          {GOAL_MICROSECONDS:7.1f} us")
    if taken > GOAL_MICROSECONDS:
        print("missed")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
