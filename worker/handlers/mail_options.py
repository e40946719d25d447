"""Types of the email handler's options: sizes, time zones, lengths of time."""

import re
from datetime import timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema

from worker.durations import parse_duration

_SIZE = re.compile(r"([0-9]{1,9}) ?(KB|MB|GB)")
_UNITS = {"KB": 1000, "MB": 1000**2, "GB": 1000**3}


def parse_size(text: object) -> int:
    """Octets from text such as `20MB`; raises ValueError with an example."""
    found = _SIZE.fullmatch(text.strip().upper()) if isinstance(text, str) else None
    if found is None or int(found[1]) == 0:
        raise ValueError('not a size; write such as "20MB" or "500KB"')
    return int(found[1]) * _UNITS[found[2]]


def written_as(example: str) -> WithJsonSchema:
    """What an editor is told of an option that is text in the file and something else here."""
    return WithJsonSchema({"type": "string", "examples": [example]})


def size_in_words(octets: int) -> str:
    """A size for people: `12 KB`, `3.4 MB`."""
    if octets < _UNITS["KB"]:
        return f"{octets} bytes"
    if octets < _UNITS["MB"]:
        return f"{octets / _UNITS['KB']:.0f} KB"
    return f"{octets / _UNITS['MB']:.1f} MB"


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, OSError, ValueError) as error:
        raise ValueError('not a time zone; write such as "Europe/Berlin"') from error
    return name


def _while(value: object) -> object:
    if isinstance(value, timedelta):
        return value
    if not isinstance(value, str):
        raise ValueError('not a length of time; write such as "7d"')
    return parse_duration(value)


Size = Annotated[int, BeforeValidator(parse_size), written_as("20MB")]
Zone = Annotated[str, AfterValidator(_zone)]
Duration = Annotated[timedelta, BeforeValidator(_while), written_as("7d")]
