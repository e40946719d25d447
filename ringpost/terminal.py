"""Lines of several programs on one terminal: each with its program's name, in its colour."""

import os
import sys

from ringpost.plain import plain

_COLOURS = {
    "redis": 31,
    "worker": 32,
    "beat": 33,
    "mail": 34,
    "sandbox": 35,
    "webhook": 36,
}
_WIDTH = max(map(len, _COLOURS))


class Terminal:
    """Writes whole lines to standard output; a terminal that is gone stops nothing."""

    def __init__(self) -> None:
        self._coloured = sys.stdout.isatty() and "NO_COLOR" not in os.environ

    def echo(self, name: str, line: str) -> None:
        """A program's line."""
        prefix = f"{name:<{_WIDTH}} |"
        if self._coloured:
            prefix = f"\x1b[{_COLOURS.get(name, 37)}m{prefix}\x1b[0m"
        self._write(f"{prefix} {plain(line)}")

    def say(self, line: str = "") -> None:
        """A line of our own."""
        line = plain(line)
        self._write(f"\x1b[1m{line}\x1b[0m" if self._coloured and line else line)

    def _write(self, line: str) -> None:
        try:
            sys.stdout.write(f"{line}\n")
            sys.stdout.flush()
        except OSError:
            # The terminal was closed: the children still have to be stopped in order.
            sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123  # kept for the process's life
