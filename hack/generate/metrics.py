"""The reference page of the hub's metrics, from the one place where they are defined."""

from isthmus.hub.metrics import METRICS

_HEAD = """# Metrics

<!-- Rendered from operator/isthmus/hub/metrics.py by `make generate`. -->

What `isthmus hub` tells Prometheus at `/metrics`, where [`--http-address`](../hub.md#watch-it) is set. Times are in
seconds and sizes in bytes. No label names a job, a namespace or an account. Of a node that was removed nothing is
left. Beside these there are the `process_` and `python_gc_` metrics of every Python client. All counters begin at 0
when the process starts.
"""


def metrics() -> str:
    """The whole page, Markdown."""
    rows = [
        f"| `{metric.name}` | {metric.kind} | {', '.join(f'`{label}`' for label in metric.labels)} | {metric.text} |"
        for metric in METRICS
    ]
    return "\n".join([_HEAD, "| metric | kind | labels | meaning |", "| --- | --- | --- | --- |", *rows]) + "\n"
