"""A ComputeNode's conditions and status from what is known of its member. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from isthmus.agent.stoprate import StopRate
from isthmus.api.computenode import ComputeNode, ComputeNodeSpec, ComputeNodeStatus
from isthmus.api.conditions import Condition, find, truncated, with_condition
from isthmus.api.profile import Profile as ProfileStatus
from isthmus.placement.stated import Stated, has_figures
from isthmus.settlement.tariff import TariffState, price_summary

from .forgetting import forget_before, silent_since

CONNECTING = "Connecting"
NO_PROFILE = "NoProfile"
IMPOSSIBLE = "ImpossibleProfile"
FIGURES = "FiguresCurrent"
LASTING_SECONDS = 5.0
"""A member that is back within so long was not out of reach for anything but placement."""

Verdict = tuple[Literal["True", "False", "Unknown"], str, str]
Problem = tuple[str, str]


@dataclass(slots=True)
class NodeFacts:
    """What the hub found out about a member since it started. Problems are (reason, message) pairs."""

    connected: bool = False
    problem: Problem | None = (CONNECTING, "the hub has not reached the member yet")
    misfit: Problem | None = None
    """Reached, and not to be used: the hub itself, or another node's member."""
    hindrance: Problem | None = None
    """Reached, and no Dispatch can be written for it in the hub."""
    observed: bool = False
    """Machines and pods are listed, and figures follow."""
    quarantine: Problem | None = None
    """Figures came that can't be: nothing is placed by older ones until such as can be are here."""
    deleting: str = ""
    """What its removal waits for, once that was asked for."""
    cluster_uid: str = ""
    version: str = ""
    stop_rate: StopRate | None = None
    """How fast the member stops pods, as this process measured it."""
    lost_at: datetime | None = None
    """When this process last lost a member that it had reached."""
    troubled_since: float | None = None
    """Since when the member was found to be out of reach, by a clock that never jumps; None while it was not."""

    @property
    def trouble(self) -> Problem | None:
        """What keeps the node's own member from being reached."""
        return self.misfit or self.problem

    def lasting_in(self, monotonic: float) -> float | None:
        """Seconds until a trouble that is there has lasted for LASTING_SECONDS, or 0; None where there is none."""
        return None if self.troubled_since is None else max(self.troubled_since + LASTING_SECONDS - monotonic, 0.0)

    def troubled(self, problem: Problem | None, now: datetime, monotonic: float) -> bool:
        """Take in whether the member could be reached just now; whether that is news."""
        if problem is not None and self.trouble is None:
            self.lost_at = now
        changed, self.problem = self.problem != problem, problem
        self._count(monotonic)
        return changed

    def identified(self, cluster_uid: str, misfit: Problem | None, now: datetime, monotonic: float) -> None:
        """Take in which cluster answered just now, and why that can't be the node's member, where it can't."""
        if misfit is not None and self.trouble is None:
            self.lost_at = now
        self.problem, self.misfit = None, misfit
        self.cluster_uid = "" if misfit else cluster_uid
        self._count(monotonic)

    def _count(self, monotonic: float) -> None:
        if self.trouble is None or self.trouble[0] == CONNECTING:
            self.troubled_since = None
        elif self.troubled_since is None:
            self.troubled_since = monotonic

    def blocked(self) -> Problem | None:
        """Why no new shard may go to the node, or None where it may."""
        if self.deleting:
            return "Deleting", f"the node is being removed: {self.deleting}"
        trouble = self.trouble or self.hindrance
        if trouble:
            return trouble
        return self.quarantine if self.observed else (NO_PROFILE, "the member's machines are not listed yet")


def node_status(
    node: ComputeNode,
    facts: NodeFacts,
    *,
    tariff: TariffState,
    profile: ProfileStatus | None,
    jobs: int,
    now: datetime,
    figures: Verdict | None = None,
    closed: str = "",
) -> ComputeNodeStatus:
    """The whole status that the node should have now; `figures` is None where it states none.

    `closed` is why it lends nothing at this hour.
    """
    generation, rate = node.metadata.get("generation", 0), facts.stop_rate
    conditions = [each for each in node.status.conditions if figures is not None or each.type != FIGURES]
    silent = silent_since(node, facts.lost_at)
    if silent is None and facts.trouble is not None and facts.trouble[0] != CONNECTING:
        silent = now.replace(microsecond=0)  # as is about to be written
    _, wrong = forget_before(node, now, silent)
    verdicts = _verdicts(node, facts, tariff, wrong, closed) | ({} if figures is None else {FIGURES: figures})
    for kind, (status, reason, message) in verdicts.items():
        condition = Condition(
            type=kind,
            status=status,
            observed_generation=generation,
            last_transition_time=now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            reason=reason,
            message=truncated(message),
        )
        conditions = with_condition(conditions, condition)
    return ComputeNodeStatus(
        observed_generation=generation,
        conditions=conditions,
        cluster_uid=facts.cluster_uid or node.status.cluster_uid,
        kubernetes_version=facts.version or node.status.kubernetes_version,
        jobs=jobs,
        stops_per_second=rate.per_second if rate else node.status.stops_per_second,
        stops_measured=rate.pods if rate else node.status.stops_measured,
        price=price_summary(node.spec.tariff) if node.spec.tariff else "",
        profile=profile or node.status.profile,
    )


def figures_verdict(spec: ComputeNodeSpec, says: Stated) -> Verdict | None:
    """Whether the figures of energy and network are in force, or None where the node states none."""
    if not has_figures(spec):
        return None
    lapses = "; ".join(says.lapses)
    if not lapses:
        return "True", "Current", "what the node states of its energy and network is in force"
    return "False", "NotInForce", f"{lapses}: nothing is decided by what is not in force; state it anew"


def _verdicts(node: ComputeNode, facts: NodeFacts, tariff: TariffState, wrong: str, closed: str) -> dict[str, Verdict]:
    """The conditions by type; `wrong` is what is wrong with an annotation that matters while it can't be reached."""
    reachable: Verdict = ("True", "Connected", "the member's API answers")
    if facts.trouble is not None:
        reason, message = facts.trouble
        message = f"{message}; {wrong}" if wrong else message
        reachable = ("Unknown" if reason == CONNECTING else "False", reason, message)
    blocked = facts.blocked()
    ready: Verdict = ("True", "Ready", "the member is reached and its figures are followed")
    if blocked is not None:
        ready = ("False", *blocked)
    schedulable = ready if blocked else ("True", "Schedulable", "new shards may be placed here")
    if blocked is None and node.spec.scheduling_state == "Cordoned":
        schedulable = ("False", "Cordoned", "spec.schedulingState is Cordoned; set it to Active to place work here")
    elif blocked is None and node.spec.scheduling_state == "Drained":
        said = "spec.schedulingState is Drained: work is moved away; set it to Active to place work here"
        schedulable = ("False", "Drained", said)
    elif blocked is None and not tariff.ok:
        schedulable = ("False", tariff.reason, tariff.message)
    elif blocked is None and closed:
        schedulable = ("False", "NotOfferedNow", closed)
    price: Verdict = ("True" if tariff.ok else "False", tariff.reason, tariff.message)
    if blocked is not None and blocked[0] in {CONNECTING, NO_PROFILE} and find(node.status.conditions, "Ready"):
        # A hub that has just started leaves standing what the last one found out, but for the end of a silence.
        return {"PriceCurrent": price} | ({} if facts.trouble else {"Reachable": reachable})
    return {"Reachable": reachable, "Schedulable": schedulable, "PriceCurrent": price, "Ready": ready}
