"""RingCentral on localhost, written from its reference; shares no code with the other packages."""

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
