"""Several files as one configuration."""

from collections.abc import Callable
from pathlib import Path

import pytest

from worker.configuration import Configuration, load
from worker.problems import ConfigurationError
from worker.route_tests import run_tests

MAIN = 'include = ["routes/*.toml", "more.toml"]\n[[routes]]\nname = "main"\nsteps = ["vault"]\n'
VAULT = '[handlers.vault]\nuse = "archive"\nto = "file:///srv"\n'

Load = Callable[..., Configuration]


def route(name: str, lines: str = "") -> str:
    return f'[[routes]]\nname = "{name}"\nsteps = ["vault"]\n{lines}\n'


@pytest.fixture
def loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    """`loaded({"more.toml": text})`: the configuration of these files and the main one."""
    monkeypatch.chdir(tmp_path)
    Path("routes").mkdir()

    def load_files(files: dict[str, str], **environ: str) -> Configuration:
        for name, text in ({"ringpost.toml": MAIN, "more.toml": VAULT} | files).items():
            Path(name).write_text(text)
        return load(Path("ringpost.toml"), environ)

    return load_files


def test_routes_in_the_order_of_the_files(loaded: Load) -> None:
    """Those of the file itself come first, then those of each file it includes, by name."""
    configuration = loaded(
        {
            "routes/b.toml": route("b"),
            "routes/a.toml": 'include = ["../deep.toml"]\n' + route("a1") + route("a2"),
            "deep.toml": route("deep"),
        }
    )
    names = [route.name for route in configuration.routes]
    assert names == ["main", "a1", "a2", "deep", "b"]
    assert configuration.handlers.keys() == {"vault"}
    assert {file.name for file in configuration.files} == {
        *("ringpost.toml", "more.toml", "a.toml", "b.toml", "deep.toml")
    }


def test_two_stars_are_any_folders(loaded: Load) -> None:
    """Also none; what lies deeper is found as well."""
    Path("routes/deep").mkdir()
    main = MAIN.replace("routes/*", "routes/**/*")
    files = {"ringpost.toml": main, "routes/a.toml": route("a"), "routes/deep/b.toml": route("b")}
    assert [one.name for one in loaded(files).routes] == ["main", "a", "b"]


def test_what_a_file_names_is_beside_it(loaded: Load) -> None:
    """Contacts and holidays are looked for where the file is that names them."""
    configuration = loaded(
        {
            "routes/people.csv": "number\n101\n",
            "routes/holidays.txt": "# ours\n2026-12-24  # half a day\n\n2026-12-25\n",
            "routes/a.toml": '[contacts.people]\nfile = "people.csv"\n'
            '[hours.office]\nzone = "UTC"\nopen = "Mon-Sun 00:00-24:00"\n'
            'holidays = "holidays.txt"\n'
            + route("a", 'match.from = "@people"\nmatch.hours = "office"'),
            "more.toml": VAULT
            + '[[tests]]\nname = "open"\ngiven.from.extensionNumber = "101"\n'
            + 'at = 2026-12-23T10:00:00Z\nexpect = ["main", "a"]\n'
            + '[[tests]]\nname = "closed"\ngiven.from.extensionNumber = "101"\n'
            + 'at = 2026-12-24T10:00:00Z\nexpect = ["main"]\n',
        }
    )
    results = run_tests(configuration.tests, configuration.routes)
    assert [result.passed for result in results] == [True, True]
    assert {"people.csv", "holidays.txt"} < {file.name for file in configuration.files}


def test_wrong_ones_are_named_with_their_file(loaded: Load) -> None:
    """Each line begins with the file that has to be corrected, and numbers count in it."""
    with pytest.raises(ConfigurationError) as error:
        loaded(
            {
                "ringpost.toml": MAIN + 'match.type = "Facs"\n',
                "more.toml": VAULT + route("main") + "[sync]\n",
                "routes/a.toml": '[handlers.vault]\nuse = "archive"\n'
                + route("x", 'match.from = "${WHO}"')
                + '[[routes]]\nsteps = ["valt"]\n',
            }
        )
    assert set(error.value.problems) == {
        'ringpost.toml: [[routes]] "main" "match.type": "Facs" is not known; did you mean "Fax"?',
        'more.toml: [[routes]] "main" "name": "main" is also the name of route number 1 in '
        "ringpost.toml; give each a name of its own",
        'more.toml: "sync": does not belong into an included file; write it in ringpost.toml',
        "more.toml: [handlers.vault]: is also in routes/a.toml; give each a name of its own",
        'routes/a.toml: [[routes]] "x" "match.from": the environment variable "WHO" is not set; '
        "set it, or write it in .env",
        'routes/a.toml: [[routes]] number 2 "name": is missing; '
        'write such as name = "Faxes reach the office"',
        'routes/a.toml: [[routes]] number 2 "steps", entry 1: "valt" is no handler; '
        'did you mean "vault"?',
    }


@pytest.mark.parametrize(
    ("files", "line"),
    [
        (
            {"more.toml": 'include = ["ringpost.toml"]\n' + VAULT},
            'more.toml: "include", entry 1: "ringpost.toml" brings ringpost.toml a second time; '
            "include it once",
        ),
        (
            {"routes/x.toml": 'include = ["x.toml"]\n'},
            'routes/x.toml: "include", entry 1: "x.toml" brings routes/x.toml a second time; '
            "include it once",
        ),
        (
            {"ringpost.toml": MAIN.replace("more", "mroe"), "routes/v.toml": VAULT},
            'ringpost.toml: "include", entry 2: "mroe.toml" is not there; '
            "it is looked for beside ringpost.toml",
        ),
        (
            {"routes/a.toml": "routes = 3\n"},
            'routes/a.toml: "routes": must be written [[routes]], in double brackets, not a number',
        ),
        (
            {"routes/a.toml": "hours = 3\n"},
            'routes/a.toml: "hours": must be tables with names such as [hours.NAME], not a number',
        ),
        (
            {"routes/a.toml": "x = \n"},
            "routes/a.toml: line 1, column 5: invalid value; "
            'write key = value, with text in "quotes" and lists in [brackets]',
        ),
    ],
)
def test_what_cannot_be_included(loaded: Load, files: dict[str, str], line: str) -> None:
    """One mistake, one line."""
    with pytest.raises(ConfigurationError) as error:
        loaded(files)
    assert error.value.problems == (line,)
