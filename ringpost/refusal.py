"""The one exception that ends a command: lines for the person at the terminal and an exit code."""


class Refusal(Exception):  # noqa: N818  # it is not a fault of ours: the command declines and says why
    """Why a command does not go on; each line names the thing, the value and the remedy.

    `exit_code` is 2 for what has to be written differently (usage, configuration, environment)
    and 1 for what was tried and failed.
    """

    def __init__(self, *lines: str, exit_code: int = 2) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines
        self.exit_code = exit_code
