"""The metrics of the last reconciliation with RingCentral."""

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily, Metric

from worker.ledger.reconciliation import LastReconciliation


def reconciliation_families(found: LastReconciliation | None) -> Iterator[Metric]:
    """What the last look found; no samples before the first."""
    differences = GaugeMetricFamily(
        "ringpost_reconciliation_differences",
        "Messages by how the last reconciliation found them: missing (listed by RingCentral, not "
        "here), failed, extra (here, not listed any more), and repaired by it.",
        labels=("kind",),
    )
    at = GaugeMetricFamily(
        "ringpost_reconciliation_timestamp_seconds", "When it was made, in epoch seconds."
    )
    unread = GaugeMetricFamily(
        "ringpost_reconciliation_unread_mailboxes", "Mailboxes that it could not look at."
    )
    finished = GaugeMetricFamily(
        "ringpost_reconciliation_finished", "Whether it could be finished."
    )
    if found is not None:
        for kind, count in (
            ("missing", found.missing),
            ("failed", found.failed),
            ("extra", found.extra),
            ("repaired", found.repaired),
        ):
            differences.add_metric((kind,), count)
        at.add_metric((), found.at.timestamp())
        unread.add_metric((), len(found.unread))
        finished.add_metric((), int(found.problem is None))
    yield from (differences, at, unread, finished)
