"""docs/recipes: each file is a whole configuration, and its `[[tests]]` say what it does."""

import re
from pathlib import Path

import pytest

from worker.handlers.conformance_bench import Bench
from worker.handlers.conformance_cases import MMS, Case
from worker.handlers.files import Files
from worker.handlers.loading import load_all
from worker.reviewing import remarks
from worker.route_tests import run_tests

FOLDER = Path(__file__).parents[3] / "docs" / "recipes"
RECIPES = sorted(FOLDER.glob("*.toml"))
VALUES = {
    "SMTP_URL": "smtps://user:password@mail.example.com",
    "JOURNAL_SMTP_URL": "smtps://user:password@mail.example.com",
    "SLACK_ADDRESS": "slack://TokenA/TokenB/TokenC/#service-desk",
    "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "a" * 40,
    "CUSTOMER_SECRET": "whsec_" + "a" * 40,
}


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.stem)
def test_a_recipe_does_what_its_tests_say(recipe: Path) -> None:
    """It loads with its handlers, each test passes, each route has a test, and all is named.

    `ringpost check` finds nothing that could not be meant.
    """
    configuration, handlers = load_all(recipe, VALUES)
    results = run_tests(configuration.tests, configuration.routes)
    assert [result for result in results if not result.passed] == []
    assert list(remarks(configuration)) == []
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
    """The recipe keeps pictures only, again under the same name."""
    sounds = [{"id": 7, "type": "MmsAttachment", "contentType": "audio/amr", "fileName": "a.amr"}]
    wire = {**MMS.wire, "attachments": [*MMS.wire["attachments"], *sounds]}
    bench = Bench(Case(wire, {**MMS.contents, "7": b"sound"}), tmp_path)
    _, handlers = load_all(FOLDER / "07-pictures-by-sender.toml", VALUES)
    written = handlers["pictures"].model_dump()
    handler = Files(**{**written, "to": str(tmp_path / "pictures")})
    for attempt in (1, 2):
        await bench.attempt(handler, attempt)
    [folder] = (tmp_path / "pictures").iterdir()
    assert folder.name == "+16505550100"
    assert len(list(folder.iterdir())) == 2
