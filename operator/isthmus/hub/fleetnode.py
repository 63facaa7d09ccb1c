"""One node of the fleet: as declared, as observed, and what placement may know of it."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal

from isthmus.api.computenode import ComputeNode
from isthmus.capacity import Profile
from isthmus.placement import Assumption, NodeView, PriceView, Terms
from isthmus.placement.stated import Stated, stated
from isthmus.settlement.tariff import tariff_state

from .nodestatus import CONNECTING, NodeFacts

_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(slots=True)
class FleetNode:
    """One node: as declared, as observed, and the live figures of its agent."""

    node: ComputeNode
    facts: NodeFacts
    profile: Profile | None = None
    sequence: int = 0
    _stated: tuple[ComputeNode, datetime, Stated] | None = field(default=None, init=False, repr=False)

    def stated(self, now: datetime, currency: str) -> Stated:
        """What it states as it holds at `now`; worked out anew only where that may have changed."""
        known = self._stated
        if known is None or known[0] is not self.node or not known[1] <= now < (known[2].until or _NEVER):
            known = self._stated = (self.node, now, stated(self.node.spec, now, currency))
        return known[2]

    def claimed(self) -> str:
        """The UID of the cluster it was before the hub started, until it is known what it is now."""
        undecided = self.facts.problem is not None and self.facts.problem[0] == CONNECTING
        return self.node.status.cluster_uid if undecided else ""

    def view(
        self,
        now: datetime,
        currency: str,
        *,
        assumed: tuple[Assumption, ...],
        terms: Terms | None,
        reliability: int,
    ) -> NodeView:
        """What placement may know of it at `now`; the rest of it is the fleet's to say."""
        spec, blocked, says = self.node.spec, self.facts.blocked(), self.stated(now, currency)
        return NodeView(
            name=self.node.metadata["name"],
            tier=spec.tier,
            parent=spec.parent,
            region=spec.region.code,
            labels=spec.labels,
            taints=tuple(spec.taints),
            scheduling_state=spec.scheduling_state,
            stop_allowance_seconds=spec.timing.stop_allowance_seconds,
            classifications=says.classifications,
            jurisdictions=says.jurisdictions,
            energy=says.energy,
            network=says.network,
            reliability=reliability,
            ready=blocked is None,
            not_ready_reason=blocked[0] if blocked else "",
            not_ready_message=blocked[1] if blocked else "",
            price=self._price(now, currency),
            profile=self.profile,
            assumed=assumed,
            terms=terms,
            preemption_allowed=spec.offer is None or spec.offer.preemptible,
            preemption_notice_seconds=(spec.offer.reclaim_notice_seconds or 0) if spec.offer is not None else 0,
        )

    def _price(self, now: datetime, currency: str) -> PriceView | None:
        tariff = self.node.spec.tariff
        if tariff is None:
            return None
        state = tariff_state(tariff, now, currency)
        return PriceView(
            core_second=Decimal(tariff.prices.core_second),
            gibibyte_second=Decimal(tariff.prices.gibibyte_second),
            gpu_second={each.model: Decimal(each.price) for each in tariff.prices.gpu_second},
            currency=tariff.currency,
            current=state.ok,
            reason="" if state.ok else state.reason,
            message="" if state.ok else state.message,
        )
