"""The command line: which commands there are; each imports what it needs when it runs."""

import sys
from typing import Annotated

import typer

from ringpost.commands.admin import admin
from ringpost.commands.archive import archive
from ringpost.commands.backfill import backfill
from ringpost.commands.check import check
from ringpost.commands.failures import failures, replay
from ringpost.commands.handlers import handlers
from ringpost.commands.init import init
from ringpost.commands.messages import messages
from ringpost.commands.reconcile import reconcile
from ringpost.commands.routes import routes
from ringpost.commands.run import run
from ringpost.commands.sandbox import PASS_ON, sandbox
from ringpost.commands.schema import schema
from ringpost.commands.status import status
from ringpost.commands.subscriptions import subscriptions
from ringpost.commands.test import try_tests
from ringpost.commands.verify import verify
from ringpost.plain import plain
from ringpost.refusal import Refusal

app = typer.Typer(
    help="Watches RingCentral mailboxes and puts every fax, voicemail and text where it belongs.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # it would show local variables, and they may hold secrets
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"ringpost {version('ringpost')}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Say which it is."),
    ] = False,
) -> None:
    """What can be asked without a command."""


app.command()(run)
app.command()(init)
app.command()(check)
app.command()(schema)
app.command("test")(try_tests)
app.command()(status)
app.command()(admin)
app.command()(failures)
app.command()(replay)
app.command()(reconcile)
app.command()(verify)
app.command()(backfill)
app.add_typer(routes, name="routes")
app.add_typer(handlers, name="handlers")
app.add_typer(archive, name="archive")
app.add_typer(messages, name="messages")
app.add_typer(subscriptions, name="subscriptions")
app.command(context_settings=PASS_ON)(sandbox)


def main() -> None:
    """Run the command; what it refuses is said in lines on standard error."""
    try:
        app()
    except Refusal as refusal:
        for line in refusal.lines:
            sys.stderr.write(f"{plain(line)}\n")
        sys.exit(refusal.exit_code)


if __name__ == "__main__":
    main()
