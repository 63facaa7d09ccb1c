"""Choosing the shards of one node that are stopped for a job: a sufficient set that loses least."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .running import RunningShard

_TRIES = 200
_SEARCHED = 16


@dataclass(frozen=True, slots=True)
class Victim:
    """A shard with what stopping it loses: pod-seconds, weighed by the per mille of a machine that a pod takes.

    Pods of the same `kind` make the same room.
    """

    shard: RunningShard
    lost: int
    kind: int = 0


Enough = Callable[[Sequence[Victim]], bool]


def by_loss(victim: Victim) -> tuple[object, ...]:
    """What loses least comes first; of equals the lower priority, then what began last."""
    shard = victim.shard
    return victim.lost, shard.priority, -shard.since.timestamp(), shard.dispatch


def cheapest(victims: Sequence[Victim], enough: Enough) -> tuple[Victim, ...] | None:
    """A set of them that is enough and of which none can be spared; None where even all are not.

    They come in the order of `by_loss`. `enough` must hold for a set wherever it holds for a part of it. Of up to 16
    victims the set that loses least is searched, within a bound of tries; of more, the cheapest are taken until it is
    enough, and those spared again that proved not to be needed, the dearest first.
    """
    if not enough(victims):
        return None
    chosen = spared(victims[: _shortest(victims, enough)], enough)
    least = total(chosen)
    in_vain: dict[int, int] = {}
    for victim in victims:  # a single dear one may do for many cheap ones
        if victim.lost >= least:
            break
        if victim.shard.width <= in_vain.get(victim.kind, 0):
            continue
        if enough([victim]):
            chosen = [victim]
            break
        in_vain[victim.kind] = victim.shard.width
    if len(chosen) > 1 and len(victims) <= _SEARCHED:
        chosen = _Search(victims, chosen, enough).run()
    return tuple(chosen)


def total(victims: Sequence[Victim]) -> int:
    """What stopping all of them loses."""
    return sum(victim.lost for victim in victims)


def _shortest(ordered: Sequence[Victim], enough: Enough) -> int:
    """How many from the beginning are enough."""
    low, high = 1, len(ordered)
    while low < high:
        middle = (low + high) // 2
        if enough(ordered[:middle]):
            high = middle
        else:
            low = middle + 1
    return low


def spared(chosen: Sequence[Victim], enough: Enough) -> list[Victim]:
    """Those without which it would not be enough, given that all of them are."""
    kept = list(chosen)
    needed: dict[int, int] = {}  # by kind, the width of the smallest that was
    for victim in reversed(chosen):
        if victim.shard.width >= needed.get(victim.kind, victim.shard.width + 1):
            continue
        fewer = [other for other in kept if other is not victim]
        if fewer and enough(fewer):
            kept = fewer
        else:
            needed[victim.kind] = victim.shard.width
    return kept


class _Search:
    """Branch and bound over which victims to take, the cheapest first, from a set that is known to do."""

    def __init__(self, ordered: Sequence[Victim], known: list[Victim], enough: Enough) -> None:
        self._ordered = ordered
        self._best = known
        self._least = total(known)
        self._enough = enough
        self._tries = _TRIES

    def run(self) -> list[Victim]:
        """The best set found; none of it can be spared."""
        self._look(0, [], 0)
        return spared(self._best, self._enough)

    def _look(self, at: int, taken: list[Victim], lost: int) -> None:
        if at == len(self._ordered) or self._tries <= 0:
            return
        victim = self._ordered[at]
        if lost + victim.lost >= self._least:  # nor do those after it lose less
            return
        self._tries -= 2
        if not self._enough([*taken, *self._ordered[at:]]):
            return
        with_it = [*taken, victim]
        if self._enough(with_it):
            self._best, self._least = with_it, lost + victim.lost
        else:
            self._look(at + 1, with_it, lost + victim.lost)
        self._look(at + 1, taken, lost)
