"""What a cycle decided."""

from dataclasses import dataclass
from decimal import Decimal

from isthmus.api.computejob import Explanation

from .demand import Demand
from .holding import NOTHING, Holding
from .preemption import Preemption
from .reservation import Reservation
from .steering import Affinity


@dataclass(frozen=True, slots=True)
class Assignment:
    """A job given to a node: all of its pods, or `width` of those of a split one.

    The pieces of a split job follow each other. What they leave of its width has found no room, and is to be offered
    anew.

    `affinity` are machine labels that its pods must be bound to, all of them. `estimate_per_hour` is the price of an
    hour of these pods in `currency`, `holding` what they count to their account. `demand` is the job in the form that
    was chosen, which `variant` names.
    """

    demand: Demand
    node: str
    width: int
    affinity: Affinity
    estimate_per_hour: Decimal | None
    currency: str
    explanation: Explanation
    variant: str | None = None
    holding: Holding = NOTHING


@dataclass(frozen=True, slots=True)
class Unplaced:
    """A job that no node took. `never` where none could ever run it as job and nodes stand, room apart."""

    demand: Demand
    never: bool
    reason: str
    message: str
    explanation: Explanation


@dataclass(frozen=True, slots=True)
class Programs:
    """The linear programs of a cycle, one for each batch: how many, their optima and what was reached, in sum.

    `objective` is never below `bound`. Of one program the bound holds for whatever could have been decided; of several
    each holds only once those before it are decided.
    """

    count: int
    bound: float
    objective: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a cycle decided, in the order in which it decided; `programs` is None where no program was solved.

    `reservations` are for the next cycle's snapshot; what `preemptions` name is to be stopped.
    """

    assignments: tuple[Assignment, ...]
    unplaced: tuple[Unplaced, ...]
    programs: Programs | None = None
    reservations: tuple[Reservation, ...] = ()
    preemptions: tuple[Preemption, ...] = ()
