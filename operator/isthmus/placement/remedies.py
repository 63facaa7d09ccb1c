"""What would have to change for a job that waits to run at once: one change each, proven by judging the nodes with it.

Nothing here is guessed: a remedy is told only where the same filters, with that one thing changed, find a node.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import ceil

from isthmus.api.core import PodToleration
from isthmus.api.placement import Toleration
from isthmus.api.quantities import CPU, GIBIBYTE, MEMORY, text

from .allowance import Allowance
from .candidate import Candidate
from .contradictions import alone
from .deadline import at
from .demand import Demand, Split
from .explanation import verdicts_of
from .filters.offer import SHARE_EXHAUSTED, SHARE_TOO_SMALL
from .filters.room import INSUFFICIENT
from .filters.size import NEVER_FITS
from .forms import demands_of
from .jobclass import by_rank
from .keeping import hold_for_others
from .relief import relief
from .rooms import Rooms
from .snapshot import NodeView, Snapshot
from .wording import asked, counted

REMEDIES = 16
"""At most so many are told."""
PIECES = 16
_TAINTS = 8
_NODES = 3
_SIZES = frozenset({INSUFFICIENT, NEVER_FITS, SHARE_EXHAUSTED, SHARE_TOO_SMALL})
# How finely a smaller request is searched for.
_STEP = {CPU: 100, MEMORY: GIBIBYTE // 4}


@dataclass(frozen=True, slots=True)
class Remedy:
    """One change that makes the job run: a CamelCase word, a sentence for people, the nodes, the best first."""

    change: str
    message: str
    nodes: tuple[str, ...]


def remedies(snapshot: Snapshot, demand: Demand, *, splittable: bool = False) -> tuple[Remedy, ...]:
    """Single changes with which the demand would be placed now; none where it would be as it is.

    `splittable` says that the job's indexes could be run apart, where it only had to ask for it.
    """
    (demand,) = at((demand,), snapshot.now)
    judge = _Judge(snapshot, demand)
    if judge.takers(demand):
        return ()
    ways = (_limits, _room, _request, _width, _split(splittable=splittable), _constraints, _members)
    return tuple(remedy for way in ways for remedy in way(judge, demand))[:REMEDIES]


class _Judge:
    """All nodes of a snapshot, with what is reserved there before `job`, judged for one change of it after another."""

    def __init__(self, snapshot: Snapshot, job: Demand) -> None:
        self.snapshot = snapshot
        self._job = job
        self._rooms = Rooms()
        self._rooms.begin(snapshot.nodes)
        hold_for_others(snapshot, self._rooms, job)

    def takers(self, demand: Demand) -> tuple[str, ...]:
        """The nodes that would take it, the best first; none where its constraints contradict each other."""
        if alone(demand) is not None:
            return ()
        allowance = Allowance(self.snapshot.accounts)
        verdicts = verdicts_of(self._rooms.job_class(demand), demand, allowance.limits_of(demand.account))
        return tuple(entry.candidate.node.name for entry in by_rank(verdicts.open))

    def pieces(self, demand: Demand) -> list[tuple[str, int]]:
        """The nodes that would take a split job, each with how many of its pods."""
        if alone(demand) is not None:
            return []
        limits = Allowance(self.snapshot.accounts).limits_of(demand.account)
        pieces = self._rooms.job_class(demand).pieces(demand, limits)
        return [(entry.candidate.node.name, pods) for entry, pods in pieces]

    def forbidden(self, demand: Demand) -> dict[str, list[str]]:
        """The nodes that have room for it, but that its account would exceed a limit: by the words for that."""
        allowance = Allowance(self.snapshot.accounts)
        found: dict[str, list[str]] = {}
        for entry in by_rank(verdicts_of(self._rooms.job_class(demand), demand).open):
            refusal = allowance.refusal(demand, entry.candidate.pod)
            if refusal is not None:
                found.setdefault(refusal.message, []).append(entry.candidate.node.name)
        return found

    def crowded(self, demand: Demand) -> Sequence[Candidate]:
        """The nodes that lack nothing but room."""
        return verdicts_of(self._rooms.job_class(demand), demand).crowded

    def too_small(self, demand: Demand) -> list[Candidate]:
        """The nodes that lack nothing but room, or the size for it."""
        rejected = verdicts_of(self._rooms.job_class(demand), demand).all_rejected()
        small = {name for name, rejection in rejected.items() if rejection.reason in _SIZES}
        return [candidate for candidate in self._rooms.candidates(demand) if candidate.node.name in small]

    def narrowed(self, nodes: Sequence[NodeView]) -> "_Judge":
        """The same of these nodes only, or of these in another state."""
        return _Judge(replace(self.snapshot, nodes=tuple(nodes)), self._job)


def _limits(judge: _Judge, demand: Demand) -> Iterator[Remedy]:
    """Less held by the account, or more that it may hold."""
    for message, nodes in judge.forbidden(demand).items():
        yield Remedy("WaitForAccount", f"runs when that is so no more: {message}", tuple(nodes))


def _room(judge: _Judge, demand: Demand) -> Iterator[Remedy]:
    """What would have to get free, on the nodes where that is least."""
    there = (candidate for candidate in judge.crowded(demand) if not candidate.room.withheld)  # that is another's
    found = [(candidate.node.name, need) for candidate in there if (need := relief(candidate))]
    found.sort(key=lambda pair: (pair[1].share, pair[0]))
    for name, need in found[:_NODES]:
        amounts = " + ".join(counted(resource, amount) for resource, amount in need.amounts.items())
        where = "on one machine" if need.machines == 1 else f"on {need.machines} machines"
        yield Remedy("WaitForRoom", f"runs when {amounts} more get free {where} of {name}", (name,))


def _request(judge: _Judge, demand: Demand) -> Iterator[Remedy]:
    """The largest smaller request of one resource that fits, in each form of the job."""
    for form in demands_of(demand):
        yield from _smaller(judge, form)


def _smaller(judge: _Judge, demand: Demand) -> Iterator[Remedy]:
    variant = "" if demand.variant is None else f" in variant {demand.variant}"
    there = judge.narrowed([candidate.node for candidate in judge.too_small(demand)])
    for resource, amount in asked(demand):
        step = _STEP.get(resource, 1)

        def with_steps(steps: int, resource: str = resource, step: int = step) -> Demand:
            return replace(demand, request={**demand.request, resource: steps * step})

        low, high = 0, ceil(amount / step) - 1  # `low` steps are enough, more than `high` are not
        if high < 1 or not there.takers(with_steps(1)):
            continue
        while low < high:
            middle = (low + high + 1) // 2
            if there.takers(with_steps(middle)):
                low = middle
            else:
                high = middle - 1
        less, instead = counted(resource, low * step), text(resource, amount)
        said = f"runs at once with {less} per pod{variant}, instead of {instead}"
        yield Remedy("SmallerRequest", said, there.takers(with_steps(low)))


def _width(judge: _Judge, demand: Demand) -> Iterator[Remedy]:
    """As many of its pods at once as there is room for on one node."""
    small = (candidate for form in demands_of(demand) for candidate in judge.too_small(form))
    most = max((candidate.fit.pods_free for candidate in small), default=0)
    if 0 < most < demand.width and demand.split is None:
        nodes = judge.takers(replace(demand, width=most))
        if nodes:
            pods = "1 pod" if most == 1 else f"{most} pods"
            yield Remedy("FewerPods", f"runs with {pods} at once (parallelism {most}) instead of {demand.width}", nodes)


def _split(*, splittable: bool) -> Callable[[_Judge, Demand], Iterator[Remedy]]:
    def way(judge: _Judge, demand: Demand) -> Iterator[Remedy]:
        if not splittable or demand.split is not None or demand.width < 2:
            return
        divided = replace(demand, split=Split(PIECES, 1))
        pieces = judge.pieces(divided)
        if sum(pods for _, pods in pieces) == demand.width:
            said = f"runs in {len(pieces)} pieces with placement.split ByIndex"
            yield Remedy("SplitByIndex", said, tuple(name for name, _ in pieces))

    return way


def _constraints(judge: _Judge, demand: Demand) -> Iterator[Remedy]:
    """Each of the job's constraints left out."""
    for change, what, changed in _relaxed(judge.snapshot, demand):
        nodes = judge.takers(changed)
        if nodes:
            would = "1 node would do" if len(nodes) == 1 else f"{len(nodes)} nodes would do"
            yield Remedy(change, f"{would} {what}", nodes)


def _relaxed(snapshot: Snapshot, demand: Demand) -> Iterator[tuple[str, str, Demand]]:
    if demand.regions:
        yield "AnyRegion", "if any region were allowed (placement.regions)", replace(demand, regions=())
    if demand.tiers:
        yield "AnyTier", "if any tier were allowed (placement.tiers)", replace(demand, tiers=())
    for key in demand.node_selector:
        left = {k: v for k, v in demand.node_selector.items() if k != key}
        said = f"without {key} in placement.nodeSelector"
        yield "DropNodeLabel", said, replace(demand, node_selector=left)
    if demand.models:
        yield "AnyModel", "if any model were allowed (placement.accelerator.models)", replace(demand, models=())
    if demand.minimum_memory_bytes:
        said = "without placement.accelerator.minimumMemory"
        yield "AnyMemory", said, replace(demand, minimum_memory_bytes=None)
    if demand.partition_profile:
        said = "without placement.accelerator.partitionProfile"
        yield "AnyPartition", said, replace(demand, partition_profile=None)
    for key in demand.machine_selector:
        left = {k: v for k, v in demand.machine_selector.items() if k != key}
        yield "DropMachineLabel", f"without {key} in the pods' nodeSelector", replace(demand, machine_selector=left)
    if demand.grace_seconds is not None:
        said = "with a shorter terminationGracePeriodSeconds"
        yield "ShorterGrace", said, replace(demand, grace_seconds=0)
    yield from _tolerating(snapshot, demand)


def _tolerating(snapshot: Snapshot, demand: Demand) -> Iterator[tuple[str, str, Demand]]:
    """Each taint tolerated, of nodes and of machines, the commonest keys by name."""
    for key in sorted({taint.key for node in snapshot.nodes for taint in node.taints})[:_TAINTS]:
        tolerations = (*demand.tolerations, Toleration(key=key, operator="Exists"))
        said = f"if the taint {key} were tolerated (placement.tolerations)"
        yield "TolerateTaint", said, replace(demand, tolerations=tolerations)
    shapes = (shape for node in snapshot.nodes if node.profile for shape in node.profile.shapes)
    for key in sorted({taint.key for shape in shapes for taint in shape.taints})[:_TAINTS]:
        machine = (*demand.machine_tolerations, PodToleration(key=key, operator="Exists"))
        said = f"if the pods tolerated the machines' taint {key}"
        yield "TolerateMachineTaint", said, replace(demand, machine_tolerations=machine)


def _members(judge: _Judge, demand: Demand) -> Iterator[Remedy]:
    """Each state of nodes that may pass, passed."""
    nodes = judge.snapshot.nodes
    stale = [n for n in nodes if n.price is not None and not n.price.current]
    lending = [(n, n.terms) for n in nodes if n.terms is not None]
    states: tuple[tuple[str, str, list[NodeView]], ...] = (
        (
            "PriceCurrent",
            "once its prices are in force",
            [replace(n, price=replace(n.price, current=True)) for n in stale if n.price is not None],
        ),
        (
            "Uncordon",
            "once it takes new work again (spec.schedulingState)",
            [replace(n, scheduling_state="Active") for n in nodes if n.scheduling_state != "Active"],
        ),
        (
            "OfferOpens",
            "once a window of its offer is open",
            [replace(n, terms=replace(terms, closed="")) for n, terms in lending if terms.closed],
        ),
        (
            "ShareFree",
            "once other work has given back what it lends",
            [replace(n, terms=replace(terms, left=terms.share)) for n, terms in lending if terms.left != terms.share],
        ),
        ("NodeReady", "once it is ready again", [replace(n, ready=True) for n in nodes if not n.ready]),
    )
    for change, when, changed in states:
        for name in judge.narrowed(changed).takers(demand)[:_NODES]:
            yield Remedy(change, f"{name} would do {when}", (name,))
