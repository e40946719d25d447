"""`ringpost reconcile`: whether everything has come that RingCentral lists; if not, it shall."""

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ringpost.commands.options import AsJson, SomeMailboxes
from ringpost.output import alarm, hint, local_time, say, show_json, zone
from ringpost.periods import Until, past_moment
from ringpost.refusal import Refusal

if TYPE_CHECKING:
    from ringpost.watched_mailboxes import Watched
    from worker.completeness.round import Round
    from worker.completeness.signing import Signer


def reconcile(
    since: Annotated[str, typer.Option(metavar="TIME", help="Such as 30d, 2y, or a date.")] = "30d",
    until: Until = None,
    mailbox: SomeMailboxes = None,
    repair: Annotated[
        bool, typer.Option("--repair", help="Deliver what is missing, replay what failed.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a signed statement there.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compare what RingCentral lists with what ledger and archive hold, by mailbox, day and type.

    Exit code 0 if nothing is missing and nothing has failed, else 1, also if it is being repaired.
    """
    from ringpost.waiting import run_to_the_end
    from ringpost.watched_mailboxes import open_watched

    now = datetime.now(UTC)
    begin = past_moment(since, "--since", now)
    end = past_moment(until, "--until", now) if until is not None else None
    if end is not None and end <= begin:
        raise Refusal(f"--until {until}: is not after --since {since}")

    async def work() -> dict[str, object]:
        async with open_watched(mailbox or []) as watched:
            signer = _signer(watched, out) if out else None
            done = await _go_round(watched, begin, end, repair=repair)
            return _finish(watched, done, out, signer, as_json=as_json)

    document = run_to_the_end(work(), lambda: "")
    if as_json:
        show_json(document)
    if not document["complete"]:
        raise typer.Exit(1)


async def _go_round(
    watched: "Watched", begin: datetime, end: datetime | None, *, repair: bool
) -> "Round":
    from ringpost.bars import Bar
    from worker.completeness.archives import archives_in
    from worker.completeness.reconciling import Reconciler, period
    from worker.completeness.repairing import Repairer
    from worker.completeness.round import go_round

    store_of, archives = watched.logins.store_of, archives_in(watched.handlers)
    parts = (watched.ledger, store_of, watched.configuration, archives)
    with Bar("comparing") as bar:
        return await go_round(
            Reconciler(*parts),
            Repairer(*parts) if repair else None,
            watched.mailboxes,
            period(begin, end, datetime.now(UTC)),
            told=bar.pause,
            begins=lambda mailbox: bar.name(f"comparing mailbox {mailbox}"),
        )


def _finish(
    watched: "Watched",
    done: "Round",
    out: Path | None,
    signer: "Signer | None",
    *,
    as_json: bool,
) -> dict[str, object]:
    from worker.archive.places import buckets
    from worker.completeness.archives import archives_in
    from worker.completeness.statement import rendered, statement, write

    for bucket in buckets(watched.handlers):
        hint(f"{bucket.address}: nothing is compared with an archive in a bucket")
    document = statement(
        done.found,
        done.problems,
        since=done.since,
        until=done.until,
        archives=archives_in(watched.handlers),
        made=datetime.now(UTC),
    )
    unwritten = None
    if out is not None and signer is not None:
        try:  # before anything is shown: whoever reads that may go away
            write(out, rendered(signer.sign(document)))
            hint(f"statement written to {out}; public key {signer.public_key}")
        except OSError as error:
            words = f"--out {out}: cannot be written ({error.strerror})"
            unwritten = Refusal(words, exit_code=1)
    if not as_json:
        _show(done)
    if unwritten is not None:
        raise unwritten
    repaired = {
        str(one): {"admitted": what.admitted, "replayed": what.replayed, "gone": what.gone}
        for one, what in done.repaired.items()
    }
    return {**document, "calls": done.calls, "repaired": repaired}


def _signer(watched: "Watched", out: Path) -> "Signer":
    """What signs the statement, found before the long work begins."""
    from worker.completeness.signing import KEY_FILE, signer

    settings = watched.settings
    if not out.absolute().parent.is_dir():
        raise Refusal(f"--out {out}: there is no folder {out.absolute().parent}; make it first")
    if out.is_dir():
        raise Refusal(f"--out {out}: is a folder; name a file in it")
    try:
        return signer(settings.keys, settings.data)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it holds no key"
        raise Refusal(f"{settings.data / KEY_FILE}: cannot be used ({reason})") from None


def _show(done: "Round") -> None:
    from ringpost.tables import Column, show_table

    end = local_time(done.until)
    say(f"messages created from {local_time(done.since)} to {end} {zone()}")
    for name, words in done.problems.items():
        alarm(f"mailbox {name}: could not be compared: {words}")
    rows = []
    for one in done.found:
        comparison, total = one.comparison, one.comparison.total
        missing, extra = len(comparison.of("missing")), len(comparison.of("extra"))
        archived = f"{total.archived} of {total.to_archive}" if total.to_archive else None
        states = (total.listed, total.settled, total.open, total.failed, total.skipped)
        rows.append((one.mailbox, *states, archived, missing, extra))
    show_table(
        (
            "mailbox",
            "listed",
            Column("settled", spare=2),
            Column("open", spare=3),
            "failed",
            Column("skipped", spare=4),
            Column("archived", spare=1),
            "missing",
            "extra",
        ),
        rows,
    )
    _show_differences(done)
    _show_repairs(done)
    if done.is_complete:
        calls = f"{done.calls:,} light {'call' if done.calls == 1 else 'calls'}"
        say(f"complete: all {done.total.listed:,} listed messages have come ({calls})")
    elif all(one.comparison.is_complete for one in done.found):
        say("not complete: not all mailboxes could be compared")
    elif not done.repaired:
        say("not complete; `ringpost reconcile --repair` delivers what is missing or failed")


def _show_differences(done: "Round") -> None:
    from ringpost.tables import Column, show_table

    named = [
        (one.mailbox, difference)
        for one in done.found
        for difference in one.comparison.differences
        if difference.kind != "extra"
    ]
    if named:
        say()
        show_table(
            ("", "mailbox", "message", "day (UTC)", "type", Column("why", folds=True)),
            ((one.kind, mailbox, one.id, one.day, one.type, one.why) for mailbox, one in named),
        )
    extra = Counter(one.why for found in done.found for one in found.comparison.of("extra"))
    for why, count in extra.most_common():
        say(f"extra: {count} {'message' if count == 1 else 'messages'}: {why}")


def _show_repairs(done: "Round") -> None:
    for mailbox, what in done.repaired.items():
        words = [f"{what.admitted} missing made due", f"{what.replayed} failed made due again"]
        if what.gone:
            words.append(f"{what.gone} cannot be read any more")
        say(f"mailbox {mailbox}: {', '.join(words)}")
    if done.repaired:
        say("workers deliver them behind live messages; reconcile again when they are through")
