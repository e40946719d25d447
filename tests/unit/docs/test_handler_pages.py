"""docs/handlers/*.md: what they show loads, and no option is left out."""

import re
from pathlib import Path

import pytest

from worker.handlers.built_in import BUILT_IN
from worker.handlers.loading import load_all
from worker.handlers.lookup import find

DOCS = Path(__file__).parents[3] / "docs"
PAGES = sorted((DOCS / "handlers").glob("*.md"))
VALUES = {
    "SLACK_ADDRESS": "slack://TokenA/TokenB/TokenC/#front-desk",
    "TELEGRAM_ADDRESS": "tgram://123456789:abcdefg_hijklmnop/12315544",
    "SMTP_URL": "smtps://user:password@mail.example.com",
    "CUSTOMER_SECRET": "whsec_" + "a" * 40,
}


def blocks(page: Path) -> list[str]:
    return re.findall(r"```toml\n(.*?)```", page.read_text(), re.DOTALL)


@pytest.mark.parametrize(
    ("page", "number"), [(page, i) for page in PAGES for i in range(len(blocks(page)))]
)
def test_every_example_loads(page: Path, number: int, tmp_path: Path) -> None:
    """Each is a whole configuration that is accepted as it stands."""
    text = blocks(page)[number]
    path = tmp_path / "ringpost.toml"
    path.write_text(text)
    names = re.findall(r"\$\{(\w+)\}", text)
    load_all(path, {name: VALUES.get(name, "a1b2c3d4e5f6") for name in names})


@pytest.mark.parametrize("name", sorted(BUILT_IN))
def test_every_option_is_explained(name: str) -> None:
    """A page or section with its name has a line for each option, and the overview leads to it."""
    overview = (DOCS / "handlers.md").read_text()
    pages = [*PAGES, DOCS / "handlers.md"]
    sections = [
        section
        for page in pages
        for section in re.split(r"^##? ", page.read_text(), flags=re.MULTILINE)[1:]
        if name in re.split(r"[, \n]+", section.partition("\n")[0])
    ]
    assert sections, f"nothing on {name}"
    assert f"`{name}`" in overview, f"{name} is not in the table of handlers"
    for field, info in find(name).model_fields.items():
        option = info.alias or field
        assert any(f"`{option}`" in section for section in sections), f"{name}: {option}"
