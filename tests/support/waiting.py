"""The type of the `eventually` fixture."""

from collections.abc import Awaitable, Callable
from typing import Any

Eventually = Callable[..., Awaitable[Any]]
