"""What accounts may still be given within a cycle: quotas and spend ceilings, counted as the cycle goes on.

Whoever places asks before each placement (`pods`, or `permits` for a whole job) and tells after it (`take`), in one
cycle of one `Allowance`; then no order of placements exceeds a limit. A repair that takes a placement back says so by
`give_back`. All figures are of pods: `Candidate.pod` is what one pod of a job holds on one node.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import TypeAlias

from isthmus.api.quantities import CPU, MEMORY
from isthmus.capacity.accelerators import model_matches

from .accounts import ANY_MODEL, AccountLimits, AccountsView
from .demand import Demand
from .holding import Holding, Models
from .verdict import Rejection
from .wording import counted

QUOTA_EXCEEDED = "QuotaExceeded"
CEILING_REACHED = "SpendCeilingReached"

Figure: TypeAlias = int | Decimal


class Allowance:
    """Of one cycle."""

    def __init__(self, accounts: AccountsView) -> None:
        self._accounts = accounts
        self._holding: dict[str, Holding] = {}
        self._bounded: dict[str, bool] = {}

    def limits_of(self, account: str) -> "Allowance | None":
        """Itself where the account has a limit at all; None where nothing needs to be asked or told of it."""
        return self if self.bounded(account) else None

    def bounded(self, account: str) -> bool:
        """Whether the account has a limit at all."""
        found = self._bounded.get(account)
        if found is None:
            found = self._bounded[account] = self._accounts.of(account).limits.bounded
        return found

    def pods(self, account: str, pod: Holding, wanted: int) -> int:
        """How many of such pods it may be given now, at most `wanted`."""
        for _, limit, held, each in self._bounds(account, pod):
            if each > 0:
                wanted = min(wanted, int((limit - held) // each) if limit > held else 0)
        return wanted

    def permits(self, demand: Demand, pod: Holding) -> bool:
        """Whether so many of the job's pods may be placed as a node must have room for to be of use."""
        return self.pods(demand.account, pod, demand.least) >= demand.least

    def within(self, demand: Demand, pieces: Sequence[tuple[Holding, int]]) -> list[int]:
        """How many pods of each piece, (what a pod holds there, pods), may be placed if those before it are.

        A piece that would come out smaller than is worth one gets none, unless it is the last of the whole job.
        """
        kept, placed = [], 0
        for pod, pods in pieces:
            fits = self.pods(demand.account, pod, pods)
            fits = fits if fits >= demand.least or placed + fits == demand.width else 0
            self.take(demand.account, pod, fits)
            kept.append(fits)
            placed += fits
        for (pod, _), fits in zip(pieces, kept, strict=True):
            self.give_back(demand.account, pod, fits)
        return kept

    def take(self, account: str, pod: Holding, pods: int) -> None:
        """So many such pods of the account were placed."""
        if self.bounded(account):
            self._holding[account] = self._held(account).plus(pod.times(pods))

    def give_back(self, account: str, pod: Holding, pods: int) -> None:
        """So many of those pods were not placed after all."""
        if self.bounded(account):
            self._holding[account] = self._held(account).minus(pod.times(pods))

    def refusal(self, demand: Demand, pod: Holding) -> Rejection | None:
        """Which limit the job would exceed, with all figures; permanent where it would even if nothing ran."""
        account, least = demand.account, demand.least
        for what, limit, held, each in self._bounds(account, pod):
            asked = each * least
            if not asked or held + asked <= limit:
                continue
            alone = asked > limit
            if what == CEILING_REACHED:
                unit = f"{self._accounts.currency} an hour".strip()
                may = f"account {account} may spend {_plain(limit)} {unit}, spends {_plain(held)}"
                said = f"{may}, the job would add {_plain(asked)}"
                return Rejection(CEILING_REACHED, said, permanent=alone, gist=said)
            may = f"account {account} may hold {_amount(what, limit)}, holds {_figure(what, held)}"
            part = "the job asks for" if least == demand.width else "a part of the job asks for"
            said = f"{may}, {part} {_figure(what, asked)}"
            return Rejection(QUOTA_EXCEEDED, said, permanent=alone, gist=said)
        return None

    def trial(self) -> "Allowance":
        """A copy, which can be told of placements that are only thought of."""
        copy = Allowance(self._accounts)
        copy._holding = dict(self._holding)
        return copy

    def _held(self, account: str) -> Holding:
        found = self._holding.get(account)
        return self._accounts.of(account).holding if found is None else found

    def _bounds(self, account: str, pod: Holding) -> Iterator[tuple[str, Figure, Figure, Figure]]:
        """(what, limit, held, what one pod holds) of each limit of the account."""
        limits: AccountLimits = self._accounts.of(account).limits
        if not limits.bounded:
            return
        held = self._held(account)
        for model, limit in limits.gpus.items():
            yield model, limit, of_model(held, model), of_model(pod, model)
        for name, limit in limits.resources.items():
            yield name, limit, held.resources.get(name, 0), pod.resources.get(name, 0)
        if limits.ceiling is not None:
            yield CEILING_REACHED, limits.ceiling, held.per_hour, pod.per_hour


def of_model(holding: Holding, model: str) -> int:
    """How many accelerators count towards a quota of the model: all that may be of it."""
    return sum(count for models, count in holding.accelerators.items() if _any_is(model, models))


@lru_cache(maxsize=4096)
def _any_is(wanted: str, models: Models) -> bool:
    """Whether one of the models is the one wanted; a partition counts as one of its model, or of its own name."""
    if wanted == ANY_MODEL:
        return True
    name, _, profile = wanted.partition("/")
    for each in models:
        model, _, partition = each.partition("/")
        if model_matches(name, model) and profile in {"", partition}:
            return True
    return False


def _amount(what: str, amount: Figure) -> str:
    if what == ANY_MODEL:
        return f"{amount} accelerators"
    return counted(what, int(amount)) if what in {CPU, MEMORY} else f"{amount} x {what}"


def _figure(what: str, amount: Figure) -> str:
    return counted(what, int(amount)).partition(" ")[0] if what in {CPU, MEMORY} else str(amount)


def _plain(amount: Figure) -> str:
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
