"""The metrics as text in Prometheus' format.

Source: https://prometheus.io/docs/instrumenting/exposition_formats/
"""

import time
from collections.abc import Iterable, Sequence

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from ringpost.admin.counted import counted_families
from ringpost.admin.ledger_families import ledger_families
from ringpost.admin.reading import Facts
from ringpost.admin.reconciliation_families import reconciliation_families

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4


def exposition(facts: Facts) -> bytes:
    """All metrics."""
    return _text(families(facts, time.time()))


def families(facts: Facts, now: float) -> list[Metric]:
    """All metrics, by name; `now` in epoch seconds."""
    return [
        _redis_up(1),
        *ledger_families(facts.overview, facts.oldest_undelivered, now),
        *reconciliation_families(facts.completeness.reconciliation),
        *counted_families(facts.counted),
    ]


def _redis_up(value: int) -> Metric:
    return GaugeMetricFamily(
        "ringpost_redis_up", "Whether Redis answers; without it this is all there is.", value
    )


class _Collected(Collector):
    def __init__(self, found: Sequence[Metric]) -> None:
        self._found = found

    def collect(self) -> Iterable[Metric]:
        return self._found


def _text(found: Sequence[Metric]) -> bytes:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collected(found))
    return generate_latest(registry)


REDIS_AWAY = _text([_redis_up(0)])
