"""`ringpost schema`: the JSON schema of a configuration, for editors."""

from typing import Any

from ringpost.output import hint, show_json


def schema() -> None:
    """Print the JSON schema of ringpost.toml, with the options of all handlers that are here.

    An editor with Taplo (Even Better TOML) uses it if the first line of the file is
    `#:schema ./ringpost.schema.json` and the schema is there.
    """
    show_json(whole_schema())


def whole_schema() -> dict[str, Any]:
    """The schema with the handlers that are built in or installed; one that is broken is named."""
    from worker.handlers.built_in import BUILT_IN
    from worker.handlers.lookup import find, installed
    from worker.problems import Wrong, quoted
    from worker.schema import schema

    kinds = {}
    for name in dict.fromkeys([*BUILT_IN, *sorted(installed())]):
        try:
            kinds[name] = find(name)
        except Wrong as wrong:
            hint(f"without the options of {quoted(name)}: it {wrong}")
    return schema(kinds)
