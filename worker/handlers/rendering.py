"""Templates of the configuration, filled in with messages: sandboxed, bounded, compiled once."""

from collections.abc import Mapping
from difflib import get_close_matches
from functools import lru_cache
from typing import Annotated

from jinja2 import Template, TemplateError, meta
from pydantic import AfterValidator

from worker.handlers.contract import PermanentError
from worker.handlers.template_bounds import MAX_LETTERS, TooMuchError
from worker.handlers.template_sandbox import TemplateEnvironment, with_steps

NAMES = ("message", "mailbox", "route", "on")

_environment = TemplateEnvironment()


@lru_cache(maxsize=512)
def _compiled(template: str) -> Template:
    return _environment.from_string(template)


def check_template(template: str) -> str:
    """The template itself; raises ValueError saying what is wrong with it."""
    try:
        unknown = meta.find_undeclared_variables(_environment.parse(template)) - set(NAMES)
        _compiled(template)
    except TemplateError as error:
        raise ValueError(f"not a template: {error}") from error
    for name in sorted(unknown):
        nearest = get_close_matches(name, NAMES, n=1)
        hint = f"did you mean {nearest[0]!r}?" if nearest else f"there are {', '.join(NAMES)}"
        raise ValueError(f"unknown name {name!r} in the template; {hint}")
    return template


TemplateText = Annotated[str, AfterValidator(check_template)]
"""The type of an option that is a template, so that it is checked at start."""


def render(template: str, values: Mapping[str, object]) -> str:
    """Fill in a template; raises PermanentError if it is wrong or grows over 256 Ki letters."""
    pieces: list[str] = []
    room = MAX_LETTERS
    try:
        for piece in _compiled(template).generate(with_steps(values)):
            room -= len(piece)
            if room < 0:
                raise PermanentError(f"a template's result is longer than {MAX_LETTERS} letters")
            pieces.append(piece)
    except PermanentError:
        raise
    except TooMuchError as error:
        raise PermanentError(f"a template {error}") from error
    except Exception as error:  # a template may fail in any way Python can
        raise PermanentError(f"a template failed: {type(error).__name__}") from error
    return "".join(pieces)
