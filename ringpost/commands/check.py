"""`ringpost check`: is all as it has to be, and if not, what to do."""

from typing import TYPE_CHECKING, Annotated

import typer

from ringpost.commands.options import AsJson, ConfigFile
from ringpost.output import aside, show_json
from ringpost.refusal import Refusal

if TYPE_CHECKING:
    from ringpost.findings import Finding


def check(
    config: ConfigFile = None,
    config_only: Annotated[
        bool, typer.Option("--config-only", help="Only what needs no network: for release steps.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Check configuration, tests, credentials, permissions, Redis, destinations and webhook."""
    from ringpost.checks.local import (
        check_admin,
        check_configuration,
        check_data,
        check_links,
        check_ports,
        check_webhook,
    )
    from ringpost.checks.routes import check_routes
    from ringpost.connection import run
    from ringpost.data_directory import DataDirectory
    from ringpost.findings import fail
    from ringpost.surroundings import running_settings

    try:
        settings = running_settings()
    except Refusal as refusal:
        _end([fail("settings", line) for line in refusal.lines], as_json)
        return
    running = DataDirectory(settings.data).running_environ()
    found, configuration, handlers = check_configuration(config or settings.config, running)
    if configuration is not None:
        found += check_routes(configuration)
    found += check_data(settings)
    # beside an instance of `ringpost run` this is no release step: it has made what was missing
    found += check_webhook(settings, release=config_only and not running)
    found += check_admin()
    found += check_links()
    if not config_only:

        async def ask() -> "list[Finding]":
            from ringpost.checks.destinations import check_destinations
            from ringpost.checks.redis import check_redis
            from ringpost.checks.ringcentral import check_ringcentral

            return [
                *await check_ports(running),
                *await check_ringcentral(settings, configuration, handlers),
                *await check_redis(settings),
                *await check_destinations(handlers),
            ]

        with aside().status("asking RingCentral, Redis and the destinations"):
            found += run(ask())
    _end(found, as_json)


def _end(found: "list[Finding]", as_json: bool) -> None:
    if as_json:
        show_json([finding.as_dict() for finding in found])
    else:
        for finding in found:
            finding.show()
    if any(finding.state == "fail" for finding in found):
        raise typer.Exit(1)
