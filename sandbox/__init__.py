"""RingCentral on localhost, written from its reference; shares no code with the other packages."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sandbox.ringcentral import RingCentral
    from sandbox.samples.content import Content, Generated, InMemory
    from sandbox.settings import REAL_LIMITS, Settings
    from sandbox.staffing import Credentials

__all__ = [
    "REAL_LIMITS",
    "Content",
    "Credentials",
    "Generated",
    "InMemory",
    "RingCentral",
    "Settings",
]
_WHERE = {
    "REAL_LIMITS": "sandbox.settings",
    "Content": "sandbox.samples.content",
    "Credentials": "sandbox.staffing",
    "Generated": "sandbox.samples.content",
    "InMemory": "sandbox.samples.content",
    "RingCentral": "sandbox.ringcentral",
    "Settings": "sandbox.settings",
}


def __getattr__(name: str) -> Any:
    # imported when it is asked for: pytest imports this package in every project it is installed in
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_WHERE[name]), name)
