"""Which configuration the workers go by, for `ringpost status`."""

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from ringpost.output import alarm, local_time, say, zone

if TYPE_CHECKING:
    from worker.ledger.configurations import ConfigurationStatus


def show_configurations(workers: "Sequence[ConfigurationStatus]") -> None:
    """One line for each configuration that is in force, and one for what was refused."""
    by_state = sorted(workers, key=_state)
    several = len({one.digest for one in workers}) > 1
    for _, group in groupby(by_state, key=_state):
        same = list(group)
        one, count = min(same, key=lambda status: status.since), len(same)
        who = f", in {count} worker{'s'[: count != 1]}" if several else ""
        say(f"configuration {one.file}: in force since {local_time(one.since)} {zone()}{who}")
        if one.after_restart:
            say(f"after a restart of the workers also: {', '.join(one.after_restart)}")
        if one.refused:
            alarm(f"the configuration as it is now is refused: {one.refused}")


def _state(status: "ConfigurationStatus") -> tuple[str, str, str, str]:
    return status.file, status.digest, status.refused or "", ", ".join(status.after_restart)
