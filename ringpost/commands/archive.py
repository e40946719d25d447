"""`ringpost archive`: is it what was archived, handing it on, and removing what is over."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ringpost.adoption_hint import AdoptionHint
from ringpost.archives import (
    OnThisDisk,
    find_archives,
    find_mailboxes,
    find_places,
    in_words,
    one_place,
    opened,
    parse_date,
)
from ringpost.commands.archive_holds import hold, show_holds
from ringpost.commands.archive_options import ByHandler, Folder, FromDay, OfMailboxes, ToDay
from ringpost.commands.options import AsJson, ConfigFile
from ringpost.output import alarm, aside, hint, say, show_json
from ringpost.refusal import Refusal

if TYPE_CHECKING:
    from worker.archive.folders import Fault
    from worker.archive.outputs import Output
    from worker.archive.verification import Tally

archive = typer.Typer(
    help="Check what was archived, hand it on, remove what is over.", no_args_is_help=True
)
archive.add_typer(hold, name="hold")


@archive.command()
def verify(
    folder: Folder = None,
    handler: ByHandler = None,
    mailbox: OfMailboxes = None,
    first: FromDay = None,
    last: ToDay = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Compare every file with its manifest and the chains; exit 1 with a line for each fault.

    Exit code 2 if there is nothing to compare.
    """
    from worker.archive.holds import HoldsUnreadableError, read_holds
    from worker.archive.verification import Tally

    days = _days(first, last)
    tally = Tally()
    found: list[dict[str, str]] = []
    count = 0
    adoption = AdoptionHint()
    holds = []
    empty: list[str] = []
    for place in find_places(folder, handler, config):
        where, before = in_words(place), tally.months
        with _reading(where), opened(place) as kept:
            meant = find_mailboxes(kept, where, mailbox) if mailbox else [None]
            try:
                holds += read_holds(place) if isinstance(place, Path) else []
            except HoldsUnreadableError as error:
                raise Refusal(str(error), exit_code=1) from None
            for fault in (one for box in meant for one in kept.verify(box, *days, tally)):
                count += 1
                adoption.note(fault.path.name, fault.what)
                if as_json:
                    found.append(_fault(fault, kept.name_of))
                else:
                    alarm(f"{kept.name_of(fault.path)} {fault.what}")
            if tally.months == before and not (mailbox or first or last):
                empty.append(where)
    if as_json:
        facts = {name: getattr(tally, name) for name in Tally.__slots__}
        on_hold = [one.model_dump(mode="json", exclude={"what"}) for one in holds]
        show_json({"faults": found, "checked": facts, "holds": on_hold})
    else:
        _show_tally(tally)
        show_holds(holds)
        if count:
            say(_count(count, "fault"))
        elif not empty:
            say("all is as it was archived" if tally.months else "nothing is archived there")
    for where in empty:
        hint(f"{where}: nothing is archived there; is its disk mounted, is it the right one?")
    if count:
        adoption.show()
        raise typer.Exit(1)
    if empty:
        raise typer.Exit(2)


@archive.command()
def adopt(
    folder: Folder = None,
    handler: ByHandler = None,
    mailbox: OfMailboxes = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Take what was archived before there were chains into them, if it is as its manifest says."""
    from worker.archive.adoption import adopt as adopted
    from worker.archive.folders import Fault

    count = 0
    faults: list[Fault] = []
    for root in find_archives(folder, handler, config):
        meant = find_mailboxes(OnThisDisk(root), str(root), mailbox) if mailbox else [None]
        with _reading(root):
            for one in (one for box in meant for one in adopted(root, box)):
                if isinstance(one, Fault):
                    faults.append(one)
                else:
                    count += 1
    if as_json:
        show_json({"adopted": count, "faults": [_fault(fault) for fault in faults]})
    else:
        for fault in faults:
            alarm(f"{fault.path} {fault.what}")
        say(f"{_count(count, 'folder')} taken into the chains")
    if faults:
        raise typer.Exit(1)


@archive.command()
def export(
    out: Annotated[
        Path,
        typer.Option("--out", metavar="FILE.zip|FOLDER", help="What to make; nothing is replaced."),
    ],
    mailbox: OfMailboxes = None,
    first: FromDay = None,
    last: ToDay = None,
    form: Annotated[
        str, typer.Option("--format", metavar="eml|json", help="As mails, or as it is.")
    ] = "eml",
    folder: Folder = None,
    handler: ByHandler = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Write messages with their files into a zip file or a folder, with a list of checksums."""
    import asyncio

    from ringpost.archive_export import export_to
    from worker.archive.outputs import FolderOutput, ZipOutput

    if form not in {"eml", "json"}:
        raise Refusal(f'--format "{form}": is not known; known are eml, json')
    known: Literal["eml", "json"] = "json" if form == "json" else "eml"
    days = _days(first, last)
    place = one_place(folder, handler, config)
    where = in_words(place)
    make: Callable[[Path], Output] = ZipOutput if out.suffix.lower() == ".zip" else FolderOutput
    with opened(place) as kept:
        with _reading(where):
            meant = find_mailboxes(kept, where, mailbox) if mailbox else list(kept.mailboxes())
        about = {
            "archive": where,
            "mailboxes": list(map(str, meant)) if mailbox else None,
            "from": days[0] and days[0].isoformat(),
            "to": days[1] and days[1].isoformat(),
            "format": form,
            "made": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        output = _new(make, out)
        with _reading(out), output:
            messages = kept.messages(meant, *days)
            count, found = asyncio.run(export_to(output, messages, known, about, kept.name_of))
    if as_json:
        show_json({"messages": count, "faults": found, "out": str(out)})
    else:
        for fault in found:
            alarm(f"{fault['path']} {fault['what']}")
        say(f"{_count(count, 'message')} written to {out}")
    if found:
        adoption = AdoptionHint()
        for fault in found:
            adoption.note(Path(fault["path"]).name, fault["what"])
        adoption.show()
        raise typer.Exit(1)


@archive.command()
def expire(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only list what would be removed.")
    ] = False,
    handler: ByHandler = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Remove messages older than their handler's `keep` and not on hold, as workers do daily."""
    from worker.archive.holds import HoldsUnreadableError
    from worker.archive.retention import expired, remove_expired

    today = datetime.now(UTC).date()
    kept = find_archives(None, handler, config)
    found: list[str] = []
    count = 0
    for root, keep in kept.items():
        if keep is None:
            hint(f"{root}: kept for ever, its handler has no `keep`")
            continue
        with _reading(root):
            batches: Iterable[Iterable[Path]] = (
                [expired(root, keep, today)] if dry_run else remove_expired(root, keep, today)
            )
            try:
                for message in (one for batch in batches for one in batch):
                    count += 1
                    if as_json:
                        found.append(str(message))
                    else:
                        say(str(message))
            except HoldsUnreadableError as error:
                raise Refusal(str(error), exit_code=1) from None
    if as_json:
        show_json({"removed": not dry_run, "messages": found})
    else:
        say(f"{_count(count, 'message')} {'would be ' * dry_run}removed")


def _show_tally(tally: "Tally") -> None:
    counts = (
        _count(tally.messages, "message"),
        _count(tally.revisions, "revision"),
        _count(tally.files, "file"),
        f"{tally.size / 1e6:.1f} MB in {_count(tally.months, 'month')}",
    )
    say(", ".join(counts))
    if tally.removed:
        say(f"{_count(tally.removed, 'message')} removed: their time was over")
    if tally.doomed:
        say(f"{tally.doomed} more are being removed; `ringpost archive expire` finishes it")
    if tally.unfinished:
        say(f"{_count(tally.unfinished, 'folder')} without a manifest: begun, and not archived")


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'s'[: number != 1]}"


def _days(first: str | None, last: str | None) -> tuple[date | None, date | None]:
    days = parse_date("--from", first), parse_date("--to", last)
    if days[0] and days[1] and days[0] > days[1]:
        raise Refusal(f"--from {first} is after --to {last}; no day is in between")
    return days


def _fault(fault: "Fault", name_of: Callable[[Path], str] = str) -> dict[str, str]:
    return {"path": name_of(fault.path), "what": fault.what}


def _new(make: "Callable[[Path], Output]", out: Path) -> "Output":
    try:
        return make(out)
    except FileExistsError:
        raise Refusal(f"{out}: is there already and is left as it is; name another") from None
    except OSError as error:
        raise Refusal(f"{out}: cannot be written ({error.strerror})", exit_code=1) from None


@contextmanager
def _reading(place: Path | str) -> Iterator[None]:
    try:
        with aside().status(f"going through {place}"):
            yield
    except OSError as error:
        words = str(error.strerror or error)
        where = error.filename or place
        raise Refusal(words if str(place) in words else f"{where}: {words}", exit_code=1) from None
