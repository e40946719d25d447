"""How counts travel: in batches, each of which is added once, however often it is sent."""

import uuid

from metrics.counting import Counts

EVERY_SECONDS = 5.0
KEY = "ringpost:metrics"

ADD = """
-- Adds what a process has counted, once: the answer to this batch may be lost and it be sent again.
-- KEYS: the counts, the process's last batch; ARGV: number of the batch, pairs of field and addend
if redis.call('GET', KEYS[2]) == ARGV[1] then return 0 end
redis.call('SET', KEYS[2], ARGV[1], 'EX', 86400)
for i = 2, #ARGV, 2 do redis.call('HINCRBYFLOAT', KEYS[1], ARGV[i], ARGV[i + 1]) end
return 1
"""


class Batches:
    """What a process has to hand on; a batch stays the next one until it has arrived."""

    def __init__(self, counts: Counts) -> None:
        self._counts = counts
        self._process = uuid.uuid4().hex
        self._number = 0
        self._under_way: dict[str, float] = {}

    @property
    def keys(self) -> list[str]:
        """The keys for the script `ADD`."""
        return [KEY, f"{KEY}:batch:{self._process}"]

    def next(self) -> list[str]:
        """The arguments for the script `ADD`; none if nothing was counted."""
        if not self._under_way:
            self._under_way = self._counts.take()
            self._number += 1
        if not self._under_way:
            return []
        pairs = [text for field, by in self._under_way.items() for text in (field, repr(by))]
        return [str(self._number), *pairs]

    def arrived(self) -> None:
        """The batch has been added."""
        self._under_way = {}
