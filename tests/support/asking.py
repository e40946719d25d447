"""The type of the `ask` fixture."""

from collections.abc import Awaitable, Callable

Ask = Callable[..., Awaitable[tuple[int, str, str]]]
