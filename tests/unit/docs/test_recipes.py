"""docs/recipes: each file is a whole configuration, and its `[[tests]]` say what it does."""

import re
from pathlib import Path

import pytest

from worker.handlers.command import Command
from worker.handlers.conformance_bench import Bench
from worker.handlers.conformance_cases import MMS, PNG, Case
from worker.handlers.loading import load_all
from worker.route_tests import run_tests

FOLDER = Path(__file__).parents[3] / "docs" / "recipes"
RECIPES = sorted(FOLDER.glob("*.toml"))
VALUES = {
    "SMTP_URL": "smtps://user:password@mail.example.com",
    "JOURNAL_SMTP_URL": "smtps://user:password@mail.example.com",
    "SLACK_ADDRESS": "slack://TokenA/TokenB/TokenC/#service-desk",
    "CUSTOMER_SECRET": "whsec_" + "a" * 40,
}


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.stem)
def test_a_recipe_does_what_its_tests_say(recipe: Path) -> None:
    """It loads with its handlers, each test passes, each route has a test, and all is named."""
    configuration, handlers = load_all(recipe, VALUES)
    results = run_tests(configuration.tests, configuration.routes)
    assert [result for result in results if not result.passed] == []
    assert {name for result in results for name in result.ran} == {
        route.name for route in configuration.routes
    }
    if all(route.conditions for route in configuration.routes):
        assert not all(result.ran for result in results), "no test says what it is not for"
    steps = {step for route in configuration.routes for step in route.steps}
    assert steps == handlers.keys()
    text = recipe.read_text()
    head = text.partition("\n\n")[0]
    assert head.startswith("# For ")
    for name in re.findall(r"\$\{(\w+)\}", text):
        assert name in head, f"{name} is needed and not explained"


def test_the_index_lists_every_recipe() -> None:
    """Each file has a line, and each line a file."""
    listed = re.findall(r"^\| \[(.+?)\]\((.+?)\) \|", (FOLDER / "README.md").read_text(), re.M)
    assert [name for name, _ in listed] == [recipe.name for recipe in RECIPES]
    assert all(name == link for name, link in listed)


async def test_pictures_come_into_the_folder_of_their_sender(tmp_path: Path) -> None:
    """The program of the recipe keeps pictures only, again under the same name."""
    sounds = [{"id": 7, "type": "MmsAttachment", "contentType": "audio/amr", "fileName": "a.amr"}]
    wire = {**MMS.wire, "attachments": [*MMS.wire["attachments"], *sounds]}
    bench = Bench(Case(wire, {**MMS.contents, "7": b"sound"}), tmp_path)
    program = str(FOLDER / "pictures-by-sender.py")
    handler = Command(run=["/usr/bin/env", "python3", program, str(tmp_path / "pictures")])
    for attempt in (1, 2):
        assert await bench.attempt(handler, attempt) == "2 pictures kept"
    [folder] = (tmp_path / "pictures").iterdir()
    assert folder.name == "16505550100"
    assert sorted(file.name for file in folder.iterdir()) == ["504-A-6.PNG", "504-a-5.png"]
    assert (folder / "504-a-5.png").read_bytes() == PNG


async def test_no_sender_leads_out_of_the_folder(tmp_path: Path) -> None:
    """What is no number is no folder."""
    wire = {**MMS.wire, "from": {"phoneNumber": "../../etc"}}
    bench = Bench(Case(wire, MMS.contents), tmp_path)
    program = str(FOLDER / "pictures-by-sender.py")
    handler = Command(run=["/usr/bin/env", "python3", program, str(tmp_path / "pictures")])
    await bench.attempt(handler)
    assert [folder.name for folder in (tmp_path / "pictures").iterdir()] == ["unknown"]
