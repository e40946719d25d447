"""`ringpost routes`: why a message takes a route, what other routes would do, which are unused."""

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringpost.commands.options import AsJson, ConfigFile, SomeMailboxes
from ringpost.output import local_time, say, show_json, zone
from ringpost.periods import Until, past_moment
from ringpost.refusal import Refusal

if TYPE_CHECKING:
    from ringpost.trying import Source

routes = typer.Typer(help="Look at routes: nothing is done with messages.", no_args_is_help=True)


class From(StrEnum):
    """Where messages are read."""

    ARCHIVE = "archive"
    RINGCENTRAL = "ringcentral"


FromWhere = Annotated[
    From | None,
    typer.Option("--from", help="Where messages are read; else from an archive if there is one."),
]


@routes.command()
def explain(
    message: Annotated[
        str, typer.Argument(help="The id of a message, or a file with one as JSON.")
    ],
    mailbox: Annotated[
        str | None,
        typer.Option("--mailbox", metavar="ID", help="An extension's id; at RingCentral also ~."),
    ] = None,
    on: Annotated[str, typer.Option(help="What happened to the message.")] = "created",
    where: FromWhere = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Say condition by condition why each route takes a message or not.

    The message counts as it is there: in the archive as it came, at RingCentral as it now is.
    """
    from ringpost.connection import extensions_within_reach, run
    from ringpost.explained import as_dict, lines
    from ringpost.message_sources import found
    from ringpost.route_facts import RouteFacts
    from ringpost.surroundings import read_running_configuration
    from worker.explaining import explain_all
    from worker.happenings import WORDS
    from worker.problems import remedy

    if on not in WORDS:
        raise Refusal(f"--on {on[:40]}: {remedy(on, WORDS)}")
    _, configuration, handlers = read_running_configuration(config)

    async def work() -> "tuple[Source, str, list[Any]]":
        async with (
            extensions_within_reach() as names,
            found(message, mailbox, where.value if where else None, handlers) as (source, place),
        ):
            facts = await RouteFacts(configuration.routes, names).of(source, on)
            return source, place, explain_all(configuration.routes, facts, on)

    source, place, explained = run(work())
    if as_json:
        show_json(
            {
                "id": source.message.id,
                "mailbox": str(source.mailbox),
                "from": place,
                "on": on,
                "routes": [as_dict(one) for one in explained],
            }
        )
        return
    created = local_time(source.message.creation_time)
    kind = " ".join(filter(None, (source.message.direction, source.message.type)))
    say(f"message {source.message.id} of mailbox {source.mailbox}: {kind}, {created} {zone()}")
    say(f"read from {place}; on {on}")
    for one in explained:
        say()
        for line in lines(one):
            say(line)


@routes.command("try")
def try_routes(
    since: Annotated[str, typer.Option(metavar="TIME", help="Such as 7d, or a date.")],
    config: Annotated[
        Path, typer.Option("--config", metavar="FILE", help="The configuration to try.")
    ],
    against: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The one to compare with; else RINGPOST_CONFIG."),
    ] = None,
    until: Until = None,
    mailbox: SomeMailboxes = None,
    where: FromWhere = None,
    as_json: AsJson = False,
) -> None:
    """Compare the routes of another configuration with those in force on messages that came.

    Nothing is done with the messages. They count as new: what happened to them later does not.
    """
    from ringpost.archived_messages import roots_of
    from ringpost.bars import Bar
    from ringpost.connection import extensions_within_reach, run
    from ringpost.route_change_tables import for_programs, show
    from ringpost.route_changes import Comparing, messages, other_steps
    from ringpost.route_facts import RouteFacts
    from ringpost.surroundings import read_running_configuration

    now = datetime.now(UTC)
    begin = past_moment(since, "--since", now)
    end = past_moment(until, "--until", now) if until is not None else now
    if end <= begin:
        raise Refusal(f"--until {str(until)[:40]}: is not after --since; a date is its midnight")
    _, old, handlers = read_running_configuration(against)
    _, new, _ = read_running_configuration(config)
    roots = roots_of(handlers)
    if where is From.ARCHIVE and not roots:
        raise Refusal("--from archive: the configuration in force has no archive that is there")
    chosen = where or (From.ARCHIVE if roots else From.RINGCENTRAL)
    comparing = Comparing(old.routes, new.routes)

    async def work() -> None:
        async with extensions_within_reach() as names:
            facts = RouteFacts([*old.routes, *new.routes], names)
            with Bar("reading messages") as bar:
                found = messages(chosen.value, roots, mailbox or [], (begin, end), bar)
                async for one in found:
                    comparing.add(await facts.of(one))

    run(work())
    steps = other_steps(old.routes, new.routes)
    if as_json:
        show_json(for_programs(comparing.found, steps, chosen.value))
        return
    show(comparing.found, steps, chosen.value)


@routes.command()
def report(
    every: Annotated[bool, typer.Option("--all", help="All routes, not only the unused.")] = False,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Name the routes that no message has come to."""
    from ringpost.connection import ledger, run
    from ringpost.surroundings import read_routes
    from ringpost.tables import Column, show_table
    from worker.ledger.route_counts import RouteCount

    configuration = read_routes(config)

    async def read() -> dict[str, RouteCount]:
        async with ledger() as opened:
            return await opened.route_counts.read()

    counts = run(read())
    found = {route.name: counts.get(route.name, RouteCount()) for route in configuration.routes}
    if as_json:
        show_json(
            [
                {"route": name, "never_matched": one.never_matched, **one.model_dump()}
                for name, one in found.items()
            ]
        )
        return
    unused = {name: one for name, one in found.items() if one.never_matched}
    shown = found if every else unused
    if shown:
        show_table(
            (
                Column("route", folds=True),
                "messages",
                f"counted since ({zone()})",
                f"last match ({zone()})",
            ),
            (
                (name, one.messages, local_time(one.since), local_time(one.last))
                for name, one in shown.items()
            ),
        )
    say(f"{len(unused)} of {len(found)} routes have never matched")
