"""Tracebacks that say where, and no more."""

import pytest

from message_store.tracebacks import discreet_traceback, name_of

SECRET = "Meet me at noon"


def _caught(error: Exception) -> Exception:
    with pytest.raises(type(error)) as caught:
        raise error
    return caught.value


def test_frames_without_words() -> None:
    """Every error of a chain is there with its place and type, and none with its words."""
    try:
        try:
            int(SECRET)
        except ValueError as error:
            raise RuntimeError(SECRET) from error
    except RuntimeError as error:
        text = discreet_traceback(error)
    assert SECRET not in text
    assert text.index("ValueError") < text.index("RuntimeError")
    assert text.count("in test_frames_without_words") == 2


def test_words_about_code_and_ours() -> None:
    """What Python says about code helps to mend it; what is ours is safe."""
    with pytest.raises(AttributeError) as caught:
        _ = None.missing  # type: ignore[attr-defined]  # that is the point
    assert "has no attribute 'missing'" in discreet_traceback(caught.value)
    assert name_of(KeyError("ours"), KeyError) == "KeyError: 'ours'"
    assert name_of(KeyError("theirs")) == "KeyError"


def test_groups_circles_and_depth() -> None:
    """Groups are told in full, and neither a circle nor a long chain goes on for ever."""
    group = _caught(ExceptionGroup(SECRET, [_caught(KeyError(SECRET)), _caught(OSError(SECRET))]))
    told = discreet_traceback(group)
    assert SECRET not in told
    types = [line for line in told.split("\n") if line in {"ExceptionGroup", "KeyError", "OSError"}]
    assert types == ["ExceptionGroup", "KeyError", "OSError"]
    one, other = ValueError(SECRET), ValueError(SECRET)
    one.__cause__, other.__cause__ = other, one
    assert discreet_traceback(one).count("ValueError") == 2
    last: Exception = ValueError()
    for _ in range(5000):
        before, last = last, ValueError()
        last.__context__ = before
    assert discreet_traceback(last).count("ValueError") == 20
