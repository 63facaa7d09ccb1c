"""What placement knows of the accounts: their part in the fleet, their limits, what they hold, what they held."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from math import log

from .holding import NOTHING, Holding
from .usage import Usage

ANY_MODEL = "*"
# Of a half-life: the lifetime that is assumed before anything has ended.
_LIFETIME_SHARE = 0.25


@dataclass(frozen=True, slots=True)
class AccountLimits:
    """An account's weight and what of it may run at once; None and what is not named is not limited.

    `gpus` are by model as requests name it, `resources` in the units of `isthmus.api.quantities`, `ceiling` is a price
    per hour.
    """

    weight: int = 1
    gpus: Mapping[str, int] = field(default_factory=dict)
    resources: Mapping[str, int] = field(default_factory=dict)
    ceiling: Decimal | None = None

    @property
    def bounded(self) -> bool:
        """Whether anything is limited."""
        return bool(self.gpus or self.resources or self.ceiling is not None)


UNLIMITED = AccountLimits()
UNUSED = Usage()


@dataclass(frozen=True, slots=True)
class AccountView:
    """One account. `holding` is what its shards hold, those on their way and those suspended among them."""

    limits: AccountLimits = UNLIMITED
    holding: Holding = NOTHING
    usage: Usage = UNUSED


@dataclass(frozen=True, slots=True)
class AccountsView:
    """All accounts at `at`, in seconds of the clock of their usages; those not known hold nothing, and have `default`.

    `lifetime` is how long, in seconds, what is given to an account is held on average; None is not known. `currency` is
    what ceilings and prices are in.
    """

    known: Mapping[str, AccountView] = field(default_factory=dict)
    default: AccountLimits = UNLIMITED
    at: float = 0.0
    half_life: float = 1.0
    lifetime: float | None = None
    currency: str = ""

    def of(self, account: str) -> AccountView:
        """The account of that name."""
        found = self.known.get(account)
        return AccountView(self.default) if found is None else found

    @property
    def ahead(self) -> float:
        """How much of an average to come lies in what is held now: half a lifetime of it, against all the past."""
        lifetime = self.half_life * _LIFETIME_SHARE if self.lifetime is None else self.lifetime
        return lifetime / 2 / (lifetime / 2 + self.half_life / log(2))

    def average(self, account: str) -> dict[str, float]:
        """What it held on average of late, by resource."""
        return self.of(account).usage.average_at(self.at, self.half_life)

    def share(self, account: str, capacity: Mapping[str, int]) -> float:
        """Its dominant share of the fleet on average of late: 0..1, or above where the fleet has shrunk."""
        return dominant(self.average(account), capacity)


NO_ACCOUNTS = AccountsView()


def dominant(amounts: Mapping[str, float], capacity: Mapping[str, int]) -> float:
    """The largest share of any resource (Ghodsi et al., Dominant Resource Fairness, NSDI 2011, §4).

    A resource counts by its name, whatever the model behind it, as in Kueue; one of which there is none is passed over.
    """
    return max((amount / capacity[name] for name, amount in amounts.items() if capacity.get(name, 0) > 0), default=0.0)
