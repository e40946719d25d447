"""The settings: their words, their ways to be told, and what they refuse."""

from typing import Any

import pytest

from sandbox.settings import REAL_LIMITS, Settings


@pytest.mark.parametrize(
    ("told", "limits"),
    [
        ("real", dict(REAL_LIMITS)),
        (REAL_LIMITS, dict(REAL_LIMITS)),
        ("light=5,medium=4", {"light": 5, "medium": 4}),
        ({"light": 5}, {"light": 5}),
    ],
)
def test_limits_are_read(told: Any, limits: dict[str, int]) -> None:
    """Limits may be a mapping, a word, or text as on the command line."""
    assert Settings(limits=told).limits == limits


@pytest.mark.parametrize(
    ("choices", "said"),
    [
        ({"limits": "light=many"}, "limits.light: must be a whole number, not 'many'"),
        ({"window": 0}, "window: must be greater than 0, not '0'"),
        ({"token_lifetme": 1}, "unknown: 'token_lifetme'; do you mean 'token_lifetime'?"),
        ({"xyzzy": 1}, "unknown: 'xyzzy'"),
    ],
)
def test_mistakes_are_named(choices: dict[str, Any], said: str) -> None:
    """What cannot be chosen is named in one line."""
    with pytest.raises(ValueError, match=r"^\S.*$") as refused:
        Settings.chosen(**choices)
    assert str(refused.value).startswith(said)


def test_a_wrong_change_changes_nothing() -> None:
    """Settings change all together, or not at all."""
    settings = Settings()
    with pytest.raises(ValueError, match="latency"):
        settings.change({"window": 3, "latency": -1})
    assert settings.window == 60
    settings.change({"window": "3", "penalty": 1})
    assert (settings.window, settings.penalty_length) == (3.0, 1.0)


def test_every_setting_has_a_meaning() -> None:
    """The sentence below each setting is its help, and one line."""
    for name, info in Settings.model_fields.items():
        assert info.description, name
        assert "\n" not in info.description, name
