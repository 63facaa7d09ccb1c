"""What stands now, read from the hub's memory when it is asked for; what is gone has no series any more."""

import platform
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TypeAlias

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from isthmus import __version__
from isthmus.api.computejob import Phase
from isthmus.clusters import Traffic
from isthmus.placement import capacity_of

from . import metrics
from .fleetnode import FleetNode
from .hub import Hub
from .metrics import Metric
from .standing import Standing

Samples: TypeAlias = Iterable[tuple[tuple[str, ...], float]]
Family: TypeAlias = GaugeMetricFamily | CounterMetricFamily

# A member says itself what it has; its figures are cut where no cluster would go.
MOST_RESOURCES = 32
MOST_ACCELERATORS = 64
_UNITS = {"cpu": "core", "memory": "byte", "ephemeral-storage": "byte"}


class Figures(Collector):
    """Reads the hub that `standing` has, in the event loop's own thread."""

    def __init__(self, standing: Standing) -> None:
        self._standing = standing

    def describe(self) -> Iterable[Family]:
        """No family: their names are known from `metrics`, and nothing is asked of a hub that is not there yet."""
        return ()

    def collect(self) -> Iterator[Family]:
        """All families, those without samples too."""
        yield _family(metrics.BUILD_INFO, [((__version__, platform.python_version()), 1)])
        yield _family(metrics.READY, [((), 0.0 if self._standing.reasons() else 1.0)])
        hub = self._standing.hub
        if hub is None:
            return
        yield _family(metrics.PERMISSIONS_MISSING, [((), len(hub.permissions.missing))])
        yield from _of_jobs(hub)
        yield from _of_nodes(hub)
        yield from _of_accounts(hub)
        yield _family(metrics.LEDGER_LAG, [((), hub.booking.lag_seconds())])
        yield from _of_traffic(hub)
        queues = list(hub.queues())
        yield _family(metrics.WORKQUEUE_DEPTH, [((queue.name,), queue.depth) for queue in queues])
        yield _family(metrics.WORKQUEUE_RETRIES, [((queue.name,), queue.retries) for queue in queues])


def _of_jobs(hub: Hub) -> Iterator[Family]:
    phases: Counter[str] = Counter(dict.fromkeys(Phase, 0))
    pending: Counter[str] = Counter()
    for record in hub.jobs.store.records():
        phase = record.job.status.phase or Phase.PENDING
        phases[phase] += 1
        if phase is Phase.PENDING:
            pending[record.pending_reason] += 1
    for ended in hub.jobs.store.all_ended():
        phases[ended.phase] += 1
    yield _family(metrics.JOBS, [((phase,), count) for phase, count in phases.items()])
    yield _family(metrics.PENDING_JOBS, [((reason,), count) for reason, count in pending.items()])


def _of_nodes(hub: Hub) -> Iterator[Family]:
    nodes = {known.node.metadata["name"]: known for known in hub.fleet.all()}
    states = Counter((known.node.spec.tier, known.node.spec.scheduling_state) for known in nodes.values())
    yield _family(metrics.NODES, states.items())
    yield _family(metrics.NODE_CONDITION, (each for name, known in nodes.items() for each in _conditions(name, known)))
    yield _family(metrics.NODE_SHARDS, [((name,), hub.fleet.live(name)) for name in nodes])
    yield _family(metrics.NODE_SILENCE, [((name,), hub.contacts.of(name).silence_seconds()) for name in nodes])
    profiles = {name: known.profile for name, known in nodes.items() if known.profile is not None}
    yield _family(metrics.NODE_MACHINES, [((name,), profile.machines) for name, profile in profiles.items()])
    for metric, vectors in (
        (metrics.NODE_ALLOCATABLE, {name: profile.allocatable for name, profile in profiles.items()}),
        (metrics.NODE_FREE, {name: profile.free for name, profile in profiles.items()}),
    ):
        apart = {name: {each.accelerator.resource_name for each in profiles[name].accelerators} for name in vectors}
        yield _family(
            metric,
            (
                ((name, resource, _unit(resource)), quantity / 1000 if resource == "cpu" else quantity)
                for name, vector in vectors.items()
                for resource, quantity in sorted(vector.items())[:MOST_RESOURCES]
                if resource not in apart[name]
            ),
        )
    totals: Counter[tuple[str, ...]] = Counter()
    free: Counter[tuple[str, ...]] = Counter()
    for name, profile in profiles.items():
        for each in profile.accelerators[:MOST_ACCELERATORS]:
            kind = each.accelerator
            labels = (name, kind.vendor, kind.resource_name, kind.meter_model)
            totals[labels] += each.total  # of one model there are some that differ in memory alone
            free[labels] += each.free
    yield _family(metrics.NODE_ACCELERATORS, totals.items())
    yield _family(metrics.NODE_ACCELERATORS_FREE, free.items())


def _of_accounts(hub: Hub) -> Iterator[Family]:
    view, named = hub.fleet.accounting.view(), hub.fleet.accounting.config.named
    capacity = capacity_of(known.profile for known in hub.fleet.all())
    shares: dict[str, float] = dict.fromkeys(named, 0.0)
    spend: dict[str, float] = dict.fromkeys(named, 0.0)
    held: Counter[tuple[str, str]] = Counter()
    for name, account in view.known.items():
        label = name if name in named else ""
        shares[label] = shares.get(label, 0.0) + view.share(name, capacity)
        spend[label] = spend.get(label, 0.0) + float(account.holding.per_hour)
        held.update({(label, resource): amount for resource, amount in account.holding.resources.items()})
    file = hub.accounts_file
    yield _family(metrics.ACCOUNTS_CURRENT, [] if file is None else [((), 0.0 if file.problem else 1.0)])
    yield _family(metrics.ACCOUNT_SHARE, (((name,), share) for name, share in shares.items()))
    yield _family(metrics.ACCOUNT_WEIGHT, (((name,), account.weight) for name, account in named.items()))
    yield _family(
        metrics.ACCOUNT_HOLDING,
        (
            ((name, resource, _unit(resource)), amount / 1000 if resource == "cpu" else amount)
            for (name, resource), amount in held.items()
        ),
    )
    yield _family(metrics.ACCOUNT_SPEND, (((name,), amount) for name, amount in spend.items()))


def _conditions(name: str, known: FleetNode) -> Iterator[tuple[tuple[str, ...], float]]:
    for condition in known.node.status.conditions:
        for status in ("True", "False", "Unknown"):
            yield (name, condition.type, status), float(condition.status == status)


def _unit(resource: str) -> str:
    return "byte" if resource.startswith("hugepages-") else _UNITS.get(resource, "integer")


def _of_traffic(hub: Hub) -> Iterator[Family]:
    clusters: dict[str, Traffic] = {"": hub.traffic, **hub.nodes.traffic()}
    yield _family(
        metrics.API_REQUESTS,
        (((name, verb), count) for name, each in clusters.items() for verb, count in each.requests.items()),
    )
    yield _family(
        metrics.API_FAILURES,
        (((name, *key), count) for name, each in clusters.items() for key, count in each.failures.items()),
    )
    yield _family(
        metrics.WATCH_RESTARTS,
        (((name, resource), count) for name, each in clusters.items() for resource, count in each.restarts.items()),
    )


def _family(metric: Metric, samples: Samples) -> Family:
    kind = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
    family = kind(metric.name, metric.text, labels=metric.labels)
    for labels, value in samples:
        family.add_metric(labels, value)
    return family
