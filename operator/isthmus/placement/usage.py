"""What an account has held of late: averages in which the past counts less and less, by half after each half-life.

As Slurm decays usage (PriorityDecayHalfLife of its multifactor priority plugin) and Kueue does for its
AdmissionFairSharing (usageHalfLifeTime, KEP-4136).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

_LEAST = 1e-9


@dataclass(frozen=True, slots=True)
class Usage:
    """Average amounts by resource up to `at`, and what has been held since. Times are seconds of one clock.

    The average of what is held all along is just that; of what is held no more, it falls to a half in a half-life.
    """

    at: float = 0.0
    average: Mapping[str, float] = field(default_factory=dict)
    held: Mapping[str, int] = field(default_factory=dict)

    def average_at(self, now: float, half_life: float) -> dict[str, float]:
        """The average amounts at `now`."""
        kept = 0.5 ** (max(now - self.at, 0.0) / half_life)
        names = self.average.keys() | self.held.keys()
        averages = {n: (h := self.held.get(n, 0)) + (self.average.get(n, 0.0) - h) * kept for n in sorted(names)}
        return {name: amount for name, amount in averages.items() if amount > _LEAST}

    def holding(self, held: Mapping[str, int], now: float, half_life: float) -> "Usage":
        """The same account, which holds this from `now` on."""
        return Usage(max(now, self.at), self.average_at(now, half_life), held)

    def with_past(self, held: Mapping[str, int], began: float, ended: float, half_life: float) -> "Usage":
        """With what else was held from `began` to `ended`, which is not after `at`."""
        weight = 0.5 ** (max(self.at - ended, 0.0) / half_life) - 0.5 ** (max(self.at - began, 0.0) / half_life)
        average = dict(self.average)
        for name, amount in held.items() if weight > 0 else ():
            average[name] = average.get(name, 0.0) + amount * weight
        return Usage(self.at, average, self.held)

    def idle(self, now: float, half_life: float) -> bool:
        """Whether nothing is held, nor was of late."""
        return not self.held and not self.average_at(now, half_life)
