"""`ringpost handlers`: what handlers there are, their options, and one tried on one message."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ringpost.commands.options import AsJson, ConfigFile, OneMailbox
from ringpost.output import say, show_json
from ringpost.refusal import Refusal

if TYPE_CHECKING:
    from worker.configuration import Configuration

handlers = typer.Typer(help="Look at handlers, and try one.", no_args_is_help=True)


@handlers.command("list")
def list_handlers(config: ConfigFile = None, as_json: AsJson = False) -> None:
    """List the handlers that a step or `use` may name: built in, installed, configured."""
    from ringpost.handler_listing import listed
    from ringpost.tables import Column, show_table

    found = list(listed(_configuration(config)))
    if as_json:
        show_json([one.as_dict() for one in found])
        return
    show_table(
        ("name", "from", Column("use", spare=1), Column("what it does", folds=True)),
        ((one.name, one.source, one.use, one.about) for one in found),
    )


@handlers.command()
def show(
    name: Annotated[
        str, typer.Argument(help="Of a handler, or package.module:Class.", show_default=False)
    ],
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Show what a handler does and the options that it has."""
    from ringpost.handler_listing import about, is_closing, kind_of, options
    from ringpost.tables import Column, show_table

    use, kind = kind_of(name, _configuration(config))
    found = options(kind)
    if as_json:
        show_json(
            {
                "name": name,
                "use": use,
                "about": about(kind),
                "closing": is_closing(kind),
                "options": [option.as_dict() for option in found],
            }
        )
        return
    say(f"{name}: {about(kind)}" if use == name else f"{name} ({use}): {about(kind)}")
    if is_closing(kind):
        say("It changes the mailbox itself: put it last in a route, it waits for all other steps.")
    if not found:
        say("It has no options and needs no table.")
        return
    say()
    show_table(
        ("option", Column("type", folds=True), "default", Column("meaning", folds=True)),
        (
            (
                option.name,
                option.type,
                "must be given" if option.default is None else option.default,
                option.about,
            )
            for option in found
        ),
    )


@handlers.command("try")
def try_one(
    name: Annotated[str, typer.Argument(help="Of a handler in ringpost.toml.", show_default=False)],
    message: Annotated[
        str,
        typer.Option(
            metavar="FILE|ID",
            help="A message as JSON, its files beside it as in the archive; or the id of one.",
            show_default=False,
        ),
    ],
    mailbox: OneMailbox = "~",
    on: Annotated[str, typer.Option(help="What happened to the message.")] = "created",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only fill in its templates; nothing goes out.")
    ] = False,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Send one message through one handler, for real unless --dry-run says otherwise."""
    from ringpost.connection import of_workers, run
    from ringpost.handler_listing import insist_on_configured
    from ringpost.surroundings import read_running_configuration
    from ringpost.trying import attempt, context_of, preview, source
    from worker.handlers.contract import HandlerError
    from worker.happenings import WORDS
    from worker.problems import remedy

    if on not in WORDS:
        raise Refusal(f"--on {on[:40]}: {remedy(on, WORDS)}")
    path, _, handlers = read_running_configuration(config)
    step = insist_on_configured(name, handlers, path)

    async def work() -> dict[str, str]:
        async with (
            source(message, mailbox) as found,
            of_workers() as shared,
            context_of(name, found, on, shared.notes, shared.links) as context,
        ):
            if not dry_run:
                return {"outcome": await attempt(step, found, context)}
            try:
                return preview(step, found, context)
            except HandlerError as error:
                raise Refusal(f"handler {name}: {error.reason}", exit_code=1) from None

    shown = run(work())
    if as_json:
        show_json(shown)
        return
    for option, text in shown.items():
        say(text if option == "outcome" else f"{option}: {text}")
    if dry_run:
        if not shown:
            say("its options are right; it has no templates and no files to show")
        say("nothing was done: without --dry-run it is done for real")


def _configuration(path: Path | None) -> "Configuration | None":
    """The configuration if there is one; raises Refusal if it is broken."""
    from ringpost.surroundings import read_running_configuration, running_settings

    if path is None and not running_settings().config.exists():
        return None
    return read_running_configuration(path)[1]
