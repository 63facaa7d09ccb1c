"""The terms of each node's offer as they stand now: what is left of its share, whether it is open, what may come."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from isthmus.api.names import LABEL_QUEUE
from isthmus.api.offer import Offer, ScalableShape
from isthmus.api.quantities import amount, amounts
from isthmus.capacity import AcceleratorTable, MachineTaint, Profile, Shape
from isthmus.placement import Terms
from isthmus.placement.terms import still_to_come
from isthmus.placement.windows import Hours, hours_of


@dataclass(frozen=True, slots=True)
class _Known:
    """An offer, and what of it holds for a while."""

    offer: Offer
    asked: datetime
    hours: Hours
    closed: str
    shapes: tuple[Shape, ...]


class Lending:
    """Remembers of each node what only time and its administrator change."""

    def __init__(self, table: AcceleratorTable) -> None:
        self._table = table
        self._known: dict[str, _Known] = {}

    def terms(
        self, name: str, offer: Offer, profile: Profile | None, held: Callable[[], Mapping[str, int]], now: datetime
    ) -> Terms:
        """The node's terms; `held` is what our work holds there, and asked for only where the offer has a share."""
        known = self._at(name, offer, now)
        share = share_of(offer, profile) if offer.share else None
        taken = held() if share is not None else {}
        accounts = offer.accounts
        coming = (still_to_come(shape, profile.shapes) for shape in known.shapes) if profile is not None else ()
        return Terms(
            closed=known.closed,
            accounts=frozenset(accounts.names if accounts is not None else ()),
            excepted=frozenset(accounts.except_ if accounts is not None else ()),
            share=share,
            left=None if share is None else {each: most - taken.get(each, 0) for each, most in share.items()},
            coming=tuple(shape for shape in coming if shape is not None),
            queued=LABEL_QUEUE in offer.labels,
        )

    def closed(self, name: str, offer: Offer | None, now: datetime) -> str:
        """Why the node takes no new work at this hour; empty where it does."""
        return "" if offer is None else self._at(name, offer, now).closed

    def reclaimed(self, name: str, offer: Offer | None, now: datetime) -> bool:
        """Whether the notice is over that began with the end of the last window, so that nothing is to stay."""
        over = self._reclaim_at(name, offer, now)
        return over is not None and over <= now

    def changes_in(self, name: str, offer: Offer | None, now: datetime) -> float:
        """Seconds until the node opens, closes or is reclaimed; infinite where that does not hang on the time."""
        if offer is None:
            return math.inf
        nexts = (self._at(name, offer, now).hours.until, self._reclaim_at(name, offer, now))
        return min(
            ((each - now).total_seconds() for each in nexts if each is not None and each > now), default=math.inf
        )

    def drop(self, name: str) -> None:
        """Forget a node that is gone."""
        self._known.pop(name, None)

    def _reclaim_at(self, name: str, offer: Offer | None, now: datetime) -> datetime | None:
        if offer is None or offer.reclaim_notice_seconds is None:
            return None
        since = self._at(name, offer, now).hours.since
        return None if since is None else since + timedelta(seconds=offer.reclaim_notice_seconds)

    def _at(self, name: str, offer: Offer, now: datetime) -> _Known:
        known = self._known.get(name)
        if (
            known is not None
            and known.offer == offer
            and known.asked <= now
            and (known.hours.until is None or now < known.hours.until)
        ):
            return known
        try:
            hours = hours_of(offer.windows, now)
            closed = "" if hours.open else _closed(hours)
        except ValueError as error:  # no hour at which it surely lends
            hours, closed = Hours(open=False, since=None, until=None), f"spec.offer.windows can't be read: {error}"
        shapes = tuple(shape_of(each, self._table) for each in offer.scalable)
        known = self._known[name] = _Known(offer, now, hours, closed, shapes)
        return known


def _closed(hours: Hours) -> str:
    said = "the node lends nothing at this hour"
    return said if hours.until is None else f"{said}; it does again from {hours.until:%Y-%m-%dT%H:%M:%SZ}"


def share_of(offer: Offer, profile: Profile | None) -> Mapping[str, int]:
    """The most that our work may hold, by resource; percentages of what is allocatable are rounded down."""
    there = profile.allocatable if profile is not None else {}
    return {
        name: there.get(name, 0) * int(text[:-1]) // 100 if text.endswith("%") else amount(name, text)
        for name, text in offer.share.items()
    }


def shape_of(each: ScalableShape, table: AcceleratorTable) -> Shape:
    """Such machines, empty, as many as there may be; their accelerators are known as those of any machine are."""
    allocatable = {name: value for name, value in amounts(each.allocatable).items() if value}
    found = (table.classify(name, each.labels) for name in sorted(allocatable))
    accelerators = tuple(a for a in found if a is not None)
    taints = tuple(MachineTaint(taint.key, taint.value, taint.effect) for taint in each.taints)
    allocatable.setdefault("pods", 110)  # what a kubelet takes where it is not told
    return Shape(each.maximum, allocatable, allocatable, accelerators, each.labels, taints)
