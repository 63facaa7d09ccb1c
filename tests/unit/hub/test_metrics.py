import re

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from isthmus.hub.instruments import Instruments
from isthmus.hub.metrics import METRICS, Metric

# Of promtool's own lint: units that are no base unit, and words that say what the kind says.
_ABBREVIATED = {"s", "ms", "us", "ns", "sec", "b", "kb", "mb", "gb", "m", "h", "d"}
_NOT_BASE = {
    "milliseconds",
    "microseconds",
    "nanoseconds",
    "minutes",
    "hours",
    "days",
    "kilobytes",
    "mebibytes",
    "bits",
}
_KINDS = {"counter", "gauge", "histogram", "summary", "metric"}
_UNBOUNDED = {"job", "namespace", "account", "uid", "pod", "dispatch", "user", "key", "message", "error"}
_RESERVED = {"le", "quantile", "job", "instance", "type"}

every = pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)


@every
def test_names(metric: Metric) -> None:
    """A name has our prefix, does not say its kind, and ends in its base unit, or `_total` where it counts."""
    words = metric.name.split("_")
    assert re.fullmatch(r"isthmus(_[a-z]+)+", metric.name)
    assert not set(words) & (_ABBREVIATED | _NOT_BASE | _KINDS)
    assert (words[-1] == "total") == (metric.kind == "counter")
    if metric.kind == "histogram":
        assert words[-1] in {"seconds", "bytes"}
    assert words[-1] not in {"count", "sum", "bucket"}


@every
def test_labels(metric: Metric) -> None:
    """No label names what there is any number of, or what Prometheus sets itself; accounts are those of a file."""
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", label) for label in metric.labels)
    bounded = {"account"} if metric.name.startswith("isthmus_account_") else set()
    assert not set(metric.labels) & (_UNBOUNDED - bounded | _RESERVED)


@every
def test_texts(metric: Metric) -> None:
    """Each says in sentences what it counts; a histogram has its bounds in order, and nothing else has any."""
    assert re.fullmatch(r"[A-Z].*\.", metric.text)
    assert bool(metric.buckets) == (metric.kind == "histogram")
    assert list(metric.buckets) == sorted(set(metric.buckets))


def test_all_are_listed_once() -> None:
    """The list has every metric once: the reference is rendered from it."""
    names = [metric.name for metric in METRICS]
    assert len(names) == len(set(names)) > 20


def test_instruments_stand_at_zero_from_the_start() -> None:
    """A series that counts is there before there is anything to count, so that its first increase is one."""
    registry = CollectorRegistry()
    Instruments(registry)
    families = {family.name: family for family in text_string_to_metric_families(generate_latest(registry).decode())}
    listed = {metric.name.removesuffix("_total"): metric for metric in METRICS}
    assert families.keys() <= listed.keys()
    for name, family in families.items():
        assert family.type == listed[name].kind
        assert {sample.value for sample in family.samples} == {0.0}
