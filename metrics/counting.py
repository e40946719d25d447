"""Counts in memory: plain numbers without locks, handed on as what was added since the last time.

A process counts on its event loop only; so do those who take what was counted.
"""

from bisect import bisect_left
from collections.abc import Sequence

INFINITY = "+Inf"
SUM = "sum"


class Counts:
    """What a process has counted and not yet handed on."""

    def __init__(self) -> None:
        self._added: dict[tuple[str, ...], float] = {}

    def add(self, series: tuple[str, ...], by: float) -> None:
        """Add to one series: the metric's name, then the values of its labels."""
        self._added[series] = self._added.get(series, 0) + by

    def take(self) -> dict[str, float]:
        """What was added since it was taken last, by field: the parts of a series, with tabs."""
        added, self._added = self._added, {}
        fields: dict[str, float] = {}
        for series, by in added.items():
            field = "\t".join(part.replace("\t", " ") for part in series)
            fields[field] = fields.get(field, 0) + by
        return fields


class Counter:
    """A number that only grows, by the values of its labels."""

    def __init__(self, counts: Counts, name: str, words: str, *labels: str) -> None:
        self.name, self.words, self.labels = name, words, labels
        self._counts = counts

    def count(self, *labels: str, by: float = 1) -> None:
        """Add to the series with these values of the labels, all of them and in order."""
        self._counts.add((self.name, *labels), by)


class Histogram:
    """How many observations were how long (seconds), by the values of its labels.

    An observation counts in the first of `bounds` that is not smaller.
    """

    def __init__(
        self, counts: Counts, name: str, words: str, *labels: str, bounds: Sequence[float]
    ) -> None:
        self.name, self.words, self.labels = name, words, labels
        self.bounds = (*(f"{bound:g}" for bound in bounds), INFINITY)
        self._limits = tuple(bounds)
        self._counts = counts

    def observe(self, seconds: float, *labels: str) -> None:
        """Note one observation; less than nothing, which clocks may tell, is nothing."""
        seconds = max(seconds, 0.0)
        bound = self.bounds[bisect_left(self._limits, seconds)]
        self._counts.add((self.name, *labels, bound), 1)
        self._counts.add((self.name, *labels, SUM), seconds)
