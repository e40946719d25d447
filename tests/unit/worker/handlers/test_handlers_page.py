"""The page on handlers: what it shows is what runs."""

import re
import tomllib
from pathlib import Path

import pytest

from worker.handlers import lookup

PAGE = (Path(__file__).parents[4] / "docs/handlers.md").read_text()
TABLES = {
    name: table
    for block in re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    for name, table in tomllib.loads(block).get("handlers", {}).items()
}


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES.keys())
def test_every_table_is_accepted(table: dict[str, object]) -> None:
    """Each [handlers.*] table on the page passes its handler's checks."""
    options = {key: value for key, value in table.items() if key != "use"}
    if "smtp" in options:
        options["smtp"] = "smtps://user:password@mail.example.com"
    lookup.find(str(table["use"])).model_validate(options)


def test_the_built_in_handlers_are_all_there() -> None:
    """Each has a section, and each of its options is mentioned there."""
    for name in ("archive", "email", "files"):
        section = re.search(rf"^## {name}$(.*?)^## ", PAGE, re.DOTALL | re.MULTILINE)
        assert section, f"no section on {name}"
        for field, info in lookup.find(name).model_fields.items():
            assert f"`{info.alias or field}`" in section[1], f"{name}: {info.alias or field}"


def test_the_example_is_the_one_tested() -> None:
    """The printed plug-in is the one that passes the conformance suite."""
    tested = Path(__file__).with_name("test_contract.py").read_text()
    (example,) = re.findall(r"```python\n(\"\"\"Say.*?)```", PAGE, re.DOTALL)
    assert example in tested
