"""`ringpost schema`: the JSON schema of a configuration, for editors."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ringpost.commands.options import ConfigFile
from ringpost.output import hint, show_json
from ringpost.refusal import Refusal


def schema(config: ConfigFile = None) -> None:
    """Print the JSON schema of ringpost.toml, with the options of all handlers that are here.

    Those of your own, package.module:Class, are in it if the configuration uses them already.
    An editor with Taplo (Even Better TOML) uses it if the first line of the file is
    `#:schema ./ringpost.schema.json` and the schema is there.
    """
    show_json(whole_schema(_own_handlers(config)))


def whole_schema(own: Iterable[str] = ()) -> dict[str, Any]:
    """The schema with the handlers that are built in, installed or `own`; a broken one is named."""
    from worker.handlers.built_in import BUILT_IN
    from worker.handlers.lookup import find, installed
    from worker.problems import Wrong, quoted
    from worker.schema import schema

    kinds = {}
    for name in dict.fromkeys([*BUILT_IN, *sorted(installed()), *own]):
        try:
            kinds[name] = find(name)
        except Wrong as wrong:
            hint(f"without the options of {quoted(name)}: it {wrong}")
    return schema(kinds)


def _own_handlers(config: Path | None) -> list[str]:
    """Those that the configuration uses as `package.module:Class`; none if it cannot be read."""
    from ringpost.surroundings import read_routes, running_settings

    if config is None and not running_settings().config.exists():
        return []
    try:
        tables = read_routes(config).handlers
    except Refusal as refusal:
        hint(f"without the handlers of your own: {refusal.lines[0]}")
        return []
    return sorted({table.use for table in tables.values() if ":" in table.use})
