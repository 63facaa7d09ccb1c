"""What is counted and timed as it happens. Children are bound once: no label is looked up where jobs go by."""

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics

from . import metrics
from .metrics import Metric

# When each series began would be a series beside it; a restart shows by process_start_time_seconds.
disable_created_metrics()  # type: ignore[no-untyped-call]  # the package types most of it


class Instruments:
    """Of one process; without a registry nobody reads them."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        attempts = _counter(metrics.PLACEMENT_ATTEMPTS, registry)
        self.placed = attempts.labels("Placed")
        self.unplaced = attempts.labels("Unplaced")
        self.impossible = attempts.labels("Impossible")
        self.placement_errors = attempts.labels("Error")
        self.preemptions = _counter(metrics.PREEMPTIONS, registry)
        steps = _histogram(metrics.PLACEMENT_STEP, registry)
        self.snapshot = steps.labels("Snapshot")
        self.decide = steps.labels("Decide")
        self.commit = steps.labels("Commit")
        latency = _histogram(metrics.DISPATCH_LATENCY, registry)
        self.dispatch_written = latency.labels("DispatchWritten")
        self.job_created = latency.labels("JobCreated")
        readings = _counter(metrics.LEDGER_READINGS, registry)
        self.readings = {outcome: readings.labels(outcome) for outcome in ("Booked", "Replayed", "Conflict")}
        self.ledger_lines = _counter(metrics.LEDGER_LINES, registry)
        self.ledger_failures = _counter(metrics.LEDGER_FAILURES, registry)


def _counter(metric: Metric, registry: CollectorRegistry | None) -> Counter:
    return Counter(metric.name, metric.text, metric.labels, registry=registry)


def _histogram(metric: Metric, registry: CollectorRegistry | None) -> Histogram:
    return Histogram(metric.name, metric.text, metric.labels, buckets=metric.buckets, registry=registry)
