"""docs/routes.md says what is true."""

import re
from pathlib import Path

import pytest

from worker.comparisons import MEASURES
from worker.configuration import Configuration, load
from worker.expressions import VARIABLES
from worker.facts import FACTS
from worker.handlers.loading import load_all
from worker.happenings import WORDS
from worker.problems import ConfigurationError
from worker.route_tests import run_tests

DOC = Path(__file__).parents[3] / "docs" / "routes.md"
TEXT = DOC.read_text()
HANDLERS = """
[handlers.vault]
use = "archive"
to = "file:///srv/messages"
[handlers.office-mail]
use = "email"
smtp = "smtp://localhost"
from = "a@example.com"
to = ["b@example.com"]
"""


BLOCKS = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)
# what stands at the top of a file is no part of the table before it
BLOCKS.sort(key=lambda block: block.startswith("["))


def whole(folder: Path, *more: str) -> Configuration:
    """All examples as one file, with what they name beside it."""
    path = folder / "ringpost.toml"
    path.write_text("\n".join([*BLOCKS, HANDLERS, *more]))
    (folder / "patients.csv").write_text("number,name\n(650) 555-0142,Anna\n")
    (folder / "routes").mkdir(exist_ok=True)
    return load_all(path, {})[0]


def rows() -> list[tuple[str, str, str]]:
    found = re.findall(r"^\| (`.+?`) \| (.+?) \| (yes|no) \|$", TEXT, re.MULTILINE)
    return [(condition.strip("`"), message, holds) for condition, message, holds in found]


def keys() -> set[str]:
    """All keys of `match` that are compared with something."""
    return {*FACTS, *MEASURES, "attachment", "hours"}


def test_there_are_examples() -> None:
    """The table of examples is found and covers every key but the simplest."""
    shown = {re.split(r"[ .]", condition)[0] for condition, _, _ in rows()}
    assert keys() | {"not", "any", "if"} == shown | {"direction"}
    assert len(rows()) >= 60


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], bool]:
    """Whether the condition of each row holds for its message."""
    tables = []
    for number, (condition, message, _) in enumerate(rows()):
        fields = re.findall(r"`(.+?)`", message)
        beside = [one for one in fields if re.match(r"extension|transcription", one)]
        given = "\n".join(f"given.{one}" for one in fields if one not in beside)
        match = condition if condition.startswith("if ") else f"match.{condition}"
        tables.append(f'[[routes]]\nname = "row {number}"\n{match}\nsteps = ["vault"]\n')
        test = [given or "given = {}", *beside, "expect = []"]
        tables.append(f'[[tests]]\nname = "row {number}"\n' + "\n".join(test))
    configuration = whole(tmp_path_factory.mktemp("rows"), *tables)
    results = run_tests(configuration.tests, configuration.routes)
    ran = {result.test.name: result.test.name in result.ran for result in results}
    return {row[:2]: ran[f"row {number}"] for number, row in enumerate(rows())}


@pytest.mark.parametrize(("condition", "message", "holds"), rows())
def test_example(
    answers: dict[tuple[str, str], bool], condition: str, message: str, holds: str
) -> None:
    """Each example of the table holds or not, as it says."""
    assert answers[condition, message] is (holds == "yes")


def test_the_tests_pass(tmp_path: Path) -> None:
    """The tests that are shown pass with all routes that are shown."""
    configuration = whole(tmp_path)
    results = run_tests(configuration.tests, configuration.routes)
    assert [(one.test.name, one.missing, one.surplus) for one in results if not one.passed] == []
    assert len(results) >= 2


def test_every_name_of_an_expression_is_told() -> None:
    """The table of names has those that an expression knows, and no others."""
    told = set()
    for first, *rest in (
        re.findall(r"`([\w.]+)`", cell)
        for cell in re.findall(r"^\| (`(?:message|extension)\..+?) \|", TEXT, re.MULTILINE)
    ):
        table = first.rpartition(".")[0]
        told |= {first, *(table + name if name.startswith(".") else name for name in rest)}
    assert told == set(VARIABLES)


def test_the_first_example_loads(tmp_path: Path) -> None:
    """The configuration at the top is accepted, handlers and all."""
    path = tmp_path / "ringpost.toml"
    path.write_text(HANDLERS + next(block for block in BLOCKS if block.startswith("[[routes]]")))
    configuration, handlers = load_all(path, {})
    assert len(configuration.routes) == 2
    assert handlers.keys() == {"vault", "office-mail", "mark-read"}


def test_every_example_loads(tmp_path: Path) -> None:
    """All that is shown is accepted, and every word that a route can be on is explained."""
    configuration = whole(tmp_path)
    assert configuration.handlers.keys() == {"vault", "office-mail", "nurse-mail"}
    assert {word for route in configuration.routes for word in route.on} == set(WORDS)
    for word in WORDS:
        assert re.search(rf"^\| `{word}` \| ", TEXT, re.MULTILINE), word


def test_the_mistakes_are_told_so(tmp_path: Path) -> None:
    """The lines under "Mistakes" are what those mistakes give, word for word."""
    path = tmp_path / "ringpost.toml"
    wrong = HANDLERS.replace("smtp =", "smpt =") + (
        '[[routes]]\nname = "Faxes reach the office"\nmatch.type = "Facs"\n'
        'steps = ["office-mail", "mark-red"]\n'
    )
    path.write_text(wrong)
    with pytest.raises(ConfigurationError) as error:
        load_all(path, {})
    said = {line.replace(f"{tmp_path}/", "") for line in error.value.problems}
    assert said == set(re.findall(r"^ringpost\.toml: .+$", TEXT, re.MULTILINE))


def test_the_documented_values_are_those_known() -> None:
    """The values in the table of keys are those the reader accepts."""
    for key in keys():
        (meaning,) = re.findall(rf"^\| `{key}` \| (.+) \|$", TEXT, re.MULTILINE)
        fact = FACTS.get(key)
        if fact and fact.known:
            assert tuple(dict.fromkeys(re.findall(r"`(\w+)`", meaning))) == fact.known


def test_load_is_what_check_uses(tmp_path: Path) -> None:
    """A table `[routes.match]` and dotted keys give the same route."""
    path = tmp_path / "ringpost.toml"
    dotted = '[[routes]]\nname = "x"\nmatch.type = "Fax"\nsteps = ["mark-read"]\n'
    path.write_text(dotted)
    first = load(path, {}).routes
    path.write_text('[[routes]]\nname = "x"\nsteps = ["mark-read"]\n[routes.match]\ntype = "Fax"\n')
    assert load(path, {}).routes == first
