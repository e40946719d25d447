"""The commands that are made of the tables of settings and sentences, and what all commands share.

An option has the name, type and meaning of the setting or parameter that it stands for.
"""

import asyncio
import inspect
import types
from collections.abc import Coroutine, Sequence
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

import orjson
import typer

from sandbox.remote import DEFAULT_URL, URL_VARIABLE, Remote, SandboxError
from sandbox.sentences import SENTENCES, Sentence
from sandbox.settings import Settings

Url = Annotated[
    str | None, typer.Option(help=f"Where the sandbox is; else {URL_VARIABLE}, else {DEFAULT_URL}.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
T = TypeVar("T")

doing = typer.Typer(
    help="Tell a running sandbox what to do, above all what shall go wrong.", no_args_is_help=True
)
_SIMPLE = (str, int, float, bool)
_PORTS = {"port": 8090, "media_port": 8091}
"""A sandbox of its own listens where the other commands look for it."""
_SECRETS = {"client_secret": "RC_CLIENT_SECRET", "jwt": "RC_JWT"}


def run_remote(asked: Coroutine[Any, Any, T]) -> T:
    """What the sandbox answers; a failure is one line, with exit code 2 for what was told wrong."""
    try:
        return asyncio.run(asked)
    except SandboxError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(error.exit_code) from None


def show_json(value: Any) -> None:
    """Print a value as JSON."""
    typer.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode())


def signature_of_settings() -> inspect.Signature:
    """The parameters of `start`: an option for each setting."""
    parameters = []
    for name, info in Settings.model_fields.items():
        default = _PORTS.get(name, info.get_default(call_default_factory=True))
        kind = as_option(info.annotation)
        if kind is None:
            # a mapping, which the settings read from text as well
            kind, default = str | None, None
        option = typer.Option(help=info.description, envvar=_SECRETS.get(name))
        parameters.append(
            inspect.Parameter(
                name,
                inspect.Parameter.KEYWORD_ONLY,
                default=default,
                annotation=Annotated[kind, option],
            )
        )
    return inspect.Signature(parameters)


def as_option(annotation: Any) -> Any:
    """The type as an option can have it; None when a word cannot say it."""
    if get_origin(annotation) is Annotated:
        return as_option(get_args(annotation)[0])
    if annotation in _SIMPLE or get_origin(annotation) is Literal:
        return annotation
    if get_origin(annotation) is Sequence:
        return list[str]
    if get_origin(annotation) in (types.UnionType, Union):
        kinds = [as_option(kind) for kind in get_args(annotation) if kind is not types.NoneType]
        # an id may be a number or text: on the command line it is text
        kind = kinds[0] if len(kinds) == 1 else str
        optional = types.NoneType in get_args(annotation)
        return None if kind is None else kind | None if optional else kind
    return None


def _command(sentence: Sentence) -> None:
    parameters = []
    for parameter in sentence.parameters:
        if parameter.kind is parameter.VAR_KEYWORD:
            parameters.append(_further(parameter))
            continue
        kind = as_option(parameter.annotation)
        if kind is None:
            continue
        wanted = parameter.default is parameter.empty
        word = typer.Argument() if wanted else typer.Option()
        parameters.append(
            parameter.replace(kind=parameter.KEYWORD_ONLY, annotation=Annotated[kind, word])
        )
    url = inspect.Parameter("url", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Url)

    def say(**told: Any) -> None:
        remote = Remote(told.pop("url"))
        further = told.pop("further", None) or []
        told |= dict(member.partition("=")[::2] for member in further)
        if (known := run_remote(remote.do(sentence.name, told))) is not None:
            show_json(known)

    say.__signature__ = inspect.Signature([*parameters, url])  # type: ignore[attr-defined]  # what typer reads
    doing.command(name=sentence.name, help=sentence.meaning)(say)


def _further(parameter: inspect.Parameter) -> inspect.Parameter:
    words = typer.Argument(help=f"More {parameter.name}, such as `name=value`.")
    return inspect.Parameter(
        "further",
        inspect.Parameter.KEYWORD_ONLY,
        default=None,
        annotation=Annotated[list[str] | None, words],
    )


for _sentence in SENTENCES.values():
    _command(_sentence)
