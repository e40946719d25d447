"""Tables on narrow terminals and on pipes."""

import io
from collections.abc import Callable

import pytest
from rich.console import Console

from message_store.message import Message
from ringpost import tables
from ringpost.message_tables import show_list
from ringpost.tables import Column, show_table

Show = Callable[[int, Callable[[], None]], list[str]]


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Show:
    """The lines of what is shown on a terminal of this width."""

    def show(width: int, work: Callable[[], None]) -> list[str]:
        written = io.StringIO()
        monkeypatch.setattr(tables, "console", lambda: Console(file=written, width=width))
        work()
        return [line.rstrip() for line in written.getvalue().splitlines()]

    return show


MESSAGES = [
    Message.model_validate(
        {
            "id": 3064938607016 + number,
            "type": "VoiceMail",
            "direction": "Outbound",
            "creationTime": "2026-11-23T14:32:05.000Z",
            "from": {"phoneNumber": "+16505550100"},
            "to": [{"phoneNumber": "+16505550101"}],
            "readStatus": "Unread",
            "messageStatus": "SendingFailed",
            "subject": "A text that is long enough to need more than what is left of the line.",
        }
    )
    for number in range(3)
]


@pytest.mark.parametrize("width", [60, 80, 100, 132])
def test_messages_fit(shown: Show, width: int) -> None:
    """Ids, dates and numbers stay whole on one line; less important columns go."""
    lines = shown(width, lambda: show_list(MESSAGES))
    heading = lines[0]
    rows = [line for line in lines[1:] if line.startswith("306")]
    assert len(rows) == 3
    for row, message in zip(rows, MESSAGES, strict=True):
        assert row.startswith(f"{message.id}  2026-11-23 ")
        assert "VoiceMail" in row
        assert "+16505550100" in row
    assert heading.split()[0] == "id"
    if width >= 80:
        assert max(map(len, lines)) <= width
        assert "text" in heading
        assert ("delivery" in heading) is (width > 120)


def test_what_is_always_there_is_never_cut(shown: Show) -> None:
    """A terminal too narrow for the ids breaks lines itself: nothing is lost."""
    lines = shown(20, lambda: show_table(["id", "date"], [["3" * 15, "2026-11-23 14:32"]]))
    assert lines[1] == f"{'3' * 15}  2026-11-23 14:32"


def test_words_fold_and_the_rest_does_not(shown: Show) -> None:
    """Every word of a reason is there, under its heading."""
    reason = "550 no such user here " * 4
    columns = ("id", Column("reason", folds=True))
    lines = shown(40, lambda: show_table(columns, [["3064938607016", reason]]))
    assert len(lines) > 2
    assert " ".join(" ".join(lines[1:]).split()) == f"3064938607016 {reason.strip()}"


def test_an_empty_column_goes_first(shown: Show) -> None:
    """What says nothing is left out before what matters less."""
    columns = ("id", Column("empty", spare=1), Column("full", spare=2))
    lines = shown(14, lambda: show_table(columns, [["1234567", None, "1234"]]))
    assert lines == ["id       full", "1234567  1234"]


def test_a_cell_cannot_steer_the_terminal(shown: Show) -> None:
    """A text message is whatever its sender wants."""
    lines = shown(80, lambda: show_table(["text"], [["\x1b[2J\u202e[red]x\ud800"], ["\x1b"]]))
    assert lines == ["text", "[2J[red]x", "-"]
