"""What placement knows of the nodes at one instant."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from isthmus.api.computenode import Taint
from isthmus.capacity.profile import Profile

from .accounts import NO_ACCOUNTS, AccountsView
from .assumed import Assumption
from .reservation import Reservation
from .running import RunningShard
from .stated import EnergyView, NetworkView
from .terms import Terms

ANY_MODEL = "*"
UNPROVEN = 95
"""The reliability of a node of which nothing is known yet, in percent."""


@dataclass(frozen=True, slots=True)
class PriceView:
    """A node's prices per second, and whether work may be sent on them.

    `gpu_second` is by accelerator model as meters name it (a partition has its own), `*` any other. Where `current` is
    false, `reason` (CamelCase) and `message` say why.
    """

    core_second: Decimal
    gibibyte_second: Decimal
    gpu_second: Mapping[str, Decimal]
    currency: str
    current: bool = True
    reason: str = ""
    message: str = ""

    def of_model(self, model: str) -> Decimal | None:
        """The price of one accelerator of the model for a second, or None where there is none."""
        found = self.gpu_second.get(model)
        return self.gpu_second.get(ANY_MODEL) if found is None else found

    def prices(self, model: str) -> bool:
        """Whether there is a price for the model."""
        return model in self.gpu_second or ANY_MODEL in self.gpu_second


def in_force(price: PriceView | None) -> PriceView | None:
    """The prices, where work may be sent on them."""
    return price if price is not None and price.current else None


@dataclass(frozen=True, slots=True)
class NodeView:
    """One ComputeNode: what its administrator declared, its state, its figures, and what was sent to it since.

    `stop_allowance_seconds` is how long pods that are told to stop there may take to. `classifications` and
    `jurisdictions` are what data it is cleared for. `reliability` is the hub's record of it, in percent. `terms` are
    those of its offer; None is without any. `preemption_allowed` says whether work there may be preempted, and
    `preemption_notice_seconds` how long before that it must be told.
    """

    name: str
    tier: str
    parent: str | None = None
    region: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    taints: tuple[Taint, ...] = ()
    scheduling_state: str = "Active"
    stop_allowance_seconds: int = 60
    classifications: frozenset[str] = frozenset()
    jurisdictions: frozenset[str] = frozenset()
    energy: EnergyView | None = None
    network: NetworkView | None = None
    reliability: int = UNPROVEN
    ready: bool = True
    not_ready_reason: str = ""
    not_ready_message: str = ""
    price: PriceView | None = None
    profile: Profile | None = None
    assumed: tuple[Assumption, ...] = ()
    terms: Terms | None = None
    preemption_allowed: bool = True
    preemption_notice_seconds: int = 0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All nodes at `now`, and the accounts that share them.

    `running` is the work that may be stopped there, or is being; `reservations` are those that the last cycle made.
    """

    nodes: tuple[NodeView, ...]
    now: datetime
    accounts: AccountsView = NO_ACCOUNTS
    running: tuple[RunningShard, ...] = ()
    reservations: tuple[Reservation, ...] = ()
