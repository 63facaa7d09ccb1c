"""What each account holds, from the Dispatches that are written or about to be, and what it held of late."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

import msgspec

from isthmus.api.accounts import Account, AccountsConfig
from isthmus.api.dispatch import TERMINAL, Dispatch, DispatchState
from isthmus.api.names import ANNOTATION_HOLDING
from isthmus.api.quantities import CPU, MEMORY, amount
from isthmus.placement import AccountLimits, AccountsView, AccountView, Holding, Usage

# What was held so many half-lives ago counts less than a thousandth.
HALF_LIVES_KEPT = 10
_KEPT_AT_LEAST = 64
# The average lifetime is over so many shards that ended last, more or less.
_LIFETIMES = 32


@dataclass(frozen=True, slots=True)
class Hold:
    """What one Dispatch holds of its account; while it is `paused` its place under the limits is kept, and no more."""

    account: str
    holding: Holding
    paused: bool = False


@dataclass(slots=True)
class _Tally:
    """One account: what its Dispatches hold together, and its usage."""

    holding: Holding = field(default_factory=Holding)
    running: Holding = field(default_factory=Holding)
    usage: Usage = field(default_factory=Usage)


class Accounting:
    """Counts each Dispatch, by its node and sequence, from the moment that its room is set aside until it has ended.

    `monotonic` never jumps, in seconds. After a restart what was held is told by the Dispatches that there are: of one
    that has ended, by its own times. What ran for jobs that were deleted since then is forgotten.
    """

    def __init__(self, currency: str, monotonic: Callable[[], float]) -> None:
        self._currency = currency
        self._monotonic = monotonic
        self._config = AccountsConfig(named={})
        self._default = limits_of(self._config.default)
        self._named: dict[str, AccountLimits] = {}
        self._holds: dict[tuple[str, int], Hold] = {}
        self._tallies: dict[str, _Tally] = {}
        self._views: dict[str, AccountView] = {}
        self._look_at = _KEPT_AT_LEAST
        self._began: dict[tuple[str, int], float] = {}
        self._ended = 0
        self._lifetime: float | None = None

    @property
    def config(self) -> AccountsConfig:
        """The settings in force."""
        return self._config

    def configure(self, config: AccountsConfig) -> None:
        """Put settings in force."""
        self._config = config
        self._default = limits_of(config.default)
        self._named = {name: limits_of(account) for name, account in config.named.items()}
        self._views = {name: self._view(name) for name in {*self._tallies, *self._named}}

    def view(self) -> AccountsView:
        """The accounts as they are now."""
        now = self._monotonic()
        if len(self._tallies) > self._look_at:
            self._forget_idle(now)
        return AccountsView(dict(self._views), self._default, now, self._half_life, self._lifetime, self._currency)

    def begin(self, node: str, sequence: int, account: str, holding: Holding) -> None:
        """A Dispatch of that sequence is about to be written for the node."""
        self._put((node, sequence), Hold(account, holding))

    def end(self, node: str, sequence: int) -> None:
        """The Dispatch has ended, or was not written after all. Others are passed over."""
        self._put((node, sequence), None)

    def observed(self, node: str, dispatch: Dispatch) -> None:
        """A Dispatch as it stands: one that another process wrote is taken in, one that is suspended pauses."""
        key, state = (node, dispatch.spec.sequence), dispatch.status.state
        if state in TERMINAL:
            if key in self._began:
                self._lasted(self._monotonic() - self._began[key])
            self._put(key, None)
            return
        known = self._holds.get(key) or Hold(dispatch.spec.account, holding_of(dispatch))
        self._put(key, replace(known, paused=state is DispatchState.SUSPENDED))

    def recall(self, node: str, dispatch: Dispatch, now: datetime) -> None:
        """A Dispatch that was there before the hub began, at `now` by the time of day."""
        age = _seconds(now, dispatch.metadata.get("creationTimestamp"))
        if age is None:
            return
        ended = 0.0
        if dispatch.status.state in TERMINAL:
            reading = dispatch.status.reading
            last = dispatch.status.completion_time or (reading.observed_at if reading is not None else None)
            since = _seconds(now, last)
            ended = age if since is None else min(since, age)
            if since is not None:
                self._lasted(age - ended)
        if ended < HALF_LIVES_KEPT * self._half_life:
            account, at = dispatch.spec.account, self._monotonic()
            tally = self._tallies.setdefault(account, _Tally())
            tally.usage = tally.usage.holding(tally.running.resources, at, self._half_life).with_past(
                holding_of(dispatch).resources, at - age, at - ended, self._half_life
            )
            self._views[account] = self._view(account)
        self.observed(node, dispatch)

    @property
    def _half_life(self) -> float:
        return float(self._config.half_life_seconds)

    def _lasted(self, seconds: float) -> None:
        self._ended += 1
        mean = seconds if self._lifetime is None else self._lifetime
        self._lifetime = mean + (seconds - mean) / min(self._ended, _LIFETIMES)

    def _put(self, key: tuple[str, int], hold: Hold | None) -> None:
        before, began = self._holds.get(key), 0.0
        if before == hold:
            return
        if before is not None:
            del self._holds[key]
            began = self._began.pop(key)
            self._count(before, minus=True)
        if hold is not None:
            self._holds[key] = hold
            self._began[key] = self._monotonic() if before is None else began
            self._count(hold, minus=False)

    def _count(self, hold: Hold, *, minus: bool) -> None:
        tally = self._tallies.setdefault(hold.account, _Tally())
        tally.holding = tally.holding.minus(hold.holding) if minus else tally.holding.plus(hold.holding)
        if not hold.paused:
            tally.running = tally.running.minus(hold.holding) if minus else tally.running.plus(hold.holding)
            tally.usage = tally.usage.holding(tally.running.resources, self._monotonic(), self._half_life)
        self._views[hold.account] = self._view(hold.account)

    def _view(self, name: str) -> AccountView:
        limits, tally = self._named.get(name, self._default), self._tallies.get(name)
        return AccountView(limits) if tally is None else AccountView(limits, tally.holding, tally.usage)

    def _forget_idle(self, now: float) -> None:
        for name, tally in list(self._tallies.items()):
            if not tally.holding and tally.usage.at < now - HALF_LIVES_KEPT * self._half_life:
                del self._tallies[name]
                self._views.pop(name, None)
                if name in self._named:
                    self._views[name] = self._view(name)
        self._look_at = max(2 * len(self._tallies), _KEPT_AT_LEAST)


def limits_of(account: Account) -> AccountLimits:
    """An account's settings as placement has them."""
    quota = account.quota
    named = {CPU: quota.cores, MEMORY: quota.memory}
    return AccountLimits(
        weight=account.weight,
        gpus=dict(sorted(quota.gpus.items())),
        resources={name: amount(name, text) for name, text in named.items() if text is not None},
        ceiling=None if account.ceiling is None else Decimal(account.ceiling),
    )


def holding_text(holding: Holding) -> str:
    """The holding as a Dispatch carries it, so that it is known after a restart."""
    accelerators = [[list(models), count] for models, count in holding.accelerators.items()]
    content = {
        "resources": dict(holding.resources),
        "accelerators": accelerators,
        "perHour": f"{holding.per_hour:f}",
    }
    return msgspec.json.encode(content).decode()


class _Written(msgspec.Struct, rename="camel"):
    resources: dict[str, int]
    accelerators: list[tuple[tuple[str, ...], int]]
    per_hour: Decimal


def holding_of(dispatch: Dispatch) -> Holding:
    """What a Dispatch holds; nothing where it does not say (an older hub wrote it), or says what can't be read."""
    text = (dispatch.metadata.get("annotations") or {}).get(ANNOTATION_HOLDING)
    if not text:
        return Holding()
    try:
        written = msgspec.json.decode(text, type=_Written)
    except msgspec.MsgspecError:
        return Holding()
    if not written.per_hour.is_finite():
        return Holding()
    return Holding(written.resources, dict(written.accelerators), written.per_hour)


def _seconds(now: datetime, text: str | None) -> float | None:
    """How long ago that was, in seconds; never below zero."""
    if not text:
        return None
    ago = (now - datetime.fromisoformat(text)).total_seconds()
    return max(ago, 0.0) if math.isfinite(ago) else None
