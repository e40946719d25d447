"""`ringpost messages mark|delete|restore`: what is changed in the Message Store by hand."""

import signal
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringpost.commands.message_options import (
    AllMatching,
    Availability,
    From,
    Mailboxes,
    MessageIds,
    ReadStatus,
    Yes,
    with_filters,
)
from ringpost.commands.options import AsJson
from ringpost.message_filters import Filters
from ringpost.message_ids import gathered
from ringpost.output import hint, local_time, say, show_json
from ringpost.refusal import Refusal
from ringpost.selection import Selection, selection

if TYPE_CHECKING:
    from message_store.mailbox import Mailbox
    from ringpost.changing import Change, Changing, Result
    from ringpost.mailbox_by_hand import Opened
    from ringpost.selection import Chosen

_FEW = 10
_MOST_LISTED = 20
_MOST_MAILBOXES = 5
_STOPPED = 130
_DELETED = "They can be restored for about five days (`ringpost messages restore`)."
_PURGED = "Nothing is left to restore."
_RESTORED = "They will be in the mailbox again as they were."


def add_changes(messages: typer.Typer) -> None:
    """Add the commands to the group."""
    for command in (mark, delete, restore):
        messages.command()(command)


@with_filters
def mark(
    filters: Filters,
    ids: MessageIds = None,
    source: From = None,
    all_matching: AllMatching = False,
    unread: Annotated[
        bool, typer.Option("--unread/--read", help="As which to mark them.", show_default="--read")
    ] = False,
    mailbox: Mailboxes = ["~"],  # noqa: B006  # Typer copies it
    as_json: AsJson = False,
) -> None:
    """Mark messages as read or unread."""
    from ringpost.changing import marking

    selected = selection(mailbox, gathered(ids or [], source), filters, all_matching)
    status = ReadStatus.UNREAD if unread else ReadStatus.READ
    words = f"marked as {status.value.lower()}"
    _change(selected, marking(status.value), words, None, as_json)


@with_filters
def delete(
    filters: Filters,
    ids: MessageIds = None,
    source: From = None,
    all_matching: AllMatching = False,
    purge: Annotated[
        bool, typer.Option("--purge", help="Delete for good: nothing is left to restore.")
    ] = False,
    yes: Yes = False,
    mailbox: Mailboxes = ["~"],  # noqa: B006  # Typer copies it
    as_json: AsJson = False,
) -> None:
    """Delete messages; they can be restored for about five days."""
    from ringpost.changing import deleting, purging

    selected = selection(mailbox, gathered(ids or [], source), filters, all_matching)
    _insist_on_somebody(yes)
    change = purging() if purge else deleting()
    question = None if yes else ("Purge" if purge else "Delete", _PURGED if purge else _DELETED)
    _change(selected, change, change.done, question, as_json)


@with_filters
def restore(
    filters: Filters,
    ids: MessageIds = None,
    source: From = None,
    all_matching: AllMatching = False,
    yes: Yes = False,
    mailbox: Mailboxes = ["~"],  # noqa: B006  # Typer copies it
    as_json: AsJson = False,
) -> None:
    """Take deleted messages back; filters look among the deleted ones."""
    from ringpost.changing import restoring

    selected = selection(mailbox, gathered(ids or [], source), filters, all_matching)
    _insist_on_somebody(yes)
    if all_matching and not filters.availability:
        deleted = replace(filters, availability=(Availability.DELETED.value,))
        selected = replace(selected, filters=deleted)
    question = None if yes else ("Restore", _RESTORED)
    _change(selected, restoring(), "restored", question, as_json)


def _insist_on_somebody(yes: bool) -> None:
    if not (yes or sys.stdin.isatty()):
        raise Refusal("nobody is there to confirm it (the input is no terminal); add --yes")


def _change(
    selected: Selection,
    change: "Change",
    words: str,
    question: tuple[str, str] | None,
    as_json: bool,
) -> None:
    """Change what is meant, after a question (verb, consequence) if there is one."""
    from ringpost.bars import Bar
    from ringpost.changing import Changing
    from ringpost.mailbox_by_hand import open_mailboxes
    from ringpost.selection import chosen
    from ringpost.waiting import run_to_the_end

    changing = Changing(change)
    unreadable: dict[str, str] = {}

    async def work() -> None:
        async with open_mailboxes(selected.mailboxes) as opened:
            with Bar("reading") as bar:
                found = await chosen(opened, selected, bar)
                if question is not None and found.count:
                    with bar.away():
                        _ask(*question, found, opened)
                await changing.run(opened, found, bar)
            unreadable.update(opened.unreadable)

    try:
        run_to_the_end(work(), changing.how_far)
    except Refusal:
        # What was done all the same is told: whoever goes on from here needs it.
        if changing.done or any(changing.problems):
            _show(changing, words, selected.several, as_json)
            _tell(*changing.problems)
        raise
    _show(changing, words, selected.several, as_json)
    end(*changing.problems, unreadable=unreadable)


def _ask(verb: str, consequence: str, found: "Chosen", opened: "Opened") -> None:
    """Ask whether to go on; raises Refusal if not."""
    hint(f"{verb} {_amount(found.count)} of {_where(found, opened)}. {consequence}")
    sys.stderr.write("Go on? [y/N] ")
    sys.stderr.flush()
    try:
        with _ctrl_c():
            answer = sys.stdin.readline()
    except KeyboardInterrupt:
        raise Refusal("", "stopped; nothing was changed", exit_code=_STOPPED) from None
    if answer.strip().casefold() not in {"y", "yes"}:
        raise Refusal("nothing was changed", exit_code=1)


def _where(found: "Chosen", opened: "Opened") -> str:
    titles = {opened.titles[mailbox]: len(ids) for mailbox, ids in found.ids.items()}
    if len(titles) == 1:
        (words,) = (f"mailbox {title}" for title in titles)
    else:
        some = [f"{title}: {count:,}" for title, count in titles.items()]
        more = [f"{len(some) - _MOST_MAILBOXES:,} more"] if len(some) > _MOST_MAILBOXES else []
        words = f"{len(some):,} mailboxes ({', '.join(some[:_MOST_MAILBOXES] + more)})"
    if found.oldest is None:
        return words
    return f"{words}, created {local_time(found.oldest)} to {local_time(found.newest)}"


@contextmanager
def _ctrl_c() -> Iterator[None]:
    """Ctrl-C ends a question: while asyncio runs, it would only be noted for later."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _show(changing: "Changing", words: str, several: bool, as_json: bool) -> None:
    results = changing.results
    if as_json:
        documents = [
            _document(changing, result, mailbox if several else None)
            for mailbox, result in results.items()
        ]
        show_json(documents if several else documents[0] if documents else _nothing(changing))
        return
    done = [one for result in results.values() for one in result.done]
    left_out = [one for result in results.values() for one in result.left_out]
    if done:
        say(f"{words}: {_ids(done)}")
    if left_out:
        say(f"left out, deleted already: {_ids(left_out)}")
    if not (done or left_out or any(changing.problems)):
        say("no messages")


def _nothing(changing: "Changing") -> dict[str, Any]:
    from ringpost.changing import Result

    return _document(changing, Result(), None)


def _document(changing: "Changing", result: "Result", mailbox: "Mailbox | None") -> dict[str, Any]:
    named = {} if mailbox is None else {"mailbox": str(mailbox)}
    left_out = {"deletedAlready": list(result.left_out)} if changing.change.looks_first else {}
    return {**named, changing.change.done: result.done, **left_out, "problems": result.problems}


def _ids(ids: list[str]) -> str:
    return ", ".join(ids) if len(ids) <= _MOST_LISTED else _amount(len(ids))


def _amount(count: int) -> str:
    return f"{count:,} {'message' if count == 1 else 'messages'}"


def _tell(*problems: Mapping[str, str]) -> bool:
    """Say what went wrong with which messages; whether anything did."""
    same: dict[str, list[str]] = defaultdict(list)
    for of_some in problems:
        for message_id, problem in of_some.items():
            same[problem].append(message_id)
    for problem, ids in same.items():
        for message_id in ids[:_FEW]:
            hint(f"message {message_id}: {problem}")
        if len(ids) > _FEW:
            hint(f"and {_amount(len(ids) - _FEW)} more: {problem}")
    return bool(same)


def end(*problems: Mapping[str, str], unreadable: Mapping[str, str] | None = None) -> None:
    """Say what went wrong, by message and by mailbox; exit with 1 if anything did."""
    failed = _tell(*problems)
    for title, reason in (unreadable or {}).items():
        hint(f"mailbox {title}: {reason}")
    if failed or unreadable:
        raise typer.Exit(1)
