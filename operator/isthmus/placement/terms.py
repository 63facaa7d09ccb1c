"""The terms of a node's offer, as they stand at one instant."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from isthmus.capacity.profile import Shape

# A machine that comes has its own kubelet set something aside that nobody foresaw.
_ALIKE_PERCENT = 90


@dataclass(frozen=True, slots=True)
class Terms:
    """What a member lends, to whom, and whether it does so now.

    `closed` says why no new work is taken now; empty where it is. `accounts` are those that may use the node, none is
    all, but for those in `excepted`. `share` is the most that our work may hold, by resource, and `left` what of that
    no shard holds; a resource in neither has no such bound. `coming` are machines that an autoscaler may add yet.
    `queued` says that a queue of the member's own decides when a Job there begins.
    """

    closed: str = ""
    accounts: frozenset[str] = frozenset()
    excepted: frozenset[str] = frozenset()
    share: Mapping[str, int] | None = None
    left: Mapping[str, int] | None = None
    coming: tuple[Shape, ...] = ()
    queued: bool = False

    def admits(self, account: str) -> bool:
        """Whether the account may use the node."""
        return account not in self.excepted and (not self.accounts or account in self.accounts)

    @property
    def standing(self) -> tuple[object, ...]:
        """All of it that no placement changes."""
        share = None if self.share is None else tuple(sorted(self.share.items()))
        return self.closed, self.accounts, self.excepted, share, self.coming, self.queued


def still_to_come(shape: Shape, there: Iterable[Shape]) -> Shape | None:
    """What is left of a scalable shape, whose count is the most there may be, beside the machines that are there.

    A machine is one of the shape where it holds the same accelerators and at least 90 % of each amount. None where
    all have come.
    """
    came = sum(each.count for each in there if _alike(shape, each))
    left = shape.count - came
    if left <= 0:
        return None
    return Shape(left, shape.allocatable, shape.allocatable, shape.accelerators, shape.labels, shape.taints)


def _alike(shape: Shape, machine: Shape) -> bool:
    models = {(a.resource_name, a.model, a.partition_profile) for a in shape.accelerators}
    if models != {(a.resource_name, a.model, a.partition_profile) for a in machine.accelerators}:
        return False
    labels = machine.labels or {}
    told = (shape.labels or {}).items()
    return all(labels.get(key, value) == value for key, value in told) and all(
        100 * machine.allocatable.get(name, 0) >= _ALIKE_PERCENT * amount for name, amount in shape.allocatable.items()
    )
