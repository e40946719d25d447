"""The metrics that processes count (see `metrics.catalogue`), from what Redis has added up."""

from collections import defaultdict
from collections.abc import Mapping

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric

from metrics.catalogue import COUNTED
from metrics.counting import SUM, Counter, Histogram
from ringpost.admin.labels import shown

_Values = Mapping[tuple[str, ...], float]


def counted_families(fields: Mapping[str, float]) -> list[Metric]:
    """All of the catalogue; what is not in it another version has counted, and is left out."""
    by_name: dict[str, dict[tuple[str, ...], float]] = defaultdict(lambda: defaultdict(float))
    for field, value in fields.items():
        name, *labels = field.split("\t")
        by_name[name][tuple(map(shown, labels))] += value
    return [
        _counter(metric, by_name[metric.name])
        if isinstance(metric, Counter)
        else _histogram(metric, by_name[metric.name])
        for metric in COUNTED
    ]


def _counter(metric: Counter, values: _Values) -> Metric:
    family = CounterMetricFamily(metric.name, metric.words, labels=metric.labels)
    for labels, value in sorted(values.items()):
        if len(labels) == len(metric.labels):
            family.add_metric(labels, value)
    return family


def _histogram(metric: Histogram, values: _Values) -> Metric:
    family = HistogramMetricFamily(metric.name, metric.words, labels=metric.labels)
    for labels in sorted({key[:-1] for key in values}):
        if len(labels) != len(metric.labels):
            continue
        buckets, total = [], 0.0
        for bound in metric.bounds:
            total += values.get((*labels, bound), 0.0)
            buckets.append((bound, total))
        family.add_metric(labels, buckets, values.get((*labels, SUM), 0.0))
    return family
